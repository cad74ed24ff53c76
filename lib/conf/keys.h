/*
 * keys - the one table of all sections and keys of a configuration.
 *
 * The reader checks by it; the manual page, the commented configuration and completion
 * are printed from it (supervisord-load --print).  A new key is a row here and the line
 * that uses it.
 */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_section {
	SEC_NODE,
	SEC_APPLICATION,
	SEC_SUPERVISOR,
	SEC_WORKER,
	SEC_SOCKET,
	SEC_MAX
};

/* How a value is written and what its number is; see values.h. */
enum value_type {
	V_TEXT,
	V_NODE_NAME,
	V_NAMES,     /* words between blanks or commas */
	V_TIME,	     /* ms */
	V_TIME_INF,  /* ms, MS_INFINITY */
	V_SHUTDOWN,  /* ms, 0 for brutal_kill, MS_INFINITY */
	V_SIZE,	     /* bytes, 0 for infinity */
	V_BOOL,	     /* 0, 1 */
	V_NUMBER,    /* min to max */
	V_INTEGER,   /* min to max, as int64_t */
	V_INTENSITY, /* 0 to INTENSITY_MAX, INTENSITY_INFINITY */
	V_WORD,	     /* one of words: its index */
	V_COMMAND,
	V_WORDS,
	V_ENVIRONMENT,
	V_FILES,
	V_PATH,
	V_USER,
	V_OCTAL,
	V_SIGNAL,
	V_CODES,
	V_READY,
	V_BACKOFF,
	V_LIMIT,      /* counts */
	V_LIMIT_SIZE, /* bytes */
	V_LIMIT_S,    /* times, in seconds */
	V_LIMIT_US,   /* times, in microseconds */
	V_CPUS,
	V_CAPS,
	V_LISTEN,
	V_REF, /* an id: app, app/name or name */
	V_REFS,
	VALUE_TYPE_MAX
};

enum conf_key_id {
	NODE_NAME,
	NODE_INCLUDE,
	NODE_LOG_LEVEL,
	NODE_CGROUPS,
	NODE_SHUTDOWN_TIMEOUT,
	NODE_READ,
	NODE_OPERATE,
	NODE_ADMIN,
	NODE_LOG_SIZE,
	NODE_LOG_AGE,
	NODE_LOG_KEEP,
	NODE_LOG_ZSTD,
	APP_DESCRIPTION,
	APP_VERSION,
	APP_START,
	APP_AUTOSTART,
	APP_APPLICATIONS,
	APP_ENVIRONMENT,
	APP_ENV_FILE,
	APP_LIFESPAN,
	APP_STRATEGY,
	APP_INTENSITY,
	APP_PERIOD,
	APP_AUTO_SHUTDOWN,
	APP_SHUTDOWN,
	APP_STOP_ORDER,
	SUP_SUPERVISOR,
	SUP_DESCRIPTION,
	SUP_STRATEGY,
	SUP_INTENSITY,
	SUP_PERIOD,
	SUP_RESTART,
	SUP_SHUTDOWN,
	SUP_SIGNIFICANT,
	SUP_AUTO_SHUTDOWN,
	SUP_STOP_ORDER,
	WK_COMMAND,
	WK_HANDLER,
	WK_ARGS,
	WK_CALLERS,
	WK_MAILBOX,
	WK_SUPERVISOR,
	WK_DESCRIPTION,
	WK_RESTART,
	WK_SHUTDOWN,
	WK_STOP_SIGNAL,
	WK_SIGNIFICANT,
	WK_TYPE,
	WK_SUCCESS_CODES,
	WK_INSTANCES,
	WK_INTENSITY,
	WK_PERIOD,
	WK_DYNAMIC,
	WK_ENABLED,
	WK_AFTER,
	WK_READY,
	WK_START_TIMEOUT,
	WK_WATCHDOG,
	WK_BACKOFF,
	WK_PRE_START,
	WK_POST_STOP,
	WK_DIRECTORY,
	WK_USER,
	WK_GROUP,
	WK_GROUPS,
	WK_UMASK,
	WK_ENVIRONMENT,
	WK_ENV_FILE,
	WK_INHERIT_ENVIRONMENT,
	WK_SOCKETS,
	WK_NICE,
	WK_CPU_AFFINITY,
	WK_OOM_SCORE_ADJ,
	WK_CAPABILITIES,
	WK_NO_NEW_PRIVS,
	WK_LOG,
	WK_LOG_SIZE,
	WK_LOG_AGE,
	WK_LOG_KEEP,
	WK_LOG_ZSTD,
	WK_LOG_TIMESTAMPS,
	WK_LIMIT_AS, /* first of the limits */
	WK_LIMIT_CORE,
	WK_LIMIT_CPU,
	WK_LIMIT_DATA,
	WK_LIMIT_FSIZE,
	WK_LIMIT_LOCKS,
	WK_LIMIT_MEMLOCK,
	WK_LIMIT_MSGQUEUE,
	WK_LIMIT_NICE,
	WK_LIMIT_NOFILE,
	WK_LIMIT_NPROC,
	WK_LIMIT_RSS,
	WK_LIMIT_RTPRIO,
	WK_LIMIT_RTTIME,
	WK_LIMIT_SIGPENDING,
	WK_LIMIT_STACK, /* last of the limits */
	SOCK_LISTEN,
	SOCK_BACKLOG,
	SOCK_MODE,
	SOCK_USER,
	SOCK_GROUP,
	CONF_KEY_MAX
};

struct conf_key {
	const char *name;
	enum conf_section section;
	enum value_type type;
	bool release; /* a release may set it */
	bool required;
	const char *def;	  /* default as text; null: none, or as the help says */
	int64_t min, max;	  /* of numbers */
	const char *const *words; /* of V_WORD */
	size_t nwords;
	const char *example; /* for the commented configuration */
	const char *help;    /* one sentence */
};

struct conf_section_info {
	const char *name;
	const char *title; /* how its heading is written */
	const char *help;
};

extern const struct conf_key conf_keys[CONF_KEY_MAX];
extern const struct conf_section_info conf_sections[SEC_MAX];

/* The key of this section, or null. */
const struct conf_key *conf_key_find(enum conf_section section, const char *name);
/* The name nearest to one that is unknown, or null. */
const char *conf_key_nearest(enum conf_section section, const char *name);

#endif
