#include "control/man.h"

#include <string.h>

#include "base/roff.h"
#include "control/call.h"
#include "control/client.h"
#include "control/method.h"
#include "state/state.h"

/* Prose that no table holds, in the order of the page. */
static const char head[] =
    ".SH NAME\n"
    "steward-control \\- the control protocol of a Steward node\n"
    ".SH DESCRIPTION\n"
    "A node answers on the stream socket\n"
    ".I control.sock\n"
    "in its run directory (\\fI/run/steward\\fP, or \\fIROOT/run\\fP of a node started "
    "with\n"
    ".BR \\-\\-root ).\n"
    ".BR relctl (1)\n"
    "is one client; this page is all that is needed to write another.\n"
    ".PP\n"
    "The protocol is JSON-RPC 2.0, one JSON text a line in both directions, each line\n"
    "ended by a newline.  A line to the node is one request object or a batch (an array "
    "of\n"
    "requests, answered by one array).  Parameters are always given by name:\n"
    ".B params\n"
    "is an object or left out.  A request without\n"
    ".B id\n"
    "is carried out and not answered.  Answers of requests that are under way at the "
    "same\n"
    "time may come in any order;\n"
    ".B id\n"
    "says which is which.  Lines that have a\n"
    ".B method\n"
    "and no\n"
    ".B id\n"
    "are notifications and may come between answers.\n"
    ".PP\n"
    "Times are whole milliseconds in members that end in\n"
    ".BR _ms ;\n"
    "a time that never comes is the string \"infinity\".  Unknown members are to be\n"
    "ignored by clients, but are errors in requests.\n"
    ".SH ROLES\n"
    "The kernel tells the node who connects.  Uid 0 and the node's own user are always\n"
    ".BR admin .\n"
    "Others have the greatest role of the lists in the section [node] of\n"
    ".BR supervisord.conf (5)\n"
    "that their uid or one of their groups is in:\n"
    ".B read\n"
    "(look at everything),\n"
    ".B operate\n"
    "(start, stop, scale) or\n"
    ".B admin\n"
    "(reload, load applications, end the node).  Who is in none is sent the error\n"
    ".B forbidden\n"
    "and the connection is closed.  Each request that changes something leaves a line\n"
    ".RS\n"
    ".nf\n"
    "audit uid=1000 pid=4711 method=worker.stop params={\"id\":\"api/web\"} \\(-> ok\n"
    ".fi\n"
    ".RE\n"
    "in the node's log, also when it was refused.\n";

static const char ids[] =
    ".SH IDS\n"
    "A point of the tree is named by its whole id: \\fIapp\\fP, \\fIapp/supervisor\\fP,\n"
    "\\fIapp/worker\\fP, \\fIapp/worker#3\\fP (an instance), \\fIroot\\fP.  The part "
    "behind the\n"
    "slash alone is taken if only one has it, the name of a template stands for its "
    "pool,\n"
    "and the pid of a worker (as a string) for the worker.\n";

static const char shapes[] =
    ".SH SHAPE OF A NODE OF THE TREE\n"
    "The short form has\n"
    ".BR id ,\n"
    ".B kind\n"
    "(root, application, supervisor, worker),\n"
    ".B parent\n"
    "(an id, or null),\n"
    ".BR state ,\n"
    ".B since_ms\n"
    "(how long it has been in this state; null: it never was in another),\n"
    ".B restart\n"
    "(permanent, transient, temporary),\n"
    ".B flags\n"
    "(a list of: held, disabled, forgotten, dynamic, significant, loaded, adopted,\n"
    "never_up, reloading, said_stopping, cgroup, gave_up) and, once it has ended,\n"
    ".B last\n"
    "(reason, words, ago_ms).  A worker also has\n"
    ".B pid\n"
    "(0: none),\n"
    ".B gen\n"
    "(number of its life),\n"
    ".BR starts ,\n"
    ".BR restarts ,\n"
    ".B up_ms\n"
    "while it is up,\n"
    ".B retry_ms\n"
    "while it waits for its next try,\n"
    ".B resource_tries\n"
    "while the machine is short of something, and\n"
    ".B status\n"
    "(its own words).  The others have\n"
    ".B children\n"
    "(their number),\n"
    ".BR strategy ,\n"
    ".B restarts\n"
    "(those within the period),\n"
    ".B intensity\n"
    "(or \"infinity\"),\n"
    ".BR period_ms ,\n"
    ".B gave_up\n"
    "(how often the intensity was exceeded), pools\n"
    ".B instances\n"
    "(how many are wanted), applications\n"
    ".BR version .\n"
    ".PP\n"
    "Reasons are written as terms: normal, shutdown, {exit,3}, {signal,KILL},\n"
    "{signal,SEGV,core}, {oom}, {exec_failed,STAGE,ERRNO}, {start_timeout}, {watchdog},\n"
    "{pre_start,...}, {noproc}, {unknown};\n"
    ".B words\n"
    "says the same as half a sentence.\n";

static const char tail[] =
    ".SH EXAMPLE\n"
    ".nf\n"
    "> {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"worker.restart\",\"params\":{\"id\":"
    "\"api/web\"}}\n"
    "< {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"id\":\"api/web\",\"pid\":4712,"
    "\"node\":{...}}}\n"
    "> {\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"worker.stop\",\"params\":{\"id\":"
    "\"wbe\"}}\n"
    "< {\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32002,\"message\":\"nothing is "
    "called\n"
    "   'wbe'; did you mean 'api/web'?\",\"data\":{\"suggestions\":[\"api/web\"],"
    "\"name\":\"unknown\"}}}\n"
    ".fi\n"
    ".SH SEE ALSO\n"
    ".BR relctl (1),\n"
    ".BR supervisord (8),\n"
    ".BR supervisord.conf (5)\n";

static void
param_line(FILE *out, const struct param *p)
{
	(void)fputs(".TP\n.B ", out);
	roff_text(out, p->name);
	(void)fprintf(out, " \\fR(%s%s)\\fP\n", param_type_words[p->type],
	    p->required ? ", required" : "");
	roff_line(out, p->help);
}

static void
method_section(FILE *out, const struct method *m)
{
	(void)fputs(".SS ", out);
	roff_text(out, m->name);
	(void)fprintf(out, "\nRole: %s.\n", caller_role_names[m->role]);
	roff_line(out, m->help);
	if (m->params[0].name != NULL)
		(void)fputs(".RS\n", out);
	for (size_t i = 0; i < METHOD_PARAMS && m->params[i].name != NULL; i++)
		param_line(out, &m->params[i]);
	if (m->params[0].name != NULL)
		(void)fputs(".RE\n", out);
	(void)fputs(".PP\nResult: ", out);
	roff_line(out, m->result);
}

static void
limits_section(FILE *out)
{
	(void)fprintf(out,
	    ".SH LIMITS\n"
	    "A line has at most %d bytes and is nested at most %d deep; a batch has at most\n"
	    "%d requests, and their answers %d bytes.  A line that was begun must end within\n"
	    "%d s.  One connection may have %d requests under way; further lines wait.  So\n"
	    "they do while more than %d bytes of answers are unread.  %d clients may be\n"
	    "connected, %d of the places being kept for admins.\n"
	    "JSON is taken strictly: UTF\\-8, no characters below U+0020 in strings, no\n"
	    "U+0000, nothing behind the value.\n",
	    RPC_LINE_MAX, RPC_DEPTH_MAX, RPC_BATCH_MAX, CALL_BATCH_BYTES, CLIENT_LINE_S,
	    CLIENT_CALLS_MAX, CLIENT_OUT_SOFT, CLIENTS_MAX, CLIENTS_ADMIN);
}

static void
errors_section(FILE *out)
{
	(void)fputs(".SH ERRORS\n"
		    "An error has\n.BR code ,\n.B message\n"
		    "(one sentence) and\n.B data\nwith\n.B name\n"
		    "and what the list says.\n",
	    out);
	for (size_t i = 0; i < RPC_ERROR_MAX; i++) {
		(void)fprintf(out, ".TP\n.B \\%d \\fR%s\\fP\n", rpc_errors[i].code,
		    rpc_errors[i].name);
		roff_line(out, rpc_errors[i].help);
	}
}

static void
names(FILE *out, const char *const *list, size_t n)
{
	const char *sep = "";
	for (size_t i = 0; i < n; i++) {
		int again = 0;
		for (size_t j = 0; j < i; j++)
			again |= strcmp(list[i], list[j]) == 0;
		if (again)
			continue;
		(void)fprintf(out, "%s%s", sep, list[i]);
		sep = ",\n";
	}
	(void)fputs(".\n", out);
}

static void
events_section(FILE *out)
{
	(void)fputs(
	    ".SH NOTIFICATIONS\n"
	    ".TP\n.B event\n"
	    "Something happened.  Members of params: n (1, 2, 3 \\&...), time (UTC), "
	    "time_ms\n"
	    "(since 1970), type, id, and where they mean something gen, pid, reason "
	    "(reason, words)\n"
	    "and value.\n"
	    ".TP\n.B gap\n"
	    "This connection read too slowly, or asked for events that are gone: params.missed\n"
	    "events were left out here.\n"
	    ".PP\nTypes of events:\n",
	    out);
	names(out, event_names + 1, EVENT_MAX - 1);
	(void)fputs(".PP\nStates of nodes of the tree:\n", out);
	names(out, phase_names, PHASE_MAX);
}

void
man_print(FILE *out)
{
	roff_head(out, "supervisord-control --print man", "STEWARD-CONTROL", 7);
	(void)fputs(head, out);
	(void)fputs(ids, out);
	(void)fputs(shapes, out);
	(void)fputs(".SH METHODS\nMethods that change something also take\n"
		    ".B timeout_ms\n(",
	    out);
	(void)fputs(param_type_words[method_timeout.type], out);
	(void)fputs("): ", out);
	roff_text(out, method_timeout.help);
	(void)fputs(".\nTheir answer comes when the thing is done.\n", out);
	for (size_t i = 0; i < methods_n; i++)
		method_section(out, &methods[i]);
	events_section(out);
	errors_section(out);
	limits_section(out);
	(void)fputs(tail, out);
}
