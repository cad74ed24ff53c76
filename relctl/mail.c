#include "mail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/util.h"
#include "steward/handler.h"

enum { NAMES_MAX = 512 };

/* "api.web" as "api/web", into `out`. */
static void
id_of_file(const char *file, char out[FRAME_NAME_MAX + 1])
{
	(void)snprintf(out, FRAME_NAME_MAX + 1, "%.*s", (int)FRAME_NAME_MAX, file);
	char *dot = strchr(out, '.');
	if (dot != NULL)
		*dot = '/';
}

static int
unknown(const char *id, char (*names)[FRAME_NAME_MAX + 1], size_t n, struct err *err)
{
	const char *list[NAMES_MAX];
	char shown[80];
	for (size_t i = 0; i < n; i++)
		list[i] =
		    strchr(id, '/') != NULL ? names[i] : strchr(names[i], '/') + 1;
	const char *near = str_nearest(id, list, n);
	return err_set(err, ERR_UNKNOWN_NAME,
	    "there is no handler worker '%s'%s%s%s; `relctl tree` shows what there is",
	    str_printable(id, shown, sizeof shown),
	    near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
	    near != NULL ? "'?" : "");
}

/* The id in full, by the mailboxes there are; an instance has its pool's. */
static int
resolve(int dir, const char *id, char full[FRAME_NAME_MAX + 1], struct err *err)
{
	static char names[NAMES_MAX][FRAME_NAME_MAX + 1];
	size_t n = 0, want = strcspn(id, "#");
	if (id[want] == '#')
		return err_set(err, ERR_USAGE,
		    "the instances of a pool share one mailbox; '%.*s' reaches any of them",
		    (int)MIN(want, (size_t)FRAME_NAME_MAX), id);
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	DIR *d = fdopendir(copy);
	if (d == NULL) {
		fd_close(&copy);
		return err_sys(err, "cannot read the mailboxes");
	}
	int found = 0;
	for (const struct dirent *e; !found && (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.' || n == NAMES_MAX ||
		    strchr(e->d_name, '.') == NULL)
			continue;
		id_of_file(e->d_name, names[n]);
		const char *last = strchr(names[n], '/') + 1;
		found =
		    (strlen(names[n]) == want && strncmp(names[n], id, want) == 0) ||
		    (strlen(last) == want && strncmp(last, id, want) == 0);
		n++;
	}
	(void)closedir(d);
	if (!found)
		return unknown(id, names, n, err);
	memcpy(full, names[n - 1], sizeof names[0]);
	return 0;
}

int
mail_open(struct mail *m, const char *run_dir, const char *id, int sys, struct err *err)
{
	char path[1100];
	*m = (struct mail){.conn.fd = -1};
	(void)snprintf(path, sizeof path, "%s/mailbox", run_dir);
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, ERR_UNREACHABLE,
		    "no node runs in %s (%s): is supervisord started?", run_dir,
		    strerrordesc_np(errno));
	int r = resolve(dir, id, m->name, err);
	if (r == 0)
		r = conn_connect(&m->conn, dir, m->name, err);
	fd_close(&dir);
	if (r < 0)
		return -1;
	struct frame hello = {
	    .kind = FRAME_HELLO, .name = "relctl", .status = (uint32_t)sys, .data = ""};
	if (conn_send(&m->conn, &hello) == 0)
		return 0;
	mail_close(m);
	return err_sys(err, "cannot speak to %s", id);
}

void
mail_close(struct mail *m)
{
	conn_close(&m->conn);
}

static int
status_error(const struct mail *m, const struct frame *reply, struct err *err)
{
	static const enum err_kind kinds[STEWARD_STATUS_MAX] = {
	    [STEWARD_TIMEOUT] = ERR_FAILED,
	    [STEWARD_BUSY] = ERR_BUSY,
	    [STEWARD_NOPROC] = ERR_UNKNOWN_NAME,
	    [STEWARD_NOCONNECTION] = ERR_UNREACHABLE,
	    [STEWARD_REFUSED] = ERR_REFUSED,
	};

	char shown[200];
	if (reply->status >= STEWARD_STATUS_MAX)
		return err_set(err, ERR_PROTO, "%s answers nonsense", m->name);
	return err_set(err, kinds[reply->status], "%s: %s", m->name,
	    str_printable(reply->data, shown, sizeof shown));
}

/* Waits for the next whole frame until `end` (ms). */
static int
next_frame(struct mail *m, uint64_t end, struct frame *f, struct err *err)
{
	for (;;) {
		int got = conn_next(&m->conn, f);
		if (got < 0)
			return err_set(err, ERR_PROTO, "%s answers nonsense", m->name);
		if (got > 0)
			return 0;
		uint64_t now = clock_ms(CLOCK_MONOTONIC);
		struct pollfd p = {.fd = m->conn.fd,
		    .events = POLLIN | (conn_waiting(&m->conn) > 0 ? POLLOUT : 0)};
		int n =
		    now < end ? poll(&p, 1, (int)MIN(end - now, (uint64_t)60000)) : 0;
		if (n == 0 && clock_ms(CLOCK_MONOTONIC) >= end)
			return err_set(
			    err, ERR_FAILED, "%s did not answer in time", m->name);
		if ((p.revents & POLLOUT) != 0)
			(void)conn_flush(&m->conn);
		if (n > 0 && conn_read(&m->conn) < 0)
			return err_set(err, ERR_FAILED,
			    "%s ended before it had answered", m->name);
	}
}

int
mail_ask(struct mail *m, struct frame *f, uint64_t timeout_ms, struct frame *reply,
    struct err *err)
{
	uint64_t end = timeout_ms > UINT64_MAX / 2
			   ? UINT64_MAX
			   : clock_ms(CLOCK_MONOTONIC) + timeout_ms;
	struct frame got;
	f->ref = 1;
	f->left_ms = (uint32_t)MIN(timeout_ms, (uint64_t)UINT32_MAX);
	if (conn_send(&m->conn, f) < 0)
		return err_sys(err, "cannot speak to %s", m->name);
	do {
		if (next_frame(m, end, &got, err) < 0)
			return -1;
		if (got.kind == FRAME_WELCOME && got.status == STEWARD_REFUSED)
			return err_set(err, ERR_REFUSED,
			    "%s does not serve this user; see `callers` in supervisord.conf(5)",
			    m->name);
		if (got.kind == FRAME_WELCOME && f->kind == FRAME_CAST)
			return 0; /* it has read the cast behind our greeting, or will */
	} while (got.kind == FRAME_WELCOME);
	*reply = got;
	return got.status == STEWARD_DONE ? 0 : status_error(m, reply, err);
}
