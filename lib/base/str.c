#include "base/str.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

enum { SHOWN = 80, DISTANCE_MAX = 48 };

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
    {"ms", 1},
    {"s", 1000},
    {"m", 60000},
    {"h", 3600000},
    {"d", 86400000},
};

static const struct unit size_units[] = {
    {"", 1},
    {"k", 1ULL << 10},
    {"K", 1ULL << 10},
    {"M", 1ULL << 20},
    {"G", 1ULL << 30},
    {"T", 1ULL << 40},
};

static int
refuse(struct err *err, const char *text, const char *wanted)
{
	char shown[SHOWN];
	return err_set(err, ERR_CONFIG, "'%s' is not %s",
	    str_printable(text, shown, sizeof shown), wanted);
}

/* Digits at *p; -1 when there are none or they do not fit. */
static int
take_digits(const char **p, uint64_t *ret)
{
	uint64_t n = 0;
	if (!str_is_digit(**p))
		return -1;
	for (; str_is_digit(**p); (*p)++)
		if (__builtin_mul_overflow(n, 10U, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(**p - '0'), &n))
			return -1;
	*ret = n;
	return 0;
}

/* The letters at *p as one of the units. */
static const struct unit *
take_unit(const char **p, const struct unit *units, size_t nunits)
{
	size_t len = 0;
	while (str_is_letter((*p)[len]))
		len++;
	for (size_t i = 0; i < nunits; i++)
		if (strlen(units[i].name) == len &&
		    memcmp(units[i].name, *p, len) == 0) {
			*p += len;
			return &units[i];
		}
	return NULL;
}

/* The digits behind the point, as far as they make whole milliseconds. */
static uint64_t
take_fraction(const char **p, uint64_t factor)
{
	uint64_t sum = 0;
	for (uint64_t scale = 10; str_is_digit(**p); (*p)++) {
		if (scale <= factor)
			sum += (uint64_t)(**p - '0') * factor / scale;
		scale = scale <= factor ? scale * 10 : scale;
	}
	return sum;
}

/* One "1.5h" of a time. */
static int
take_time(const char **p, uint64_t *ms)
{
	uint64_t whole;
	if (take_digits(p, &whole) < 0)
		return -1;
	const char *fraction = **p == '.' ? ++*p : NULL;
	if (fraction != NULL && !str_is_digit(*fraction))
		return -1;
	while (str_is_digit(**p))
		(*p)++;
	const struct unit *u = take_unit(p, time_units, COUNT(time_units));
	if (u == NULL || __builtin_mul_overflow(whole, u->factor, &whole))
		return -1;
	if (fraction != NULL &&
	    __builtin_add_overflow(whole, take_fraction(&fraction, u->factor), &whole))
		return -1;
	return __builtin_add_overflow(*ms, whole, ms) ? -1 : 0;
}

int
str_time_ms(const char *text, uint64_t *ms, struct err *err)
{
	const char *p = text;
	uint64_t sum = 0;
	if (strcmp(text, "infinity") == 0) {
		*ms = MS_INFINITY;
		return 0;
	}
	if (strcmp(text, "0") == 0) {
		*ms = 0;
		return 0;
	}
	do
		if (take_time(&p, &sum) < 0)
			return refuse(err, text,
			    "a time: write a number and its unit, as in 500ms, 5s, 2m, 1h, 3d, or infinity");
	while (*p != '\0');
	if (sum > UINT64_MAX / 4)
		return refuse(err, text, "a time that can be kept: write infinity");
	*ms = sum;
	return 0;
}

int
str_size(const char *text, uint64_t *bytes, struct err *err)
{
	const char *p = text;
	const struct unit *u;
	uint64_t n;
	if (take_digits(&p, &n) < 0 ||
	    (u = take_unit(&p, size_units, COUNT(size_units))) == NULL || *p != '\0')
		return refuse(err, text,
		    "a size: write a number of bytes, or one with k, M, G or T, as in 64k or 10M");
	if (__builtin_mul_overflow(n, u->factor, &n))
		return refuse(err, text, "a size that fits into 64 bits");
	*bytes = n;
	return 0;
}

int
str_yes_no(const char *text, bool *yes, struct err *err)
{
	static const char *const words[] = {
	    "no", "yes", "false", "true", "off", "on", "0", "1"};
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*yes = i % 2 == 1;
			return 0;
		}
	return refuse(err, text, "yes or no");
}

int
str_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret, struct err *err)
{
	const char *p = text;
	uint64_t n;
	char shown[SHOWN];
	if (take_digits(&p, &n) < 0 || *p != '\0' || n < min || n > max)
		return err_set(err, ERR_CONFIG,
		    "'%s' is not a whole number from %llu to %llu",
		    str_printable(text, shown, sizeof shown), (unsigned long long)min,
		    (unsigned long long)max);
	*ret = n;
	return 0;
}

int
str_integer(const char *text, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
	const char *p = text;
	uint64_t n;
	char shown[SHOWN];
	bool minus = *p == '-';
	if (minus || *p == '+')
		p++;
	if (take_digits(&p, &n) < 0 || *p != '\0' || n > INT32_MAX ||
	    (minus ? -(int64_t)n : (int64_t)n) < min ||
	    (minus ? -(int64_t)n : (int64_t)n) > max)
		return err_set(err, ERR_CONFIG,
		    "'%s' is not a whole number from %lld to %lld",
		    str_printable(text, shown, sizeof shown), (long long)min,
		    (long long)max);
	*ret = minus ? -(int64_t)n : (int64_t)n;
	return 0;
}

bool
str_is_id_part(const char *text, size_t len)
{
	if (len == 0 || len > 32)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || str_is_digit(text[i]) ||
			text[i] == '_' || text[i] == '-'))
			return false;
	return true;
}

bool
str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Where splitting stands; out is one byte behind the last that was written. */
struct splitter {
	const char *text, *p;
	char *out;
	bool in_word;
	int64_t words;
};

static void
put(struct splitter *s, char c)
{
	*s->out++ = c;
	s->in_word = true;
}

static void
end_word(struct splitter *s)
{
	if (!s->in_word)
		return;
	*s->out++ = '\0';
	s->in_word = false;
	s->words++;
}

/* Text behind an opening quote up to and with the closing one; -1: there is none. */
static int
take_quoted(struct splitter *s, char quote)
{
	s->in_word = true; /* "" is a word, too */
	for (; *s->p != quote; s->p++) {
		if (*s->p == '\0')
			return -1;
		if (quote == '"' && *s->p == '\\' && s->p[1] != '\0' &&
		    strchr("\"\\$`", s->p[1]) != NULL)
			s->p++;
		put(s, *s->p);
	}
	s->p++;
	return 0;
}

int64_t
str_words(const char *text, char *out, struct err *err)
{
	struct splitter s = {.text = text, .p = text, .out = out};
	while (*s.p != '\0') {
		const char *at = s.p;
		char c = *s.p++;
		if (c == '\'' || c == '"') {
			if (take_quoted(&s, c) < 0)
				return err_set(err, ERR_CONFIG,
				    "the quote %c at character %zu is never closed", c,
				    (size_t)(at - text) + 1);
		} else if (c == '\\') {
			if (*s.p == '\0')
				return err_set(err, ERR_CONFIG,
				    "a backslash at the end stands before nothing");
			put(&s, *s.p++);
		} else if (c == ' ' || c == '\t' || c == '\n') {
			end_word(&s);
		} else {
			put(&s, c);
		}
	}
	end_word(&s);
	return s.words;
}

unsigned
str_distance(const char *a, const char *b)
{
	unsigned row[3][DISTANCE_MAX + 1];
	size_t na = strlen(a), nb = strlen(b);
	if (na > DISTANCE_MAX || nb > DISTANCE_MAX)
		return DISTANCE_MAX;
	unsigned *two = row[0], *one = row[1], *now = row[2];
	for (size_t j = 0; j <= nb; j++)
		one[j] = (unsigned)j;
	memset(two, 0, sizeof row[0]);
	for (size_t i = 1; i <= na; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned cost = a[i - 1] == b[j - 1] ? 0 : 1;
			now[j] = MIN(one[j] + 1, now[j - 1] + 1);
			now[j] = MIN(now[j], one[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = MIN(now[j], two[j - 2] + 1);
		}
		unsigned *spare = two;
		two = one;
		one = now;
		now = spare;
	}
	return one[nb];
}

const char *
str_nearest(const char *word, const char *const *names, size_t n)
{
	size_t len = strlen(word);
	unsigned best = (unsigned)MIN(len / 3 + 1, (size_t)4);
	const char *nearest = NULL;
	for (size_t i = 0; i < n; i++) {
		if (names[i] == NULL)
			continue;
		size_t other = strlen(names[i]);
		if (MAX(len, other) - MIN(len, other) > best)
			continue;
		unsigned d = str_distance(word, names[i]);
		if (d < best || (d == best && nearest == NULL)) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}
