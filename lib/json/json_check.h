/*
 * json_check - is this text strict JSON (RFC 8259), within limits?
 *
 * Runs over foreign bytes before any parser sees them: one value and nothing behind
 * it, valid UTF-8, no control characters inside strings, no NUL even as an escape,
 * no lone surrogates, numbers as the grammar has them, nesting at most `max_depth`.
 * Allocates nothing and touches nothing of the system.
 */
#ifndef JSON_JSON_CHECK_H
#define JSON_JSON_CHECK_H

#include <stddef.h>

#include "base/err.h"

struct json_limits {
	size_t max_bytes;
	unsigned max_depth; /* an object or array is one level */
};

/* 0, or -1 with ERR_PROTO and the position of the first thing that is wrong. */
int json_check(
    const char *text, size_t len, const struct json_limits *limits, struct err *err);
/* The length of the valid UTF-8 sequence at p (1..4), 0 if it is none. */
size_t json_utf8(const unsigned char *p, size_t len);

#endif
