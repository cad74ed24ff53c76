/*
 * logfile - the log of one worker: LOGDIR/ID.log and the rotated files before it.
 *
 * Rotated files are ID.log.1 (the newest), .2 and so on, compressed ones .N.zst.  Reading
 * the last lines goes back over them; following goes on over a rotation: when the name
 * belongs to another file, the rest of the old one is read first.
 */
#ifndef RELCTL_LOGFILE_H
#define RELCTL_LOGFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct logfile;

enum { LOGFILE_STAMP = 27 }; /* 2026-11-21T11:00:00.000000Z */

struct logfile_line {
	const char *id, *text;
	size_t len;	   /* without its newline */
	const char *stamp; /* its time, or that of the line before; "": none yet */
};

/* Called for each line, without its newline. */
struct logfile_sink {
	void (*line)(void *arg, const char *id, const char *text, size_t len);
	void *arg;
};

/* ERR_UNKNOWN_NAME if there is no such file.  Takes nothing, copies id. */
struct logfile *logfile_open(const char *log_dir, const char *id, struct err *err);
/* Of one that will write its first line later, to be followed. */
struct logfile *logfile_await(const char *log_dir, const char *id);
void logfile_close(struct logfile **file);
/* Its name, borrowed. */
const char *logfile_path(const struct logfile *f);
/*
 * Prepares the last `lines` lines (SIZE_MAX: all), of those only the ones from `since_ms` on
 * (wall clock; 0: all; lines without a time count with the one before them), for
 * logfile_line.
 */
int logfile_last(struct logfile *f, size_t lines, uint64_t since_ms, struct err *err);
/* The next of them: 1, or 0 behind the last.  Borrowed until the next call. */
int logfile_line(struct logfile *f, struct logfile_line *line);
/* Gives what logfile_last has prepared of n files, merged by time; without times, and in
 * the same instant, one file after the other. */
void logfile_give(
    struct logfile *const *files, size_t n, const struct logfile_sink *sink);
/* Gives a last line that has no end (yet); for who does not follow. */
void logfile_rest(struct logfile *f, const struct logfile_sink *sink);
/* Gives what was written since; follows a rotation. */
int logfile_more(struct logfile *f, const struct logfile_sink *sink, struct err *err);

#endif
