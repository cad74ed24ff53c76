/*
 * table - tables and trees by libsmartcols.  The one room that includes its header.
 *
 * Columns first, then lines.  Colour and cutting to the width of the terminal happen on
 * a terminal only, colour never with NO_COLOR.  Cells may be null.
 */
#ifndef RELCTL_TABLE_H
#define RELCTL_TABLE_H

#include <stddef.h>

struct table;
struct table_line; /* owned by its table */

enum table_flag { TABLE_TREE = 1, TABLE_RIGHT = 2, TABLE_CUT = 4 };

enum table_colour { COLOUR_NONE, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED, COLOUR_GREY };

struct table *table_new(void);
void table_free(struct table **table);
void table_column(struct table *t, const char *name, unsigned flags);
/* A line below `parent` (null: on top), in trees. */
struct table_line *table_line(struct table *t, struct table_line *parent);
void table_cell(struct table_line *line, size_t column, const char *text);
void table_colour(struct table_line *line, size_t column, enum table_colour colour);
void table_print(struct table *t);
/* May colours be used on stdout? */
int table_colours(void);

#endif
