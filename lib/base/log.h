/*
 * log - lines of a daemon's own log, to one descriptor (2 unless told).
 *
 * A line is "<program> <level>: text".  Writes are single and never retried: a
 * full pipe drops the line and the next one that fits says how many are missing,
 * so a caller never waits for its reader.  Lines about a worker begin with
 * "worker ID gen N: ".  Who adds the time of day is the logger.
 *
 * fatal() is for "the world is wrong" before a loop starts: logs and exits 1.
 * panic() is for "we are wrong": logs and aborts.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"
#include "base/util.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* name: borrowed, must live as long as the process. */
void log_open(const char *name, int fd, enum log_level most);
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);
#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
NORETURN void fatal(const char *fmt, ...) PRINTF(1, 2);
NORETURN void panic(const char *fmt, ...) PRINTF(1, 2);
#define must(cond) \
	((cond) ? (void)0 : panic("%s:%d: %s does not hold", __FILE__, __LINE__, #cond))

#endif
