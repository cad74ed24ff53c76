#include "conf/ini.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"

enum { KEY_SHOWN = 48 /* inih keeps 49 bytes of a key */ };

/* A line of the file without its end. */
struct line {
	char *text;
	size_t len;
	uint32_t number;
};

/* A line as we mean it: continuations joined, comments gone. */
struct reader {
	struct arena *arena;
	const struct conf_file *file;
	const struct ini_sink *sink;
	struct diag *diag;
	char *next, *end; /* what has not been read */
	uint32_t number;  /* of the line read last */
	bool in_section;
	/* The entry that was handed to inih last. */
	struct place at;
	const char *key;
	char *value;
};

static struct place
here(const struct reader *r)
{
	return (struct place){r->file, r->number};
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
read_line(struct reader *r, struct line *line)
{
	if (r->next >= r->end)
		return false;
	char *end = memchr(r->next, '\n', (size_t)(r->end - r->next));
	char *stop = end != NULL ? end : r->end;
	*line = (struct line){r->next, (size_t)(stop - r->next), ++r->number};
	r->next = end != NULL ? end + 1 : r->end;
	while (line->len > 0 && line->text[line->len - 1] == '\r')
		line->len--;
	while (line->len > 0 && is_blank(line->text[line->len - 1]))
		line->len--;
	return true;
}

/* Says why a line cannot be read, or returns false. */
static bool
is_foul(struct reader *r, const struct line *line)
{
	for (size_t i = 0; i < line->len; i++) {
		unsigned char c = (unsigned char)line->text[i];
		if ((c < ' ' && c != '\t') || c == 0x7f) {
			diag_error(r->diag, here(r),
			    "control character \\x%02x at byte %zu; only tabs are allowed",
			    c, i + 1);
			return true;
		}
	}
	if (str_is_utf8(line->text, line->len))
		return false;
	diag_error(r->diag, here(r), "this line is not UTF-8; save the file as UTF-8");
	return true;
}

static bool
is_comment(const struct line *line)
{
	size_t i = 0;
	while (i < line->len && is_blank(line->text[i]))
		i++;
	return i < line->len && (line->text[i] == '#' || line->text[i] == ';');
}

/* The next line that says something. */
static bool
next_line(struct reader *r, struct line *line)
{
	while (read_line(r, line))
		if (line->len > 0 && !is_comment(line) && !is_foul(r, line))
			return true;
	return false;
}

/* The next line that continues a value; comments between do not end it. */
static bool
next_more(struct reader *r, struct line *line)
{
	char *was = r->next;
	uint32_t number = r->number;
	while (read_line(r, line) && line->len > 0) {
		if (is_comment(line))
			continue;
		if (!is_blank(line->text[0]))
			break;
		if (!is_foul(r, line))
			return true;
	}
	r->next = was;
	r->number = number;
	return false;
}

/* "restart = never" below "command = …", indented by accident. */
static void
warn_of_key(struct reader *r, const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && ((text[n] >= 'a' && text[n] <= 'z') || text[n] == '_'))
		n++;
	if (n < 3 || n + 2 > len || text[n] != ' ' || text[n + 1] != '=')
		return;
	diag_warn(r->diag, here(r),
	    "this line is indented, so it continues the value of '%s'; if '%.*s' is a key, take away the blanks before it",
	    r->key, (int)MIN(n, (size_t)KEY_SHOWN), text);
}

/* The value and the indented lines below it, joined by single blanks. */
static char *
join_value(struct reader *r, const char *text, size_t len)
{
	struct line line;
	char *value = arena_copy(r->arena, text, len);
	size_t cap = len;
	while (next_more(r, &line)) {
		while (line.len > 0 && is_blank(line.text[0])) {
			line.text++;
			line.len--;
		}
		warn_of_key(r, line.text, line.len);
		if (len + 1 + line.len > cap) {
			cap = (len + 1 + line.len) * 2;
			char *larger = arena_alloc(r->arena, cap + 1);
			memcpy(larger, value, len);
			value = larger;
		}
		if (len > 0)
			value[len++] = ' ';
		memcpy(value + len, line.text, line.len);
		len += line.len;
		value[len] = '\0';
	}
	return value;
}

/* "[name]" is told at once, since inih is silent about empty sections. */
static bool
take_section(struct reader *r, const struct line *line)
{
	const char *close = memchr(line->text, ']', line->len);
	if (close == NULL) {
		diag_error(r->diag, here(r), "this section name has no ']' behind it");
		return false;
	}
	if (close != line->text + line->len - 1) {
		diag_error(r->diag, here(r),
		    "nothing may stand behind the ']' of a section; comments need a line of their own");
		return false;
	}
	const char *name = line->text + 1;
	size_t len = (size_t)(close - name);
	while (len > 0 && is_blank(*name)) {
		name++;
		len--;
	}
	while (len > 0 && is_blank(name[len - 1]))
		len--;
	r->sink->section(r->sink->ctx, here(r), arena_copy(r->arena, name, len));
	r->in_section = true;
	return true;
}

static bool
is_key(const char *key, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = key[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
			return false;
	}
	return len > 0 && len <= KEY_SHOWN;
}

static bool
take_entry(struct reader *r, const struct line *line)
{
	char shown[64];
	const char *equals = memchr(line->text, '=', line->len);
	if (equals == NULL) {
		const char *text = arena_copy(r->arena, line->text, line->len);
		diag_error(r->diag, here(r),
		    "'%s' is neither [section] nor key = value",
		    str_printable(text, shown, sizeof shown));
		return false;
	}
	size_t len = (size_t)(equals - line->text);
	while (len > 0 && is_blank(line->text[len - 1]))
		len--;
	r->at = here(r);
	const char *key = arena_copy(r->arena, line->text, len);
	const char *value = equals + 1, *end = line->text + line->len;
	while (value < end && is_blank(*value))
		value++;
	r->key = is_key(key, len) ? key : "?";
	r->value = join_value(r, value, (size_t)(end - value));
	if (!is_key(key, len)) {
		diag_error(r->diag, r->at,
		    "'%s' is not a key: keys are made of a-z and _",
		    str_printable(key, shown, sizeof shown));
		return false;
	}
	if (!r->in_section) {
		diag_error(r->diag, r->at,
		    "'%s' stands before the first section; begin with a line such as [node]",
		    key);
		return false;
	}
	return true;
}

/* inih's reader: one stand-in a call, null at the end of the file. */
static char *
hand_line(char *str, int num, void *stream)
{
	struct reader *r = stream;
	struct line line;
	while (next_line(r, &line)) {
		if (is_blank(line.text[0])) {
			diag_error(r->diag, here(r),
			    "this indented line continues no value; take away the blanks before it");
			continue;
		}
		if (line.text[0] == '[') {
			if (!take_section(r, &line))
				continue;
			(void)snprintf(str, (size_t)num, "[section]\n");
			return str;
		}
		if (take_entry(r, &line)) {
			(void)snprintf(str, (size_t)num, "%s = value\n", r->key);
			return str;
		}
	}
	return NULL;
}

/* inih's handler, called between two calls of the reader. */
static int
on_entry(void *user, const char *section, const char *name, const char *value)
{
	struct reader *r = user;
	(void)section;
	(void)value;
	if (strcmp(name, r->key) != 0)
		return 0;
	r->sink->entry(r->sink->ctx, r->at, r->key, r->value);
	return 1;
}

void
ini_read(struct arena *arena, const struct conf_file *file, char *text, size_t len,
    const struct ini_sink *sink, struct diag *diag)
{
	struct reader r = {.arena = arena,
	    .file = file,
	    .sink = sink,
	    .diag = diag,
	    .next = text,
	    .end = text + len};
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.next += 3;
	if (ini_parse_stream(hand_line, &r, on_entry, &r) != 0)
		diag_error(
		    diag, (struct place){file, 0}, "the INI parser refuses a line");
}
