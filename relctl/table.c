#include "table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"

static const char *const colour_names[] = {
    [COLOUR_NONE] = NULL,
    [COLOUR_GREEN] = "green",
    [COLOUR_YELLOW] = "yellow",
    [COLOUR_RED] = "red",
    [COLOUR_GREY] = "darkgray",
};

/* The library's own types, under names of this file. */
static struct libscols_table *
scols(struct table *t)
{
	return (struct libscols_table *)(void *)t;
}

int
table_colours(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

struct table *
table_new(void)
{
	struct libscols_table *t = scols_new_table();
	must(t != NULL);
	(void)scols_table_enable_colors(t, table_colours());
	/* Not cut and not padded to a screen that is not there. */
	(void)scols_table_set_termforce(
	    t, isatty(STDOUT_FILENO) ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	return (struct table *)(void *)t;
}

void
table_free(struct table **table)
{
	if (*table != NULL)
		scols_unref_table(scols(*table));
	*table = NULL;
}

void
table_column(struct table *t, const char *name, unsigned flags)
{
	int fl = ((flags & TABLE_TREE) != 0 ? SCOLS_FL_TREE : 0) |
		 ((flags & TABLE_RIGHT) != 0 ? SCOLS_FL_RIGHT : 0) |
		 ((flags & TABLE_CUT) != 0 ? SCOLS_FL_TRUNC : 0);
	must(scols_table_new_column(scols(t), name, 0, fl) != NULL);
}

struct table_line *
table_line(struct table *t, struct table_line *parent)
{
	struct libscols_line *line =
	    scols_table_new_line(scols(t), (struct libscols_line *)(void *)parent);
	must(line != NULL);
	return (struct table_line *)(void *)line;
}

void
table_cell(struct table_line *line, size_t column, const char *text)
{
	if (text != NULL && text[0] != '\0')
		must(scols_line_set_data(
			 (struct libscols_line *)(void *)line, column, text) == 0);
}

void
table_colour(struct table_line *line, size_t column, enum table_colour colour)
{
	struct libscols_cell *cell =
	    scols_line_get_cell((struct libscols_line *)(void *)line, column);
	if (cell != NULL && colour_names[colour] != NULL)
		(void)scols_cell_set_color(cell, colour_names[colour]);
}

void
table_print(struct table *t)
{
	(void)scols_print_table(scols(t));
}
