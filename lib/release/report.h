/*
 * report - what supervisord-unpack and supervisord-verify answer.
 *
 * One write of a fixed struct to the descriptor they were given, then they end.  Whoever
 * reads it, the master or a tool, checks it here and parses nothing.  A verdict counts
 * only when its program has ended well, too.
 */
#ifndef RELEASE_REPORT_H
#define RELEASE_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PLACE_MAGIC = 0x53524c31 /* SRL1 */ };

enum place_kind { PLACE_UNPACKED = 1, PLACE_VERIFIED };

/* What the two programs answer: one write, of this size, then they end. */
struct place_report {
	uint32_t magic, size;
	uint32_t kind;	  /* enum place_kind */
	uint32_t refused; /* 0: done */
	uint64_t entries, bytes;
	char name[36], version[36]; /* of verify only; NUL behind */
	char key[24];		    /* the id of the key that signed it */
	uint8_t manifest[32];	    /* sha256 of release.json */
	uint32_t modules, apps;
	char why[256]; /* when refused; fit for a message */
};

_Static_assert(sizeof(struct place_report) == 424, "the same in every program");

void place_report_init(struct place_report *r, enum place_kind kind);
void place_report_refuse(struct place_report *r, const struct err *err);
/* Is what came such a report, with texts that end? */
int place_report_check(const void *data, size_t len, enum place_kind kind,
    struct place_report *ret, struct err *err);

#endif
