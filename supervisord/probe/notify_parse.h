/*
 * notify_parse - one datagram of sd_notify(3) as facts.  Pure: no system calls.
 *
 * A datagram is lines NAME=value.  The names we know become facts, a later line wins
 * over an earlier one of the same name; names we do not know are passed over.  What is
 * malformed (a line without '=', an odd name, a NUL inside, a number that is none) makes
 * the whole datagram void: half of a message is worse than none.
 */
#ifndef PROBE_NOTIFY_PARSE_H
#define PROBE_NOTIFY_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/proto.h"

enum { NOTIFY_MAX_BYTES = 4096 };

struct notify {
	uint32_t has;		  /* bit per enum fact */
	uint64_t value[FACT_MAX]; /* of those that carry one */
	char status[STATUS_FACT_TEXT];
};

/*
 * 0, or -1 with ERR_PROTO and a sentence that is safe to log.  *out is filled only by a
 * success.  A NUL as last byte is allowed; some senders count theirs.
 */
int notify_parse(const char *buf, size_t n, struct notify *out, struct err *err);
/*
 * Copies text of n bytes to a status: control characters and broken UTF-8 become '?',
 * and it is cut before a character that does not fit.
 */
void notify_status(const char *text, size_t n, char out[STATUS_FACT_TEXT]);

#endif
