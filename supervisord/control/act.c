#include "control/act.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "control/diff.h"
#include "control/find.h"
#include "control/nodes.h"

enum { CONFIG_TEXT_MAX = 48 * 1024 };

/* What an answer means where the master added no words of its own. */
static const struct {
	enum rpc_error error;
	const char *words; /* behind "'ID' " */
} answers[] = {
    [AN_OK] = {RPC_INTERNAL, "is done"},
    [AN_FAILED] = {RPC_FAILED,
	"did not start; `relctl why` and `relctl logs` say more"},
    [AN_UNKNOWN] = {RPC_UNKNOWN, "is not there any more"},
    [AN_ALREADY] = {RPC_ALREADY, "is started or loaded already"},
    [AN_RUNNING] = {RPC_RUNNING, "runs; stop it first"},
    [AN_RESTARTING] = {RPC_RESTARTING, "is being restarted at this moment; try again"},
    [AN_NOT_RUNNING] = {RPC_NOT_RUNNING, "does not run, or its supervisor does not"},
    [AN_POOL] = {RPC_POOL,
	"belongs to a simple_one_for_one supervisor, which cannot do that"},
    [AN_NOT_POOL] = {RPC_NOT_POOL,
	"is no simple_one_for_one supervisor; only those can do that"},
    [AN_BUSY] = {RPC_BUSY, "cannot be served now: too many requests or workers"},
    [AN_CONFIG] = {RPC_CONFIG, "has errors"},
    [AN_STALE] = {RPC_STALE, "is of a configuration that was just replaced; try again"},
    [AN_NEEDS] = {RPC_NEEDS, "needs an application that is not loaded"},
    [AN_STOPPING] = {RPC_STOPPING, "or the node is on its way down"},
    [AN_UNSUPPORTED] = {RPC_UNSUPPORTED, "cannot do that"},
    [AN_UNDONE] = {RPC_UNDONE, "failed and was undone"},
};

_Static_assert(COUNT(answers) == ANSWER_MAX, "one row an answer");

static const char *
subject(const struct call *call)
{
	const char *id = json_get_str(call->params, "id", NULL);
	return id != NULL ? id : json_get_str(call->params, "app", call->method->name);
}

static void
aim(struct call *call, uint32_t slot, uint32_t gen)
{
	call->req.m.slot = slot;
	call->req.m.gen = gen;
	call->req.row = ROW_NONE;
}

int
act_on_id(struct call *call, struct json *result, struct fault *f)
{
	uint32_t i = 0;
	struct slot s;
	(void)result;
	if (find_slot(&call->control->view, json_get_str(call->params, "id", ""), &i,
		&s, f) < 0)
		return METHOD_FAULT;
	if (s.kind == SLOT_ROOT)
		return fault_set(f, RPC_INVALID_PARAMS,
		    "'root' is the node itself; use node.shutdown, or name an application");
	aim(call, i, 0);
	return call_ask(call, f);
}

int
act_signal(struct call *call, struct json *result, struct fault *f)
{
	uint32_t i = 0;
	struct slot s;
	const char *id = json_get_str(call->params, "id", "");
	(void)result;
	if (find_slot(&call->control->view, id, &i, &s, f) < 0)
		return METHOD_FAULT;
	if (s.kind != SLOT_WORKER)
		return fault_set(f, RPC_INVALID_PARAMS,
		    "'%s' is a supervisor and has no process; signal its workers", id);
	if (s.pid <= 0)
		return fault_set(f, RPC_NOT_RUNNING, "'%s' does not run", id);
	/* The very process that is there now, not the one after it. */
	aim(call, i, s.gen);
	call->req.m.value = (uint64_t)method_signal(json_get(call->params, "signal"));
	return call_ask(call, f);
}

int
act_scale(struct call *call, struct json *result, struct fault *f)
{
	uint32_t i = 0;
	struct slot s;
	(void)result;
	if (find_slot(&call->control->view, json_get_str(call->params, "id", ""), &i,
		&s, f) < 0)
		return METHOD_FAULT;
	aim(call, i, 0);
	call->req.m.value = (uint64_t)json_get_int(call->params, "instances", 0);
	return call_ask(call, f);
}

static int
put_args(struct call *call, struct fault *f)
{
	const struct json *args = json_get(call->params, "args");
	uint32_t at = 0;
	for (const struct json *a = json_first(args); a != NULL; a = json_next(a)) {
		size_t len = strlen(json_str(a)) + 1;
		if (at + len > ARGS_MAX)
			return fault_set(f, RPC_INVALID_PARAMS,
			    "'args' have more than %d bytes in all, ends included",
			    ARGS_MAX);
		memcpy(call->req.text + at, json_str(a), len);
		at += (uint32_t)len;
	}
	call->req.text_len = at;
	return 0;
}

int
act_start_child(struct call *call, struct json *result, struct fault *f)
{
	const struct view *v = &call->control->view;
	const char *child = json_get_str(call->params, "child", NULL);
	const char *id = json_get_str(call->params, "id", "");
	uint32_t i = 0, row = ROW_NONE;
	struct slot s;
	(void)result;
	if (find_slot(v, id, &i, &s, f) < 0 || put_args(call, f) < 0)
		return METHOD_FAULT;
	const struct row *sup = view_row(v, &s);
	if (s.kind == SLOT_WORKER || sup == NULL)
		return fault_set(
		    f, RPC_INVALID_PARAMS, "'%s' is no supervisor with children", id);
	if (sup->strategy == SIMPLE_ONE_FOR_ONE && child == NULL)
		row = s.template_row;
	else if (child == NULL)
		return fault_set(f, RPC_INVALID_PARAMS,
		    "'%s' is no pool: 'child' must say which configured child to start",
		    id);
	else if (find_child_row(v, &s, child, &row, f) < 0)
		return METHOD_FAULT;
	aim(call, i, 0);
	call->req.row = row;
	return call_ask(call, f);
}

int
act_app(struct call *call, struct json *result, struct fault *f)
{
	const char *type = json_get_str(call->params, "type", NULL);
	uint32_t row = 0, slot = SLOT_NONE;
	(void)result;
	if (find_app(&call->control->view, json_get_str(call->params, "app", ""), &row,
		&slot, f) < 0)
		return METHOD_FAULT;
	call->req.m.value = 0;
	for (unsigned i = 0; type != NULL && i < RESTART_TYPE_MAX; i++)
		if (strcmp(type, restart_type_names[i]) == 0)
			call->req.m.value = i + 1;
	if (type != NULL && call->req.m.value == 0)
		return fault_set(f, RPC_INVALID_PARAMS,
		    "'type' is temporary, transient or permanent");
	aim(call, slot, 0);
	call->req.row = row;
	return call_ask(call, f);
}

/* A name as POSIX has it: letters, digits and _, no digit first. */
static int
is_variable(const char *name)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	return name[0] != '\0' && (name[0] < '0' || name[0] > '9') &&
	       strspn(name, letters) == strlen(name);
}

int
act_setenv(struct call *call, struct json *result, struct fault *f)
{
	const char *name = json_get_str(call->params, "name", "");
	const char *value = json_get_str(call->params, "value", NULL);
	uint32_t row = 0, slot = SLOT_NONE;
	(void)result;
	if (find_app(&call->control->view, json_get_str(call->params, "app", ""), &row,
		&slot, f) < 0)
		return METHOD_FAULT;
	if (!is_variable(name))
		return fault_set(f, RPC_INVALID_PARAMS,
		    "'name' has letters, digits and '_', and no digit first");
	int n = snprintf(call->req.text, sizeof call->req.text, "%s%s%s", name,
	    value != NULL ? "=" : "", value != NULL ? value : "");
	if (n < 0 || (size_t)n >= sizeof call->req.text)
		return fault_set(f, RPC_INVALID_PARAMS,
		    "name and value have more than %d bytes together", MSG_TEXT - 2);
	aim(call, slot, 0);
	call->req.row = row;
	call->req.text_len = (uint32_t)n + 1;
	return call_ask(call, f);
}

int
act_reload(struct call *call, struct json *result, struct fault *f)
{
	struct err err;
	(void)result;
	/* Kept until the answer: the rows in force may be the new ones by then. */
	if (call->old_rows_fd < 0) {
		int fd = dup(call->control->view.rows_fd);
		if (fd < 0)
			return fault_set(f, RPC_INTERNAL, "no descriptor is free");
		if (rows_map(fd, &call->old_rows, &err) < 0) {
			fd_close(&fd);
			return fault_set(f, RPC_INTERNAL, "%s", err.msg);
		}
		call->old_rows_fd = fd;
	}
	aim(call, SLOT_NONE, 0);
	call->req.m.value = json_get_bool(call->params, "check") ? 1 : 0;
	return call_ask(call, f);
}

int
act_shutdown(struct call *call, struct json *result, struct fault *f)
{
	int64_t status = json_get_int(call->params, "status", 0);
	(void)result;
	if (status > 255)
		return fault_set(f, RPC_INVALID_PARAMS, "'status' is 0 to 255");
	aim(call, SLOT_NONE, 0);
	call->req.m.value = (uint64_t)status;
	return call_ask(call, f);
}

int
act_reexec(struct call *call, struct json *result, struct fault *f)
{
	const char *which = json_get_str(call->params, "which", "master");
	(void)result;
	if (strcmp(which, "master") != 0 && strcmp(which, "keeper") != 0)
		return fault_set(
		    f, RPC_INVALID_PARAMS, "'which' is \"master\" or \"keeper\"");
	aim(call, SLOT_NONE, 0);
	call->req.m.value = strcmp(which, "keeper") == 0;
	return call_ask(call, f);
}

int
act_plain(struct call *call, struct json *result, struct fault *f)
{
	(void)result;
	aim(call, SLOT_NONE, 0);
	return call_ask(call, f);
}

/* --- answers ------------------------------------------------------------------- */

/* The loader's messages as they stand in the descriptor. */
static void
config_text(int fd, struct fault *f)
{
	char text[CONFIG_TEXT_MAX];
	size_t n = 0;
	ssize_t k;
	while (n < sizeof text - 1 &&
	       (k = pread(fd, text + n, sizeof text - 1 - n, (off_t)n)) > 0)
		n += (size_t)k;
	text[n] = '\0';
	fault_data(f, "text", json_string(text));
}

/* The master says how it ended: "exited with status 3", "did not start: ...". */
static int
not_started(struct call *call, const struct msg_reply *reply, struct fault *f)
{
	static const char begin[] = "did not start";
	char shown[120], words[MSG_TEXT];
	(void)str_printable(reply->text, words, sizeof words);
	int whole = strncmp(words, begin, sizeof begin - 1) == 0;
	return fault_set(f, RPC_FAILED,
	    "'%s' %s%s%s; `relctl why` and `relctl logs` say more",
	    str_printable(subject(call), shown, sizeof shown), whole ? "" : begin,
	    whole ? "" : ": it ", words);
}

static int
refused(struct call *call, const struct msg_reply *reply, int *fd, struct fault *f)
{
	unsigned an = reply->answer;
	char shown[120], words[MSG_TEXT];
	if (an == AN_CONFIG && fd != NULL)
		config_text(*fd, f);
	if (an == AN_FAILED && reply->text[0] != '\0' &&
	    call->method->verb != VERB_REEXEC)
		return not_started(call, reply, f);
	if (reply->text[0] != '\0')
		return fault_set(f, answers[an].error, "%s",
		    str_printable(reply->text, words, sizeof words));
	if (an == AN_CONFIG)
		return fault_set(f, RPC_CONFIG,
		    "the configuration has errors; what runs goes on unchanged");
	return fault_set(f, answers[an].error, "'%s' %s",
	    str_printable(subject(call), shown, sizeof shown), answers[an].words);
}

static int
reloaded(struct call *call, const struct msg_reply *reply, int *fd, struct json *result,
    struct fault *f)
{
	struct rows new;
	struct err err;
	json_set_bool(result, "check", json_get_bool(call->params, "check"));
	if (reply->text[0] != '\0')
		json_set_str(result, "swap", reply->text);
	if (fd == NULL)
		return 0;
	if (rows_map(*fd, &new, &err) < 0)
		return fault_set(f, RPC_INTERNAL, "%s", err.msg);
	json_set_u64(result, "rows", new.head->nrows);
	diff_rows(&call->old_rows, &new, result);
	rows_unmap(&new);
	return 0;
}

/* What there is to say about a slot afterwards: its short form, or its id if it went. */
static void
about_slot(struct call *call, const struct msg_reply *reply, struct json *result)
{
	const struct view *v = &call->control->view;
	struct slot s;
	const char *id =
	    json_get_str(call->params, "id", json_get_str(call->params, "app", ""));
	if (!view_current(v) || view_slot(v, reply->m.slot, &s) < 0) {
		json_set_str(result, "id", id);
		return;
	}
	struct json *node = nodes_json(v, reply->m.slot, &s, view_now_ms());
	json_set_str(result, "id", json_get_str(node, "id", id));
	if (s.kind == SLOT_WORKER)
		json_set_i64(result, "pid", s.pid);
	json_set(result, "node", node);
}

int
act_answer(struct call *call, const struct msg_reply *reply, int *fd,
    struct json *result, struct fault *f)
{
	const struct state_head *head = &call->control->view.st->head;
	if (reply->answer != AN_OK)
		return refused(call, reply, fd, f);
	switch (call->method->verb) {
	case VERB_RELOAD:
		return reloaded(call, reply, fd, result, f);
	case VERB_SHUTDOWN:
		json_set_i64(result, "keeper_pid", head->keeper_pid);
		json_set_i64(result, "master_pid", head->master_pid);
		return 0;
	case VERB_REEXEC:
		json_set_str(
		    result, "which", json_get_str(call->params, "which", "master"));
		return 0;
	case VERB_APP_SETENV:
		json_set_str(result, "app", json_get_str(call->params, "app", ""));
		json_set_str(result, "name", json_get_str(call->params, "name", ""));
		return 0;
	case VERB_APP_UNLOAD:
	case VERB_DELETE_CHILD:
		json_set_str(result, "id", subject(call));
		return 0;
	case VERB_LOG_REOPEN:
		return 0;
	default:
		about_slot(call, reply, result);
		return 0;
	}
}
