/*
 * values - what is written behind the '=': one parser a type of value.
 *
 * value_check is the check of the table in keys.c; the other parsers give what does not
 * fit into one number.  Pure but for names of signals; users and files are looked at
 * elsewhere.  -1 with a sentence, results untouched.
 */
#ifndef CONF_VALUES_H
#define CONF_VALUES_H

#include <stdint.h>

#include "base/err.h"
#include "conf/keys.h"

enum { VALUE_CPU_WORDS = 32, VALUE_NAME_MAX = 256 };

#define VALUE_LIMIT_INFINITY UINT64_MAX /* as RLIM_INFINITY */

struct value_address {
	uint8_t bytes[28]; /* sockaddr_in or sockaddr_in6 */
	uint32_t len;
	uint16_t port;
};

struct value_listen {
	struct value_address address; /* len 0: unix */
	const char *path;	      /* borrowed from the text; null: none */
	int type;		      /* SOCK_STREAM, ... */
};

struct value_ready {
	uint8_t kind; /* enum ready_kind */
	int fd;
	struct value_address address;
};

/* Checks `text` as a value of this key; *num as keys.h says for its type. */
int value_check(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err);
/* How values of a type are written, for the papers. */
const char *value_syntax(enum value_type type);

int value_signal(const char *text, int *signal, struct err *err);
int value_codes(const char *text, uint32_t bits[8], struct err *err);
int value_backoff(const char *text, uint64_t min_max[2], struct err *err);
int value_limit(const struct conf_key *key, const char *text, uint64_t soft_hard[2],
    struct err *err);
int value_cpus(
    const char *text, uint32_t words[VALUE_CPU_WORDS], uint32_t *n, struct err *err);
int value_caps(const char *text, uint64_t *caps, struct err *err);
int value_ready(const char *text, struct value_ready *ready, struct err *err);
int value_listen(const char *text, struct value_listen *listen, struct err *err);
/* The next word of a list between blanks or commas: its length, 0 at the end; *p stands
 * at it. */
size_t value_next(const char **p);

#endif
