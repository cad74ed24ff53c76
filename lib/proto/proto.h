/*
 * proto - every message between the master and its roles, and their table.
 *
 * One packet of SOCK_SEQPACKET is one message: a fixed struct that begins with
 * struct msg, and the descriptors its row names.  proto_check is the one place where
 * length, sender, text termination and descriptor count are checked; who receives a
 * message calls it first and reads the struct afterwards.  A role that sends anything
 * else is killed by the master and started anew.
 *
 * No message carries authority: commands, paths and users stand in the loaded rows
 * only.  A slot is always named with its generation or row, so that a late message
 * about a dead incarnation is dropped.
 */
#ifndef PROTO_PROTO_H
#define PROTO_PROTO_H

#include <stdint.h>

#include "rows/rows.h"

enum role { ROLE_MASTER, ROLE_CONTROL, ROLE_LOGGER, ROLE_PROBE, ROLE_LOAD, ROLE_MAX };

/* A role finds its channel to the master here. */
enum { ROLE_CHANNEL_FD = 3, MSG_TEXT = 512, STATUS_FACT_TEXT = 128 };

enum msg_type {
	MSG_NONE,
	/* any role → master */
	MSG_HELLO, /* a role is up (logger: or is back after the master's death) */
	/* control → master */
	MSG_REQUEST,   /* do something; answered by MSG_REPLY with the same ref */
	MSG_SUBSCRIBE, /* value 1: send MSG_WAKE when events are new; 0: stop */
	/* master → control */
	MSG_REPLY,
	MSG_WAKE, /* events are there up to value; sent once until read */
	MSG_MAPS, /* fds: run/state read-only, the rows in force, and while a reload is being
		   * carried out those before it (of slots with SF_OLD_ROW); value: rows_seq */
	/* master → logger */
	MSG_LOG_ADD,  /* fd: read end of the pipe of this slot */
	MSG_LOG_DROP, /* the slot is gone: read the pipe empty, then close; 0: the end */
	MSG_LOG_REOPEN, /* close and open all files (after an outside rename) */
	MSG_LOG_ROTATE, /* rotate now; slot, or SLOT_NONE for all */
	/* logger → master, when it re-attaches */
	MSG_LOG_HAVE, /* fd: a read end it holds; id and ino say which */
	/* master → probe */
	MSG_PROBE_NOTIFY, /* fd: bound datagram socket of this worker; pid once it lives */
	MSG_PROBE_TCP,	  /* connect to addr until it is accepted */
	MSG_PROBE_FD,	  /* fd: read end; ready at the first newline */
	MSG_PROBE_DROP, /* forget all of this slot */
	MSG_PROBE_HEARD, /* the fact with this ref is in the state: its datagram may go */
	/* probe → master */
	MSG_FACT,
	/* load → master */
	MSG_LOADED, /* value 0: fd rows; else number of errors; last fd: text of messages */
	MSG_MAX
};

struct msg {
	uint32_t type; /* enum msg_type */
	uint32_t ref;  /* of a request, chosen by control */
	uint32_t slot; /* or SLOT_NONE */
	uint32_t gen;  /* generation of the slot meant; 0: any */
	uint64_t value;
};

/* Verbs of MSG_REQUEST; the rows of supervisord/control's method table name them. */
enum verb {
	VERB_NONE,
	VERB_START,	  /* operator's start: held no more, restart_child */
	VERB_STOP,	  /* operator's stop: held, terminate_child */
	VERB_RESTART,	  /* stop and start, not counted */
	VERB_ENABLE,	  /* start at boot again */
	VERB_DISABLE,	  /* do not start at boot */
	VERB_SIGNAL,	  /* value: signal number, to the main process */
	VERB_SCALE,	  /* slot: pool; value: instances */
	VERB_START_CHILD, /* slot: supervisor; row: template or spec; text: arguments */
	VERB_TERMINATE_CHILD, /* OTP's own */
	VERB_RESTART_CHILD,
	VERB_DELETE_CHILD,
	VERB_APP_LOAD, /* row of the application (slot: its slot if loaded) */
	VERB_APP_UNLOAD,
	VERB_APP_START, /* value: start type + 1, 0: as configured */
	VERB_APP_STOP,
	VERB_APP_SETENV, /* text: NAME=value, or NAME to unset */
	VERB_RELOAD,	 /* value 1: only load and answer with the new rows (check) */
	VERB_SHUTDOWN,	 /* value: exit status */
	VERB_REEXEC,	 /* value 0: master, 1: keeper */
	VERB_LOG_REOPEN,
	VERB_MAX
};

struct msg_request {
	struct msg m;
	uint32_t verb;	   /* enum verb */
	uint32_t row;	   /* START_CHILD, APP_*: a row, else ROW_NONE */
	uint32_t rows_seq; /* of the rows that control looked the name up in */
	uint32_t uid;	   /* who asked, for the audit line */
	uint32_t text_len; /* bytes of text used, NULs included */
	char text[MSG_TEXT];
};

/* Answers; each has its JSON-RPC code in control's table. */
enum answer {
	AN_OK,
	AN_FAILED,     /* text says why; start_child: reason of the failed start */
	AN_UNKNOWN,    /* no such slot (any more) */
	AN_ALREADY,    /* already_started, already_present, already loaded */
	AN_RUNNING,    /* delete_child or restart_child or unload of a running one */
	AN_RESTARTING, /* the child is restarting */
	AN_NOT_RUNNING,
	AN_POOL,     /* not for simple_one_for_one */
	AN_NOT_POOL, /* only for simple_one_for_one */
	AN_BUSY,     /* too many requests or slots */
	AN_CONFIG,   /* text of the errors is in the fd */
	AN_STALE,    /* rows have changed meanwhile: look the name up again */
	AN_NEEDS,    /* an application it needs is not loaded; text names it */
	AN_STOPPING, /* the node is on its way down */
	AN_UNSUPPORTED,
	AN_UNDONE, /* it failed and all is as it was; text says why */
	ANSWER_MAX
};

struct msg_reply { /* fd: MSG text or rows, for reload */
	struct msg
	    m; /* ref of the request; slot it was about (of a new child: its slot) */
	uint32_t answer;
	uint32_t pid; /* of a started worker */
	char text[MSG_TEXT];
};

struct msg_log_add {
	struct msg m;
	uint64_t ino;
	uint64_t max_bytes, max_age_ms; /* 0: no limit */
	uint32_t keep;
	uint32_t flags;	     /* 1: times before the lines, 2: zstd */
	char id[ROW_ID_MAX]; /* file log/ID.log; "node" for the node's own */
};

struct msg_log_have {
	struct msg m;
	uint64_t ino;
	char id[ROW_ID_MAX];
};

struct msg_probe {
	struct msg m;
	int32_t pid; /* MSG_PROBE_NOTIFY: main pid, checked against SCM_CREDENTIALS */
	uint32_t addr_len;
	uint8_t addr[28];
};

enum fact {
	FACT_READY,
	FACT_STATUS, /* text */
	FACT_STOPPING,
	FACT_RELOADING,
	FACT_WATCHDOG,	       /* a ping */
	FACT_WATCHDOG_TRIGGER, /* WATCHDOG=trigger */
	FACT_WATCHDOG_USEC,    /* value: new interval in microseconds */
	FACT_MAINPID,	       /* value: the pid it says, sender: who said it */
	FACT_EXTEND,	       /* value: microseconds */
	FACT_MAX
};

struct msg_fact {
	struct msg m; /* slot, gen; value as above; ref: answer with MSG_PROBE_HEARD */
	uint32_t fact;
	int32_t sender; /* pid by SCM_CREDENTIALS, 0 unknown */
	char text[STATUS_FACT_TEXT];
};

struct msg_loaded {
	struct msg m;
};

/* One row a message. */
struct proto_row {
	const char *name;
	uint32_t size;	  /* of the whole packet */
	uint8_t from, to; /* enum role; from ROLE_MAX: any role */
	uint8_t min_fds, max_fds;
};
extern const struct proto_row proto_rows[MSG_MAX];

/*
 * Checks a packet that `from` sent to `to`.  0: the struct of its type may be read, every
 * text in it has its NUL, text_len is in bounds.  -1 with ERR_PROTO.
 */
int proto_check(const void *msg, size_t len, unsigned nfds, enum role from,
    enum role to, struct err *err);

extern const char *const role_names[ROLE_MAX];
extern const char *const answer_names[ANSWER_MAX];

#endif
