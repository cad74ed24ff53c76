/*
 * rows - a checked configuration as one block of fixed rows.
 *
 * supervisord-load makes it (rows_build.h) in a sealed memfd; the master maps it
 * read-only and only bounds-checks it (rows_check); control maps the same pages to
 * put names to slots.  Everything that is text was parsed before: users are ids,
 * times are milliseconds, signals are numbers, addresses are sockaddr bytes.
 *
 * Layout: struct rows_head, then the arrays, then the strings, all in one block.
 * A *string* is a byte offset into the strings; offset 0 is the empty string.
 * A *list* is an index and a count into `words` (uint32_t), whose meaning the field
 * says: strings, row indices, ids.  A parent stands before its children, and
 * siblings stand in start order.
 */
#ifndef ROWS_ROWS_H
#define ROWS_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ROWS_MAGIC 0x31776f7264777473ULL /* "stwdrow1" */

enum {
	ROWS_VERSION = 2,
	ROW_NONE = UINT32_MAX >> 1,
	ROWS_SIZE_MAX = 256 << 20,
	ROWS_MAX = 32000,  /* rows; slots are a little more */
	ROW_PART_MAX = 32, /* bytes of one part of an id */
	ROW_ID_MAX = 80,   /* app/worker#4294967295 and its NUL fit */
	INTENSITY_MAX = 1000,
	INTENSITY_INFINITY = UINT32_MAX >> 1, /* `intensity = infinity` */
	ROW_ARGV_MAX = 512,   /* words of a command, and variables of an environment */
	ROW_SOCKS_MAX = 1280, /* sockets and mailboxes of the node */
	ROW_SUPS_MAX = 4095,  /* applications and supervisors */
	ARGS_MAX = 512 /* bytes of arguments given to start_child, NULs included */
};

enum row_kind { ROW_APP, ROW_SUP, ROW_WORKER, ROW_TEMPLATE, ROW_KIND_MAX };

enum strategy {
	ONE_FOR_ONE,
	ONE_FOR_ALL,
	REST_FOR_ONE,
	SIMPLE_ONE_FOR_ONE,
	STRATEGY_MAX
};

enum restart_type { PERMANENT, TRANSIENT, TEMPORARY, RESTART_TYPE_MAX };

enum stop_order { STOP_REVERSE, STOP_ANY, STOP_ORDER_MAX };

enum auto_shutdown { AUTO_NEVER, AUTO_ANY_SIGNIFICANT, AUTO_ALL_SIGNIFICANT, AUTO_MAX };

enum ready_kind { READY_NONE, READY_NOTIFY, READY_TCP, READY_FD, READY_MAX };

enum log_kind { LOG_FILE, LOG_NONE, LOG_INHERIT, LOG_KIND_MAX };

enum row_flag {
	ROWF_DISABLED = 1 << 0,	   /* `enabled = no` or by `relctl disable` */
	ROWF_SIGNIFICANT = 1 << 1, /* a significant child */
	ROWF_ONESHOT = 1 << 2,	   /* ready when it has exited with success */
	ROWF_DYNAMIC = 1 << 3,	   /* started by start_child only */
	ROWF_LOADED_ONLY = 1 << 4, /* application: `autostart = no` */
	ROWF_IMPLICIT = 1 << 5,	   /* the pool made for a worker with `instances` */
	ROWF_STOP_ANY =
	    1 << 6 /* its end tells all children at once: `stop_order = any` */
};

/* One application (its top supervisor), supervisor, worker or template. */
struct row {
	uint32_t id;	  /* string: "api", "api/back", "api/cache" */
	uint32_t parent;  /* row; ROW_NONE for an application */
	uint32_t about;	  /* string: description */
	uint32_t version; /* string, of an application */
	uint8_t kind;	  /* enum row_kind */
	uint8_t strategy; /* of an application or supervisor */
	uint8_t restart;  /* enum restart_type; of an application its start type */
	uint8_t auto_shutdown;
	uint8_t ready; /* enum ready_kind, of a worker or template */
	uint8_t unused[3];
	uint32_t flags;	    /* enum row_flag */
	uint32_t intensity; /* of an application or supervisor */
	uint64_t period_ms;
	uint64_t stop_ms;	 /* shutdown: 0 brutal_kill, MS_INFINITY */
	uint64_t start_ms;	 /* start_timeout, MS_INFINITY for none */
	uint64_t lifespan_ms;	 /* of an application, MS_INFINITY for none */
	uint64_t watchdog_ms;	 /* 0 none */
	uint64_t backoff_min_ms; /* 0: no backoff */
	uint64_t backoff_max_ms;
	uint32_t instances;	/* of a template: how many at start */
	uint32_t after, nafter; /* list of rows; of an application: those it needs */
	uint32_t exec;		/* index into execs, ROW_NONE without a process */
	uint32_t success[8];	/* bit per exit status that counts as normal */
	uint64_t start_hash;	/* of all that needs a restart when it changes */
	uint64_t row_hash;	/* of all; equal hashes: nothing changed */
};

enum exec_flag {
	EXECF_USER = 1 << 0, /* uid, gid and groups are to be set */
	EXECF_NICE = 1 << 1,
	EXECF_OOM = 1 << 2,
	EXECF_UMASK = 1 << 3,
	EXECF_CAPS = 1 << 4, /* bounding and ambient set are to be set */
	EXECF_NO_NEW_PRIVS = 1 << 5,
	EXECF_LOG_TIME = 1 << 6, /* the logger puts the time before each line */
	EXECF_LOG_ZSTD = 1 << 7,
	EXECF_MERGE_ENV = 1 << 8 /* the node's own environment comes first */
};

/* How a worker's process is made and how its output is kept. */
struct row_exec {
	uint32_t flags;	      /* enum exec_flag */
	uint32_t argv, argc;  /* list of strings; argv[0] is an absolute path */
	uint32_t env, nenv;   /* list of strings "NAME=value" */
	uint32_t pre, npre;   /* pre_start: list of strings, empty for none */
	uint32_t post, npost; /* post_stop */
	uint32_t cwd;	      /* string, "" for / (the root in user mode) */
	uint32_t module;      /* string: of a handler, "" for a command */
	uint32_t uid, gid;
	uint32_t groups, ngroups; /* list of gids */
	uint32_t umask;
	int32_t nice;
	int32_t oom_score_adj;
	uint32_t affinity, naffinity; /* list: words of the cpu mask, low bits first */
	/* nrlimits times 5 words: resource, soft low and high half, hard low and high */
	uint32_t rlimits, nrlimits;
	uint32_t socks, nsocks; /* list of indices into socks, LISTEN_FDS order */
	int32_t stop_signal;
	int32_t ready_fd;	/* the descriptor of `ready = fd:N` */
	uint64_t caps_bounding; /* bit per capability kept */
	uint64_t caps_ambient;
	uint32_t ready_addr_len; /* `ready = tcp:` */
	uint8_t ready_addr[28];	 /* struct sockaddr_in or _in6 */
	uint32_t log_kind;	 /* enum log_kind */
	uint32_t log_keep;	 /* rotated files kept */
	uint64_t log_max_bytes;	 /* rotate at this size, 0 never */
	uint64_t log_max_age_ms; /* and at this age, 0 never */
};

/* A listening socket, made by the master, kept by the keeper. */
struct row_sock {
	uint32_t name;	   /* string: [socket NAME], LISTEN_FDNAMES */
	uint32_t path;	   /* string: of a unix socket, else "" */
	uint32_t addr_len; /* 0 for a unix socket */
	uint8_t addr[28];
	uint32_t type; /* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET */
	uint32_t backlog;
	uint32_t mode;	   /* of a unix socket */
	uint32_t uid, gid; /* of a unix socket; UINT32_MAX: leave */
	uint32_t unused;
	uint64_t hash; /* of all the above */
};

/* What concerns the whole node. */
struct row_node {
	uint32_t name;	    /* string */
	uint32_t log_level; /* enum log_level */
	uint32_t cgroups;   /* 1: use cgroup v2 where it can be written */
	uint32_t flags;
	/* Who may do what over control.sock: lists of ids. */
	uint32_t read_uids, nread_uids, read_gids, nread_gids;
	uint32_t operate_uids, noperate_uids, operate_gids, noperate_gids;
	uint32_t admin_uids, nadmin_uids, admin_gids, nadmin_gids;
	uint64_t stop_ms; /* the whole shutdown may take this, MS_INFINITY */
	/* The node's own log. */
	uint64_t log_max_bytes, log_max_age_ms;
	uint32_t log_keep, log_zstd;
};

struct rows_head {
	uint64_t magic;
	uint32_t version;
	uint32_t size; /* of the whole block in bytes */
	uint32_t nrows, rows_off;
	uint32_t nexecs, execs_off;
	uint32_t nsocks, socks_off;
	uint32_t nwords, words_off;
	uint32_t strings_len, strings_off; /* the last byte is NUL */
	uint64_t hash;			   /* of all behind the head */
	struct row_node node;
};

/* A block seen through typed pointers, all borrowed from it. */
struct rows {
	const struct rows_head *head;
	const struct row *row;
	const struct row_exec *exec;
	const struct row_sock *sock;
	const uint32_t *word;
	const char *string;
};

/*
 * Bounds-checks every offset, index, list, enum and string of an untrusted block of
 * `size` bytes (8-aligned) and fills *out, which borrows the block.  After 0, no
 * reader needs to check again.  -1: ERR_PROTO with the first thing that is wrong.
 */
int rows_check(const void *block, size_t size, struct rows *out, struct err *err);
/* Maps and checks a memfd or file read-only.  rows_unmap ends it; both borrow fd. */
int rows_map(int fd, struct rows *out, struct err *err);
void rows_unmap(struct rows *rows);

static inline const char *
rows_string(const struct rows *r, uint32_t off)
{
	return r->string + off;
}

static inline const char *
rows_list_string(const struct rows *r, uint32_t list, uint32_t i)
{
	return r->string + r->word[list + i];
}

/* Whether a row of another configuration may go on as this one: a supervisor that becomes a
 * pool, or ceases to be one, is another. */
static inline int
row_continues(const struct row *a, const struct row *b)
{
	return a->kind == b->kind && (a->strategy == SIMPLE_ONE_FOR_ONE) ==
					 (b->strategy == SIMPLE_ONE_FOR_ONE);
}

/* The row with this id, or ROW_NONE.  Linear: for tools and for reload. */
uint32_t rows_find(const struct rows *r, const char *id);

extern const char *const row_kind_names[ROW_KIND_MAX];
extern const char *const strategy_names[STRATEGY_MAX];
extern const char *const restart_type_names[RESTART_TYPE_MAX];
extern const char *const auto_shutdown_names[AUTO_MAX];
extern const char *const stop_order_names[STOP_ORDER_MAX];
extern const char *const ready_names[READY_MAX];

#endif
