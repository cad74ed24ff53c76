/*
 * A small node for tests of control and relctl: rows, a state file, and the master's end
 * of the channel, all in this process.
 *
 *	app api (one_for_one)    web, db (rest_for_one "api/back": cache, shop), pool x 3
 *	app extra                not loaded
 */
#ifndef TEST_CONTROL_FAKE_H
#define TEST_CONTROL_FAKE_H

#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/fd.h"
#include "base/log.h"
#include "control/call.h"
#include "control/client.h"
#include "control/events.h"
#include "control/master.h"
#include "rows/rows_build.h"

struct fake {
	struct control c;
	struct state *st;
	int state_fd, rows_fd;
	int master;   /* our end of the channel */
	int listener; /* never connected to */
};

enum fake_slot {
	FS_ROOT,
	FS_API,
	FS_BACK,
	FS_CACHE,
	FS_SHOP,
	FS_POOL,
	FS_JOB1,
	FS_JOB2,
	FS_JOB3,
	FS_WEB,
	FS_MAX
};

enum fake_row {
	FR_API,
	FR_BACK,
	FR_CACHE,
	FR_SHOP,
	FR_POOL,
	FR_JOB,
	FR_WEB,
	FR_EXTRA,
	FR_IDLE,
	FR_MAX
};

static inline uint32_t
fake_row(
    struct rows_build *b, const char *id, unsigned kind, uint32_t parent, uint32_t exec)
{
	struct row r = {.id = rows_build_string(b, id),
	    .kind = (uint8_t)kind,
	    .parent = parent,
	    .exec = exec,
	    .intensity = 1,
	    .period_ms = 5000,
	    .stop_ms = 5000,
	    .start_ms = 10000,
	    .lifespan_ms = MS_INFINITY,
	    .about = rows_build_string(b, "of the fake")};
	if (kind == ROW_TEMPLATE)
		r.instances = 3;
	r.success[0] = 1;
	return rows_build_row(b, &r);
}

/* Rows in a memfd.  variant 1: shop has another command, web is gone, new one came. */
static inline int
fake_rows(int variant)
{
	struct rows_build *b = rows_build_new();
	struct err err;
	const char *argv[] = {"/bin/sleep", variant == 1 ? "2" : "1"};
	const char *env[] = {"SHARED=1", "A=x"}, *env2[] = {"SHARED=1", "B=y"};
	struct row_exec e = {.argc = 2,
	    .argv = rows_build_strings(b, argv, 2),
	    .env = rows_build_strings(b, env, 2),
	    .nenv = 2,
	    .stop_signal = SIGTERM,
	    .umask = 022};
	struct row_exec e2 = e;
	e2.argv = rows_build_strings(b, (const char *[]){"/bin/sleep", "1"}, 2);
	e2.env = rows_build_strings(b, env2, 2);
	uint32_t x = rows_build_exec(b, &e), y = rows_build_exec(b, &e2);
	uint32_t api = fake_row(b, "api", ROW_APP, ROW_NONE, ROW_NONE);
	rows_build_at(b, api)->version = rows_build_string(b, "1.2");
	uint32_t back = fake_row(b, "api/back", ROW_SUP, api, ROW_NONE);
	rows_build_at(b, back)->strategy = REST_FOR_ONE;
	fake_row(b, "api/cache", ROW_WORKER, back, y);
	fake_row(b, "api/shop", ROW_WORKER, back, x);
	uint32_t pool = fake_row(b, "api/jobs", ROW_SUP, api, ROW_NONE);
	rows_build_at(b, pool)->strategy = SIMPLE_ONE_FOR_ONE;
	fake_row(b, "api/job", ROW_TEMPLATE, pool, y);
	fake_row(b, variant == 1 ? "api/wob" : "api/web", ROW_WORKER, api, y);
	uint32_t extra = fake_row(b, "extra", ROW_APP, ROW_NONE, ROW_NONE);
	fake_row(b, "extra/idle", ROW_WORKER, extra, y);
	rows_build_node(b)->name = rows_build_string(b, "fake");
	rows_build_node(b)->stop_ms = 10000;
	const void *block = NULL;
	size_t size = 0;
	if (rows_build_finish(b, &block, &size, &err) < 0)
		fatal("%s", err.msg);
	int fd = memfd_create("rows", MFD_CLOEXEC);
	must(fd >= 0 && fd_write_all(fd, block, size) == 0);
	rows_build_free(&b);
	return fd;
}

static inline void
fake_slot(struct fake *f, uint32_t i, unsigned kind, uint32_t row, uint32_t parent)
{
	struct slot *s = &f->st->slot[i];
	*s = (struct slot){.row = row,
	    .parent = parent,
	    .prev = SLOT_NONE,
	    .next = SLOT_NONE,
	    .first = SLOT_NONE,
	    .last_child = SLOT_NONE,
	    .window = SLOT_NONE,
	    .req = SLOT_NONE,
	    .kind = (uint8_t)kind,
	    .child = CH_PID,
	    .since_ms = view_now_ms(),
	    .phase = kind == SLOT_WORKER ? PH_UP : PH_SUP_UP};
	if (kind == SLOT_WORKER) {
		s->pid = (int32_t)(100000 + i);
		s->gen = 1;
		s->starts = 1;
	}
	if (i == parent)
		return;
	struct slot *p = &f->st->slot[parent];
	s->prev = p->last_child;
	if (p->last_child != SLOT_NONE)
		f->st->slot[p->last_child].next = i;
	else
		p->first = i;
	p->last_child = i;
	p->nchildren++;
}

static inline void
fake_tree(struct fake *f)
{
	fake_slot(f, FS_ROOT, SLOT_ROOT, ROW_NONE, FS_ROOT);
	fake_slot(f, FS_API, SLOT_APP, FR_API, FS_ROOT);
	f->st->slot[FS_API].flags |= SF_LOADED;
	fake_slot(f, FS_BACK, SLOT_SUP, FR_BACK, FS_API);
	fake_slot(f, FS_CACHE, SLOT_WORKER, FR_CACHE, FS_BACK);
	fake_slot(f, FS_SHOP, SLOT_WORKER, FR_SHOP, FS_BACK);
	fake_slot(f, FS_POOL, SLOT_SUP, FR_POOL, FS_API);
	for (uint32_t i = 0; i < 3; i++) {
		fake_slot(f, FS_JOB1 + i, SLOT_WORKER, FR_JOB, FS_POOL);
		f->st->slot[FS_JOB1 + i].number = i + 1;
	}
	f->st->slot[FS_POOL].target = 3;
	f->st->slot[FS_POOL].template_row = FR_JOB;
	fake_slot(f, FS_WEB, SLOT_WORKER, FR_WEB, FS_API);
	f->st->head.core.slots_used = FS_MAX;
}

static inline void
fake_event(struct fake *f, unsigned type, uint32_t slot, const char *id)
{
	uint64_t n = f->st->head.event_n + 1;
	struct event *e = &f->st->event[n % EVENT_RING];
	*e = (struct event){.n = n,
	    .real_ms = view_wall_ms(),
	    .now_ms = view_now_ms(),
	    .slot = slot,
	    .type = (uint8_t)type};
	(void)snprintf(e->id, sizeof e->id, "%s", id);
	f->st->head.event_n = n;
}

static inline void
fake_state(struct fake *f)
{
	f->state_fd = memfd_create("state", MFD_CLOEXEC);
	must(f->state_fd >= 0 && ftruncate(f->state_fd, sizeof(struct state)) == 0);
	f->st = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED,
	    f->state_fd, 0);
	must(f->st != MAP_FAILED);
	struct state_head *h = &f->st->head;
	h->magic = STATE_MAGIC;
	h->version = STATE_VERSION;
	h->slot_size = sizeof(struct slot);
	h->size = sizeof(struct state);
	h->masters = 2;
	h->master_pid = getpid();
	h->keeper_pid = getpid();
	h->ready = 1;
	h->started_ms = 1795000000000ULL;
	h->core.rows_seq = 1;
	fake_tree(f);
}

static inline void
fake_send_maps(struct fake *f, uint32_t seq)
{
	const struct msg m = {.type = MSG_MAPS, .slot = SLOT_NONE, .value = seq};
	const int fds[2] = {f->state_fd, f->rows_fd};
	must(chan_send(f->master, &m, sizeof m, fds, 2) == 0);
}

/* Runs what is ready, a few turns long. */
static inline void
fake_turn(struct fake *f)
{
	for (int i = 0; i < 8; i++)
		ev_run(f->c.loop, EVRUN_NOWAIT);
}

static inline void
fake_open(struct fake *f)
{
	int pair[2];
	struct err err;
	memset(f, 0, sizeof *f);
	log_open("test", -1, LOG_LEVEL_ERROR);
	fake_state(f);
	f->rows_fd = fake_rows(0);
	must(chan_pair(pair, &err) == 0);
	f->master = pair[1];
	/* Bound to a name of the kernel's choice. */
	const struct sockaddr any = {.sa_family = AF_UNIX};
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(bind(f->listener, &any, sizeof any.sa_family) == 0);
	f->c = (struct control){.view = {.rows_fd = -1, .old_fd = -1},
	    .run_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
	    .run_dir = "/run/fake",
	    .log_dir = "/log/fake",
	    .node_uid = getuid(),
	    .loop = ev_loop_new(EVFLAG_AUTO)};
	f->c.calls = calls_new();
	f->c.clients = clients_new(&f->c, f->listener);
	f->c.master = master_new(&f->c, pair[0]);
	fake_send_maps(f, 1);
	fake_turn(f);
	must(f->c.view.st != NULL);
}

static inline void
fake_close(struct fake *f)
{
	clients_free(&f->c.clients);
	calls_free(&f->c);
	master_free(&f->c.master);
	view_clear(&f->c.view);
	ev_loop_destroy(f->c.loop);
	fd_close(&f->c.run_fd);
	fd_close(&f->master);
	fd_close(&f->state_fd);
	fd_close(&f->rows_fd);
	munmap(f->st, sizeof(struct state));
}

/* The next message to the master of this type; 0 or -1 when there is none. */
static inline int
fake_master_got(struct fake *f, unsigned type, struct msg_request *ret)
{
	union {
		struct msg m;
		struct msg_request r;
		char bytes[CHAN_MSG_MAX];
	} u;

	int fds[CHAN_FDS];
	unsigned nfds;
	struct err err;
	ssize_t n;
	while ((n = chan_recv(f->master, &u, sizeof u, fds, &nfds)) > 0) {
		must(proto_check(
			 &u, (size_t)n, nfds, ROLE_CONTROL, ROLE_MASTER, &err) == 0);
		if (u.m.type != type)
			continue;
		memset(ret, 0, sizeof *ret);
		memcpy(ret, &u, MIN((size_t)n, sizeof *ret));
		return 0;
	}
	return -1;
}

static inline void
fake_reply(struct fake *f, const struct msg_request *req, unsigned answer,
    uint32_t slot, const char *text, int fd)
{
	struct msg_reply r = {.m = {.type = MSG_REPLY, .ref = req->m.ref, .slot = slot},
	    .answer = answer};
	(void)snprintf(r.text, sizeof r.text, "%s", text);
	must(chan_send(f->master, &r, sizeof r, &fd, fd >= 0 ? 1 : 0) == 0);
	fake_turn(f);
}

#endif
