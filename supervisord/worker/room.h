/*
 * room - how supervisord-worker and its runtime rooms speak.
 *
 * What needs a third party's callbacks (HTTP by libmicrohttpd …) is a room: a shared object
 * rooms/NAME.so beside the programs, which alone links that library.  The worker loads it
 * with the first function of <steward/handler.h> that needs it, and gives it a table of
 * functions (struct room_host); the room gives one back (struct room, its only exported
 * symbol `steward_room`).  Both come from one build; `version` and `size` say so.
 *
 *   - A room keeps no pointer into a module.  What it has to tell goes through host->tell,
 *     with the tag that the module chose, and so to whatever module is loaded by then.
 *   - ROOM_LATER: the worker is suspended.  The room keeps what it has and tells it again
 *     after the pause, in the order it came.
 *   - One loop, no threads, nothing waits but `close`, and that briefly.
 *
 * A further room: a row in room.c, its functions' struct and a member of the union here, a
 * folder supervisord/worker/NAME, its libraries in the Makefile, a rule in tests/house.sh.
 */
#ifndef WORKER_ROOM_H
#define WORKER_ROOM_H

#include <ev.h>
#include <stdint.h>

#include "steward/handler.h"

enum { ROOM_VERSION = 1 };

enum room_told {
	ROOM_TOLD, /* the module has been told; it may have called the room meanwhile */
	ROOM_LATER, /* the worker is suspended */
	ROOM_NOBODY /* the module has no handle_info, or the worker ends */
};

struct room_host {
	struct steward_worker *w;
	struct ev_loop *loop;
	enum room_told (*tell)(
	    struct steward_worker *w, const struct steward_info *info);
	/* Into the worker's log, as a warning. */
	void (*log)(const char *format, ...) __attribute__((format(printf, 1, 2)));
	/* A time from the environment ("500ms", "2m"), or `otherwise`. */
	uint64_t (*setting_ms)(const char *name, uint64_t otherwise);
};

/* Each returns 0, or -1 with the errno that <steward/handler.h> states. */
struct room_http {
	/* fd is borrowed: a listening socket.  Served already: it gets the new tag. */
	int (*serve)(void *state, int fd, uint64_t tag);
	int (*reply)(void *state, uint64_t id, unsigned status,
	    const char *const *headers, const struct steward_data *body);
};

struct room {
	uint32_t version, size; /* ROOM_VERSION, of this struct */
	/* host lives as long as the state.  -1: no memory. */
	int (*open)(const struct room_host *host, void **state);
	/* The worker is suspended, or no more. */
	void (*pause)(void *state, int paused);
	/* The worker ends: whoever still waits is told so. */
	void (*close)(void *state);

	union {
		const struct room_http *http;
	} calls;
};

extern const struct room steward_room;

#endif
