#include "control/method.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "control/act.h"
#include "control/apps.h"
#include "control/read.h"
#include "control/why.h"

const char *const param_type_words[PARAM_TYPE_MAX] = {
    [PARAM_NONE] = "nothing",
    [PARAM_ID] = "an id (string)",
    [PARAM_APP] = "the name of an application (string)",
    [PARAM_TEXT] = "a string",
    [PARAM_NUMBER] = "a whole number, not negative",
    [PARAM_BOOL] = "true or false",
    [PARAM_TEXTS] = "an array of strings",
    [PARAM_SIGNAL] = "a signal by name or number",
};
_Static_assert(COUNT(param_type_words) == PARAM_TYPE_MAX, "words for each type");

const struct param method_timeout = {"timeout_ms", PARAM_NUMBER, 0,
    "answer with the error timeout after this time; 0, the default: never"};

#define ID(help)                        \
	{                               \
		"id", PARAM_ID, 1, help \
	}
#define APP                                            \
	{                                              \
		"app", PARAM_APP, 1, "the application" \
	}
#define LIMIT                                                         \
	{                                                             \
		"limit", PARAM_NUMBER, 0,                             \
		    "at most this many; 500 by default, 1000 at most" \
	}
#define CURSOR                                                           \
	{                                                                \
		"cursor", PARAM_TEXT, 0,                                 \
		    "next_cursor of the page before, to go on behind it" \
	}
#define UNDER                                                          \
	{                                                              \
		"under", PARAM_ID, 0,                                  \
		    "only this point of the tree and what is below it" \
	}
#define NODE "The point of the tree in the short form of tree.list, as it is then."

const struct method methods[] = {
    {.name = "node.info",
	.role = CALLER_READ,
	.help = "Says which node this is and how it is.",
	.result =
	    "name, version, started_ms (wall clock), uptime_ms, state (starting, "
	    "up, stopping), keeper_pid, master_pid, masters (how many it has had), "
	    "roles (name, pid, restarts), dirs (run, log), rows_seq, counts "
	    "(applications, supervisors, workers, up, failed), newest_event, "
	    "clients, you (uid, role).",
	.run = read_node_info},
    {.name = "tree.list",
	.role = CALLER_READ,
	.params = {UNDER, LIMIT, CURSOR},
	.help = "Lists the tree, parents before children, children in start order.",
	.result = "nodes (each in the short form below), total, and next_cursor while "
		  "there is more.",
	.run = read_tree_list},
    {.name = "tree.get",
	.role = CALLER_READ,
	.params = {{"id", PARAM_ID, 0, "the point of the tree"},
	    {"pid", PARAM_NUMBER, 0, "or the pid of a worker"}},
	.help = "Shows one point of the tree with its configuration.",
	.result = "The short form, and config: description, shutdown_ms, after, for a "
		  "worker start_timeout_ms, watchdog_ms, ready, exec (argv, cwd, uid, "
		  "gid, sockets, stop_signal).",
	.run = read_tree_get},
    {.name = "which_children",
	.role = CALLER_READ,
	.params = {ID("a supervisor, an application, or root")},
	.help = "OTP's supervisor:which_children/1.",
	.result = "children: id, child (a pid, \"undefined\" or \"restarting\"; a "
		  "supervisor that lives has its state), type (worker or supervisor).",
	.run = read_which_children},
    {.name = "count_children",
	.role = CALLER_READ,
	.params = {ID("a supervisor, an application, or root")},
	.help = "OTP's supervisor:count_children/1.",
	.result = "specs, active, supervisors, workers.",
	.run = read_count_children},
    {.name = "why",
	.role = CALLER_READ,
	.params = {ID("what to explain")},
	.help = "Explains a state: the last end and what came of it.",
	.result =
	    "node (short form), last (reason, words, ago_ms), cause (id, reason, "
	    "words, ago_ms: whose end made a supervisor above restart it last), supervisor "
	    "(id, strategy, restarts, intensity, period_ms, gave_up), stopped_with "
	    "(ids), next_retry_ms, resources (tries), log (name of its file in "
	    "dirs.log), summary (sentences).",
	.run = why},
    {.name = "worker.start",
	.role = CALLER_OPERATE,
	.verb = VERB_START,
	.params = {ID("a worker, supervisor or application")},
	.help =
	    "Starts it and ends the hold of an earlier worker.stop.  Answers when it "
	    "is ready.",
	.result = NODE,
	.run = act_on_id},
    {.name = "worker.stop",
	.role = CALLER_OPERATE,
	.verb = VERB_STOP,
	.params = {ID("a worker, supervisor or application")},
	.help = "Stops it and holds it down, also over the death of the master, until "
		"worker.start.  Answers when it is gone.",
	.result = NODE,
	.run = act_on_id},
    {.name = "worker.restart",
	.role = CALLER_OPERATE,
	.verb = VERB_RESTART,
	.params = {ID("a worker, supervisor or application")},
	.help =
	    "Stops and starts it.  Does not count as a restart.  Answers when it is "
	    "ready again.",
	.result = NODE,
	.run = act_on_id},
    {.name = "worker.enable",
	.role = CALLER_OPERATE,
	.verb = VERB_ENABLE,
	.params = {ID("a worker, supervisor or application")},
	.help = "Undoes worker.disable: it is started at boot again.",
	.result = NODE,
	.run = act_on_id},
    {.name = "worker.disable",
	.role = CALLER_OPERATE,
	.verb = VERB_DISABLE,
	.params = {ID("a worker, supervisor or application")},
	.help = "It is not started at boot any more.  What runs is not stopped.",
	.result = NODE,
	.run = act_on_id},
    {.name = "worker.signal",
	.role = CALLER_OPERATE,
	.verb = VERB_SIGNAL,
	.params = {ID("a worker"),
	    {"signal", PARAM_SIGNAL, 1, "\"HUP\", \"SIGHUP\" or 1"}},
	.help = "Sends a signal to the main process.",
	.result = NODE,
	.run = act_signal},
    {.name = "supervisor.start_child",
	.role = CALLER_OPERATE,
	.verb = VERB_START_CHILD,
	.params = {ID("the supervisor"),
	    {"child", PARAM_TEXT, 0,
		"its configured child to start; not for a pool, which has one template"},
	    {"args", PARAM_TEXTS, 0,
		"arguments behind those of the template; 512 bytes in all"}},
	.help = "OTP's supervisor:start_child/2.  A pool starts one more instance.",
	.result = "id and pid of the new child.",
	.run = act_start_child},
    {.name = "supervisor.terminate_child",
	.role = CALLER_OPERATE,
	.verb = VERB_TERMINATE_CHILD,
	.params = {ID("the child")},
	.help =
	    "OTP's supervisor:terminate_child/2.  An instance of a pool goes for ever.",
	.result = NODE,
	.run = act_on_id},
    {.name = "supervisor.restart_child",
	.role = CALLER_OPERATE,
	.verb = VERB_RESTART_CHILD,
	.params = {ID("the child")},
	.help = "OTP's supervisor:restart_child/2: starts a terminated child again.",
	.result = NODE,
	.run = act_on_id},
    {.name = "supervisor.delete_child",
	.role = CALLER_OPERATE,
	.verb = VERB_DELETE_CHILD,
	.params = {ID("the child")},
	.help = "OTP's supervisor:delete_child/2: removes a terminated child.",
	.result = "id.",
	.run = act_on_id},
    {.name = "pool.scale",
	.role = CALLER_OPERATE,
	.verb = VERB_SCALE,
	.params = {ID("a simple_one_for_one supervisor or its template"),
	    {"instances", PARAM_NUMBER, 1, "how many there shall be"}},
	.help = "Starts or stops instances until there are that many; the others are "
		"not touched.",
	.result = NODE,
	.run = act_scale},
    {.name = "app.list",
	.role = CALLER_READ,
	.help = "Lists all applications of the configuration.",
	.result =
	    "applications: app, description, version, state (not loaded, loaded, or "
	    "the state of its supervisor), start (temporary, transient, permanent), "
	    "workers, up.",
	.run = apps_list},
    {.name = "app.info",
	.role = CALLER_READ,
	.params = {APP},
	.help = "Shows one application.",
	.result =
	    "application: as in app.list, and needs (applications), lifespan_ms, node "
	    "(the short form, when loaded).",
	.run = apps_info},
    {.name = "app.env",
	.role = CALLER_OPERATE,
	.params = {APP},
	.help = "Shows the environment that all workers of an application are given by "
		"the configuration, and what app.setenv has set since.",
	.result = "env: an object of names and values.",
	.run = apps_env},
    {.name = "app.load",
	.role = CALLER_ADMIN,
	.verb = VERB_APP_LOAD,
	.params = {APP},
	.help = "Puts it into the tree without starting it.",
	.result = NODE,
	.run = act_app},
    {.name = "app.unload",
	.role = CALLER_ADMIN,
	.verb = VERB_APP_UNLOAD,
	.params = {APP},
	.help = "Takes it out of the tree; refused while it runs.",
	.result = "id.",
	.run = act_app},
    {.name = "app.start",
	.role = CALLER_OPERATE,
	.verb = VERB_APP_START,
	.params = {APP,
	    {"type", PARAM_TEXT, 0,
		"start type: temporary, transient or permanent; else as configured"}},
	.help = "Starts it, and before it the applications it needs.",
	.result = NODE,
	.run = act_app},
    {.name = "app.stop",
	.role = CALLER_OPERATE,
	.verb = VERB_APP_STOP,
	.params = {APP},
	.help =
	    "Stops its children in reverse; the node stays, whatever its start type.",
	.result = NODE,
	.run = act_app},
    {.name = "app.setenv",
	.role = CALLER_ADMIN,
	.verb = VERB_APP_SETENV,
	.params = {APP, {"name", PARAM_TEXT, 1, "the variable"},
	    {"value", PARAM_TEXT, 0, "its value; left out: the variable is unset"}},
	.help = "Changes the environment of workers that start from now on.",
	.result = "app and name.",
	.run = act_setenv},
    {.name = "events.list",
	.role = CALLER_READ,
	.params = {{"from", PARAM_NUMBER, 0,
		       "the first event's number; by default the oldest that is kept"},
	    LIMIT, UNDER},
	.help = "Reads what happened.  The node keeps about 2000 events.",
	.result =
	    "events (members as in the event notification), next (the number to go "
	    "on from), oldest, newest.",
	.run = read_events_list},
    {.name = "events.subscribe",
	.role = CALLER_READ,
	.params = {{"from", PARAM_NUMBER, 0,
		       "replay from this event on; by default only new ones"},
	    UNDER},
	.help = "From now on this connection gets event notifications.",
	.result = "next: the number of the next event.",
	.run = read_events_subscribe},
    {.name = "events.unsubscribe",
	.role = CALLER_READ,
	.help = "Ends the subscription of this connection.",
	.result = "An empty object.",
	.run = read_events_unsubscribe},
    {.name = "node.reload",
	.role = CALLER_ADMIN,
	.verb = VERB_RELOAD,
	.params = {{"check", PARAM_BOOL, 0, "only say what would change"}},
	.help =
	    "Reads the configuration again and applies the difference, whole or not "
	    "at all.  Errors come with the error config and all texts in data.text.",
	.result = "check, rows (their number), and lists of ids: added, removed, "
		  "restarted, changed; sockets.",
	.run = act_reload},
    {.name = "node.shutdown",
	.role = CALLER_ADMIN,
	.verb = VERB_SHUTDOWN,
	.params = {{"status", PARAM_NUMBER, 0, "exit status of the node, 0 to 255"}},
	.help = "Stops everything and ends the node.",
	.result = "keeper_pid and master_pid, to wait for.",
	.run = act_shutdown},
    {.name = "node.reexec",
	.role = CALLER_ADMIN,
	.verb = VERB_REEXEC,
	.params = {{"which", PARAM_TEXT, 0, "\"master\" (the default) or \"keeper\""}},
	.help =
	    "Puts a new master or keeper in place from the binary on disk; workers "
	    "keep their pids.  The answer of a master comes when the new program has "
	    "passed its check, of a keeper when the new one serves; a program that "
	    "fails is refused with `failed`, and the old one stays.",
	.result = "which.",
	.run = act_reexec},
    {.name = "log.reopen",
	.role = CALLER_OPERATE,
	.verb = VERB_LOG_REOPEN,
	.help = "The logger closes and opens all its files, after an outside rename.",
	.result = "An empty object.",
	.run = act_plain},
};
const size_t methods_n = COUNT(methods);

const struct method *
method_find(const char *name, struct fault *f)
{
	const char *names[COUNT(methods)];
	char shown[80];
	for (size_t i = 0; i < COUNT(methods); i++) {
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
		names[i] = methods[i].name;
	}
	const char *near = str_nearest(name, names, COUNT(names));
	(void)str_printable(name, shown, sizeof shown);
	if (near != NULL)
		fault_set(f, RPC_NO_METHOD,
		    "there is no method '%s'; did you mean '%s'?", shown, near);
	else
		fault_set(f, RPC_NO_METHOD,
		    "there is no method '%s'; steward-control(7) lists all", shown);
	return NULL;
}

int
method_signal(const struct json *value)
{
	int64_t n = 0;
	const char *name = json_str(value);
	if (name == NULL)
		return json_int(value, &n) == 0 && n > 0 && n < NSIG ? (int)n : 0;
	if (str_starts(name, "SIG"))
		name += 3;
	for (int i = 1; i < NSIG; i++) {
		const char *known = sigabbrev_np(i);
		if (known != NULL && strcmp(known, name) == 0)
			return i;
	}
	return str_integer(name, 1, NSIG - 1, &n, NULL) == 0 ? (int)n : 0;
}

static int
texts_only(const struct json *value)
{
	if (!json_is(value, JSON_ARRAY))
		return 0;
	for (const struct json *m = json_first(value); m != NULL; m = json_next(m))
		if (!json_is(m, JSON_STRING))
			return 0;
	return 1;
}

static int
type_fits(enum param_type type, const struct json *value)
{
	int64_t n = 0;
	switch (type) {
	case PARAM_ID:
	case PARAM_APP:
	case PARAM_TEXT:
		return json_is(value, JSON_STRING);
	case PARAM_NUMBER:
		return json_int(value, &n) == 0 && n >= 0;
	case PARAM_BOOL:
		return json_is(value, JSON_BOOL);
	case PARAM_TEXTS:
		return texts_only(value);
	case PARAM_SIGNAL:
		return method_signal(value) != 0;
	case PARAM_NONE:
	case PARAM_TYPE_MAX:
		break;
	}
	return 0;
}

static const struct param *
param_find(const struct method *m, const char *key)
{
	for (size_t i = 0; i < METHOD_PARAMS && m->params[i].name != NULL; i++)
		if (strcmp(m->params[i].name, key) == 0)
			return &m->params[i];
	if (m->verb != VERB_NONE && strcmp(key, method_timeout.name) == 0)
		return &method_timeout;
	return NULL;
}

static int
unknown_param(const struct method *m, const char *key, struct fault *f)
{
	const char *names[METHOD_PARAMS + 1] = {NULL};
	char shown[80];
	size_t n = 0;
	while (n < METHOD_PARAMS && m->params[n].name != NULL) {
		names[n] = m->params[n].name;
		n++;
	}
	const char *near = str_nearest(key, names, n);
	(void)str_printable(key, shown, sizeof shown);
	if (near != NULL)
		return fault_set(f, RPC_INVALID_PARAMS,
		    "'%s' has no parameter '%s'; did you mean '%s'?", m->name, shown,
		    near);
	return fault_set(f, RPC_INVALID_PARAMS,
	    "'%s' has no parameter '%s'; steward-control(7) lists them", m->name,
	    shown);
}

static int
unknown_signal(const struct json *value, struct fault *f)
{
	const char *names[NSIG] = {NULL}, *near = NULL;
	char shown[80], number[24];
	int64_t n = 0;
	const char *name = json_str(value);
	(void)json_int(value, &n);
	(void)snprintf(number, sizeof number, "%lld", (long long)n);
	(void)str_printable(name != NULL ? name : number, shown, sizeof shown);
	const char *bare =
	    name != NULL && strncasecmp(name, "SIG", 3) == 0 ? name + 3 : name;
	for (int i = 1; i < NSIG && bare != NULL; i++) {
		names[i] = sigabbrev_np(i);
		if (names[i] != NULL && strcasecmp(names[i], bare) == 0)
			near = names[i];
	}
	if (near == NULL && bare != NULL)
		near = str_nearest(bare, names, NSIG);
	if (near != NULL)
		return fault_set(f, RPC_INVALID_PARAMS,
		    "'%s' is no signal; did you mean '%s'?  `kill -l` lists all", shown,
		    near);
	return fault_set(f, RPC_INVALID_PARAMS,
	    "'%s' is no signal; write a name such as HUP, or a number: `kill -l` lists "
	    "all",
	    shown);
}

int
method_check(const struct method *m, const struct json *params, struct fault *f)
{
	for (const struct json *p = json_first(params); p != NULL; p = json_next(p)) {
		const struct param *known = param_find(m, json_key(p));
		if (known == NULL)
			return unknown_param(m, json_key(p), f);
		if (known->type == PARAM_SIGNAL && !type_fits(known->type, p))
			return unknown_signal(p, f);
		/* NOLINTBEGIN(clang-analyzer-core.CallAndMessage): the words are const */
		if (!type_fits(known->type, p))
			return fault_set(f, RPC_INVALID_PARAMS,
			    "parameter '%s' of '%s' must be %s", known->name, m->name,
			    param_type_words[known->type]);
		/* NOLINTEND(clang-analyzer-core.CallAndMessage) */
	}
	for (size_t i = 0; i < METHOD_PARAMS && m->params[i].name != NULL; i++)
		if (m->params[i].required &&
		    json_get(params, m->params[i].name) == NULL)
			return fault_set(f, RPC_INVALID_PARAMS,
			    "'%s' needs the parameter '%s': %s", m->name,
			    m->params[i].name, m->params[i].help);
	return 0;
}
