#include "conf/envfile.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

/* Where the parser stands. */
struct scan {
	const struct conf_file *file;
	const char *p, *end;
	uint32_t line;
	char *out; /* "NAME=value" being written; as long as the text */
	size_t len;
	size_t kept; /* length without the blanks that may turn out to be trailing */
	struct diag *diag;
};

bool
envfile_is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool letter =
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return len > 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void
put(struct scan *s, char c, bool keep)
{
	s->out[s->len++] = c;
	if (keep || !is_blank(c))
		s->kept = s->len;
}

static void
skip_line(struct scan *s)
{
	while (s->p < s->end && *s->p != '\n')
		s->p++;
}

/* Text inside quotes; -1: they are never closed. */
static int
take_quoted(struct scan *s, char quote)
{
	for (; s->p < s->end && *s->p != quote; s->p++) {
		char c = *s->p;
		if (quote == '"' && c == '\\' && s->p + 1 < s->end) {
			char next = s->p[1];
			if (next == '\n') {
				s->line++;
				s->p++;
				continue;
			}
			if (strchr("\"\\$`", next) != NULL && next != '\0') {
				s->p++;
				c = next;
			}
		}
		if (c == '\n')
			s->line++;
		put(s, c, true);
	}
	if (s->p >= s->end)
		return -1;
	s->p++;
	return 0;
}

/* The value up to the end of its line. */
static int
take_value(struct scan *s)
{
	struct place at = {s->file, s->line};
	bool fresh = true; /* a quote here opens; inside of a word it is a letter */
	while (s->p < s->end && *s->p != '\n') {
		char c = *s->p++;
		if (fresh && is_blank(c))
			continue;
		if (fresh && (c == '\'' || c == '"')) {
			if (take_quoted(s, c) == 0)
				continue;
			diag_error(s->diag, at, "the quote %c is never closed", c);
			return -1;
		}
		fresh = false;
		if (c != '\\') {
			put(s, c, false);
		} else if (s->p < s->end && *s->p == '\n') {
			s->line++;
			s->p++;
		} else if (s->p < s->end) {
			put(s, *s->p++, true);
		}
	}
	s->len = s->kept;
	return 0;
}

/* What is wrong with a line that has no name in front of its '='. */
static void
refuse(struct scan *s, const char *start, size_t len, bool has_equals)
{
	char text[128], shown[80];
	struct place at = {s->file, s->line};
	size_t n = MIN(len, sizeof text - 1);
	memcpy(text, start, n);
	text[n] = '\0';
	str_printable(text, shown, sizeof shown);
	if (!has_equals)
		diag_error(s->diag, at, "'%s' is not NAME=value", shown);
	else if (str_starts(text, "export "))
		diag_error(
		    s->diag, at, "write 'NAME=value' without 'export' before it");
	else
		diag_error(s->diag, at,
		    "'%s' is not a name of a variable: letters, digits and _, no digit first",
		    shown);
}

/* A line that is not empty and no comment: true when a variable was read. */
static bool
take_variable(struct scan *s)
{
	const char *start = s->p;
	while (s->p < s->end && *s->p != '\n' && *s->p != '=')
		s->p++;
	size_t len = (size_t)(s->p - start);
	bool has_equals = s->p < s->end && *s->p == '=';
	while (len > 0 && is_blank(start[len - 1]))
		len--;
	if (!has_equals || !envfile_is_name(start, len)) {
		refuse(s, start, len, has_equals);
		skip_line(s);
		return false;
	}
	s->p++;
	s->len = 0;
	for (size_t i = 0; i < len; i++)
		put(s, start[i], true);
	put(s, '=', true);
	return take_value(s) == 0;
}

static bool
is_foul(struct scan *s)
{
	for (size_t i = 0; i < s->len; i++) {
		unsigned char c = (unsigned char)s->out[i];
		if ((c < ' ' && c != '\t' && c != '\n') || c == 0x7f) {
			diag_error(s->diag, (struct place){s->file, s->line},
			    "control character \\x%02x in the value", c);
			return true;
		}
	}
	return false;
}

/* NOLINTBEGIN(readability-function-size): seven things a caller knows */
void
envfile_parse(struct arena *arena, const struct conf_file *file, const char *text,
    size_t len, void (*found)(void *ctx, struct place at, const char *variable),
    void *ctx, struct diag *diag)
{
	struct scan s = {.file = file,
	    .p = text,
	    .end = text + len,
	    .line = 1,
	    .out = arena_alloc(arena, len + 2),
	    .diag = diag};
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		s.p += 3;
	for (; s.p < s.end; s.p++) {
		s.line += *s.p == '\n';
		if (is_blank(*s.p) || *s.p == '\n')
			continue;
		uint32_t line = s.line;
		if (*s.p == '#' || *s.p == ';')
			skip_line(&s);
		else if (take_variable(&s) && !is_foul(&s))
			found(ctx, (struct place){file, line},
			    arena_copy(arena, s.out, s.len));
		if (s.p < s.end && *s.p == '\n')
			s.line++;
	}
}

/* NOLINTEND(readability-function-size) */
