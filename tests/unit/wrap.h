/*
 * wrap - faults in unit tests: the N-th call of a kind fails with an error of our choice.
 *
 * A test that links wrap.o gets -Wl,--wrap= for every name in wrap.c (WRAP_FLAGS in
 * tests/targets.mk), so calls of our own objects pass here on their way to the C library.
 *
 * wrap_walk runs an operation in children of the test: for each kind and each error such
 * a call may give, with the first call failing, then the second, … until the operation
 * is done without reaching the N-th.  Each child runs it once with the fault and once
 * without.  Wanted: a failure has a sentence; no descriptor is left and no memory
 * (LeakSanitizer); `whole`, if there is one, holds after the fault; and without the fault
 * it works at once.  Where memory that is out may end the process (`may_end`), the end
 * must have a sentence, too, and `whole` must hold afterwards.
 */
#ifndef TESTS_UNIT_WRAP_H
#define TESTS_UNIT_WRAP_H

#include <stdbool.h>

#include "base/err.h"

enum wrap_kind {
	WRAP_ALLOC,
	WRAP_OPEN,
	WRAP_FD, /* all that makes a descriptor, but open */
	WRAP_READ,
	WRAP_WRITE,
	WRAP_SYNC,
	WRAP_SIZE, /* ftruncate, posix_fallocate */
	WRAP_MAP,
	WRAP_NAME, /* rename, mkdir, unlink */
	WRAP_SEND,
	WRAP_RECEIVE,
	WRAP_CLONE,
	WRAP_MAX
};

struct wrap_case {
	const char *name;
	int (*run)(struct err *err); /* 0, or -1 with a sentence; leaves nothing */
	bool (*whole)(void);	     /* no torn file; may be null */
	bool may_end;
	unsigned without; /* bits of kinds that are left out */
};

/* From now on, until wrap_off.  n: 1 for the next call. */
void wrap_on(enum wrap_kind kind, unsigned n, int error);
/* Was there an N-th call? */
bool wrap_off(void);
/* What the test itself does meanwhile, for others, is not to fail. */
bool wrap_pause(void);
void wrap_resume(bool on);
/* Fails the test with a sentence; the number of faults that were put in. */
unsigned wrap_walk(const struct wrap_case *c);

#endif
