#include "json/json_check.h"

#include <string.h>

#include "base/util.h"

struct scan {
	const unsigned char *at, *end, *begin;
	unsigned depth, max_depth;
	struct err *err;
};

static int
refuse(const struct scan *s, const char *what)
{
	return err_set(s->err, ERR_PROTO, "not valid JSON: %s at byte %zu", what,
	    (size_t)(s->at - s->begin) + 1);
}

static int
peek(const struct scan *s)
{
	return s->at < s->end ? *s->at : -1;
}

static void
skip_blanks(struct scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

size_t
json_utf8(const unsigned char *p, size_t len)
{
	/* First bytes of each length, and the least code point it may stand for. */
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} kinds[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800},
	    {0xf8, 0xf0, 0x10000}};

	for (size_t n = 0; n < COUNT(kinds); n++) {
		if ((p[0] & kinds[n].mask) != kinds[n].lead)
			continue;
		if (n + 1 > len)
			return 0;
		uint32_t cp = p[0] & (unsigned char)~kinds[n].mask;
		for (size_t i = 1; i <= n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			cp = cp << 6 | (p[i] & 0x3f);
		}
		if (cp < kinds[n].least || cp > 0x10ffff ||
		    (cp >= 0xd800 && cp <= 0xdfff))
			return 0;
		return n + 1;
	}
	return 0;
}

static int
hex4(struct scan *s, unsigned *out)
{
	unsigned v = 0;
	for (int i = 0; i < 4; i++, s->at++) {
		int c = peek(s);
		if (c >= '0' && c <= '9')
			v = v << 4 | (unsigned)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f' && c > 0)
			v = v << 4 | (unsigned)((c | 32) - 'a' + 10);
		else
			return refuse(s, "a bad \\u escape");
	}
	*out = v;
	return 0;
}

/* Behind "\u": one unit, or a pair of surrogates. */
static int
scan_unicode(struct scan *s)
{
	unsigned hi = 0, lo = 0;
	if (hex4(s, &hi) < 0)
		return -1;
	if (hi == 0)
		return refuse(s, "a NUL character");
	if (hi >= 0xdc00 && hi <= 0xdfff)
		return refuse(s, "half a surrogate pair");
	if (hi < 0xd800 || hi > 0xdbff)
		return 0;
	if (s->end - s->at < 2 || s->at[0] != '\\' || s->at[1] != 'u')
		return refuse(s, "half a surrogate pair");
	s->at += 2;
	if (hex4(s, &lo) < 0)
		return -1;
	if (lo < 0xdc00 || lo > 0xdfff)
		return refuse(s, "half a surrogate pair");
	return 0;
}

static int
scan_escape(struct scan *s)
{
	s->at++;
	int c = peek(s);
	if (c == 'u') {
		s->at++;
		return scan_unicode(s);
	}
	if (c <= 0 || strchr("\"\\/bfnrt", c) == NULL)
		return refuse(s, "an unknown escape");
	s->at++;
	return 0;
}

static int
scan_string(struct scan *s)
{
	if (peek(s) != '"')
		return refuse(s, "a string in double quotes was expected");
	s->at++;
	while (s->at < s->end) {
		if (*s->at == '"') {
			s->at++;
			return 0;
		}
		if (*s->at == '\\') {
			if (scan_escape(s) < 0)
				return -1;
			continue;
		}
		if (*s->at < ' ')
			return refuse(s, "a raw control character in a string");
		size_t n = json_utf8(s->at, (size_t)(s->end - s->at));
		if (n == 0)
			return refuse(s, "bytes that are not UTF-8");
		s->at += n;
	}
	return refuse(s, "the end inside a string");
}

static int
scan_digits(struct scan *s)
{
	const unsigned char *from = s->at;
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from ? 0 : refuse(s, "a digit was expected");
}

static int
scan_number(struct scan *s)
{
	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0')
		s->at++; /* nothing may follow a leading zero */
	else if (scan_digits(s) < 0)
		return -1;
	if (peek(s) == '.') {
		s->at++;
		if (scan_digits(s) < 0)
			return -1;
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		return scan_digits(s);
	}
	return 0;
}

static int
scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
		return refuse(s, "an unknown word");
	s->at += n;
	return 0;
}

static int scan_value(struct scan *s);

/* Behind '{' or '[': members up to the closing bracket. */
static int
scan_members(struct scan *s, int closing)
{
	skip_blanks(s);
	if (peek(s) == closing) {
		s->at++;
		return 0;
	}
	for (;;) {
		skip_blanks(s);
		if (closing == '}') {
			if (scan_string(s) < 0)
				return -1;
			skip_blanks(s);
			if (peek(s) != ':')
				return refuse(s, "':' was expected");
			s->at++;
		}
		if (scan_value(s) < 0)
			return -1;
		skip_blanks(s);
		int c = peek(s);
		if (c != ',' && c != closing)
			return refuse(s, c < 0
					     ? "the end inside an object or array"
					     : "',' or a closing bracket was expected");
		s->at++;
		if (c == closing)
			return 0;
	}
}

static int
scan_value(struct scan *s)
{
	skip_blanks(s);
	switch (peek(s)) {
	case '{':
	case '[':
		if (s->depth >= s->max_depth)
			return refuse(s, "nesting that is too deep");
		s->depth++;
		s->at++;
		if (scan_members(s, s->at[-1] == '{' ? '}' : ']') < 0)
			return -1;
		s->depth--;
		return 0;
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	case -1:
		return refuse(s, "nothing");
	default:
		return scan_number(s);
	}
}

int
json_check(
    const char *text, size_t len, const struct json_limits *limits, struct err *err)
{
	if (len > limits->max_bytes)
		return err_set(err, ERR_PROTO,
		    "%zu bytes of JSON; at most %zu are taken", len, limits->max_bytes);
	const unsigned char *p = (const unsigned char *)text;
	struct scan s = {.at = p, .begin = p, .end = p + len, .err = err};
	s.max_depth = limits->max_depth;
	if (scan_value(&s) < 0)
		return -1;
	skip_blanks(&s);
	return s.at == s.end ? 0 : refuse(&s, "something behind the value");
}
