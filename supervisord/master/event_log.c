#include "master/node.h"

#include <stdio.h>

/*
 * The node's log tells what an operator wants to read there: unexpected ends, starts that
 * failed, supervisors and applications that gave up.  It is read off the event ring after
 * the actions of a turn were carried out, so a restart does not wait for it.
 */

struct event_words {
	const char *words; /* behind the id; null: not logged */
	uint8_t level;
	uint8_t reason; /* the reason in words follows */
};

static const struct event_words event_words[EVENT_MAX] = {
    [EV_EXITED] = {"", LOG_LEVEL_WARN, 1},
    [EV_START_FAILED] = {"did not start: it", LOG_LEVEL_ERROR, 1},
    [EV_RESOURCES] = {"waits for the machine to recover: it", LOG_LEVEL_ERROR, 1},
    [EV_KILLING] = {"took too long and is killed", LOG_LEVEL_WARN, 0},
    [EV_WATCHDOG] = {"did not feed its watchdog", LOG_LEVEL_ERROR, 0},
    [EV_GAVE_UP] = {"gives up: more restarts than its intensity allows",
	LOG_LEVEL_ERROR, 0},
    [EV_AUTO_SHUTDOWN] = {"ends with its significant child", LOG_LEVEL_INFO, 0},
    [EV_APP_ENDED] = {"has ended: it", LOG_LEVEL_ERROR, 1},
    [EV_SCALED] = {"is scaled", LOG_LEVEL_INFO, 0},
    [EV_RELOADED] = {"has another configuration now", LOG_LEVEL_INFO, 0},
};

static const char *
kind_of(const struct event *ev)
{
	switch ((enum event_type)ev->type) {
	case EV_GAVE_UP:
	case EV_AUTO_SHUTDOWN:
	case EV_SCALED:
		return "supervisor";
	case EV_APP_ENDED:
		return "application";
	case EV_RELOADED:
		return "node";
	default:
		return "worker";
	}
}

static void
log_event(const struct event *ev)
{
	const struct event_words *w = &event_words[ev->type];
	char reason[160] = "", gen[32] = "";
	if (w->words == NULL)
		return;
	if (w->reason) {
		reason[0] = ' ';
		(void)reason_words(&ev->reason, reason + 1, sizeof reason - 1);
	}
	if (ev->gen > 0 && ev->type == EV_EXITED)
		(void)snprintf(gen, sizeof gen, " gen %u:", ev->gen);
	log_line((enum log_level)w->level, "%s %s%s %s%s", kind_of(ev), ev->id, gen,
	    w->words, reason + (w->words[0] == '\0'));
}

void
event_log(struct node *n)
{
	uint64_t newest = n->st->head.event_n;
	if (newest - n->logged_n > EVENT_RING / 2) {
		log_warn("%llu events are too many to log",
		    (unsigned long long)(newest - n->logged_n));
		n->logged_n = newest;
	}
	while (n->logged_n < newest) {
		const struct event *ev = &n->st->event[++n->logged_n % EVENT_RING];
		if (ev->n == n->logged_n && ev->type < EVENT_MAX)
			log_event(ev);
	}
}
