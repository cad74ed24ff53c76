#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

/* The one log of the process. */
static struct {
	const char *name;
	int fd;
	enum log_level most;
	unsigned dropped;
} the_log = {"steward", 2, LOG_LEVEL_INFO, 0};

void
log_open(const char *name, int fd, enum log_level most)
{
	the_log.name = name;
	the_log.fd = fd;
	the_log.most = most;
}

static void PRINTF(2, 0) log_write(enum log_level level, const char *fmt, va_list ap)
{
	char line[1024];
	int n =
	    snprintf(line, sizeof line, "%s %s: ", the_log.name, level_names[level]);
	if (the_log.dropped > 0)
		n += snprintf(line + n, sizeof line - (size_t)n, "(%u lines dropped) ",
		    the_log.dropped);
	int room = (int)sizeof line - n - 1;
	int m = vsnprintf(line + n, (size_t)room, fmt, ap);
	if (m < 0)
		return;
	n += m < room ? m : room - 1;
	for (int i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?';
	line[n++] = '\n';
	if (write(the_log.fd, line, (size_t)n) == n)
		the_log.dropped = 0;
	else
		the_log.dropped++;
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	if (level > the_log.most)
		return;
	va_list ap;
	va_start(ap, fmt);
	log_write(level, fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	log_write(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	exit(1);
}

void
panic(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	log_write(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	abort();
}
