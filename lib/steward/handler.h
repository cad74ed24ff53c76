/*
 * <steward/handler.h> - what a handler module is and what it may ask of its worker.
 *
 * A handler module is a shared object with one exported symbol, `steward_handler`, made by
 * STEWARD_HANDLER below.  supervisord-worker loads it, calls its callbacks one at a time
 * from one loop, and may replace it by another version while the worker runs.  That works
 * because of two rules, which `relctl pack` enforces as far as it can:
 *
 *   - The runtime keeps no pointer into a module but the descriptor's, and a module hands
 *     none to anybody: timers, descriptors, calls and requests are registered with a tag
 *     (a number of the module's choice) and come back as handle_info with that tag.
 *   - All that must live on is in the state that init returned.  No threads, no atexit,
 *     no constructors, no static variables that matter.
 *
 * Every function here may be called from callbacks only, with the worker the callback was
 * given.  Functions that can fail return 0, or -1 with errno set as stated; none blocks.
 * Data passed to a callback is valid until the callback returns; data passed to a function
 * is copied before it returns.  Times are milliseconds.
 *
 * Link with nothing: the functions are supervisord-worker's own.  A module is built with
 *	cc -fPIC -shared -fvisibility=hidden -Wl,-z,now -o lib/NAME.so NAME.c
 */
#ifndef STEWARD_HANDLER_H
#define STEWARD_HANDLER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The contract's version: a worker refuses modules of another one before it loads them. */
#define STEWARD_ABI 1U

enum {
	STEWARD_NAME_MAX = 68,	     /* "app/worker#n" and its NUL */
	STEWARD_VERSION_MAX = 32,    /* a module's name and version, with their NULs */
	STEWARD_REASON_MAX = 128,    /* an end reason in words, with its NUL */
	STEWARD_DATA_MAX = 64 << 20, /* bytes of one request or reply */
	STEWARD_HTTP_BODY_MAX = 1 << 20, /* of one HTTP request; beyond it 413 */
};

struct steward_worker; /* the runtime's own */

/* What the bytes of a message are; JSON unless said otherwise. */
enum steward_type { STEWARD_JSON, STEWARD_BYTES, STEWARD_TEXT };

struct steward_data {
	const void *bytes; /* a NUL follows them, which `len` does not count */
	size_t len;
	uint32_t type; /* enum steward_type */
};

/* Whom a reply goes to; plain numbers, which may be kept in the state and outlive a swap. */
struct steward_ref {
	uint64_t peer, call;
};

/* What a callback returns. */
enum steward_next {
	STEWARD_OK,	  /* go on */
	STEWARD_CONTINUE, /* go on, and call handle_continue before anything else */
	STEWARD_STOP /* call terminate and end: normally, or as steward_stop says */
};

struct steward_args {
	int argc; /* the words of `args =`, and behind them those an instance was started with */
	char *const *argv;
	uint64_t generation; /* of this worker, from 1; counts its lives */
};

struct steward_request {
	struct steward_ref from; /* pass it to steward_reply, now or later */
	const char *caller; /* who it says it is, "" for no worker; trust caller_uid */
	uint32_t caller_uid;
	struct steward_data data;
	uint64_t left_ms; /* until nobody waits for the reply any more */
};

struct steward_cast {
	const char *caller;
	uint32_t caller_uid;
	struct steward_data data;
};

/* What handle_info is told. */
enum steward_info_kind {
	STEWARD_TIMER,	/* steward_timer's time has come */
	STEWARD_FD,	/* a descriptor is ready: `events` */
	STEWARD_REPLY,	/* to steward_call: `status`, and with 0 `data` */
	STEWARD_DOWN,	/* of a monitor: `name`, `reason` */
	STEWARD_SIGNAL, /* `number` */
	STEWARD_HTTP,	/* a request of the HTTP room: `http` */
	STEWARD_INFO_KIND_MAX
};

/* How a call ended, and other results that come later. */
enum steward_status {
	STEWARD_DONE,
	STEWARD_TIMEOUT,      /* no reply in time; a late one is dropped */
	STEWARD_BUSY,	      /* the callee's queue is full */
	STEWARD_NOPROC,	      /* no such name */
	STEWARD_NOCONNECTION, /* the callee died, or was never there to answer */
	STEWARD_REFUSED,      /* the callee does not serve this caller */
	STEWARD_STATUS_MAX
};

enum { STEWARD_READ = 1, STEWARD_WRITE = 2 };

struct steward_http {
	uint64_t id;	    /* for steward_http_reply */
	const char *method; /* "GET" */
	const char *path;   /* "/users/1234", decoded */
	const char *query;  /* "a=b", as it came, or "" */
	const char *type;   /* Content-Type, or "" */
	const char *accept; /* Accept, or "" */
	const char *peer;   /* "127.0.0.1:40312" */
	struct steward_data body;
};

struct steward_info {
	uint32_t kind;	 /* enum steward_info_kind */
	uint32_t status; /* enum steward_status */
	uint64_t tag;	 /* as it was registered */
	int number;	 /* of a signal */
	int fd, events;	 /* of STEWARD_FD */
	const char *name;
	const char *reason; /* of STEWARD_DOWN: "noproc", "noconnection" */
	struct steward_data data;
	const struct steward_http *http;
};

enum steward_direction { STEWARD_UPGRADE, STEWARD_DOWNGRADE };

struct steward_change {
	uint32_t direction;   /* enum steward_direction */
	uint32_t old_version; /* state version of old_state */
	uint32_t new_version; /* state version wanted */
	const char *extra;    /* of the upgrade instruction, or "" */
	int rehearsal;	      /* a forked copy tries it: keep off the world */
};

struct steward_out; /* where inspect writes */

/*
 * The callbacks.  Only init is required; a missing handle_call refuses calls, a missing
 * handle_cast or handle_info drops what comes, with a line in the log.
 *
 * init		makes the state.  -1: the start has failed; say why with steward_log.
 * handle_call	a request; reply with steward_reply, now or from a later callback.
 * handle_cast	a message nobody waits for.
 * handle_info	timers, descriptors, replies, DOWN, signals, HTTP requests (see above).
 * handle_continue  after a callback returned STEWARD_CONTINUE.
 * code_change	makes *new_state of the version `change` wants from old_state, which it must
 *		leave as it is: the upgrade may still be undone.  -1 refuses the upgrade.  It is
 *		called in the module that knows both versions: the newer one, up and down.  A
 *		state of the same version is handed on without it.
 * discard	frees a state that is needed no more: the old one after a commit, the new one
 *		when an upgrade is undone.
 * terminate	the worker ends: last words; the state need not be freed.
 * inspect	writes the state in words for `relctl inspect`, with steward_print.
 */
struct steward_handler {
	uint32_t abi;  /* STEWARD_ABI */
	uint32_t size; /* of this struct, as the module was compiled */
	const char *name, *version;
	uint32_t state_version;
	int (*init)(
	    struct steward_worker *w, const struct steward_args *args, void **state);
	enum steward_next (*handle_call)(struct steward_worker *w,
	    const struct steward_request *request, void *state);
	enum steward_next (*handle_cast)(
	    struct steward_worker *w, const struct steward_cast *cast, void *state);
	enum steward_next (*handle_info)(
	    struct steward_worker *w, const struct steward_info *info, void *state);
	enum steward_next (*handle_continue)(struct steward_worker *w, void *state);
	int (*code_change)(struct steward_worker *w,
	    const struct steward_change *change, void *old_state, void **new_state);
	void (*discard)(void *state, uint32_t state_version);
	void (*terminate)(struct steward_worker *w, const char *reason, void *state);
	void (*inspect)(
	    struct steward_worker *w, const void *state, struct steward_out *out);
};

/* --- who and when --------------------------------------------------------------------- */
const char *steward_self(
    const struct steward_worker *w); /* "app/worker" or "app/worker#n" */
uint64_t steward_now(const struct steward_worker *w); /* monotonic, of this wake-up */
/* A line into the worker's log. */
void steward_log(struct steward_worker *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The reason of a STEWARD_STOP; without it "normal".  Any other counts as abnormal. */
void steward_stop(struct steward_worker *w, const char *reason);

/* --- calls, casts, replies ---------------------------------------------------------------
 * Names are "app/worker": any instance of it.  The result of
 * a call comes as STEWARD_REPLY with its tag, exactly once.  EMSGSIZE: more than
 * STEWARD_DATA_MAX; ENOMEM; EINVAL: no such name can be. */
int steward_call(struct steward_worker *w, const char *to,
    const struct steward_data *data, uint64_t timeout_ms, uint64_t tag);
int steward_cast(
    struct steward_worker *w, const char *to, const struct steward_data *data);
/* ENOENT: the caller is gone, or was answered before. */
int steward_reply(struct steward_worker *w, const struct steward_ref *to,
    const struct steward_data *data);
/* Data that is JSON text: steward_json("{}"). */
struct steward_data steward_json(const char *text);
struct steward_data steward_bytes(const void *bytes, size_t len);

/* --- time ----------------------------------------------------------------------------- */
/* Once after `ms`, as STEWARD_TIMER; a timer with the same tag is replaced. */
int steward_timer(struct steward_worker *w, uint64_t ms, uint64_t tag);
/* 1: it was there and comes no more; 0: there was none. */
int steward_timer_cancel(struct steward_worker *w, uint64_t tag);
/* A cast to another after a time; steward_timer_cancel with its tag takes it back. */
int steward_cast_after(struct steward_worker *w, uint64_t ms, const char *to,
    const struct steward_data *data, uint64_t tag);

/* --- descriptors ------------------------------------------------------------------------
 * The descriptor stays the module's to close, after steward_fd_forget.  Watched again: other
 * events, another tag.  EBADF, ENOENT. */
int steward_fd_watch(struct steward_worker *w, int fd, int events, uint64_t tag);
int steward_fd_forget(struct steward_worker *w, int fd);
/* The descriptor of one of the worker's `sockets`, by its name; -1: no such. */
int steward_socket(struct steward_worker *w, const char *name);
/* EINVAL: no such signal, or SIGTERM, which ends the worker. */
int steward_signal_watch(struct steward_worker *w, int number, uint64_t tag);

/* --- others ----------------------------------------------------------------------------- */
/* STEWARD_DOWN once, when the worker of that name ends, at once with "noproc" if there is none. */
int steward_monitor(struct steward_worker *w, const char *name, uint64_t tag);
/* 1: no DOWN will come; 0: there was no such monitor. */
int steward_demonitor(struct steward_worker *w, uint64_t tag);

/* --- HTTP room ----------------------------------------------------------------------------
 * Serves the listening socket of that name: requests come whole as STEWARD_HTTP with this
 * tag, which replaces the one before.  Each is answered once, now or later, in any order; a
 * method of HEAD is answered like GET, the room leaves the body out.  Connections, and the
 * requests not answered yet, live over a suspension and over a swap.  Who waits a minute
 * for an answer (STEWARD_HTTP_ANSWER in the environment) gets 504 and is forgotten.
 * ENOENT: no such socket; ELIBACC: the room cannot be loaded; EINVAL: it does not listen. */
int steward_http_serve(struct steward_worker *w, const char *socket, uint64_t tag);
/* `headers`: "Name: value" words up to a null pointer, or a null pointer; without a
 * Content-Type the data's type says it.  `body` may be a null pointer.  ENOENT: no such
 * request waits any more, it was answered before, or its client has gone; EINVAL: a status
 * below 200 or over 599, or a wrong header; EMSGSIZE, ENOMEM: after these three it can
 * still be answered. */
int steward_http_reply(struct steward_worker *w, uint64_t id, unsigned status,
    const char *const *headers, const struct steward_data *body);

/* --- inspect ---------------------------------------------------------------------------- */
void steward_print(struct steward_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The note is read before the module is loaded: no code of a wrong one ever runs.  Name and
 * version are string literals of at most 31 bytes; the name [a-z0-9_-], the version
 * [0-9A-Za-z.+~-] from a letter or digit on.
 */
#define STEWARD_NOTE_TEXT_(NAME, VERSION) ((sizeof(NAME "\0" VERSION) + 3) & ~(size_t)3)

/*
 *	STEWARD_HANDLER("counter", "2", 2, .init = init, .handle_call = handle_call);
 */
#define STEWARD_HANDLER(NAME, VERSION, STATE_VERSION, ...)                             \
	__attribute__((                                                                \
	    section(".note.steward"), used, aligned(4))) static const struct {         \
		uint32_t owner_len, desc_len, type;                                    \
		char owner[8];                                                         \
		uint32_t note_version, abi, state_version;                             \
		char text[STEWARD_NOTE_TEXT_(NAME, VERSION)];                          \
	} steward_note_ = {8, 12 + STEWARD_NOTE_TEXT_(NAME, VERSION), 1, "steward", 1, \
	    STEWARD_ABI, (STATE_VERSION), NAME "\0" VERSION};                          \
	__attribute__((visibility("default")))                                         \
	const struct steward_handler steward_handler = {.abi = STEWARD_ABI,            \
	    .size = sizeof(struct steward_handler),                                    \
	    .name = NAME,                                                              \
	    .version = VERSION,                                                        \
	    .state_version = (STATE_VERSION),                                          \
	    __VA_ARGS__}

extern const struct steward_handler steward_handler;

#ifdef __cplusplus
}
#endif
#endif
