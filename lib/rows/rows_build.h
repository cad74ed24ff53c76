/*
 * rows_build - makes a block of rows.
 *
 * Used by supervisord-load and by tests.  Rows are added parents first; texts, lists and
 * execs that are equal are kept once.  rows_build_finish computes the hashes, lays the
 * block out and runs rows_check over it: what we make is never worse than what we accept.
 */
#ifndef ROWS_ROWS_BUILD_H
#define ROWS_ROWS_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "rows/rows.h"

struct rows_build;

struct rows_build *rows_build_new(void);
void rows_build_free(struct rows_build **b);

/* Offset of the text; null and "" are 0. */
uint32_t rows_build_string(struct rows_build *b, const char *text);
/* Index of the list of n words; 0 for an empty one. */
uint32_t rows_build_list(struct rows_build *b, const uint32_t *words, uint32_t n);
uint32_t rows_build_strings(struct rows_build *b, const char *const *texts, uint32_t n);
/* Each copies *row and returns its index.  Hashes are filled at the end. */
uint32_t rows_build_row(struct rows_build *b, const struct row *row);
uint32_t rows_build_exec(struct rows_build *b, const struct row_exec *exec);
uint32_t rows_build_sock(struct rows_build *b, const struct row_sock *sock);
/* A row that was added, to be completed (`after` may point forward). */
struct row *rows_build_at(struct rows_build *b, uint32_t i);
struct row_node *rows_build_node(struct rows_build *b);
/* The whole block; owned by the builder. */
int rows_build_finish(
    struct rows_build *b, const void **block, size_t *size, struct err *err);

#endif
