/* The part of str.h about bytes that may be anything: UTF-8 and safe printing. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"

/* The length of the UTF-8 character at s, 0 when the bytes are none. */
static size_t
utf8_length(const unsigned char *s, size_t len)
{
	size_t n;
	uint32_t code;
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		n = 2;
		code = s[0] & 0x1fU;
	} else if ((s[0] & 0xf0) == 0xe0) {
		n = 3;
		code = s[0] & 0x0fU;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		n = 4;
		code = s[0] & 0x07U;
	} else {
		return 0;
	}
	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fU);
	}
	if ((n == 3 && code < 0x800) ||
	    (n == 4 && (code < 0x10000 || code > 0x10ffff)) ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return n;
}

bool
str_is_utf8(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	for (size_t i = 0; i < len;) {
		size_t n = utf8_length(s + i, len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

/* A control character of ASCII or of C1 (U+0080 to U+009F, two bytes). */
static bool
is_control(const unsigned char *s, size_t n)
{
	return (n == 1 && (s[0] < ' ' || s[0] == 0x7f)) ||
	       (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

const char *
str_printable(const char *text, char *buf, size_t cap)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len = strlen(text), used = 0;
	size_t cut = 0; /* the last end of a character with room for "..." behind it */
	if (cap == 0)
		return "";
	for (size_t i = 0; i < len;) {
		char piece[8];
		size_t n = utf8_length(s + i, len - i), k = n;
		if (n == 0 || is_control(s + i, n)) {
			n = 1;
			k = (size_t)snprintf(piece, sizeof piece, "\\x%02x", s[i]);
		} else {
			memcpy(piece, s + i, n);
		}
		if (used + k >= cap) {
			used = cut + (size_t)snprintf(buf + cut, cap - cut, "%.*s",
					 (int)MIN(cap - cut - 1, (size_t)3), "...");
			break;
		}
		memcpy(buf + used, piece, k);
		used += k;
		i += n;
		if (used + 3 < cap)
			cut = used;
	}
	buf[used] = '\0';
	return buf;
}

int
str_json(const char *text, char *buf, size_t cap)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len = strlen(text), used = 0;
	for (size_t i = 0; i < len;) {
		char piece[8];
		size_t n = utf8_length(s + i, len - i), k = n;
		if (n == 0) { /* shown as U+FFFD, since JSON is UTF-8 only */
			n = 1;
			k = (size_t)snprintf(piece, sizeof piece, "\\ufffd");
		} else if (n == 1 && (s[i] == '"' || s[i] == '\\')) {
			k = (size_t)snprintf(piece, sizeof piece, "\\%c", s[i]);
		} else if (n == 1 && (s[i] < ' ' || s[i] == 0x7f)) {
			k = (size_t)snprintf(piece, sizeof piece, "\\u%04x", s[i]);
		} else {
			memcpy(piece, s + i, n);
		}
		if (used + k >= cap)
			return -1;
		memcpy(buf + used, piece, k);
		used += k;
		i += n;
	}
	if (used >= cap)
		return -1;
	buf[used] = '\0';
	return 0;
}
