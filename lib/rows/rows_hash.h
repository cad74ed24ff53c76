/*
 * rows_hash - what a row says, as a number.
 *
 * Only contents count, never offsets or indices: the same configuration written in
 * another order, or read by the next loader, gives the same hashes.
 */
#ifndef ROWS_ROWS_HASH_H
#define ROWS_ROWS_HASH_H

#include <stdint.h>

#include "rows/rows.h"

/* Of all that a running process was given at its start. */
uint64_t rows_hash_start(const struct rows *r, const struct row *row);
/* Of all the row says; takes start_hash from the row. */
uint64_t rows_hash_row(const struct rows *r, const struct row *row);
uint64_t rows_hash_sock(const struct rows *r, const struct row_sock *sock);

#endif
