/*
 * outfile - a file that is there whole or not at all.
 */
#ifndef RELCTL_OUTFILE_H
#define RELCTL_OUTFILE_H

#include "base/err.h"

struct outfile {
	int fd;
	char name[1024], temp[1040];
};

/* Opens a new file beside the one it will become. */
int outfile_open(struct outfile *out, const char *name, struct err *err);
/*
 * With rc 0 it gets its name, else it is removed and err stays as it is.  Returns rc, or
 * -1 with err.
 */
int outfile_end(struct outfile *out, int rc, struct err *err);

#endif
