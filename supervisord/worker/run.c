/* Callbacks, one at a time, and what they return; see worker.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "worker/worker.h"

static struct steward_worker *reporting; /* of the handler of fatal signals */

static void
begin(struct steward_worker *w, const char *what, const char *who, size_t len)
{
	(void)snprintf(w->last, sizeof w->last, "%s%s%s, %zu bytes", what,
	    who[0] != '\0' ? " from " : "", who, len);
	w->in_callback = 1;
}

/* The path is the client's: it must not forge lines of the log. */
static void
begin_http(struct steward_worker *w, const struct steward_http *http)
{
	char path[64], what[96];
	(void)str_printable(http->path, path, sizeof path);
	(void)snprintf(what, sizeof what, "%.16s %s", http->method, path);
	begin(w, what, "", http->body.len);
}

void
run_end(struct steward_worker *w, const char *reason)
{
	if (w->ended)
		return;
	w->ended = 1;
	if (reason != NULL)
		(void)snprintf(w->reason, sizeof w->reason, "%s", reason);
	if (w->module.h->terminate != NULL) {
		begin(w, "terminate", "", 0);
		w->module.h->terminate(w, w->reason, w->state);
		w->in_callback = 0;
	}
	ev_break(w->loop, EVBREAK_ALL);
}

static void
finish(struct steward_worker *w, enum steward_next next)
{
	while (next == STEWARD_CONTINUE && w->module.h->handle_continue != NULL) {
		begin(w, "continue", "", 0);
		next = w->module.h->handle_continue(w, w->state);
	}
	w->in_callback = 0;
	w->last[0] = '\0';
	w->busy_ns = clock_ns(CLOCK_MONOTONIC);
	if (next == STEWARD_STOP)
		run_end(w, NULL);
}

void
run_pause(struct steward_worker *w, int paused)
{
	w->suspended = paused;
	serve_pause(w);
	call_resume(w);
	if (!paused)
		watch_resume(w);
	room_pause(w);
}

int
run_init(struct steward_worker *w, const struct steward_args *args)
{
	begin(w, "init", "", 0);
	int failed = w->module.h->init(w, args, &w->state);
	w->in_callback = 0;
	w->last[0] = '\0';
	return failed;
}

void
run_call(struct steward_worker *w, const struct steward_request *request)
{
	w->count.calls++;
	begin(w, "call", request->caller, request->data.len);
	finish(w, w->module.h->handle_call(w, request, w->state));
}

void
run_cast(struct steward_worker *w, const struct steward_cast *cast)
{
	w->count.casts++;
	if (w->module.h->handle_cast == NULL) {
		log_warn("a cast from '%s' is dropped: the module has no handle_cast",
		    cast->caller);
		return;
	}
	begin(w, "cast", cast->caller, cast->data.len);
	finish(w, w->module.h->handle_cast(w, cast, w->state));
}

void
run_info(struct steward_worker *w, const struct steward_info *info)
{
	static const char *const names[STEWARD_INFO_KIND_MAX] = {
	    [STEWARD_TIMER] = "timer",
	    [STEWARD_FD] = "descriptor",
	    [STEWARD_REPLY] = "reply",
	    [STEWARD_DOWN] = "down",
	    [STEWARD_SIGNAL] = "signal",
	    [STEWARD_HTTP] = "http",
	};
	w->count.infos++;
	if (w->module.h->handle_info == NULL || w->ended) {
		if (!w->ended)
			log_warn("a %s is dropped: the module has no handle_info",
			    names[info->kind]);
		return;
	}
	if (info->http != NULL)
		begin_http(w, info->http);
	else
		begin(w, names[info->kind], info->name != NULL ? info->name : "",
		    info->data.len);
	finish(w, w->module.h->handle_info(w, info, w->state));
}

/* Only what a signal handler may do. */
static void
on_crash(int sig)
{
	static const char text[] = "worker crashed; last message: ";
	(void)!write(2, text, sizeof text - 1);
	(void)!write(
	    2, reporting->last, strnlen(reporting->last, sizeof reporting->last));
	(void)!write(2, "\n", 1);
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

void
run_report_crashes(struct steward_worker *w)
{
	static const int fatal_ones[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	struct sigaction sa = {.sa_handler = on_crash, .sa_flags = SA_NODEFER};
	reporting = w;
	(void)sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof fatal_ones / sizeof fatal_ones[0]; i++)
		(void)sigaction(fatal_ones[i], &sa, NULL);
}
