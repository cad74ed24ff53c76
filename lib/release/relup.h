/*
 * relup - the upgrade instructions of a manifest: are they well formed?
 *
 * An array of {"from": VERSION, "up": [...], "down": [...]}; each instruction is an object
 * whose member "do" is one of OTP's words.  The words and what belongs to each are one
 * table, which steward-release(5) is printed from.  What the instructions mean is decided
 * by who carries them out; here they are kept as they stand.  Pure.
 */
#ifndef RELEASE_RELUP_H
#define RELEASE_RELUP_H

#include <stddef.h>

#include "base/err.h"
#include "json/json.h"

enum relup_member {
	RELUP_MODULE,	   /* the name of one */
	RELUP_MODULES,	   /* an array of names */
	RELUP_APPLICATION, /* the name of one */
	RELUP_WORKERS,	   /* an array of ids */
	RELUP_EXTRA,	   /* a text for code_change */
	RELUP_TIMEOUT_MS,
	RELUP_DEPS, /* an array of modules */
	RELUP_MEMBER_MAX
};

struct relup_row {
	const char *word;
	unsigned needs, may; /* 1 << enum relup_member */
	const char *help;
};
extern const struct relup_row relup_rows[];
extern const size_t relup_rows_n;
extern const char *const relup_member_names[RELUP_MEMBER_MAX];

/* ERR_REFUSED: "upgrade[0].up[3]: ..." */
int relup_check(const struct json *upgrade, struct err *err);

#endif
