/*
 * str - what people write: times, sizes, yes and no, ids, words; and what we say back.
 *
 * Pure functions over text that nobody has checked yet.  Each parser takes the whole text
 * or refuses it with a sentence that names what it got and what it wants; on failure the
 * result is untouched.  Nothing here allocates.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* "500ms", "5s", "2m", "1h", "3d" (also "1.5s", "1h30m"), "infinity": MS_INFINITY. */
int str_time_ms(const char *text, uint64_t *ms, struct err *err);
/* "4096", "64k", "10M", "2G", "1T": powers of 1024. */
int str_size(const char *text, uint64_t *bytes, struct err *err);
/* yes, true, on, 1 and no, false, off, 0. */
int str_yes_no(const char *text, bool *yes, struct err *err);
int str_number(
    const char *text, uint64_t min, uint64_t max, uint64_t *ret, struct err *err);
int str_integer(
    const char *text, int64_t min, int64_t max, int64_t *ret, struct err *err);

/* As ASCII has them, whatever the locale. */
static inline bool
str_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
str_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* One part of an id: [a-z0-9_-]{1,32}. */
bool str_is_id_part(const char *text, size_t len);
bool str_starts(const char *text, const char *prefix);
bool str_is_utf8(const char *text, size_t len);

/*
 * Splits as a shell would, without expanding anything: 'raw', "with \" \\ \$ \` escaped",
 * \c outside of quotes.  The words go to `out`, each with its NUL, one behind the other;
 * out has room for strlen(text) + 2 bytes.  The number of words or -1.
 */
int64_t str_words(const char *text, char *out, struct err *err);

/* How many letters must be changed, added, removed or swapped to make b of a. */
unsigned str_distance(const char *a, const char *b);
/* The name that `word` was probably meant to be, or null; null names are passed over. */
const char *str_nearest(const char *word, const char *const *names, size_t n);

/*
 * A hostile text made fit for a message: control characters and broken UTF-8 become
 * \xNN, what does not fit is cut and ends in "...".  Returns buf.
 */
const char *str_printable(const char *text, char *buf, size_t cap);
/* The same as JSON text without the quotes around it; 0 or -1 when it does not fit. */
int str_json(const char *text, char *buf, size_t cap);

#endif
