#include "master/node.h"

#include <string.h>

/*
 * Inputs wait in a ring; a step is taken, its actions are carried out in order, and what
 * those bring about is the next input.  Nothing here decides.
 */

void
feed(struct node *n, const struct input *in)
{
	if (n->inq_n == SLOT_MAX)
		panic("more inputs than slots");
	n->inq[(n->inq_head + n->inq_n++) % SLOT_MAX] = *in;
	if (n->performing == 0)
		perform(n);
}

void
feed_slot(struct node *n, enum input_type type, uint32_t slot, uint32_t gen)
{
	feed(n, &(struct input){.type = type, .slot = slot, .gen = gen});
}

void
feed_reason(
    struct node *n, enum input_type type, uint32_t slot, uint32_t gen, struct reason re)
{
	feed(n, &(struct input){.type = type, .slot = slot, .gen = gen, .reason = re});
}

/* Decides and commits all that waits; the actions stay to be carried out. */
void
feed_decide(struct node *n)
{
	while (n->inq_n > 0) {
		struct input in = n->inq[n->inq_head];
		n->inq_head = (n->inq_head + 1) % SLOT_MAX;
		n->inq_n--;
		tree_step(&n->tree, &in);
	}
}

static void
slot_added(struct node *n, uint32_t slot)
{
	struct slot_io *io = &n->io[slot];
	if (slot == ROOT)
		return; /* holds the pipe of the node's log already */
	*io = (struct slot_io){.log_read = -1,
	    .log_write = -1,
	    .notify = -1,
	    .ready_read = -1,
	    .pidfd = -1,
	    .link = -1,
	    .cgroup = -1};
	if (n->st->slot[slot].kind == SLOT_WORKER)
		(void)pipes_need(
		    n, slot); /* in one go with its siblings'; or at its spawn */
}

static void
slot_removed(struct node *n, uint32_t slot, uint64_t event)
{
	const struct event *ev = &n->st->event[event % EVENT_RING];
	probe_forget(n, slot, 0);
	slot_fds_drop(n, slot, ev->n == event ? ev->id : "gone");
	if (ev->n == event) /* else its directory goes with the node's */
		cgroup_remove(n, ev->id);
}

static void
node_ends(struct node *n, int status)
{
	n->ended = 1;
	n->status = status;
	ev_break(n->loop, EVBREAK_ALL);
}

static void
perform_one(struct node *n, const struct action *a)
{
	switch ((enum action_type)a->type) {
	case ACT_SPAWN:
		spawn_slot(n, a->slot, (enum spawn_what)a->value);
		return;
	case ACT_SIGNAL:
		if (slot_at(n, a->slot)->pid == 0)
			feed_reason(n, IN_EXITED, a->slot, slot_at(n, a->slot)->gen,
			    (struct reason){.type = RE_SHUTDOWN});
		else
			kill_main(n, a->slot, (int)a->value);
		return;
	case ACT_KILL_TREE:
		if (slot_at(n, a->slot)->pid == 0)
			feed_reason(n, IN_EXITED, a->slot, slot_at(n, a->slot)->gen,
			    (struct reason){.type = RE_SHUTDOWN});
		kill_tree(n, a->slot);
		return;
	case ACT_SWEEP:
		probe_forget(n, a->slot, slot_at(n, a->slot)->gen);
		sweep_start(n, a->slot);
		return;
	case ACT_TIMER:
		timer_set(n, a->slot);
		return;
	case ACT_UP:
		return;
	case ACT_ADDED:
		slot_added(n, a->slot);
		return;
	case ACT_REMOVED:
		slot_removed(n, a->slot, a->value);
		return;
	case ACT_REPLY:
		reply_reason(n, a);
		return;
	case ACT_NODE_UP:
		n->st->head.ready = 1;
		log_info("node %s is up: %u workers",
		    rows_string(&n->rows, n->rows.head->node.name),
		    n->st->head.core.nworkers);
		keep_say(n, KEEP_READY, 0);
		return;
	case ACT_NODE_END:
		node_ends(n, (int)a->value);
		return;
	case ACTION_MAX:
		return;
	}
}

void
perform(struct node *n)
{
	struct tree *t = &n->tree;
	if (n->performing > 0)
		return;
	n->performing = 1;
	do {
		for (uint32_t k = 0; k < t->nact; k++)
			perform_one(n, &t->act[k]);
		t->nact = 0;
		if (n->inq_n > 0) {
			struct input in = n->inq[n->inq_head];
			n->inq_head = (n->inq_head + 1) % SLOT_MAX;
			n->inq_n--;
			tree_step(t, &in);
		}
	} while (t->nact > 0 || n->inq_n > 0);
	n->performing = 0;
	if (n->old_rows_fd >= 0 && n->births == 0)
		old_rows_release(n);
	wake_control(n);
	event_log(n);
}

/* Control sleeps until there is something new, and is told once. */
void
wake_control(struct node *n)
{
	uint64_t newest = n->st->head.event_n;
	if (!n->subscribed || newest == n->woken_n)
		return;
	struct msg m = {.type = MSG_WAKE, .slot = SLOT_NONE, .value = newest};
	if (role_send(n, ROLE_CONTROL, &m, sizeof m, NULL, 0) == 0)
		n->woken_n = newest;
}
