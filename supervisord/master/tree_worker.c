#include "master/tree_int.h"

#include <errno.h>
#include <signal.h>

#include "base/util.h"

enum {
	RESOURCE_MIN_MS = 50,
	RESOURCE_MAX_MS =
	    500, /* back within a second after the machine has recovered */
	ABORT_GRACE_MS = 5000
};

int
reason_is_resources(struct reason re)
{
	if (re.type != RE_EXEC_FAILED)
		return 0;
	return re.code == EAGAIN || re.code == EMFILE || re.code == ENFILE ||
	       re.code == ENOMEM || (re.code == ENOSPC && re.stage != ST_EXEC);
}

static const struct row_exec *
exec_of(const struct tree *t, uint32_t i)
{
	return &rows_of(t, i)->exec[row_of(t, i)->exec];
}

static uint64_t
deadline(const struct tree *t, uint64_t ms)
{
	return ms == MS_INFINITY ? 0 : t->now_ms + ms;
}

static void
worker_spawn(struct tree *t, uint32_t i, enum phase phase, enum spawn_what what)
{
	struct slot *s = edit(t, i);
	s->gen++;
	s->pid = 0;
	s->born = 0;
	s->flags &= ~(uint32_t)SF_ADOPTED;
	if (what == SPAWN_MAIN) {
		s->starts++;
		tell(t, EV_STARTING, i);
	}
	set_phase(t, i, phase);
	set_timer(t, i, deadline(t, row_of(t, i)->start_ms));
	act(t, ACT_SPAWN, i, what);
}

void
worker_launch(struct tree *t, uint32_t i)
{
	if (exec_of(t, i)->npre > 0)
		worker_spawn(t, i, PH_PRE, SPAWN_PRE);
	else
		worker_spawn(t, i, PH_SPAWNING, SPAWN_MAIN);
}

enum progress
worker_start(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	s->flags &=
	    ~(uint32_t)(SF_STOP_ASKED | SF_WAS_UP | SF_RELOADING | SF_SAID_STOPPING);
	s->end = REASON(RE_NONE);
	s->resource_tries = 0;
	t->st->status[i][0] = '\0';
	if (after_blocked(t, i))
		after_wait(t, i);
	else
		worker_launch(t, i);
	return PR_WAIT;
}

/* Waits before the next try; the timer puts it into its supervisor's queue. */
void
worker_backoff(struct tree *t, uint32_t i, uint64_t delay_ms)
{
	set_phase(t, i, PH_BACKOFF);
	set_timer(t, i, t->now_ms + delay_ms);
	tell_value(t, EV_BACKOFF, i, delay_ms);
}

static void
worker_kill_tree(struct tree *t, uint32_t i)
{
	set_phase(t, i, PH_KILLING);
	set_timer(t, i, 0);
	set_watchdog(t, i, 0);
	act(t, ACT_KILL_TREE, i, 0);
}

static void
worker_terminate(struct tree *t, uint32_t i, uint64_t stop_ms)
{
	tell(t, EV_STOPPING, i);
	if (stop_ms == 0) {
		worker_kill_tree(t, i);
		return;
	}
	set_phase(t, i, PH_STOPPING);
	set_watchdog(t, i, 0);
	set_timer(t, i, deadline(t, stop_ms));
	act(t, ACT_SIGNAL, i, (uint64_t)exec_of(t, i)->stop_signal);
}

static void
worker_down(struct tree *t, uint32_t i)
{
	if (look(t, i)->phase == PH_AFTER)
		after_forget(t, i);
	set_phase(t, i, PH_DOWN);
	set_timer(t, i, 0);
	edit(t, i)->flags &= ~(uint32_t)(SF_STOP_ASKED | SF_WAITING);
}

static enum progress
worker_end(struct tree *t, uint32_t i, uint64_t stop_ms)
{
	const struct slot *s = look(t, i);
	switch ((enum phase)s->phase) {
	case PH_PRE:
	case PH_SPAWNING:
		if ((s->flags & SF_WAITING) != 0) {
			worker_down(t, i); /* it waits for the machine to recover */
			return PR_OK;
		}
		FALLTHROUGH;
	case PH_STARTING:
	case PH_UP:
		edit(t, i)->flags |= SF_STOP_ASKED;
		worker_terminate(t, i, stop_ms);
		return PR_WAIT;
	case PH_STOPPING:
	case PH_KILLING:
	case PH_SWEEP:
	case PH_POST:
		edit(t, i)->flags |= SF_STOP_ASKED;
		return PR_WAIT;
	case PH_DOWN:
	case PH_DONE:
	case PH_AFTER:
	case PH_BACKOFF:
	case PH_SUP_STARTING:
	case PH_SUP_UP:
	case PH_SUP_STOPPING:
	case PHASE_MAX:
		break;
	}
	worker_down(t, i);
	return PR_OK;
}

enum progress
worker_stop(struct tree *t, uint32_t i)
{
	return worker_end(t, i, row_of(t, i)->stop_ms);
}

/* brutal_kill, whatever the worker's own shutdown says. */
void
worker_kill(struct tree *t, uint32_t i)
{
	(void)worker_end(t, i, 0);
	if (look(t, i)->phase == PH_STOPPING) /* it had been asked before */
		worker_kill_tree(t, i);
}

static void
worker_up(struct tree *t, uint32_t i)
{
	const struct row *r = row_of(t, i);
	struct slot *s = edit(t, i);
	s->flags |= SF_WAS_UP;
	s->flags &= ~(uint32_t)SF_NEVER_UP;
	s->up_ms = t->now_ms;
	s->resource_tries = 0;
	set_phase(t, i, (r->flags & ROWF_ONESHOT) != 0 ? PH_DONE : PH_UP);
	set_timer(t, i, 0);
	set_watchdog(t, i,
	    r->watchdog_ms > 0 && s->phase == PH_UP ? t->now_ms + r->watchdog_ms : 0);
	tell(t, EV_READY, i);
	act(t, ACT_UP, i, 1);
	up_started(t, i);
	after_wake(t);
}

static void
worker_execed(struct tree *t, uint32_t i)
{
	const struct row *r = row_of(t, i);
	if (look(t, i)->phase != PH_SPAWNING)
		return;
	edit(t, i)->resource_tries = 0;
	tell(t, EV_SPAWNED, i);
	if (r->ready == READY_NONE && (r->flags & ROWF_ONESHOT) == 0)
		worker_up(t, i);
	else
		set_phase(t, i, PH_STARTING);
}

static int
exit_is_success(const struct row *r, struct reason re)
{
	if (re.type == RE_NORMAL)
		return 1;
	return re.type == RE_EXIT && re.code >= 0 && re.code < 256 &&
	       (r->success[re.code / 32] >> (re.code % 32) & 1) != 0;
}

/* What an exit status means in this phase; a reason that was set before stays. */
static struct reason
worker_reason(const struct tree *t, uint32_t i, struct reason re)
{
	const struct slot *s = look(t, i);
	const struct row *r = row_of(t, i);
	if (s->end.type != RE_NONE)
		return s->end;
	if (s->phase == PH_PRE) {
		if (re.type == RE_NORMAL)
			return REASON(RE_NONE);
		return (struct reason){.type = RE_PRE_START,
		    .code = re.type == RE_SIGNAL ? -re.code : re.code};
	}
	if (exit_is_success(r, re))
		re = REASON(RE_NORMAL);
	int stop_signal = exec_of(t, i)->stop_signal;
	if (s->phase == PH_STOPPING &&
	    (re.type == RE_NORMAL || (re.type == RE_SIGNAL && re.code == stop_signal)))
		re = REASON(RE_SHUTDOWN);
	return re;
}

static void
worker_retry_resources(struct tree *t, uint32_t i, struct reason re)
{
	struct slot *s = edit(t, i);
	uint32_t shift = MIN(s->resource_tries, 4U);
	uint64_t delay =
	    MIN((uint64_t)RESOURCE_MIN_MS << shift, (uint64_t)RESOURCE_MAX_MS);
	if (s->resource_tries == 0)
		tell_reason(t, EV_RESOURCES, i, re);
	s->resource_tries++;
	s->pid = 0;
	s->flags |= SF_WAITING;
	s->end = REASON(RE_NONE);
	set_timer(t, i, t->now_ms + delay);
}

/* Its tree is gone and post_stop is through: tells its supervisor what came of it. */
static void
worker_finished(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	struct reason re = s->end;
	int asked = (s->flags & SF_STOP_ASKED) != 0;
	if (re.type == RE_NONE && !asked) { /* pre_start went well */
		worker_spawn(t, i, PH_SPAWNING, SPAWN_MAIN);
		return;
	}
	set_timer(t, i, 0);
	if (reason_is_resources(re) && !asked) {
		set_phase(t, i, PH_SPAWNING);
		worker_retry_resources(t, i, re);
		return;
	}
	if (re.type == RE_NORMAL && !asked && (s->flags & SF_WAS_UP) == 0 &&
	    (row_of(t, i)->flags & ROWF_ONESHOT) != 0) {
		s->last = re;
		s->last_ms = t->real_ms;
		worker_up(t, i);
		return;
	}
	s->last = re.type == RE_NONE ? REASON(RE_SHUTDOWN) : re;
	s->last_ms = t->real_ms;
	s->flags &= ~(uint32_t)SF_STOP_ASKED;
	set_phase(t, i, PH_DOWN);
	set_watchdog(t, i, 0);
	if (asked) {
		tell_reason(t, EV_STOPPED, i, s->last);
		up_stopped(t, i);
	} else if ((s->flags & SF_WAS_UP) != 0) {
		up_exited(t, i, re);
	} else {
		tell_reason(t, EV_START_FAILED, i, re);
		up_failed(t, i, re);
	}
}

static void
worker_exited(struct tree *t, uint32_t i, struct reason re)
{
	struct slot *s = edit(t, i);
	switch ((enum phase)s->phase) {
	case PH_POST:
		s->pid = 0;
		worker_finished(t, i);
		return;
	case PH_PRE:
	case PH_SPAWNING:
	case PH_STARTING:
	case PH_UP:
	case PH_STOPPING:
	case PH_KILLING:
		s->end = worker_reason(t, i, re);
		s->pid = 0;
		if ((s->flags & SF_WAS_UP) != 0 && (s->flags & SF_STOP_ASKED) == 0)
			tell_reason(t, EV_EXITED, i, s->end);
		if (s->phase == PH_UP)
			act(t, ACT_UP, i, 0);
		set_phase(t, i, PH_SWEEP);
		set_timer(t, i, 0);
		set_watchdog(t, i, 0);
		act(t, ACT_SWEEP, i, 0);
		return;
	case PH_DOWN:
	case PH_AFTER:
	case PH_BACKOFF:
	case PH_DONE:
	case PH_SWEEP:
	case PH_SUP_STARTING:
	case PH_SUP_UP:
	case PH_SUP_STOPPING:
	case PHASE_MAX:
		return;
	}
}

static void
worker_swept(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	if (s->phase != PH_SWEEP)
		return;
	if (s->end.type != RE_NONE && exec_of(t, i)->npost > 0)
		worker_spawn(t, i, PH_POST, SPAWN_POST);
	else
		worker_finished(t, i);
}

static void
worker_spawn_failed(struct tree *t, uint32_t i, struct reason re)
{
	struct slot *s = edit(t, i);
	if (s->phase == PH_POST) {
		if (s->pid == 0)
			worker_finished(t, i);
		return;
	}
	if (s->phase != PH_PRE && s->phase != PH_SPAWNING && s->phase != PH_STOPPING)
		return;
	if (s->pid != 0) { /* the child said so and exits now */
		s->end = re;
		return;
	}
	if (reason_is_resources(re) && (s->flags & SF_STOP_ASKED) == 0) {
		worker_retry_resources(t, i, re);
		return;
	}
	s->end = re;
	worker_finished(t, i);
}

static void
worker_timeout(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	switch ((enum phase)s->phase) {
	case PH_BACKOFF:
		set_timer(t, i, 0);
		set_phase(t, i, PH_DOWN);
		pend_add(t, i, PEND_DELAYED);
		return;
	case PH_POST:
		set_timer(t, i, 0);
		act(t, ACT_KILL_TREE, i, 0);
		return;
	case PH_PRE:
	case PH_SPAWNING:
		if ((s->flags & SF_WAITING) != 0) {
			s->flags &= ~(uint32_t)SF_WAITING;
			set_timer(t, i, deadline(t, row_of(t, i)->start_ms));
			s->gen++;
			act(t, ACT_SPAWN, i,
			    s->phase == PH_PRE ? SPAWN_PRE : SPAWN_MAIN);
			return;
		}
		FALLTHROUGH;
	case PH_STARTING:
		s->end = REASON(RE_START_TIMEOUT);
		tell(t, EV_KILLING, i);
		worker_kill_tree(t, i);
		return;
	case PH_STOPPING:
		tell(t, EV_KILLING, i);
		worker_kill_tree(t, i);
		return;
	case PH_DOWN:
	case PH_AFTER:
	case PH_UP:
	case PH_DONE:
	case PH_KILLING:
	case PH_SWEEP:
	case PH_SUP_STARTING:
	case PH_SUP_UP:
	case PH_SUP_STOPPING:
	case PHASE_MAX:
		set_timer(t, i, 0);
	}
}

/* The watchdog was not fed: SIGABRT, so that a core shows where it hangs. */
static void
worker_watchdog(struct tree *t, uint32_t i)
{
	uint64_t grace = MIN(row_of(t, i)->stop_ms, (uint64_t)ABORT_GRACE_MS);
	edit(t, i)->end = REASON(RE_WATCHDOG);
	tell(t, EV_WATCHDOG, i);
	act(t, ACT_UP, i, 0);
	set_watchdog(t, i, 0);
	set_phase(t, i, PH_STOPPING);
	set_timer(t, i, t->now_ms + grace);
	act(t, ACT_SIGNAL, i, SIGABRT);
}

static void
worker_timer(struct tree *t, uint32_t i)
{
	const struct slot *s = look(t, i);
	if (s->timer_ms != 0 && s->timer_ms <= t->now_ms)
		worker_timeout(t, i);
	else if (s->watchdog_ms != 0 && s->watchdog_ms <= t->now_ms)
		worker_watchdog(t, i);
}

static void
worker_extend(struct tree *t, uint32_t i, uint64_t ms)
{
	const struct slot *s = look(t, i);
	uint64_t at = t->now_ms + MIN(ms, (uint64_t)24 * 3600 * 1000);
	if ((s->phase == PH_STARTING || s->phase == PH_STOPPING) && s->timer_ms != 0 &&
	    at > s->timer_ms)
		set_timer(t, i, at);
}

static void
worker_ping(struct tree *t, uint32_t i, uint64_t interval_ms)
{
	if (look(t, i)->phase == PH_UP && interval_ms > 0)
		set_watchdog(t, i, t->now_ms + interval_ms);
	else
		set_watchdog(t, i, 0);
}

static void
worker_said(struct tree *t, uint32_t i, uint64_t fact)
{
	struct slot *s = edit(t, i);
	if (fact == FACT_RELOADING)
		s->flags |= SF_RELOADING;
	else if (fact == FACT_STOPPING)
		s->flags |= SF_SAID_STOPPING;
	else
		s->flags &= ~(uint32_t)SF_RELOADING;
}

void
worker_input(struct tree *t, const struct input *in)
{
	uint32_t i = in->slot;
	const struct slot *s = look(t, i);
	if (in->gen != 0 && in->gen != s->gen)
		return; /* about a dead incarnation */
	switch (in->type) {
	case IN_EXECED:
		worker_execed(t, i);
		return;
	case IN_SPAWN_FAILED:
		worker_spawn_failed(t, i, in->reason);
		return;
	case IN_EXITED:
		worker_exited(t, i, in->reason);
		return;
	case IN_SWEPT:
		worker_swept(t, i);
		return;
	case IN_READY:
		worker_execed(t, i); /* its word may overtake the exec pipe */
		if (s->phase == PH_STARTING &&
		    (row_of(t, i)->flags & ROWF_ONESHOT) == 0)
			worker_up(t, i);
		return;
	case IN_TIMER:
		worker_timer(t, i);
		return;
	case IN_PING:
		if (s->watchdog_ms != 0)
			worker_ping(t, i, row_of(t, i)->watchdog_ms);
		return;
	case IN_EXTEND:
		worker_extend(t, i, in->value);
		return;
	case IN_WATCHDOG_MS:
		worker_ping(t, i, in->value);
		return;
	case IN_SAID:
		worker_said(t, i, in->value);
		return;
	case IN_MAINPID:
		if (s->pid != 0 && in->value != 0) /* it may come after the end */
			edit(t, i)->pid = (int32_t)in->value;
		return;
	case IN_NODE_START:
	case IN_NODE_STOP:
	case IN_REQUEST:
	case IN_MAX:
		return;
	}
}

/* Asks again for what the dead master may not have done. */
void
worker_recover(struct tree *t, uint32_t i)
{
	const struct slot *s = look(t, i);
	int spawning =
	    s->phase == PH_PRE || s->phase == PH_SPAWNING || s->phase == PH_POST;
	if (spawning && s->pid == 0 && (s->flags & SF_WAITING) == 0)
		act(t, ACT_SPAWN, i,
		    s->phase == PH_PRE	  ? SPAWN_PRE
		    : s->phase == PH_POST ? SPAWN_POST
					  : SPAWN_MAIN);
	else if (s->phase == PH_STOPPING)
		act(t, ACT_SIGNAL, i,
		    s->end.type == RE_WATCHDOG ? SIGABRT
					       : (uint64_t)exec_of(t, i)->stop_signal);
	else if (s->phase == PH_KILLING)
		act(t, ACT_KILL_TREE, i, 0);
	else if (s->phase == PH_SWEEP)
		act(t, ACT_SWEEP, i, 0);
	if (s->timer_ms != 0 || s->watchdog_ms != 0)
		act(t, ACT_TIMER, i, 0);
}
