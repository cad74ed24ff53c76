/*
 * state - the shape of run/state, one mapped file of fixed slots.
 *
 * The master maps it read-write and is its only writer; control maps it read-only and
 * reads the live tree from it; the next master adopts from it.  It holds no pointers.
 * A slot is one point of the tree: the root, an application, a supervisor, a worker
 * or one instance of a template.
 *
 * Crash safety: one step of the pure core is one transaction.  Before a slot is first
 * changed in a step, its old content goes to `undo`; `head.undo_n` counts them and is
 * zeroed at the end of the step.  Who maps a file with undo_n > 0 puts them back
 * (tree_recover).  Only `pid` is written outside of steps: by the kernel, through
 * CLONE_PARENT_SETTID.
 *
 * Readers: slot.seq is odd while the slot is being changed; copy it with
 * state_read_slot, which retries.
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <stdint.h>

#include "rows/rows.h"

#define STATE_MAGIC 0x3165746174737473ULL

enum {
	STATE_VERSION = 2,
	SLOT_MAX = 32768,
	SLOT_NONE = UINT32_MAX >> 1,
	ROOT = 0, /* the root's slot */
	EVENT_RING = 2048,
	SUPS_MAX = 4096,   /* supervisors with a restart window */
	STATUS_TEXT = 128, /* bytes of a STATUS= line kept */
	REQ_MAX = 64	   /* requests of control that wait at once */
};

enum slot_kind { SLOT_FREE, SLOT_ROOT, SLOT_APP, SLOT_SUP, SLOT_WORKER, SLOT_KIND_MAX };

/* Where a worker is in its life. */
enum phase {
	PH_DOWN,     /* no process */
	PH_AFTER,    /* waits for others (`after =`) */
	PH_BACKOFF,  /* waits for its time */
	PH_PRE,	     /* pre_start runs */
	PH_SPAWNING, /* clone was asked for; exec has not been seen */
	PH_STARTING, /* exec'd, not ready yet */
	PH_UP,	     /* ready */
	PH_DONE,     /* a one-shot that ended with success */
	PH_STOPPING, /* got its stop signal */
	PH_KILLING,  /* its whole tree got SIGKILL */
	PH_SWEEP,    /* its main process is gone, its tree not yet */
	PH_POST,     /* post_stop runs */
	/* of supervisors and applications: */
	PH_SUP_STARTING,
	PH_SUP_UP,
	PH_SUP_STOPPING,
	PHASE_MAX
};

/* What its supervisor thinks of a child: OTP's pid, undefined, restarting. */
enum child_state { CH_UNDEFINED, CH_PID, CH_RESTARTING, CHILD_STATE_MAX };

enum reason_type {
	RE_NONE,
	RE_NORMAL,
	RE_SHUTDOWN,
	RE_EXIT,   /* code: exit status */
	RE_SIGNAL, /* code: signal; core: 1 if dumped */
	RE_OOM,
	RE_EXEC_FAILED, /* stage: enum spawn_stage; code: errno */
	RE_START_TIMEOUT,
	RE_WATCHDOG,
	RE_NOPROC,
	RE_UNKNOWN,
	RE_PRE_START, /* pre_start failed; code: its exit status, or -signal */
	REASON_MAX
};

struct reason {
	uint8_t type;  /* enum reason_type */
	uint8_t stage; /* enum spawn_stage */
	uint8_t core;
	uint8_t unused;
	int32_t code;
};

/* What the child was doing when its birth failed; in words by spawn_stage_names. */
enum spawn_stage {
	ST_CLONE,
	ST_SESSION,
	ST_CGROUP,
	ST_RLIMIT,
	ST_NICE,
	ST_AFFINITY,
	ST_OOM,
	ST_GROUPS,
	ST_GID,
	ST_UID,
	ST_CAPS,
	ST_NO_NEW_PRIVS,
	ST_CWD,
	ST_FDS,
	ST_EXEC,
	ST_SOCKET, /* a listening socket could not be made */
	STAGE_MAX
};

enum slot_flag {
	SF_HELD = 1 << 0,      /* stopped by the operator: groups do not start it */
	SF_DISABLED = 1 << 1,  /* not started at boot */
	SF_FORGOTTEN = 1 << 2, /* a temporary that ended */
	SF_DYNAMIC =
	    1 << 3,	    /* came by start_child; lost when its supervisor restarts */
	SF_WAS_UP = 1 << 4, /* this incarnation was ready once */
	SF_STOP_ASKED = 1 << 5, /* its end is wanted by its parent */
	SF_BOOT = 1 << 6, /* a supervisor in its first start: failures do not abort */
	SF_SIGNIFICANT = 1 << 7,
	SF_LOADED = 1 << 8,	/* an application that is loaded */
	SF_ADOPTED = 1 << 9,	/* not a child of this master */
	SF_NEVER_UP = 1 << 10,	/* not once ready since its supervisor's first start */
	SF_REMOVE = 1 << 11,	/* goes as soon as it is down */
	SF_RELOADING = 1 << 12, /* the worker said RELOADING=1 */
	SF_SAID_STOPPING = 1 << 13,
	SF_IN_CGROUP = 1 << 14, /* its processes are in a cgroup of their own */
	SF_FAILED = 1 << 15,	/* gave up: of applications, ended by intensity */
	SF_WAITING =
	    1 << 16,	     /* its clone failed for want of resources; timer retries */
	SF_BOUNCE = 1 << 17, /* to be started again as soon as it has stopped */
	SF_OLD_ROW = 1 << 18, /* leaves: `row` is one of the rows before the reload */
	SF_PART = 1 << 19,    /* a supervisor whose start in order waits for a child */
	SF_DUE = 1 << 20,     /* a child that such a start has not come to yet */
	SF_UNSORTED =
	    1 << 21 /* a supervisor whose children a reload will put in order */
};

/* Why a child stands in its supervisor's queue (bits). */
enum pend {
	PEND_EXIT = 1,
	PEND_RETRY = 2,
	PEND_DELAYED = 4,
	PEND_REMOVE = 8,
	PEND_ADD = 16,
	PEND_BOUNCE = 32,
	PEND_AUTO = 64
};

enum sup_op { OP_NONE, OP_START, OP_STOP, OP_ONE, OP_MAX };

/* What follows when OP_STOP is through or OP_ONE's child has come or gone. */
enum sup_then {
	THEN_NOTHING,
	THEN_END,
	THEN_GROUP,
	THEN_STARTED,
	THEN_REQ,
	THEN_BOUNCE,
	THEN_REMOVE,
	THEN_MAX
};

struct slot {
	uint32_t seq;	 /* odd while being changed */
	uint32_t step;	 /* the step that saved it to undo last */
	uint32_t row;	 /* of the rows in force; template's row for an instance */
	uint32_t number; /* n of an instance "#n", else 0 */
	uint32_t parent, prev, next; /* siblings in start order; SLOT_NONE */
	uint32_t flags;		     /* enum slot_flag */
	uint8_t kind;	      /* enum slot_kind; SLOT_FREE: next is the free list */
	uint8_t phase;	      /* enum phase */
	uint8_t child;	      /* enum child_state */
	uint8_t pend;	      /* enum pend bits; 0: not in the queue */
	uint32_t pend_next;   /* the next in the parent's queue */
	uint32_t pend_ticket; /* order between children and requests */
	struct reason pend_reason; /* of PEND_EXIT */
	/* worker */
	int32_t pid;	      /* 0 none; the kernel writes it at clone */
	uint32_t gen;	      /* incarnation: counts every life, pre_start included */
	uint64_t born;	      /* start time in clock ticks since boot, 0 unknown */
	uint64_t since_ms;    /* entered this phase */
	uint64_t up_ms;	      /* when it was last ready */
	uint64_t timer_ms;    /* absolute; 0: no timer */
	uint64_t watchdog_ms; /* absolute; 0: none */
	uint32_t restarts;    /* of this slot, all in all */
	uint32_t starts;
	uint32_t backoff_ms;	 /* the last delay used; 0: none yet */
	uint32_t resource_tries; /* failed clones in a row for want of resources */
	struct reason end;	 /* the end being worked on (SWEEP, POST) */
	struct reason last;	 /* how it ended last */
	uint64_t last_ms;
	uint64_t log_ino; /* inode of its log pipe, 0 none */
	/* supervisor and application */
	uint32_t first, last_child;
	uint32_t nchildren;
	uint32_t pend_first, pend_last;
	uint8_t op, then, op_mode;
	uint8_t in_queue; /* sup_next is at work on it */
	uint32_t cursor;  /* the child that op works on */
	uint32_t bound;	  /* op ends behind this child; SLOT_NONE: all */
	uint32_t req;	  /* request that waits for op; SLOT_NONE */
	uint32_t busy;	  /* simple_one_for_one: instances on the way up or down */
	uint32_t window;  /* index of its restart window, SLOT_NONE none yet */
	uint32_t win_head, win_n;
	uint32_t target;       /* simple_one_for_one: instances wanted */
	uint32_t template_row; /* simple_one_for_one: row of the template */
	uint32_t gave_up;      /* times its intensity was exceeded */
	uint32_t cause;	       /* slot whose end made it restart last */
	uint64_t cause_ms;
	uint32_t after_next; /* list of those in PH_AFTER */
	uint32_t
	    start_type; /* application: 1 + type it was started with, 0: its row's */
};

enum event_type {
	EV_NOTHING, /* EV_NONE is a name of libev */
	EV_NODE_STARTED,
	EV_NODE_ADOPTED, /* value: workers kept */
	EV_NODE_STOPPING,
	EV_NODE_STOPPED,
	EV_STARTING, /* worker, supervisor or application */
	EV_SPAWNED,  /* pid */
	EV_READY,
	EV_EXITED,	 /* reason */
	EV_START_FAILED, /* reason */
	EV_RESTARTING,	 /* value: restarts in the window */
	EV_BACKOFF,	 /* value: ms until the next try */
	EV_STOPPING,
	EV_KILLING, /* the stop took too long */
	EV_STOPPED,
	EV_GAVE_UP, /* a supervisor exceeded its intensity; value: intensity */
	EV_AUTO_SHUTDOWN,
	EV_CHILD_ADDED,
	EV_CHILD_REMOVED,
	EV_SCALED, /* value: instances */
	EV_APP_LOADED,
	EV_APP_UNLOADED,
	EV_APP_ENDED, /* reason */
	EV_RELOADED,  /* value: rows */
	EV_RESOURCES, /* the machine is out of something; retried; reason */
	EV_ROLE_DIED, /* name, reason */
	EV_ROLE_STARTED,
	EV_STATUS, /* the worker's own words; text */
	EV_WATCHDOG,
	EV_MASTER_REPLACED,
	EV_HELD,
	EV_RELEASED,
	EVENT_MAX
};

/* One thing that happened.  Fixed size; names are kept since slots are reused. */
struct event {
	uint64_t n;	  /* 1, 2, 3 …; 0: never written */
	uint64_t real_ms; /* wall clock, since 1970 */
	uint64_t now_ms;  /* CLOCK_MONOTONIC */
	uint32_t slot;
	uint32_t gen;
	uint8_t type; /* enum event_type */
	uint8_t unused[3];
	int32_t pid;
	struct reason reason;
	uint64_t value;
	char id[ROW_ID_MAX]; /* NUL behind */
};

/* The part of the head that a step may change; saved as a whole at its start. */
struct state_core {
	uint32_t free_slot;   /* list through next */
	uint32_t slots_used;  /* high-water mark */
	uint32_t ticket;      /* order of arrival in the queues */
	uint32_t after_first; /* list of those in PH_AFTER */
	uint32_t stopping;    /* the node is on its way down */
	int32_t exit_status;  /* with which it will end */
	uint32_t unused;
	uint32_t rows_seq; /* which block of rows the slots refer to */
	uint64_t rng;	   /* jitter */
	uint64_t nsteps;
	uint32_t nworkers; /* worker slots in use */
	uint32_t node_up;  /* every application has been started once */
	uint64_t window_map[SUPS_MAX / 64]; /* bit: this restart window is in use */
};

struct state_role { /* a role process of the master */
	int32_t pid;
	uint32_t restarts;
	uint64_t born;
};

enum { ROLES_MAX = 8, SOCKS_MAX = 1280, ENVS_MAX = 128, ENV_TEXT = 512 };

struct state_sock {
	uint64_t hash; /* of its row */
	uint64_t ino;
};

struct state_env {	     /* set at run time for the children of an application */
	uint32_t app;	     /* its slot, SLOT_NONE: this place is free */
	char text[ENV_TEXT]; /* NAME=value */
};

struct state_head {
	uint64_t magic;
	uint32_t version;
	uint32_t slot_size;
	uint64_t size;
	char boot_id[40];
	uint64_t started_ms;	    /* of the node, wall clock */
	uint64_t master_started_ms; /* of this master, wall clock */
	uint32_t masters;	    /* how many masters it has had */
	int32_t master_pid, keeper_pid;
	uint32_t undo_n;    /* slots saved; > 0: a step was cut off */
	uint32_t undo_core; /* 1: core_undo is valid */
	uint32_t ready;	    /* the node has told that it is up */
	struct state_core core, core_undo;
	struct state_role role[ROLES_MAX];
	struct state_sock sock[SOCKS_MAX];
	uint32_t nenvs;
	struct state_env env[ENVS_MAX];
	uint64_t event_n; /* number of the newest event */
};

struct undo_entry {
	uint32_t index;
	uint32_t unused;
	struct slot slot;
};

struct state_window { /* times of the last restarts of one supervisor */
	uint64_t at_ms[INTENSITY_MAX + 1];
};

/* The whole file.  Sparse: only what is used takes memory. */
struct state {
	struct state_head head;
	struct event event[EVENT_RING]; /* event n is at n % EVENT_RING */
	struct slot slot[SLOT_MAX];
	struct undo_entry undo[SLOT_MAX];
	char status[SLOT_MAX][STATUS_TEXT]; /* the worker's STATUS=, NUL behind */
	char args[SLOT_MAX][ARGS_MAX]; /* start_child's arguments, each with its NUL */
	uint16_t nargs[SLOT_MAX];      /* bytes used in args */
	struct state_window window[SUPS_MAX];
};

/* A consistent copy of a slot another process may be changing. */
static inline void
state_read_slot(const struct state *st, uint32_t i, struct slot *out)
{
	uint32_t before, after;
	do {
		before = __atomic_load_n(&st->slot[i].seq, __ATOMIC_ACQUIRE);
		__builtin_memcpy(out, &st->slot[i], sizeof *out);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = __atomic_load_n(&st->slot[i].seq, __ATOMIC_RELAXED);
	} while (before != after || (before & 1) != 0);
}

extern const char *const phase_names[PHASE_MAX];
extern const char *const event_names[EVENT_MAX];
extern const char *const spawn_stage_names[STAGE_MAX];
extern const char *const child_state_names[CHILD_STATE_MAX];

/* "normal", "{exit,3}", "{signal,KILL,core}", "{exec_failed,exec,ENOENT}". */
int reason_format(const struct reason *re, char *buf, size_t cap);
/* The same for people: "exited with status 3", "was killed by SIGKILL". */
int reason_words(const struct reason *re, char *buf, size_t cap);
/* "app/worker" or "app/worker#7" of a slot; "root" for the root.  rows: those in force, or
 * for a slot with SF_OLD_ROW those before. */
void slot_id(const struct rows *rows, const struct slot *s, char buf[ROW_ID_MAX]);

#endif
