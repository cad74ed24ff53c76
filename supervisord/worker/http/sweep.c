/* Deadlines of clients and of the module; see http.h. */
#include <sys/socket.h>

#include "base/util.h"
#include "worker/http/http.h"

enum { SWEEP_MAX_MS = 1000 };

/* The client will say no more, and all it said has been read.  libmicrohttpd 0.9.75 does not
 * see an end that came along with the last bytes: its epoll is edge-triggered. */
static int
is_over(const struct link *k)
{
	char byte;
	return recv(k->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Closing is libmicrohttpd's, which sees that the socket was shut down.  One that is young
 * may have a next request in libmicrohttpd's buffer. */
static void
sweep_link(struct http *h, struct link *k, ev_tstamp now)
{
	double age = (now - k->since) * 1000;
	if (k->phase <= LINK_BODY &&
	    (age > (double)h->request_ms || (age > SWEEP_MAX_MS && is_over(k))))
		(void)shutdown(k->fd, SHUT_RDWR);
	else if (k->phase == LINK_TOLD && k->suspended && !h->paused &&
		 age > (double)h->answer_ms)
		answer_by_room(k, MHD_HTTP_GATEWAY_TIMEOUT);
}

static void
on_sweep(struct ev_loop *loop, ev_timer *t, int events)
{
	struct http *h = t->data;
	(void)events;
	for (uint32_t i = 0; i < LINKS_MAX; i++)
		if (h->slot[i] != NULL)
			sweep_link(h, h->slot[i], ev_now(loop));
}

/* Without clients nothing wakes up. */
void
sweep_links_changed(struct http *h)
{
	if (h->nfree == LINKS_MAX)
		ev_timer_stop(h->host->loop, &h->sweep);
	else if (!ev_is_active(&h->sweep))
		ev_timer_again(h->host->loop, &h->sweep);
}

void
sweep_init(struct http *h)
{
	uint64_t shortest = MIN(h->request_ms, h->answer_ms);
	uint64_t every = MIN(shortest / 4 + 1, (uint64_t)SWEEP_MAX_MS);
	ev_timer_init(&h->sweep, on_sweep, 0, (double)every / 1000);
	h->sweep.data = h;
}

void
sweep_renew(struct http *h)
{
	for (uint32_t i = 0; i < LINKS_MAX; i++)
		if (h->slot[i] != NULL && h->slot[i]->phase == LINK_TOLD)
			h->slot[i]->since = ev_now(h->host->loop);
}
