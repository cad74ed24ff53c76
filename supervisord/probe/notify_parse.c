#include "probe/notify_parse.h"

#include <string.h>

#include "base/util.h"

enum form {
	FORM_WORD,   /* this value and no other; others are passed over */
	FORM_NUMBER, /* up to `most`, 0 only if `least` is 0 */
	FORM_TEXT
};

static const struct {
	const char *name, *word;
	enum form form;
	enum fact fact;
	uint64_t least, most;
} names[] = {
    {"READY", "1", FORM_WORD, FACT_READY, 0, 0},
    {"STATUS", NULL, FORM_TEXT, FACT_STATUS, 0, 0},
    {"STOPPING", "1", FORM_WORD, FACT_STOPPING, 0, 0},
    {"RELOADING", "1", FORM_WORD, FACT_RELOADING, 0, 0},
    {"WATCHDOG", "1", FORM_WORD, FACT_WATCHDOG, 0, 0},
    {"WATCHDOG", "trigger", FORM_WORD, FACT_WATCHDOG_TRIGGER, 0, 0},
    {"WATCHDOG_USEC", NULL, FORM_NUMBER, FACT_WATCHDOG_USEC, 0, UINT64_MAX},
    {"MAINPID", NULL, FORM_NUMBER, FACT_MAINPID, 1, INT32_MAX},
    {"EXTEND_TIMEOUT_USEC", NULL, FORM_NUMBER, FACT_EXTEND, 0, UINT64_MAX},
};

_Static_assert(COUNT(names) == FACT_MAX, "one row a fact");

/* What a first byte leaves to the second: U+0080..9F are control characters. */
static int
utf8_second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xC2:
	case 0xE0:
		return second >= 0xA0;
	case 0xED:
		return second <= 0x9F;
	case 0xF0:
		return second >= 0x90;
	case 0xF4:
		return second <= 0x8F;
	default:
		return 1;
	}
}

/*
 * Bytes of the UTF-8 character at s, 0 if it is none or a control character.  Overlong
 * forms, surrogates and what is above U+10FFFF are none.
 */
static size_t
utf8_len(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
	if (len == 1)
		return s[0] >= 0x20 && s[0] != 0x7F;
	if (s[0] < 0xC2 || s[0] > 0xF4 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	return utf8_second_fits(s[0], s[1]) ? len : 0;
}

void
notify_status(const char *text, size_t n, char out[STATUS_FACT_TEXT])
{
	size_t used = 0;
	for (size_t i = 0; i < n;) {
		size_t len = utf8_len((const unsigned char *)text + i, n - i);
		if (used + MAX(len, (size_t)1) >= STATUS_FACT_TEXT)
			break;
		if (len == 0)
			out[used++] = '?';
		else
			memcpy(out + used, text + i, len);
		used += len;
		i += MAX(len, (size_t)1);
	}
	out[used] = '\0';
}

static int
parse_number(const char *text, size_t n, uint64_t most, uint64_t *ret)
{
	uint64_t value = 0;
	if (n == 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		uint64_t digit = (uint64_t)(text[i] - '0');
		if (value > (most - digit) / 10)
			return -1;
		value = value * 10 + digit;
	}
	*ret = value;
	return 0;
}

/* One row of the table against a value. */
static int
take_value(size_t row, const char *value, size_t n, struct notify *out, struct err *err)
{
	enum fact fact = names[row].fact;
	const char *word = names[row].word;
	switch (names[row].form) {
	case FORM_WORD:
		if (n != strlen(word) || memcmp(value, word, n) != 0)
			return 0;
		break;
	case FORM_NUMBER:
		if (parse_number(value, n, names[row].most, &out->value[fact]) < 0 ||
		    out->value[fact] < names[row].least)
			return err_set(err, ERR_PROTO, "%s is not a number in bounds",
			    names[row].name);
		break;
	case FORM_TEXT:
		notify_status(value, n, out->status);
		break;
	}
	out->has |= 1u << fact;
	return 0;
}

static int
name_is_odd(const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = name[i];
		if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z') &&
		    (c < '0' || c > '9') && c != '_')
			return 1;
	}
	return n == 0;
}

static int
take_line(const char *line, size_t n, struct notify *out, struct err *err)
{
	const char *eq = memchr(line, '=', n);
	if (eq == NULL)
		return err_set(err, ERR_PROTO, "a line has no '='");
	size_t len = (size_t)(eq - line);
	if (name_is_odd(line, len))
		return err_set(err, ERR_PROTO, "a line begins with no proper name");
	for (size_t i = 0; i < COUNT(names); i++)
		if (len == strlen(names[i].name) &&
		    memcmp(line, names[i].name, len) == 0 &&
		    take_value(i, eq + 1, n - len - 1, out, err) < 0)
			return -1;
	return 0;
}

int
notify_parse(const char *buf, size_t n, struct notify *out, struct err *err)
{
	struct notify got = {0};
	if (n > 0 && buf[n - 1] == '\0')
		n--;
	if (n == 0)
		return err_set(err, ERR_PROTO, "it is empty");
	if (n > NOTIFY_MAX_BYTES)
		return err_set(err, ERR_PROTO, "it is longer than %d bytes",
		    (int)NOTIFY_MAX_BYTES);
	if (memchr(buf, '\0', n) != NULL)
		return err_set(err, ERR_PROTO, "there is a NUL in it");
	for (size_t at = 0; at < n;) {
		const char *nl = memchr(buf + at, '\n', n - at);
		size_t len = nl != NULL ? (size_t)(nl - buf) - at : n - at;
		if (len > 0 && take_line(buf + at, len, &got, err) < 0)
			return -1;
		at += len + 1;
	}
	*out = got;
	return 0;
}
