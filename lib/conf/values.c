#include "conf/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "rows/rows.h"

enum { SHOWN = 80 };

size_t
value_next(const char **p)
{
	*p += strspn(*p, " \t,");
	return strcspn(*p, " \t,");
}

/* One word of a list as text of its own; words that are too long cannot be right. */
static int
take_word(const char **p, size_t len, char word[VALUE_NAME_MAX], struct err *err)
{
	char shown[SHOWN];
	if (len >= VALUE_NAME_MAX)
		return err_set(err, ERR_CONFIG, "'%s' is too long",
		    str_printable(*p, shown, sizeof shown));
	memcpy(word, *p, len);
	word[len] = '\0';
	*p += len;
	return 0;
}

static int
check_text(const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	(void)key;
	(void)text;
	(void)err;
	*num = 0;
	return 0;
}

static int
check_node_name(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"0123456789_.@-");
	char shown[SHOWN];
	(void)key;
	if (n == 0 || n > 64 || text[n] != '\0')
		return err_set(err, ERR_CONFIG,
		    "'%s' is not a node's name: up to 64 of a-z A-Z 0-9 _ . @ -",
		    str_printable(text, shown, sizeof shown));
	*num = 0;
	return 0;
}

static int
check_time(const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	uint64_t ms;
	if (str_time_ms(text, &ms, err) < 0)
		return -1;
	if (ms == MS_INFINITY)
		return err_set(err, ERR_CONFIG, "'infinity' is not possible here");
	if (ms < (uint64_t)key->min)
		return err_set(err, ERR_CONFIG, "'%.40s' is too short", text);
	*num = ms;
	return 0;
}

static int
check_time_inf(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	(void)key;
	return str_time_ms(text, num, err);
}

static int
check_shutdown(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	char shown[SHOWN];
	(void)key;
	if (strcmp(text, "brutal_kill") == 0) {
		*num = 0;
		return 0;
	}
	if (str_time_ms(text, num, NULL) == 0)
		return 0;
	return err_set(err, ERR_CONFIG,
	    "'%s' is not a shutdown: write a time such as 5s, infinity, or brutal_kill",
	    str_printable(text, shown, sizeof shown));
}

static int
check_size(const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	(void)key;
	if (strcmp(text, "infinity") != 0)
		return str_size(text, num, err);
	*num = 0;
	return 0;
}

static int
check_bool(const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	bool yes;
	(void)key;
	if (str_yes_no(text, &yes, err) < 0)
		return -1;
	*num = yes;
	return 0;
}

static int
check_number(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	return str_number(text, (uint64_t)key->min, (uint64_t)key->max, num, err);
}

static int
check_integer(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	int64_t n;
	if (str_integer(text, key->min, key->max, &n, err) < 0)
		return -1;
	*num = (uint64_t)n;
	return 0;
}

static int
check_intensity(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	char shown[SHOWN];
	(void)key;
	if (strcmp(text, "infinity") == 0) {
		*num = INTENSITY_INFINITY;
		return 0;
	}
	if (str_number(text, 0, INTENSITY_MAX, num, NULL) == 0)
		return 0;
	return err_set(err, ERR_CONFIG,
	    "'%s' is not an intensity: a number of restarts from 0 to %d, or infinity",
	    str_printable(text, shown, sizeof shown), INTENSITY_MAX);
}

/* "one_for_one, one_for_all or rest_for_one" */
static void
join_words(const struct conf_key *key, char *buf, size_t cap)
{
	size_t used = 0;
	for (size_t i = 0; i < key->nwords && used < cap; i++) {
		const char *between = i == 0		     ? ""
				      : i == key->nwords - 1 ? " or "
							     : ", ";
		int n =
		    snprintf(buf + used, cap - used, "%s%s", between, key->words[i]);
		used += n > 0 ? (size_t)n : 0;
	}
}

static int
check_word(const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	char shown[SHOWN], words[256];
	for (size_t i = 0; i < key->nwords; i++)
		if (strcmp(text, key->words[i]) == 0) {
			*num = i;
			return 0;
		}
	const char *nearest = str_nearest(text, key->words, key->nwords);
	str_printable(text, shown, sizeof shown);
	if (nearest != NULL)
		return err_set(err, ERR_CONFIG, "'%s' is not known; did you mean '%s'?",
		    shown, nearest);
	join_words(key, words, sizeof words);
	return err_set(
	    err, ERR_CONFIG, "'%s' is not known; it can be %s", shown, words);
}

/* Words as of a shell; what they mean is looked at later. */
static int
check_words(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	(void)key;
	char *out = malloc(strlen(text) + 2);
	if (out == NULL)
		return err_sys(err, "cannot split it");
	int64_t n = str_words(text, out, err);
	free(out);
	if (n < 0)
		return -1;
	if (n > ROW_ARGV_MAX)
		return err_set(err, ERR_CONFIG, "%lld words are more than %d",
		    (long long)n, ROW_ARGV_MAX);
	*num = (uint64_t)n;
	return 0;
}

static int
check_octal(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	char shown[SHOWN];
	char *end;
	(void)key;
	size_t digits = strspn(text, "01234567");
	unsigned long n = strtoul(text, &end, 8);
	if (digits == 0 || digits > 4 || text[digits] != '\0' || n > 0777)
		return err_set(err, ERR_CONFIG,
		    "'%s' is not a file mode: three octal digits, as in 022",
		    str_printable(text, shown, sizeof shown));
	*num = n;
	return 0;
}

static int
check_signal(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	int sig;
	(void)key;
	if (value_signal(text, &sig, err) < 0)
		return -1;
	*num = (uint64_t)sig;
	return 0;
}

static int
check_codes(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	uint32_t bits[8];
	(void)key;
	(void)num;
	return value_codes(text, bits, err);
}

static int
check_ready(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	struct value_ready ready;
	(void)key;
	if (value_ready(text, &ready, err) < 0)
		return -1;
	*num = ready.kind;
	return 0;
}

static int
check_backoff(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	uint64_t min_max[2];
	(void)key;
	(void)num;
	return value_backoff(text, min_max, err);
}

static int
check_limit(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	uint64_t soft_hard[2];
	(void)num;
	return value_limit(key, text, soft_hard, err);
}

static int
check_cpus(const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	uint32_t words[VALUE_CPU_WORDS], n;
	(void)key;
	(void)num;
	return value_cpus(text, words, &n, err);
}

static int
check_caps(const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	(void)key;
	return value_caps(text, num, err);
}

static int
check_listen(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	struct value_listen listen;
	(void)key;
	(void)num;
	return value_listen(text, &listen, err);
}

/* A type: how it is written, and its check. */
static const struct {
	const char *syntax;
	bool may_be_empty;
	int (*check)(const struct conf_key *, const char *, uint64_t *, struct err *);
} types[VALUE_TYPE_MAX] = {
    [V_TEXT] = {"text", true, check_text},
    [V_NODE_NAME] = {"name", false, check_node_name},
    [V_NAMES] = {"names", true, check_text},
    [V_TIME] = {"time", false, check_time},
    [V_TIME_INF] = {"time or infinity", false, check_time_inf},
    [V_SHUTDOWN] = {"brutal_kill, time or infinity", false, check_shutdown},
    [V_SIZE] = {"size or infinity", false, check_size},
    [V_BOOL] = {"yes or no", false, check_bool},
    [V_NUMBER] = {"number", false, check_number},
    [V_INTEGER] = {"number", false, check_integer},
    [V_INTENSITY] = {"number or infinity", false, check_intensity},
    [V_WORD] = {"word", false, check_word},
    [V_COMMAND] = {"command", false, check_words},
    [V_WORDS] = {"words", true, check_words},
    [V_ENVIRONMENT] = {"NAME=value ...", true, check_words},
    [V_FILES] = {"paths", true, check_words},
    [V_PATH] = {"path", false, check_text},
    [V_USER] = {"name or id", false, check_text},
    [V_OCTAL] = {"octal mode", false, check_octal},
    [V_SIGNAL] = {"signal", false, check_signal},
    [V_CODES] = {"exit statuses", true, check_codes},
    [V_READY] = {"none, notify, tcp:ADDRESS:PORT or fd:NUMBER", false, check_ready},
    [V_BACKOFF] = {"MIN..MAX", false, check_backoff},
    [V_LIMIT] = {"SOFT[:HARD], numbers or infinity", false, check_limit},
    [V_LIMIT_SIZE] = {"SOFT[:HARD], sizes or infinity", false, check_limit},
    [V_LIMIT_S] = {"SOFT[:HARD], times or infinity", false, check_limit},
    [V_LIMIT_US] = {"SOFT[:HARD], times or infinity", false, check_limit},
    [V_CPUS] = {"processors", false, check_cpus},
    [V_CAPS] = {"capabilities", true, check_caps},
    [V_LISTEN] = {"KIND:ADDRESS", false, check_listen},
    [V_REF] = {"id", false, check_text},
    [V_REFS] = {"ids", true, check_text},
};

_Static_assert(COUNT(types) == VALUE_TYPE_MAX, "one row a type of value");

const char *
value_syntax(enum value_type type)
{
	return types[type].syntax;
}

int
value_check(
    const struct conf_key *key, const char *text, uint64_t *num, struct err *err)
{
	uint64_t n = 0;
	if (text[0] == '\0' && !types[key->type].may_be_empty)
		return err_set(err, ERR_CONFIG, "there is no value behind the '='");
	if (types[key->type].check(key, text, &n, err) < 0)
		return -1;
	*num = n;
	return 0;
}

/* A number or a range of them, "3" or "8-15". */
static int
take_range(const char *word, uint64_t max, uint64_t from_to[2], struct err *err)
{
	char first[VALUE_NAME_MAX];
	const char *dash = strchr(word, '-');
	size_t len = dash != NULL ? (size_t)(dash - word) : strlen(word);
	memcpy(first, word, len);
	first[len] = '\0';
	if (str_number(first, 0, max, &from_to[0], err) < 0)
		return -1;
	from_to[1] = from_to[0];
	if (dash != NULL && str_number(dash + 1, 0, max, &from_to[1], err) < 0)
		return -1;
	if (from_to[1] < from_to[0])
		return err_set(
		    err, ERR_CONFIG, "the range '%.40s' is turned round", word);
	return 0;
}

/* A list of numbers and ranges as bits. */
static int
take_bits(const char *text, uint64_t max, uint32_t *bits, struct err *err)
{
	char word[VALUE_NAME_MAX];
	uint64_t range[2];
	for (size_t len; (len = value_next(&text)) > 0;) {
		if (take_word(&text, len, word, err) < 0 ||
		    take_range(word, max, range, err) < 0)
			return -1;
		for (uint64_t i = range[0]; i <= range[1]; i++)
			bits[i / 32] |= 1U << i % 32;
	}
	return 0;
}

int
value_codes(const char *text, uint32_t bits[8], struct err *err)
{
	uint32_t got[8] = {1}; /* 0 is success in any case */
	if (take_bits(text, 255, got, err) < 0)
		return err_wrap(err, "exit statuses");
	memcpy(bits, got, sizeof got);
	return 0;
}

int
value_cpus(
    const char *text, uint32_t words[VALUE_CPU_WORDS], uint32_t *n, struct err *err)
{
	uint32_t got[VALUE_CPU_WORDS] = {0}, used = 0;
	if (take_bits(text, VALUE_CPU_WORDS * 32 - 1, got, err) < 0)
		return err_wrap(err, "processors");
	for (uint32_t i = 0; i < VALUE_CPU_WORDS; i++)
		if (got[i] != 0)
			used = i + 1;
	if (used == 0)
		return err_set(err, ERR_CONFIG, "no processor is named");
	memcpy(words, got, sizeof got);
	*n = used;
	return 0;
}

int
value_backoff(const char *text, uint64_t min_max[2], struct err *err)
{
	char first[VALUE_NAME_MAX];
	const char *dots = strstr(text, "..");
	uint64_t got[2];
	if (dots == NULL || dots - text >= VALUE_NAME_MAX)
		return err_set(
		    err, ERR_CONFIG, "a backoff is MIN..MAX, as in 100ms..30s");
	memcpy(first, text, (size_t)(dots - text));
	first[dots - text] = '\0';
	if (str_time_ms(first, &got[0], err) < 0 ||
	    str_time_ms(dots + 2, &got[1], err) < 0)
		return -1;
	if (got[0] == 0 || got[0] > got[1] || got[1] > UINT32_MAX / 2)
		return err_set(err, ERR_CONFIG,
		    "a backoff goes from at least 1ms up to at most 24d, the shorter time first");
	memcpy(min_max, got, sizeof got);
	return 0;
}

/* One half of a limit in the units of setrlimit. */
static int
take_limit(const struct conf_key *key, const char *text, uint64_t *ret, struct err *err)
{
	uint64_t n;
	if (strcmp(text, "infinity") == 0) {
		*ret = VALUE_LIMIT_INFINITY;
		return 0;
	}
	if (key->type == V_LIMIT_SIZE)
		return str_size(text, ret, err);
	if (key->type == V_LIMIT)
		return str_number(
		    text, 0, key->max > 0 ? (uint64_t)key->max : INT64_MAX, ret, err);
	if (str_time_ms(text, &n, err) < 0)
		return -1;
	if (key->type == V_LIMIT_S && n % 1000 != 0)
		return err_set(
		    err, ERR_CONFIG, "'%.40s' is not a time in whole seconds", text);
	if (n > INT64_MAX / 1000)
		return err_set(
		    err, ERR_CONFIG, "'%.40s' is too long; write infinity", text);
	*ret = key->type == V_LIMIT_S ? n / 1000 : n * 1000;
	return 0;
}

int
value_limit(const struct conf_key *key, const char *text, uint64_t soft_hard[2],
    struct err *err)
{
	char first[VALUE_NAME_MAX];
	uint64_t soft = 0, hard;
	const char *colon = strchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);
	if (len >= sizeof first)
		return err_set(err, ERR_CONFIG, "a limit is SOFT or SOFT:HARD");
	memcpy(first, text, len);
	first[len] = '\0';
	if (take_limit(key, first, &soft, err) < 0)
		return -1;
	hard = soft;
	if (colon != NULL && take_limit(key, colon + 1, &hard, err) < 0)
		return -1;
	if (soft > hard)
		return err_set(err, ERR_CONFIG,
		    "the soft limit is above the hard one; write SOFT:HARD");
	soft_hard[0] = soft;
	soft_hard[1] = hard;
	return 0;
}
