#include "sign/lines.h"

#include <string.h>

struct line
lines_next(struct lines *lines)
{
	struct line line = {lines->text, lines->len};
	const char *end = lines->len > 0 ? memchr(lines->text, '\n', lines->len) : NULL;
	size_t step = lines->len;
	if (end != NULL) {
		line.len = (size_t)(end - lines->text);
		step = line.len + 1;
	}
	if (step > 0) {
		lines->text += step;
		lines->len -= step;
	}
	if (line.len > 0 && line.text[line.len - 1] == '\r')
		line.len--;
	return line;
}

int
line_begins(struct line line, const char *prefix)
{
	size_t n = strlen(prefix);
	return line.len >= n && memcmp(line.text, prefix, n) == 0;
}
