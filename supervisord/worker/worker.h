/*
 * worker - the inside of supervisord-worker, a file a concern.
 *
 *   main.c     arguments, the module, the loop
 *   module.c   a module is checked, loaded, unloaded
 *   run.c      callbacks, one at a time, and what they return
 *   serve.c    the mailbox: connections of callers, their requests, replies
 *   call.c     connections to others' mailboxes: calls, casts, monitors
 *   watch.c    timers, descriptors, signals: registered by tag, told by tag
 *   sys.c      the operator's requests: inspect, suspend, resume
 *   link.c     the connection to the master
 *   swap.c     one module in the other's place
 *   room.c     the runtime rooms, loaded with their first use; see room.h
 *   api.c      <steward/handler.h>'s small functions
 *
 * One process, one loop, one module.  The struct is the module's `struct steward_worker`.
 * Everything that comes in becomes a callback through run.c; while the worker is suspended
 * it waits, in the kernel's queues as far as possible.
 */
#ifndef WORKER_H
#define WORKER_H

#include <ev.h>
#include <stdint.h>

#include "base/err.h"
#include "elf/note.h"
#include "mail/conn.h"
#include "proto/swap.h"
#include "steward/handler.h"

enum {
	PEERS_MAX = 1024, /* connections of callers, and to others, each */
	QUEUE_DEFAULT = 1024,
	TABLE_START = 16
};

struct module {
	void *handle; /* of dlopen; owned */
	const struct steward_handler *h;
	char name[ELF_NOTE_NAME], version[ELF_NOTE_NAME];
	uint32_t state_version;
};

/* A caller: one connection to our mailbox. */
struct caller {
	struct steward_worker *w;
	struct conn conn;
	ev_io io;
	uint64_t id; /* never used twice; steward_ref.peer */
	char name[FRAME_NAME_MAX + 1];
	uint32_t uid;
	uint64_t *refs; /* calls that have no reply yet: `open` of them; owned */
	uint32_t open, refs_cap;
	uint32_t monitors; /* that watch us over this connection */
	int hello, sys;
	int doomed; /* to be closed as soon as nobody is at it */
	struct caller *prev, *next;
};

/* Another's mailbox that we have a connection to. */
struct peer {
	struct steward_worker *w;
	struct conn conn;
	ev_io io;
	char name[FRAME_NAME_MAX + 1];
	uint64_t gen;	/* of its present life, 0 before WELCOME */
	uint32_t limit; /* calls it takes at once, 0 before WELCOME */
	uint32_t open;	/* our calls to it that have no reply yet */
	struct peer *prev, *next;
};

enum pending_kind { PENDING_CALL, PENDING_MONITOR };

/* A call of ours without a reply, or a monitor. */
struct pending {
	ev_timer timer; /* of a call with a deadline */
	struct steward_worker *w;
	struct peer *peer; /* null: the result only has to be told */
	uint64_t ref, tag;
	uint32_t kind, status;
	int late; /* due while suspended */
	char name[FRAME_NAME_MAX + 1];
	struct pending *prev, *next;
};

enum watch_kind { WATCH_TIMER, WATCH_CAST, WATCH_FD, WATCH_SIGNAL };

/* A timer, a cast that is to be sent later, a descriptor, or a signal. */
struct watch {
	union {
		ev_timer timer;
		ev_io io;
		ev_signal signal;
	} ev;
	struct steward_worker *w;
	uint32_t kind;
	int number; /* descriptor or signal */
	uint64_t tag;
	char to[FRAME_NAME_MAX + 1]; /* of a cast; `data` is owned */
	struct steward_data data;
	int late; /* fired while suspended */
	struct watch *prev, *next;
};

enum swap_stage { SWAP_IDLE, SWAP_TRYING, SWAP_READY, SWAP_BETWEEN };

/* The swap that is going on, if any. */
struct swap {
	struct steward_worker *w;
	enum swap_stage stage;
	uint32_t txn;
	struct module next;   /* what may come */
	char path[SWAP_TEXT]; /* its file */
	void *state;	      /* for it; the old one is still in w->state */
	int was_suspended;
	uint64_t paused_ns, pause_ns;
	ev_io rehearsal_io;
	int rehearsal_fd;
	int rehearsal_pid;
};

/* What needs a third party's callbacks; the interface is room.h. */
enum room_kind { ROOM_HTTP, ROOM_KIND_MAX };

struct room;

struct room_use {
	const struct room *room; /* null until the first use */
	void *state;		 /* the room's own */
};

struct steward_worker {
	struct ev_loop *loop;
	ev_io listen_io;
	ev_timer accept_later; /* out of descriptors */
	ev_prepare spin;
	struct module module;
	void *state;
	const char *id; /* "app/worker#n" */
	uint64_t gen;
	int mailbox_dir;   /* run/mailbox, for calls to others */
	int run_dir, link; /* to the master; -1 */
	ev_io link_io;
	ev_timer link_again;
	struct swap swap;
	uint32_t queue_max;  /* calls taken at once */
	uint32_t open_calls; /* of all caller */
	uint64_t next_caller, next_ref;
	struct caller *callers;
	uint32_t ncallers;
	struct peer *peers;
	struct pending *pendings;
	struct watch *watches;
	struct room_use rooms[ROOM_KIND_MAX];
	ev_signal term;
	const uint32_t *uids; /* uids that may call; owned by main */
	uint32_t nuids;
	int anybody; /* callers = any */
	int suspended, ended, in_callback;
	int rehearsing;	  /* in the forked copy: nothing goes out */
	uint64_t busy_ns; /* when the last message was handled, for the spin */
	char reason[STEWARD_REASON_MAX];

	struct {
		uint64_t calls, casts, infos, replies, busy;
	} count;

	char last[160]; /* the message being handled, for the crash report */
};

/* module.c.  `expect_abi` is STEWARD_ABI; the note is read first. */
int module_load(struct module *m, const char *path, struct err *err);
void module_unload(struct module *m);

/* run.c.  Each hands one event to the module and carries out what it returns. */
int run_init(struct steward_worker *w, const struct steward_args *args);
void run_call(struct steward_worker *w, const struct steward_request *request);
void run_cast(struct steward_worker *w, const struct steward_cast *cast);
void run_info(struct steward_worker *w, const struct steward_info *info);
void run_end(struct steward_worker *w, const char *reason);
/* Nothing is handed on, or all goes on with what has come meanwhile. */
void run_pause(struct steward_worker *w, int paused);
/* A crash prints what was handled last. */
void run_report_crashes(struct steward_worker *w);

/* serve.c */
int serve_start(struct steward_worker *w, int listen_fd, struct err *err);
/* w->suspended has changed. */
void serve_pause(struct steward_worker *w);
void serve_stop(struct steward_worker *w);
void caller_close(struct steward_worker *w, struct caller *c);
int caller_send(struct caller *c, const struct frame *f);

/* call.c */
void call_resume(struct steward_worker *w);
void call_stop(struct steward_worker *w);

/* link.c */
void link_start(struct steward_worker *w, const char *run);
void link_stop(struct steward_worker *w);
void link_say(struct steward_worker *w, uint32_t type, uint32_t txn, uint64_t value,
    const char *text);

/* swap.c */
void swap_prepare(struct steward_worker *w, const struct swap_msg *m);
void swap_change(struct steward_worker *w, const struct swap_msg *m);
void swap_commit(struct steward_worker *w);
void swap_undo(struct steward_worker *w);
void swap_decide(struct steward_worker *w, const char *path);

/* watch.c */
void watch_resume(struct steward_worker *w);
void watch_stop(struct steward_worker *w);

/* room.c */
/* w->suspended has changed. */
void room_pause(struct steward_worker *w);
void room_stop(struct steward_worker *w);

/* sys.c */
void sys_request(struct caller *c, const struct frame *f);

struct steward_out {
	char *bytes; /* owned; null when memory was out */
	size_t len, cap;
	int failed;
};

#endif
