/* The small functions of <steward/handler.h>; see worker.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/worker.h"

enum { LINE_MAX = 2048, LISTEN_FIRST = 3 };

const char *
steward_self(const struct steward_worker *w)
{
	return w->id;
}

uint64_t
steward_now(const struct steward_worker *w)
{
	(void)w;
	return clock_ms(CLOCK_MONOTONIC);
}

void
steward_log(struct steward_worker *w, const char *format, ...)
{
	char line[LINE_MAX];
	va_list ap;
	(void)w;
	va_start(ap, format);
	(void)vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	(void)fprintf(stderr, "%s\n", line);
}

void
steward_stop(struct steward_worker *w, const char *reason)
{
	(void)snprintf(w->reason, sizeof w->reason, "%s", reason);
}

struct steward_data
steward_json(const char *text)
{
	return (struct steward_data){text, strlen(text), STEWARD_JSON};
}

struct steward_data
steward_bytes(const void *bytes, size_t len)
{
	return (struct steward_data){bytes, len, STEWARD_BYTES};
}

/* LISTEN_FDS and LISTEN_FDNAMES, as systemd passes sockets. */
int
steward_socket(struct steward_worker *w, const char *name)
{
	const char *names = getenv("LISTEN_FDNAMES");
	size_t want = strlen(name);
	(void)w;
	for (int fd = LISTEN_FIRST; names != NULL; fd++) {
		size_t len = strcspn(names, ":");
		if (len == want && memcmp(names, name, len) == 0)
			return fd;
		names = names[len] == ':' ? names + len + 1 : NULL;
	}
	errno = ENOENT;
	return -1;
}

static int
out_room(struct steward_out *out, size_t more)
{
	if (out->failed || out->cap - out->len > more)
		return !out->failed;
	size_t cap = MAX(out->cap * 2, out->len + more + 1);
	char *bytes = realloc(out->bytes, cap);
	out->failed = bytes == NULL;
	if (bytes == NULL)
		return 0;
	out->bytes = bytes;
	out->cap = cap;
	return 1;
}

void
steward_print(struct steward_out *out, const char *format, ...)
{
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n >= 0 && out_room(out, (size_t)n)) {
		(void)vsnprintf(out->bytes + out->len, (size_t)n + 1, format, again);
		out->len += (size_t)n;
	}
	va_end(again);
}
