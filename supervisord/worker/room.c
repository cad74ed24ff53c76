/* The runtime rooms, loaded with their first use; see room.h and worker.h. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/dirs.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "worker/room.h"
#include "worker/worker.h"

enum { LINE_MAX = 512 };

static const char *const files[] = {
    [ROOM_HTTP] = "rooms/http.so",
};
_Static_assert(COUNT(files) == ROOM_KIND_MAX, "one row a room");

static enum room_told
tell(struct steward_worker *w, const struct steward_info *info)
{
	if (w->ended)
		return ROOM_NOBODY;
	if (w->suspended)
		return ROOM_LATER; /* whatever module is there afterwards decides */
	if (w->module.h->handle_info == NULL)
		return ROOM_NOBODY;
	run_info(w, info);
	return ROOM_TOLD;
}

PRINTF(1, 2)

static void
log_text(const char *format, ...)
{
	char line[LINE_MAX];
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	log_warn("%s", line);
}

static uint64_t
setting_ms(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t ms = otherwise;
	struct err err;
	if (text != NULL && str_time_ms(text, &ms, &err) < 0)
		log_warn("%s: %s", name, err.msg);
	return ms;
}

/* It stays loaded as long as the process lives.  Null: err says why. */
static const struct room *
load(const char *file, struct err *err)
{
	char path[DIRS_PATH];
	if (dirs_program(file, path, sizeof path, err) < 0)
		return NULL;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		(void)err_set(err, ERR_FAILED, "%s", dlerror());
		return NULL;
	}
	const struct room *r = dlsym(handle, "steward_room");
	if (r == NULL || r->version != ROOM_VERSION || r->size != sizeof *r) {
		(void)dlclose(handle);
		(void)err_set(err, ERR_FAILED, "%s is of another build", path);
		return NULL;
	}
	return r;
}

/* Null: errno is ELIBACC, and the log says why, or ENOMEM. */
static const struct room_use *
use(struct steward_worker *w, enum room_kind kind)
{
	static struct room_host host;
	struct room_use *u = &w->rooms[kind];
	struct err err;
	if (u->room != NULL)
		return u;
	host = (struct room_host){.w = w,
	    .loop = w->loop,
	    .tell = tell,
	    .log = log_text,
	    .setting_ms = setting_ms};
	const struct room *room = load(files[kind], &err);
	if (room == NULL) {
		log_error("no runtime room: %s", err.msg);
		errno = ELIBACC;
		return NULL;
	}
	if (room->open(&host, &u->state) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	u->room = room;
	return u;
}

void
room_pause(struct steward_worker *w)
{
	for (size_t i = 0; i < COUNT(w->rooms); i++)
		if (w->rooms[i].room != NULL)
			w->rooms[i].room->pause(w->rooms[i].state, w->suspended);
}

void
room_stop(struct steward_worker *w)
{
	for (size_t i = 0; i < COUNT(w->rooms); i++)
		if (w->rooms[i].room != NULL)
			w->rooms[i].room->close(w->rooms[i].state);
}

int
steward_http_serve(struct steward_worker *w, const char *socket, uint64_t tag)
{
	if (w->rehearsing)
		return 0;
	int fd = steward_socket(w, socket); /* ENOENT */
	const struct room_use *u = fd >= 0 ? use(w, ROOM_HTTP) : NULL;
	return u != NULL ? u->room->calls.http->serve(u->state, fd, tag) : -1;
}

int
steward_http_reply(struct steward_worker *w, uint64_t id, unsigned status,
    const char *const *headers, const struct steward_data *body)
{
	const struct room_use *u = &w->rooms[ROOM_HTTP];
	if (w->rehearsing)
		return 0;
	if (u->room == NULL) {
		errno = ENOENT;
		return -1;
	}
	return u->room->calls.http->reply(u->state, id, status, headers, body);
}
