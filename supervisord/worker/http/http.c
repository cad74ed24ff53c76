/* The HTTP room: sockets served, the loop, what waits, deadlines; see http.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "worker/http/http.h"

enum { FDS_KEPT = 32, DRAIN_ROUNDS = 40, DRAIN_MS = 25 };

/* What waited for the resume, in its order; a second suspend keeps the rest. */
static void
tell_waiting(struct http *h)
{
	uint32_t n = 0, left = 0;
	for (; n < h->nwaiting; n++) {
		struct link *k = h->slot[h->waiting[n] & (LINKS_MAX - 1)];
		if (k != NULL && k->id == h->waiting[n] && k->phase == LINK_WAITING &&
		    link_tell(k) == ROOM_LATER)
			break;
	}
	while (n < h->nwaiting)
		h->waiting[left++] = h->waiting[n++];
	h->nwaiting = left;
}

/*
 * The next time libmicrohttpd wants to look at its connections.  At its limit it watches the
 * listening socket no more, and takes that up again only with the run after a connection
 * was closed, which nothing else might bring about.
 */
static void
arm(struct http *h)
{
	unsigned long long ms = ULLONG_MAX, one;
	for (struct server *s = h->servers; s != NULL; s = s->next)
		if (MHD_get_timeout(s->daemon, &one) == MHD_YES)
			ms = MIN(ms, one);
	if (h->closed || (h->nwaiting > 0 && !h->paused))
		ms = 0;
	h->closed = 0;
	ev_timer_stop(h->host->loop, &h->work);
	if (ms == ULLONG_MAX)
		return;
	ev_timer_set(&h->work, (double)ms / 1000, 0);
	ev_timer_start(h->host->loop, &h->work);
}

static void
on_work(struct ev_loop *loop, ev_timer *t, int events)
{
	struct http *h = t->data;
	(void)loop;
	(void)events;
	tell_waiting(h);
	for (struct server *s = h->servers; s != NULL; s = s->next)
		(void)MHD_run(s->daemon);
	arm(h);
}

static void
on_epoll(struct ev_loop *loop, ev_io *io, int events)
{
	struct server *s = io->data;
	(void)loop;
	(void)events;
	(void)MHD_run(s->daemon);
	arm(s->http);
}

void
http_soon(struct http *h)
{
	ev_timer_stop(h->host->loop, &h->work);
	ev_timer_set(&h->work, 0, 0);
	ev_timer_start(h->host->loop, &h->work);
}

/* A line a second at most: clients can make it talk. */
__attribute__((format(printf, 2, 0))) static void
on_log(void *cls, const char *format, va_list ap)
{
	struct http *h = cls;
	char line[256];
	ev_tstamp now = ev_now(h->host->loop);
	if (now - h->logged < 1)
		return;
	h->logged = now;
	int n = vsnprintf(line, sizeof line, format, ap);
	while (n > 0 && (size_t)n < sizeof line && line[n - 1] == '\n')
		line[--n] = '\0';
	h->host->log("http: %s", line);
}

static unsigned
links_max(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur > LINKS_MAX + FDS_KEPT)
		return LINKS_MAX;
	return r.rlim_cur > FDS_KEPT + FDS_KEPT ? (unsigned)r.rlim_cur - FDS_KEPT
						: FDS_KEPT;
}

/* MHD_stop_daemon closes the socket, which is not ours: it gets a duplicate. */
static struct MHD_Daemon *
daemon_new(struct server *s)
{
	struct http *h = s->http;
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0) {
		struct MHD_Daemon *d = MHD_start_daemon(
		    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
		    NULL, NULL, link_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, h,
		    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		    links_max(), MHD_OPTION_CONNECTION_TIMEOUT,
		    (unsigned)(h->request_ms / 1000 + 1), MHD_OPTION_NOTIFY_CONNECTION,
		    link_notify, s, MHD_OPTION_NOTIFY_COMPLETED, link_completed, s,
		    MHD_OPTION_URI_LOG_CALLBACK, link_target, s,
		    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP,
		    1, MHD_OPTION_END);
		if (d != NULL)
			return d;
	}
	(void)close(fd);
	return NULL;
}

static int
is_listening(int fd)
{
	int on = 0;
	socklen_t len = sizeof on;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on;
}

static int
http_serve(void *state, int fd, uint64_t tag)
{
	struct http *h = state;
	struct server *s = h->servers;
	while (s != NULL && s->fd != fd)
		s = s->next;
	if (s != NULL) {
		s->tag = tag;
		return 0;
	}
	errno = EINVAL;
	if (!is_listening(fd) || (s = calloc(1, sizeof *s)) == NULL)
		return -1;
	*s = (struct server){.http = h, .fd = fd, .tag = tag, .next = h->servers};
	s->daemon = daemon_new(s);
	if (s->daemon == NULL) {
		free(s);
		errno = ENOMEM;
		return -1;
	}
	h->servers = s;
	const union MHD_DaemonInfo *info =
	    MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	ev_io_init(&s->io, on_epoll, info->epoll_fd, EV_READ);
	s->io.data = s;
	ev_io_start(h->host->loop, &s->io);
	http_soon(h);
	return 0;
}

static int
http_reply(void *state, uint64_t id, unsigned status, const char *const *headers,
    const struct steward_data *body)
{
	return answer_by_module(state, id, status, headers, body);
}

static int
http_open(const struct room_host *host, void **state)
{
	struct http *h = calloc(1, sizeof *h);
	if (h == NULL)
		return -1;
	h->host = host;
	h->request_ms = host->setting_ms("STEWARD_HTTP_REQUEST", REQUEST_MS);
	h->answer_ms = host->setting_ms("STEWARD_HTTP_ANSWER", ANSWER_MS);
	for (h->nfree = 0; h->nfree < LINKS_MAX; h->nfree++)
		h->free[h->nfree] = (uint16_t)(LINKS_MAX - 1 - h->nfree);
	ev_timer_init(&h->work, on_work, 0, 0);
	h->work.data = h;
	sweep_init(h);
	*state = h;
	return 0;
}

static int
any_answered(const struct http *h)
{
	for (uint32_t i = 0; i < LINKS_MAX; i++)
		if (h->slot[i] != NULL && h->slot[i]->phase == LINK_ANSWERED)
			return 1;
	return 0;
}

/* A second for the last answers; a client that does not read them loses them. */
static void
drain(struct http *h)
{
	for (int i = 0; i < DRAIN_ROUNDS && any_answered(h); i++) {
		for (struct server *s = h->servers; s != NULL; s = s->next) {
			struct pollfd p = {.fd = s->io.fd, .events = POLLIN};
			(void)MHD_run(s->daemon);
			if (any_answered(h))
				(void)poll(&p, 1, DRAIN_MS);
		}
	}
}

static void
http_close(void *state)
{
	struct http *h = state;
	for (uint32_t i = 0; i < LINKS_MAX; i++)
		if (h->slot[i] != NULL && h->slot[i]->suspended)
			answer_by_room(h->slot[i], MHD_HTTP_SERVICE_UNAVAILABLE);
	drain(h);
	for (struct server *s = h->servers, *next; s != NULL; s = next) {
		next = s->next;
		ev_io_stop(h->host->loop, &s->io);
		MHD_stop_daemon(s->daemon);
		free(s);
	}
	ev_timer_stop(h->host->loop, &h->work);
	ev_timer_stop(h->host->loop, &h->sweep);
	free(h);
}

static void
http_pause(void *state, int paused)
{
	struct http *h = state;
	h->paused = paused;
	sweep_renew(h);
	http_soon(h);
}

static const struct room_http calls = {.serve = http_serve, .reply = http_reply};

__attribute__((visibility("default"))) const struct room steward_room = {
    .version = ROOM_VERSION,
    .size = sizeof(struct room),
    .open = http_open,
    .pause = http_pause,
    .close = http_close,
    .calls.http = &calls,
};
