#include "text.h"

#include <stdio.h>
#include <string.h>

static int
hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
	return at != NULL && (c >= 'A' || c <= '9') ? (int)(at - digits) : -1;
}

/* %XX and + to what they stand for. */
static int
decode(const char *from, const char *end, char *to, size_t cap)
{
	size_t n = 0;
	for (; from < end; from++) {
		int c = *from == '+' ? ' ' : (unsigned char)*from;
		if (*from == '%') {
			int high = end - from > 2 ? hex(from[1]) : -1;
			int low = high >= 0 ? hex(from[2]) : -1;
			c = low >= 0 ? high << 4 | low : 0;
			from += 2;
		}
		if (c == 0 || n + 1 >= cap)
			return -1;
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return 0;
}

/* How many bytes the character at p has; 0: it is none, or written longer than needed. */
static size_t
utf8_len(const unsigned char *p)
{
	static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = p[0] < 0x80	 ? 1
		     : p[0] >> 5 == 0x6	 ? 2
		     : p[0] >> 4 == 0xe	 ? 3
		     : p[0] >> 3 == 0x1e ? 4
					 : 0;
	unsigned long c = len > 1 ? p[0] & (0xffU >> (len + 1)) : p[0];
	for (size_t i = 1; i < len; i++) {
		if (p[i] >> 6 != 0x2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[len] || c > 0x10ffff || c >> 11 == 0x1b ? 0 : len;
}

static int
is_utf8(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	for (size_t len; *p != '\0'; p += len)
		if ((len = utf8_len(p)) == 0)
			return 0;
	return 1;
}

int
text_form_value(const char *form, size_t len, const char *name, char *value, size_t cap)
{
	size_t name_len = strlen(name);
	for (const char *p = form, *end = form + len; p < end;) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		const char *stop = amp != NULL ? amp : end;
		if ((size_t)(stop - p) > name_len && p[name_len] == '=' &&
		    memcmp(p, name, name_len) == 0)
			return decode(p + name_len + 1, stop, value, cap) == 0 &&
				       is_utf8(value)
				   ? 0
				   : -1;
		p = stop + 1;
	}
	return -1;
}

void
text_json(const char *text, char *json)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < ' ' || c == 0x7f) {
			json += snprintf(json, 7, "\\u%04x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			*json++ = '\\';
		*json++ = *text;
	}
	*json = '\0';
}
