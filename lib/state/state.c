#include "state/state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

const char *const phase_names[PHASE_MAX] = {
    [PH_DOWN] = "down",
    [PH_AFTER] = "after",
    [PH_BACKOFF] = "backoff",
    [PH_PRE] = "pre_start",
    [PH_SPAWNING] = "spawning",
    [PH_STARTING] = "starting",
    [PH_UP] = "up",
    [PH_DONE] = "done",
    [PH_STOPPING] = "stopping",
    [PH_KILLING] = "killing",
    [PH_SWEEP] = "sweeping",
    [PH_POST] = "post_stop",
    [PH_SUP_STARTING] = "starting",
    [PH_SUP_UP] = "up",
    [PH_SUP_STOPPING] = "stopping",
};

const char *const event_names[EVENT_MAX] = {
    [EV_NOTHING] = "none",
    [EV_NODE_STARTED] = "node_started",
    [EV_NODE_ADOPTED] = "node_adopted",
    [EV_NODE_STOPPING] = "node_stopping",
    [EV_NODE_STOPPED] = "node_stopped",
    [EV_STARTING] = "starting",
    [EV_SPAWNED] = "spawned",
    [EV_READY] = "ready",
    [EV_EXITED] = "exited",
    [EV_START_FAILED] = "start_failed",
    [EV_RESTARTING] = "restarting",
    [EV_BACKOFF] = "backoff",
    [EV_STOPPING] = "stopping",
    [EV_KILLING] = "killing",
    [EV_STOPPED] = "stopped",
    [EV_GAVE_UP] = "gave_up",
    [EV_AUTO_SHUTDOWN] = "auto_shutdown",
    [EV_CHILD_ADDED] = "child_added",
    [EV_CHILD_REMOVED] = "child_removed",
    [EV_SCALED] = "scaled",
    [EV_APP_LOADED] = "app_loaded",
    [EV_APP_UNLOADED] = "app_unloaded",
    [EV_APP_ENDED] = "app_ended",
    [EV_RELOADED] = "reloaded",
    [EV_RESOURCES] = "resources",
    [EV_ROLE_DIED] = "role_died",
    [EV_ROLE_STARTED] = "role_started",
    [EV_STATUS] = "status",
    [EV_WATCHDOG] = "watchdog",
    [EV_MASTER_REPLACED] = "master_replaced",
    [EV_HELD] = "held",
    [EV_RELEASED] = "released",
};

const char *const spawn_stage_names[STAGE_MAX] = {
    [ST_CLONE] = "clone",
    [ST_SESSION] = "setsid",
    [ST_CGROUP] = "cgroup",
    [ST_RLIMIT] = "rlimits",
    [ST_NICE] = "nice",
    [ST_AFFINITY] = "affinity",
    [ST_OOM] = "oom_score_adj",
    [ST_GROUPS] = "groups",
    [ST_GID] = "gid",
    [ST_UID] = "uid",
    [ST_CAPS] = "capabilities",
    [ST_NO_NEW_PRIVS] = "no_new_privs",
    [ST_CWD] = "cwd",
    [ST_FDS] = "descriptors",
    [ST_EXEC] = "exec",
    [ST_SOCKET] = "socket",
};

const char *const child_state_names[CHILD_STATE_MAX] = {
    [CH_UNDEFINED] = "undefined",
    [CH_PID] = "pid",
    [CH_RESTARTING] = "restarting",
};

_Static_assert(COUNT(phase_names) == PHASE_MAX, "one name a phase");
_Static_assert(COUNT(event_names) == EVENT_MAX, "one name an event");
_Static_assert(COUNT(spawn_stage_names) == STAGE_MAX, "one name a stage");
_Static_assert(COUNT(child_state_names) == CHILD_STATE_MAX, "one name a state");

/* Reasons that need no number. */
static const struct {
	const char *term, *words;
} plain[] = {
    [RE_NONE] = {"none", "has not ended yet"},
    [RE_NORMAL] = {"normal", "ended normally"},
    [RE_SHUTDOWN] = {"shutdown", "was shut down"},
    [RE_EXIT] = {NULL, NULL},
    [RE_SIGNAL] = {NULL, NULL},
    [RE_OOM] = {"{oom}",
	"was killed because the machine or its cgroup ran out of memory"},
    [RE_EXEC_FAILED] = {NULL, NULL},
    [RE_START_TIMEOUT] = {"{start_timeout}", "was not ready in time (start_timeout)"},
    [RE_WATCHDOG] = {"{watchdog}", "did not answer its watchdog in time"},
    [RE_NOPROC] = {"{noproc}", "had no process"},
    [RE_UNKNOWN] = {"{unknown}", "ended while nobody could see how"},
    [RE_PRE_START] = {NULL, NULL},
};

_Static_assert(COUNT(plain) == REASON_MAX, "one row a reason");

/* "KILL", or "35" for a signal without a name. */
static const char *
signal_name(int number, char buf[16])
{
	const char *name = sigabbrev_np(number);
	if (name != NULL)
		return name;
	(void)snprintf(buf, 16, "%d", number);
	return buf;
}

static const char *
errno_name(int number, char buf[16])
{
	const char *name = strerrorname_np(number);
	if (name != NULL && number != 0)
		return name;
	(void)snprintf(buf, 16, "%d", number);
	return buf;
}

static const char *
errno_words(int number)
{
	const char *words = strerrordesc_np(number);
	return words != NULL && number != 0 ? words : "unknown error";
}

static const char *
stage_name(const struct reason *re)
{
	return re->stage < STAGE_MAX ? spawn_stage_names[re->stage] : "unknown stage";
}

/* The signal of a pre_start that was killed, 0 if it exited. */
static int
pre_signal(const struct reason *re)
{
	return re->code < 0 && re->code > -NSIG ? -re->code : 0;
}

int
reason_format(const struct reason *re, char *buf, size_t cap)
{
	char num[16];
	switch (re->type) {
	case RE_EXIT:
		return snprintf(buf, cap, "{exit,%d}", re->code);
	case RE_SIGNAL:
		return snprintf(buf, cap, "{signal,%s%s}", signal_name(re->code, num),
		    re->core ? ",core" : "");
	case RE_EXEC_FAILED:
		return snprintf(buf, cap, "{exec_failed,%s,%s}", stage_name(re),
		    errno_name(re->code, num));
	case RE_PRE_START:
		if (pre_signal(re) != 0)
			return snprintf(buf, cap, "{pre_start,{signal,%s}}",
			    signal_name(pre_signal(re), num));
		return snprintf(buf, cap, "{pre_start,{exit,%d}}", re->code);
	default:
		return snprintf(buf, cap, "%s",
		    plain[re->type < REASON_MAX ? re->type : RE_UNKNOWN].term);
	}
}

/* A birth that failed: before exec something of the machine or the configuration. */
static int
exec_words(const struct reason *re, char *buf, size_t cap)
{
	const char *what = "could not be started";
	if (re->stage == ST_EXEC)
		what = "could not be executed";
	else if (re->stage == ST_CLONE)
		what = "could not get a process";
	else if (re->stage == ST_SOCKET)
		what = "could not get its listening socket";
	return snprintf(
	    buf, cap, "%s: %s (at %s)", what, errno_words(re->code), stage_name(re));
}

int
reason_words(const struct reason *re, char *buf, size_t cap)
{
	char num[16];
	switch (re->type) {
	case RE_EXIT:
		return snprintf(buf, cap, "exited with status %d", re->code);
	case RE_SIGNAL:
		return snprintf(buf, cap, "was killed by SIG%s%s",
		    signal_name(re->code, num), re->core ? " and dumped core" : "");
	case RE_EXEC_FAILED:
		return exec_words(re, buf, cap);
	case RE_PRE_START:
		if (pre_signal(re) != 0)
			return snprintf(buf, cap,
			    "did not start: its pre_start was killed by SIG%s",
			    signal_name(pre_signal(re), num));
		return snprintf(buf, cap,
		    "did not start: its pre_start exited with status %d", re->code);
	default:
		return snprintf(buf, cap, "%s",
		    plain[re->type < REASON_MAX ? re->type : RE_UNKNOWN].words);
	}
}

void
slot_id(const struct rows *rows, const struct slot *s, char buf[ROW_ID_MAX])
{
	if (s->kind == SLOT_ROOT) {
		(void)snprintf(buf, ROW_ID_MAX, "root");
		return;
	}
	/* A torn or hostile state file must not lead outside the rows. */
	if (rows->head == NULL || s->row >= rows->head->nrows) {
		(void)snprintf(buf, ROW_ID_MAX, "?");
		return;
	}
	const char *id = rows_string(rows, rows->row[s->row].id);
	if (s->number == 0)
		(void)snprintf(buf, ROW_ID_MAX, "%s", id);
	else
		(void)snprintf(
		    buf, ROW_ID_MAX, "%.*s#%u", ROW_ID_MAX - 12, id, s->number);
}
