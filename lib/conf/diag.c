#include "conf/diag.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "base/util.h"

enum { TEXT_MAX = 1024 };

struct diag_item {
	struct place at;
	uint32_t order; /* of being said */
	bool warning;
	const char *text;
};

void
diag_free(struct diag *d)
{
	arena_free(&d->arena);
	*d = (struct diag){0};
}

PRINTF(4, 0)

static void
add(struct diag *d, struct place at, bool warning, const char *fmt, va_list ap)
{
	char text[TEXT_MAX];
	if (warning)
		d->warnings++;
	else
		d->errors++;
	if (d->n >= DIAG_MAX) {
		d->hidden++;
		return;
	}
	(void)vsnprintf(text, sizeof text, fmt, ap);
	d->item = arena_more(&d->arena, d->item, d->n, &d->cap, sizeof *d->item);
	d->item[d->n] = (struct diag_item){.at = at,
	    .order = d->n,
	    .warning = warning,
	    .text = arena_text(&d->arena, text)};
	d->n++;
}

void
diag_error(struct diag *d, struct place at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add(d, at, false, fmt, ap);
	va_end(ap);
}

void
diag_warn(struct diag *d, struct place at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add(d, at, true, fmt, ap);
	va_end(ap);
}

static int
compare(const void *a, const void *b)
{
	const struct diag_item *x = a, *y = b;
	uint32_t fx = x->at.file ? x->at.file->number : 0;
	uint32_t fy = y->at.file ? y->at.file->number : 0;
	if (fx != fy)
		return fx < fy ? -1 : 1;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void
sort(struct diag *d)
{
	if (d->n > 1)
		qsort(d->item, d->n, sizeof *d->item, compare);
}

void
diag_print(struct diag *d, FILE *out)
{
	char path[512], text[4 * TEXT_MAX];
	sort(d);
	for (uint32_t i = 0; i < d->n; i++) {
		const struct diag_item *it = &d->item[i];
		if (it->at.file != NULL)
			(void)fprintf(out,
			    "%s:", str_printable(it->at.file->path, path, sizeof path));
		if (it->at.file != NULL && it->at.line != 0)
			(void)fprintf(out, "%u:", it->at.line);
		(void)fprintf(out, "%s%s: %s\n", it->at.file != NULL ? " " : "",
		    it->warning ? "warning" : "error",
		    str_printable(it->text, text, sizeof text));
	}
	if (d->hidden > 0)
		(void)fprintf(out, "%u more messages are not shown\n", d->hidden);
}

void
diag_print_json(struct diag *d, FILE *out)
{
	char text[8 * TEXT_MAX];
	sort(d);
	(void)fputc('[', out);
	for (uint32_t i = 0; i < d->n; i++) {
		const struct diag_item *it = &d->item[i];
		(void)fprintf(out, "%s{", i > 0 ? "," : "");
		if (it->at.file != NULL &&
		    str_json(it->at.file->path, text, sizeof text) == 0)
			(void)fprintf(out, "\"file\":\"%s\",", text);
		if (it->at.file != NULL && it->at.line != 0)
			(void)fprintf(out, "\"line\":%u,", it->at.line);
		if (str_json(it->text, text, sizeof text) < 0)
			text[0] = '\0';
		(void)fprintf(out, "\"level\":\"%s\",\"message\":\"%s\"}",
		    it->warning ? "warning" : "error", text);
	}
	(void)fputc(']', out);
}
