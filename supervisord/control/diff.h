/*
 * diff - two configurations compared, row by row, by id.
 */
#ifndef CONTROL_DIFF_H
#define CONTROL_DIFF_H

#include "rows/rows.h"
#include "json/json.h"

/*
 * Adds to result four lists of ids: `added`, `removed`, `restarted` (what is started
 * differs: the worker is restarted) and `changed` (anything else differs: applied in
 * place), and `sockets`, the names of listening sockets that came, went or differ.
 */
void diff_rows(const struct rows *old, const struct rows *new, struct json *result);

#endif
