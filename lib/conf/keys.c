#include "conf/keys.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "rows/rows.h"

static const char *const log_levels[] = {"error", "warning", "info", "debug"};
static const char *const cgroup_words[] = {"no", "auto"};
static const char *const type_words[] = {"simple", "oneshot"};
static const char *const log_words[] = {
    [LOG_FILE] = "file",
    [LOG_NONE] = "none",
    [LOG_INHERIT] = "inherit",
};
_Static_assert(COUNT(log_words) == LOG_KIND_MAX, "one word a kind of log");

/* An application has children of several kinds, so it cannot be a pool. */
enum { APP_STRATEGIES = SIMPLE_ONE_FOR_ONE };

#define WORDS(w)     .type = V_WORD, .words = (w), .nwords = COUNT(w)
#define NUMBER(a, b) .type = V_NUMBER, .min = (a), .max = (b)
#define NODE	     .section = SEC_NODE
#define APP	     .section = SEC_APPLICATION
#define SUP	     .section = SEC_SUPERVISOR
#define WORKER	     .section = SEC_WORKER
#define SOCKET	     .section = SEC_SOCKET
#define RELEASE	     .release = true

const struct conf_section_info conf_sections[SEC_MAX] = {
    [SEC_NODE] = {"node", "[node]",
	"The node as a whole; at most one such section, and all of it may be left out."},
    [SEC_APPLICATION] = {"application", "[application NAME]",
	"A named top-level supervisor with a version, an environment and a start type."},
    [SEC_SUPERVISOR] = {"supervisor", "[supervisor APP/NAME]",
	"An inner point of the tree: it restarts its children by its strategy, and is a child itself."},
    [SEC_WORKER] = {"worker", "[worker NAME]",
	"A process to keep alive; NAME or APP/NAME.  NAME alone lies in the application of its `supervisor`, else in the application `main`, which need not be declared."},
    [SEC_SOCKET] = {"socket", "[socket NAME]",
	"A listening socket that is made once and handed to the workers that name it, so that no connection is refused while they restart."},
};

const struct conf_key
    conf_keys[CONF_KEY_MAX] =
	{
	    [NODE_NAME] = {NODE, .name = "name", .type = V_NODE_NAME, .example = "web1",
		.help =
		    "The node's name in messages and in the fleet; the host's name unless given."},
	    [NODE_INCLUDE] = {NODE, .name = "include", .type = V_FILES,
		.example = "conf.d/*.ini",
		.help =
		    "Further files, as patterns relative to this file; read in the order of their names, and only the main file may include."},
	    [NODE_LOG_LEVEL] = {NODE, .name = "log_level", WORDS(log_levels),
		.def = "info", .help = "What the node's own log holds at most."},
	    [NODE_CGROUPS] = {NODE, .name = "cgroups", WORDS(cgroup_words),
		.def = "auto",
		.help =
		    "With auto each worker gets a cgroup of its own where cgroup v2 can be written, so that its whole process tree can be ended at once."},
	    [NODE_SHUTDOWN_TIMEOUT] = {NODE, .name = "shutdown_timeout",
		.type = V_TIME_INF, .def = "infinity",
		.help =
		    "How long the stop of the whole node may take before all that is left is killed."},
	    [NODE_READ] = {NODE, .name = "read", .type = V_NAMES, .example = "@adm",
		.help =
		    "Users, and groups with @ before them, that may look at the node."},
	    [NODE_OPERATE] = {NODE, .name = "operate", .type = V_NAMES,
		.example = "deploy @operators",
		.help = "Users and @groups that may also start, stop and restart."},
	    [NODE_ADMIN] = {NODE, .name = "admin", .type = V_NAMES, .example = "@sudo",
		.help =
		    "Users and @groups that may do everything; root and the node's own user always may."},
	    [NODE_LOG_SIZE] = {NODE, .name = "log_size", .type = V_SIZE, .def = "10M",
		.help =
		    "The node's own log is rotated at this size; infinity for never."},
	    [NODE_LOG_AGE] = {NODE, .name = "log_age", .type = V_TIME_INF,
		.def = "infinity", .help = "And at this age; infinity for never."},
	    [NODE_LOG_KEEP] = {NODE, .name = "log_keep", NUMBER(0, 1000), .def = "5",
		.help = "How many rotated files of the node's own log are kept."},
	    [NODE_LOG_ZSTD] = {NODE, .name = "log_zstd", .type = V_BOOL, .def = "no",
		.help =
		    "Whether rotated files of the node's own log are compressed by zstd."},

	    [APP_DESCRIPTION] = {APP, RELEASE, .name = "description", .type = V_TEXT,
		.example = "The public API", .help = "A line for people."},
	    [APP_VERSION] = {APP, RELEASE, .name = "version", .type = V_TEXT,
		.example = "1.4.2", .help = "The version shown by `relctl app`."},
	    [APP_START] =
		{APP, .name = "start", .type = V_WORD, .words = restart_type_names,
		    .nwords = RESTART_TYPE_MAX, .def = "temporary",
		    .help = "What the end of the application means for the node: a temporary one is only reported, a transient one ends the node unless its reason was normal, a permanent one always ends the node.  With `supervisord --init` permanent unless given."},
	    [APP_AUTOSTART] =
		{APP, RELEASE, .name = "autostart", .type = V_BOOL, .def = "yes",
		    .help = "With no the application is only loaded, and `relctl app start` starts it."},
	    [APP_APPLICATIONS] =
		{APP, RELEASE, .name = "applications", .type = V_REFS,
		    .example = "base",
		    .help = "Applications this one needs: they start first and stop last."},
	    [APP_ENVIRONMENT] =
		{APP, RELEASE, .name = "environment", .type = V_ENVIRONMENT,
		    .example = "LANG=C.UTF-8 'GREETING=good morning'",
		    .help = "Variables given to each worker of the application, as NAME=value words."},
	    [APP_ENV_FILE] =
		{APP, .name = "env_file", .type = V_FILES,
		    .example = "-/etc/default/api",
		    .help = "Files with variables for each worker of the application, one NAME=value a line; with - before the path a file may be missing."},
	    [APP_LIFESPAN] =
		{APP, RELEASE, .name = "lifespan", .type = V_TIME_INF,
		    .def = "infinity",
		    .help = "The application is stopped this long after its start."},
	    [APP_STRATEGY] =
		{APP, RELEASE, .name = "strategy", .type = V_WORD,
		    .words = strategy_names, .nwords = APP_STRATEGIES,
		    .def = "one_for_one",
		    .help = "Who is restarted when a child dies: one_for_one restarts it alone, one_for_all all children, rest_for_one it and those started after it."},
	    [APP_INTENSITY] =
		{APP, RELEASE, .name = "intensity", .type = V_INTENSITY,
		    .def = "1", .help = "With more restarts than this within `period` the supervisor gives up, stops its children and ends."},
	    [APP_PERIOD] =
		{APP, RELEASE, .name = "period", .type = V_TIME, .min = 1, .def = "5s",
		    .help = "The time in which restarts are counted."},
	    [APP_AUTO_SHUTDOWN] =
		{APP, RELEASE, .name = "auto_shutdown", .type = V_WORD,
		    .words = auto_shutdown_names, .nwords = AUTO_MAX, .def = "never",
		    .help = "Whether the application ends by itself when any or all of its significant children have ended by themselves."},
	    [APP_SHUTDOWN] =
		{APP, RELEASE, .name = "shutdown", .type = V_SHUTDOWN,
		    .def = "infinity",
		    .help = "How long the stop of all its children may take."},
	    [APP_STOP_ORDER] =
		{APP, RELEASE, .name = "stop_order", .type = V_WORD,
		    .words = stop_order_names, .nwords = STOP_ORDER_MAX,
		    .def = "reverse",
		    .help = "How its children are stopped when it ends: in reverse, each when the one before is gone; or, where none needs another, in any order, which tells all at once."},

	    [SUP_SUPERVISOR] =
		{SUP, RELEASE, .name = "supervisor", .type = V_REF,
		    .example = "api/back",
		    .help = "The supervisor it is a child of; its application unless given."},
	    [SUP_DESCRIPTION] =
		{SUP, RELEASE, .name = "description", .type = V_TEXT,
		    .example = "Cache and shop belong together",
		    .help = "A line for people."},
	    [SUP_STRATEGY] =
		{SUP, RELEASE, .name = "strategy", .type = V_WORD,
		    .words = strategy_names, .nwords = STRATEGY_MAX,
		    .def = "one_for_one",
		    .help = "Who is restarted when a child dies: one_for_one restarts it alone, one_for_all all children, rest_for_one it and those started after it; under simple_one_for_one all children are instances of its one worker."},
	    [SUP_INTENSITY] =
		{SUP, RELEASE, .name = "intensity", .type = V_INTENSITY,
		    .def = "1", .help = "With more restarts than this within `period` the supervisor gives up, stops its children and ends, and its own supervisor decides."},
	    [SUP_PERIOD] =
		{SUP, RELEASE, .name = "period", .type = V_TIME, .min = 1, .def = "5s",
		    .help = "The time in which restarts are counted."},
	    [SUP_RESTART] =
		{SUP, RELEASE, .name = "restart", .type = V_WORD,
		    .words = restart_type_names, .nwords = RESTART_TYPE_MAX,
		    .def = "permanent",
		    .help = "Whether it is restarted when it has ended: permanent always, transient after an abnormal end, temporary never."},
	    [SUP_SHUTDOWN] =
		{SUP, RELEASE, .name = "shutdown", .type = V_SHUTDOWN,
		    .def = "infinity",
		    .help = "How long its stop may take before all below it is killed; anything but infinity can leave its children no time."},
	    [SUP_SIGNIFICANT] =
		{SUP, RELEASE, .name = "significant", .type = V_BOOL, .def = "no",
		    .help = "Whether its end by itself counts for the auto_shutdown of its supervisor; not for permanent children."},
	    [SUP_AUTO_SHUTDOWN] =
		{SUP, RELEASE, .name = "auto_shutdown", .type = V_WORD,
		    .words = auto_shutdown_names, .nwords = AUTO_MAX, .def = "never",
		    .help = "Whether it ends by itself when any or all of its significant children have ended by themselves."},
	    [SUP_STOP_ORDER] =
		{SUP, RELEASE, .name = "stop_order", .type = V_WORD,
		    .words = stop_order_names, .nwords = STOP_ORDER_MAX,
		    .def = "reverse",
		    .help = "How its children are stopped when it ends: in reverse, each when the one before is gone; or, where none needs another, in any order, which tells all at once."},

	    [WK_COMMAND] =
		{WORKER, RELEASE,
		    .name = "command", .type = V_COMMAND, .example = "/usr/bin/redis-server --port 7000", .help = "The program and its arguments, quoted as for a shell but nothing is expanded; %n is the number of the instance, %% a percent sign; a name without a slash is looked up in PATH. A worker has a command or a handler."},
	    [WK_HANDLER] =
		{WORKER, RELEASE, .name = "handler", .type = V_PATH,
		    .example = "/usr/lib/steward/modules/counter.so",
		    .help = "The handler module that supervisord-worker runs; it gets a mailbox, and is ready when its init has succeeded."},
	    [WK_ARGS] = {WORKER, RELEASE, .name = "args", .type = V_WORDS, .example = "--start 100", .help = "Words for the init of the handler, quoted as those of a command."},
	    [WK_CALLERS] =
		{WORKER, RELEASE, .name = "callers", .type = V_NAMES,
		    .example = "shop web/front",
		    .help = "Workers and applications that may call the handler besides its own application, by the users they run as; any for everybody."},
	    [WK_MAILBOX] = {WORKER, RELEASE, .name = "mailbox", NUMBER(1, 65535),
		.def = "1024",
		.help = "Calls without a reply that the handler takes at once; who calls beyond that gets busy."},
	    [WK_SUPERVISOR] = {WORKER, RELEASE, .name = "supervisor", .type = V_REF,
		.example = "api/back",
		.help = "The supervisor or application it is a child of; its application unless given."},
	    [WK_DESCRIPTION] = {WORKER, RELEASE, .name = "description", .type = V_TEXT,
		.example = "Sessions and carts", .help = "A line for people."},
	    [WK_RESTART] = {WORKER, RELEASE, .name = "restart", .type = V_WORD,
		.words = restart_type_names, .nwords = RESTART_TYPE_MAX,
		.def = "permanent",
		.help = "Whether it is restarted when it has ended: permanent always, transient after an abnormal end, temporary never."},
	    [WK_SHUTDOWN] = {WORKER, RELEASE, .name = "shutdown", .type = V_SHUTDOWN,
		.def = "5s",
		.help = "How long it may take to stop after its stop signal before its whole process tree is killed; brutal_kill kills at once."},
	    [WK_STOP_SIGNAL] = {WORKER, RELEASE, .name = "stop_signal",
		.type = V_SIGNAL, .def = "TERM",
		.help = "The signal that asks it to stop."},
	    [WK_SIGNIFICANT] = {WORKER, RELEASE, .name = "significant", .type = V_BOOL,
		.def = "no",
		.help = "Whether its end by itself counts for the auto_shutdown of its supervisor; not for permanent workers."},
	    [WK_TYPE] = {WORKER, RELEASE, .name = "type", WORDS(type_words),
		.def = "simple",
		.help = "A oneshot is a task: it counts as started when it has ended with success, and what comes after it waits for that."},
	    [WK_SUCCESS_CODES] = {WORKER, RELEASE, .name = "success_codes",
		.type = V_CODES, .def = "0", .example = "0 3 64-70",
		.help = "Exit statuses that count as a normal end besides 0."},
	    [WK_INSTANCES] = {WORKER, RELEASE, .name = "instances", NUMBER(0, ROWS_MAX),
		.example = "4",
		.help =
		    "Makes a pool of this many instances NAME#1, NAME#2, ... under a simple_one_for_one supervisor of its own; below a declared one it is the number started with it, 0 unless given."},
	    [WK_INTENSITY] = {WORKER, RELEASE, .name = "intensity", .type = V_INTENSITY,
		.example = "10",
		.help =
		    "The intensity of the pool made by `instances`; that of the supervisor above unless given."},
	    [WK_PERIOD] = {WORKER, RELEASE, .name = "period", .type = V_TIME, .min = 1,
		.example = "1m",
		.help =
		    "The period of the pool made by `instances`; that of the supervisor above unless given."},
	    [WK_DYNAMIC] = {WORKER, RELEASE, .name = "dynamic", .type = V_BOOL,
		.def = "no",
		.help =
		    "It is not started with its supervisor but only by `start_child`."},
	    [WK_ENABLED] = {WORKER, RELEASE, .name = "enabled", .type = V_BOOL,
		.def = "yes",
		.help =
		    "With no it is not started until `relctl enable` or `relctl start`."},
	    [WK_AFTER] = {WORKER, RELEASE, .name = "after", .type = V_REFS,
		.example = "cache base/db",
		.help =
		    "Workers and supervisors anywhere in the tree that must be ready before it is started; a name without application lies in its own."},
	    [WK_READY] = {WORKER, RELEASE, .name = "ready", .type = V_READY,
		.def = "none", .example = "tcp:127.0.0.1:7000",
		.help =
		    "When it counts as started: at once (none), when it says READY=1 by sd_notify (notify), when a connection to an address is accepted (tcp:ADDRESS:PORT), or when it writes a newline to a descriptor (fd:NUMBER)."},
	    [WK_START_TIMEOUT] = {WORKER, RELEASE, .name = "start_timeout",
		.type = V_TIME_INF, .example = "30s",
		.help =
		    "How long it may take to become ready; 10s, with `ready` 90s, for a oneshot infinity, unless given."},
	    [WK_WATCHDOG] = {WORKER, RELEASE, .name = "watchdog", .type = V_TIME_INF,
		.def = "infinity", .example = "30s",
		.help =
		    "It is killed and restarted when it has not said WATCHDOG=1 by sd_notify for this long."},
	    [WK_BACKOFF] = {WORKER, RELEASE, .name = "backoff", .type = V_BACKOFF,
		.example = "100ms..30s",
		.help =
		    "Waits before restarts, from MIN doubling up to MAX, forgotten after a healthy run; without it restarts come at once."},
	    [WK_PRE_START] = {WORKER, .name = "pre_start", .type = V_COMMAND,
		.example = "/usr/bin/install -d /run/cache",
		.help =
		    "A command run as the worker before each start; its failure is a failed start."},
	    [WK_POST_STOP] = {WORKER, .name = "post_stop", .type = V_COMMAND,
		.example = "/bin/rm -f /run/cache/lock",
		.help = "A command run as the worker after each end."},
	    [WK_DIRECTORY] = {WORKER, RELEASE, .name = "directory", .type = V_PATH,
		.example = "/srv/shop",
		.help =
		    "Its working directory; / unless given, and in user mode the node's own directory."},
	    [WK_USER] = {WORKER, RELEASE, .name = "user", .type = V_USER,
		.example = "redis",
		.help = "The user it runs as; the node's own unless given."},
	    [WK_GROUP] = {WORKER, .name = "group", .type = V_USER, .example = "redis",
		.help = "Its group; the user's own unless given."},
	    [WK_GROUPS] = {WORKER, .name = "groups", .type = V_NAMES,
		.example = "ssl-cert",
		.help = "Its further groups; those of the user unless given."},
	    [WK_UMASK] = {WORKER, RELEASE, .name = "umask", .type = V_OCTAL,
		.example = "027",
		.help = "Its file mode mask in octal; the node's own unless given."},
	    [WK_ENVIRONMENT] = {WORKER, RELEASE, .name = "environment",
		.type = V_ENVIRONMENT, .example = "PORT=700%n",
		.help =
		    "Variables as NAME=value words, quoted as for a shell; they win over those of env_file and of the application; %n is the number of the instance."},
	    [WK_ENV_FILE] = {WORKER, .name = "env_file", .type = V_FILES,
		.example = "/etc/shop.env -/etc/shop.local.env",
		.help =
		    "Files with variables, one NAME=value a line; with - before the path a file may be missing."},
	    [WK_INHERIT_ENVIRONMENT] = {WORKER, .name = "inherit_environment",
		.type = V_BOOL, .def = "no",
		.help =
		    "Whether it also gets the environment the node itself was started with."},
	    [WK_SOCKETS] = {WORKER, .name = "sockets", .type = V_NAMES,
		.example = "http",
		.help =
		    "Sockets handed to it as descriptors 3, 4, ... with LISTEN_FDS, as systemd does."},
	    [WK_NICE] = {WORKER, .name = "nice", .type = V_INTEGER, .min = -20,
		.max = 19, .example = "5", .help = "Its nice value, from -20 to 19."},
	    [WK_CPU_AFFINITY] = {WORKER, .name = "cpu_affinity", .type = V_CPUS,
		.example = "0-3,5", .help = "The processors it may run on."},
	    [WK_OOM_SCORE_ADJ] = {WORKER, .name = "oom_score_adj", .type = V_INTEGER,
		.min = -1000, .max = 1000, .example = "500",
		.help =
		    "How readily the kernel kills it when memory is out, from -1000 (never) to 1000."},
	    [WK_CAPABILITIES] = {WORKER, .name = "capabilities", .type = V_CAPS,
		.example = "CAP_NET_BIND_SERVICE",
		.help =
		    "The only capabilities it may have (its bounding set), all of which it gets (its ambient set); an empty list takes all away."},
	    [WK_NO_NEW_PRIVS] = {WORKER, RELEASE, .name = "no_new_privs",
		.type = V_BOOL, .def = "no",
		.help = "Whether set-user-id programs give it no further rights."},
	    [WK_LOG] = {WORKER, RELEASE, .name = "log", WORDS(log_words), .def = "file",
		.help =
		    "Where its output goes: to log files of its own, nowhere, or where the node's own output goes."},
	    [WK_LOG_SIZE] = {WORKER, RELEASE, .name = "log_size", .type = V_SIZE,
		.def = "10M",
		.help = "Its log file is rotated at this size; infinity for never."},
	    [WK_LOG_AGE] = {WORKER, RELEASE, .name = "log_age", .type = V_TIME_INF,
		.def = "infinity", .help = "And at this age; infinity for never."},
	    [WK_LOG_KEEP] = {WORKER, RELEASE, .name = "log_keep", NUMBER(0, 1000),
		.def = "5", .help = "How many rotated files are kept."},
	    [WK_LOG_ZSTD] = {WORKER, RELEASE, .name = "log_zstd", .type = V_BOOL,
		.def = "no", .help = "Whether rotated files are compressed by zstd."},
	    [WK_LOG_TIMESTAMPS] = {WORKER, RELEASE, .name = "log_timestamps",
		.type = V_BOOL, .def = "yes",
		.help = "Whether the time is put before each line."},
	    [WK_LIMIT_AS] = {WORKER, .name = "limit_as", .type = V_LIMIT_SIZE,
		.example = "2G", .help = "Limit of address space."},
	    [WK_LIMIT_CORE] = {WORKER, .name = "limit_core", .type = V_LIMIT_SIZE,
		.example = "infinity", .help = "Limit of core files."},
	    [WK_LIMIT_CPU] = {WORKER, .name = "limit_cpu", .type = V_LIMIT_S,
		.example = "1h", .help = "Limit of processor time, in whole seconds."},
	    [WK_LIMIT_DATA] = {WORKER, .name = "limit_data", .type = V_LIMIT_SIZE,
		.example = "1G", .help = "Limit of the data segment."},
	    [WK_LIMIT_FSIZE] = {WORKER, .name = "limit_fsize", .type = V_LIMIT_SIZE,
		.example = "10G", .help = "Limit of a file it writes."},
	    [WK_LIMIT_LOCKS] = {WORKER, .name = "limit_locks", .type = V_LIMIT,
		.example = "100",
		.help = "Limit of file locks; kernels of today ignore it."},
	    [WK_LIMIT_MEMLOCK] = {WORKER, .name = "limit_memlock", .type = V_LIMIT_SIZE,
		.example = "64M", .help = "Limit of locked memory."},
	    [WK_LIMIT_MSGQUEUE] = {WORKER, .name = "limit_msgqueue",
		.type = V_LIMIT_SIZE, .example = "1M",
		.help = "Limit of POSIX message queues."},
	    [WK_LIMIT_NICE] = {WORKER, .name = "limit_nice", .type = V_LIMIT, .max = 40,
		.example = "30",
		.help = "Limit of the nice value, as 20 minus the lowest nice value."},
	    [WK_LIMIT_NOFILE] = {WORKER, .name = "limit_nofile", .type = V_LIMIT,
		.example = "65536", .help = "Limit of open descriptors."},
	    [WK_LIMIT_NPROC] = {WORKER, .name = "limit_nproc", .type = V_LIMIT,
		.example = "512:1024", .help = "Limit of processes of its user."},
	    [WK_LIMIT_RSS] = {WORKER, .name = "limit_rss", .type = V_LIMIT_SIZE,
		.example = "1G",
		.help = "Limit of resident memory; kernels of today ignore it."},
	    [WK_LIMIT_RTPRIO] = {WORKER, .name = "limit_rtprio", .type = V_LIMIT,
		.max = 99, .example = "10", .help = "Limit of real-time priority."},
	    [WK_LIMIT_RTTIME] = {WORKER, .name = "limit_rttime", .type = V_LIMIT_US,
		.example = "200ms",
		.help = "Limit of real-time processor time without a pause."},
	    [WK_LIMIT_SIGPENDING] = {WORKER, .name = "limit_sigpending",
		.type = V_LIMIT, .example = "4096", .help = "Limit of queued signals."},
	    [WK_LIMIT_STACK] = {WORKER, .name = "limit_stack", .type = V_LIMIT_SIZE,
		.example = "8M:infinity", .help = "Limit of the stack."},

	    [SOCK_LISTEN] = {SOCKET, .name = "listen", .type = V_LISTEN,
		.required = true, .example = "tcp:0.0.0.0:8080",
		.help =
		    "Its address: tcp:ADDRESS:PORT, udp:ADDRESS:PORT, unix:PATH, unix-dgram:PATH or unix-seqpacket:PATH; IPv6 in brackets, * for all of IPv4."},
	    [SOCK_BACKLOG] = {SOCKET, .name = "backlog", NUMBER(1, INT32_MAX),
		.def = "4096",
		.help = "How many connections the kernel keeps waiting."},
	    [SOCK_MODE] = {SOCKET, .name = "mode", .type = V_OCTAL, .def = "0666",
		.help = "File mode of a unix socket, in octal."},
	    [SOCK_USER] = {SOCKET, .name = "user", .type = V_USER,
		.example = "www-data",
		.help = "Owner of a unix socket; the node's own user unless given."},
	    [SOCK_GROUP] = {SOCKET, .name = "group", .type = V_USER,
		.example = "www-data", .help = "Group of a unix socket."},
};
_Static_assert(COUNT(conf_keys) == CONF_KEY_MAX, "one row a key");

const struct conf_key *
conf_key_find(enum conf_section section, const char *name)
{
	for (size_t i = 0; i < CONF_KEY_MAX; i++)
		if (conf_keys[i].section == section &&
		    strcmp(conf_keys[i].name, name) == 0)
			return &conf_keys[i];
	return NULL;
}

const char *
conf_key_nearest(enum conf_section section, const char *name)
{
	const char *names[CONF_KEY_MAX] = {0};
	for (size_t i = 0; i < CONF_KEY_MAX; i++)
		if (conf_keys[i].section == section)
			names[i] = conf_keys[i].name;
	return str_nearest(name, names, COUNT(names));
}
