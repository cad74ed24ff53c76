/*
 * http - the inside of the HTTP room, by libmicrohttpd; its interface is worker/room.h.
 *
 *   http.c     the room: sockets served, the loop, what waits for a resume
 *   link.c     a client's connection and the request on it, as libmicrohttpd tells of them
 *   body.c     what a request carries, within limits
 *   answer.c   responses: the module's, and the room's own
 *   sweep.c    deadlines
 *   target.c   what stands between method and version, split and decoded
 *
 * libmicrohttpd runs without threads, its epoll descriptor watched by the worker's loop.
 * A connection (struct link) has one request at a time, which goes
 *
 *   IDLE -> HEAD -> BODY -> (WAITING: the worker is suspended) -> TOLD -> ANSWERED -> IDLE
 *
 * and is suspended in libmicrohttpd from WAITING or TOLD until there is an answer.  An id is
 * a serial number and a place in the table of links, so a late answer finds its request at
 * once, and never another one.
 *
 * Limits, so that no client costs the worker more than they say: LINKS_MAX connections
 * (further ones wait in the kernel's queue), STEWARD_HTTP_BODY_MAX a body, BODIES_MAX all
 * bodies, a time for a request to come whole and a time for it to be answered.
 */
#ifndef WORKER_HTTP_HTTP_H
#define WORKER_HTTP_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include <ev.h>
#include <microhttpd.h>

#include "worker/room.h"

enum {
	LINK_BITS = 12,
	LINKS_MAX = 1 << LINK_BITS,
	BODIES_MAX = 64 << 20, /* beyond it 503 */
	DRAINED_MAX =
	    16 << 20,	    /* read of a body that is too long, so that 413 arrives */
	REQUEST_MS = 60000, /* STEWARD_HTTP_REQUEST: until a request has come whole */
	ANSWER_MS = 60000   /* STEWARD_HTTP_ANSWER: until the module has answered it */
};

enum link_phase {
	LINK_IDLE,
	LINK_HEAD,    /* its first line is there */
	LINK_BODY,    /* its head is there */
	LINK_WAITING, /* whole, and not told: the worker is suspended */
	LINK_TOLD,
	LINK_ANSWERED
};

struct link {
	struct server *server;
	struct MHD_Connection *mhd; /* borrowed */
	int fd;			    /* borrowed */
	int suspended;		    /* in libmicrohttpd */
	uint32_t slot, phase;
	ev_tstamp since; /* when the phase began, or its patience was renewed */
	/* of the request; all but the method owned */
	uint64_t id;
	const char *method; /* libmicrohttpd keeps it as long as the request */
	char *path;	    /* its query stands behind its NUL */
	const char *query;
	char *body;
	size_t body_len, body_cap, drained;
	unsigned refused; /* the status that the room itself will answer with, or 0 */
	/* of the answer, between steward_http_reply and libmicrohttpd's next look */
	struct MHD_Response *response;
	unsigned status;
};

struct server {
	struct http *http;
	struct MHD_Daemon *daemon;
	ev_io io;
	int fd; /* the worker's number of the socket */
	uint64_t tag;
	struct server *next;
};

struct http {
	const struct room_host *host;
	ev_timer work;	/* libmicrohttpd's timeouts; what waited for a resume */
	ev_timer sweep; /* deadlines, as long as there are links */
	struct server *servers;
	struct link *slot[LINKS_MAX];
	uint16_t free[LINKS_MAX]; /* slots */
	uint32_t nfree;
	uint64_t serial;
	uint64_t waiting[LINKS_MAX]; /* ids, in the order they came */
	uint32_t nwaiting;
	int paused;
	int closed;    /* a connection, since libmicrohttpd began to run */
	size_t bodies; /* bytes allocated for all bodies */
	uint64_t request_ms, answer_ms;
	ev_tstamp logged; /* libmicrohttpd's last line */
};

/* http.c: soon, but not now, libmicrohttpd is run and what waits is told. */
void http_soon(struct http *h);

/* link.c: libmicrohttpd's callbacks; cls is the server. */
void link_notify(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_ConnectionNotificationCode code);
void *link_target(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result link_request(void *cls, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *data, size_t *size,
    void **context);
void link_completed(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_RequestTerminationCode code);

/* The link of a request that has not been answered; null: there is none. */
struct link *link_find(struct http *h, uint64_t id);
/* Tells the module of a whole request. */
enum room_told link_tell(struct link *k);

/* body.c: MHD_NO when the client sends far more than it may. */
enum MHD_Result body_take(struct link *k, const char *data, size_t len);
void body_free(struct link *k);

/* sweep.c: once a second at most, and only while there are clients. */
void sweep_init(struct http *h);
void sweep_links_changed(struct http *h);
/* The module could not answer meanwhile, so the time did not count. */
void sweep_renew(struct http *h);

/* answer.c */
int answer_by_module(struct http *h, uint64_t id, unsigned status,
    const char *const *headers, const struct steward_data *body);
/* A line of text of the room's own. */
void answer_by_room(struct link *k, unsigned status);
/* Hands the answer to libmicrohttpd, in one of its callbacks. */
enum MHD_Result answer_queue(struct link *k);

/* target.c: *path is to be freed, *query lies behind it.  0, or a status to refuse with. */
unsigned target_split(const char *uri, char **path, const char **query);

#endif
