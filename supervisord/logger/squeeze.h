/*
 * squeeze - compresses rotated files, one at a time, by a one-shot zstd.
 *
 * zstd gets descriptors, never names: the plain file as its input, a temporary one as
 * its output, so that a rotation meanwhile cannot make it read or remove the wrong
 * file.  A second one-shot (sync) puts the result on the disk; then it gets its name,
 * and then the plain file goes.  Cut off anywhere, the plain file is still there and
 * is compressed later.
 */
#ifndef LOGGER_SQUEEZE_H
#define LOGGER_SQUEEZE_H

#include <ev.h>
#include <sys/types.h>

#include "logger/sink.h"

enum squeeze_stage { SQUEEZE_NONE, SQUEEZE_ZSTD, SQUEEZE_SYNC };

struct squeeze {
	struct ev_loop *loop; /* borrowed */
	struct sinks *sinks;  /* borrowed */
	ev_signal child;
	enum squeeze_stage stage;
	pid_t pid;	 /* of the one-shot */
	int tmp;	 /* what it writes */
	unsigned number; /* of the plain file, counted on by each rotation */
	unsigned keep;
	char id[ROW_ID_MAX];
	struct names names;
	int broken; /* zstd does not work here: told once, tried no more */
};

void squeeze_open(struct squeeze *sq, struct ev_loop *loop, struct sinks *sinks);
void squeeze_close(struct squeeze *sq);
/* Starts the next file, if none is being compressed. */
void squeeze_next(struct squeeze *sq);

#endif
