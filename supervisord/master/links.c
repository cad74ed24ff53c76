#include "master/node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/chan.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "master/swap.h"
#include "proto/swap.h"

/*
 * Connections of handler workers, and the swap of their modules when another configuration
 * names other ones: swap.c decides, here it is carried out.  The workers' side is
 * supervisord/worker/swap.c.
 */

enum { PREPARE_S = 30, CHANGE_S = 5, GO_ON_S = 5 };

struct links_swap {
	struct swap_core core;
	uint32_t txn;

	struct swap_who {
		uint32_t slot, gen;
	} * who; /* core.n of them; owned */

	uint8_t *due;	  /* owned */
	struct rows next; /* mapped; with fd ours until it is in force */
	int fd;
	uint64_t longest_ns;
	char why[SWAP_TEXT + 128]; /* of the first that failed */
	ev_timer late;
};

static struct links_swap swap;

int
links_busy(void)
{
	return swap.core.phase != SW_IDLE;
}

static const struct row_exec *
exec_at(const struct rows *r, uint32_t row)
{
	return r->row[row].exec == ROW_NONE ? NULL : &r->exec[r->row[row].exec];
}

static const char *
module_at(const struct rows *r, uint32_t row)
{
	const struct row_exec *e = exec_at(r, row);
	return e != NULL ? rows_string(r, e->module) : "";
}

static void
send_one(struct node *n, uint32_t slot, enum swap_msg_type type, uint64_t value,
    const char *text)
{
	struct swap_msg m = {.type = type, .txn = swap.txn, .value = value};
	size_t len = MIN(strlen(text), sizeof m.text - 1);
	memcpy(m.text, text, len);
	(void)chan_send(n->io[slot].link, &m, sizeof m, NULL, 0);
}

static int
is_same_life(struct node *n, const struct swap_who *who)
{
	return slot_at(n, who->slot)->gen == who->gen && n->io[who->slot].link >= 0;
}

static void
send_all(struct node *n, enum swap_msg_type type, int seconds)
{
	for (uint32_t i = 0; i < swap.core.n; i++)
		if (swap.core.due[i] == DUE_ANSWER && is_same_life(n, &swap.who[i]))
			send_one(n, swap.who[i].slot, type, 0, "");
	ev_timer_stop(n->loop, &swap.late);
	ev_timer_set(&swap.late, seconds, 0);
	ev_timer_start(n->loop, &swap.late);
}

/* --- the end of it ------------------------------------------------------------------------ */

static void
swap_free(struct node *n)
{
	ev_timer_stop(n->loop, &swap.late);
	free(swap.who);
	free(swap.due);
	swap.who = NULL;
	swap.due = NULL;
	swap.core = (struct swap_core){0};
}

/* A reload that was asked for meanwhile comes now. */
static void
reload_waiting(struct node *n)
{
	if (!n->reload_next || n->role[ROLE_LOAD].pid > 0)
		return;
	n->reload_next = 0;
	load_start(n);
}

static void
swap_done(struct node *n)
{
	char text[128];
	(void)snprintf(text, sizeof text, "%u modules swapped, longest pause %llu us",
	    swap.core.n, (unsigned long long)(swap.longest_ns / 1000));
	log_info("%s", text);
	swap_free(n);
	reload_answer(n, AN_OK, text, n->rows_fd);
	reload_waiting(n);
}

static void
swap_undone(struct node *n)
{
	char text[MSG_TEXT];
	(void)snprintf(text, sizeof text, "nothing was changed: %.400s", swap.why);
	log_error("a swap of modules was undone: %s", swap.why);
	rows_unmap(&swap.next);
	fd_close(&swap.fd);
	swap_free(n);
	reload_answer(n, AN_UNDONE, text, -1);
	reload_waiting(n);
}

static void
because(struct node *n, uint32_t part, const char *text)
{
	char id[ROW_ID_MAX], shown[SWAP_TEXT];
	struct slot *s = slot_at(n, swap.who[part].slot);
	if (swap.why[0] != '\0')
		return;
	slot_id(&n->rows, s, id);
	(void)snprintf(swap.why, sizeof swap.why, "%s: %s", id,
	    str_printable(text, shown, sizeof shown));
}

/* Its module is another one there, and else it could go on. */
static int
is_swapped(struct node *n, uint32_t slot, const struct rows *next, const uint32_t *map)
{
	const struct slot *s = slot_at(n, slot);
	if (s->kind != SLOT_WORKER || (s->flags & SF_OLD_ROW) != 0 ||
	    s->phase == PH_DOWN || s->phase == PH_BACKOFF || s->phase == PH_AFTER ||
	    map[s->row] == ROW_NONE)
		return 0;
	const char *now = module_at(&n->rows, s->row);
	return now[0] != '\0' &&
	       n->rows.row[s->row].start_hash == next->row[map[s->row]].start_hash &&
	       strcmp(now, module_at(next, map[s->row])) != 0;
}

static uint32_t part_of(struct node *n, uint32_t slot);
static void carry_out(struct node *n, enum swap_action action);

/* Nobody was started in the middle of it, and would keep the old module. */
static int
all_take_part(struct node *n)
{
	uint32_t *map = rows_match(&n->rows, &swap.next);
	int ok = map != NULL;
	for (uint32_t i = 1; ok && i < n->st->head.core.slots_used; i++)
		ok = !is_swapped(n, i, &swap.next, map) || part_of(n, i) != UINT32_MAX;
	free(map);
	return ok;
}

static void
force(struct node *n)
{
	struct err err;
	if (!all_take_part(n)) {
		(void)snprintf(swap.why, sizeof swap.why,
		    "a worker was started in the middle of it; try again");
		carry_out(n, swap_step(&swap.core, SWE_REFUSED, 0));
		return;
	}
	if (rows_put_in_force(n, &swap.next, swap.fd, &err) == 0) {
		swap.fd = -1;
		carry_out(n, swap_step(&swap.core, SWE_FORCED, 0));
		return;
	}
	(void)snprintf(swap.why, sizeof swap.why, "%s", err.msg);
	carry_out(n, swap_step(&swap.core, SWE_REFUSED, 0));
}

static void
carry_out(struct node *n, enum swap_action action)
{
	switch (action) {
	case SWA_WAIT:
		return;
	case SWA_CHANGE:
		send_all(n, SWAP_CHANGE, CHANGE_S);
		return;
	case SWA_FORCE:
		force(n);
		return;
	case SWA_COMMIT:
		send_all(n, SWAP_COMMIT, GO_ON_S);
		return;
	case SWA_UNDO:
		send_all(n, SWAP_UNDO, GO_ON_S);
		return;
	case SWA_DONE:
		swap_done(n);
		return;
	case SWA_UNDONE:
		swap_undone(n);
		return;
	}
}

/* Who has not answered hangs: it is killed, and its supervisor starts it again on the
 * side that is in force then. */
static void
on_late(struct ev_loop *loop, ev_timer *t, int events)
{
	struct node *n = t->data;
	(void)loop;
	(void)events;
	clock_read(n);
	for (uint32_t i = 0; i < swap.core.n; i++)
		if (swap.core.due[i] == DUE_ANSWER && is_same_life(n, &swap.who[i])) {
			because(n, i, "it did not answer in time, and was killed");
			kill_main(n, swap.who[i].slot, SIGKILL);
		}
	carry_out(n, swap_step(&swap.core, SWE_LATE, 0));
}

/* --- what workers say -------------------------------------------------------------------- */

static uint32_t
part_of(struct node *n, uint32_t slot)
{
	for (uint32_t i = 0; i < swap.core.n; i++)
		if (swap.who[i].slot == slot &&
		    swap.who[i].gen == slot_at(n, slot)->gen)
			return i;
	return UINT32_MAX;
}

void
link_close(struct node *n, uint32_t slot)
{
	if (n->io[slot].link < 0)
		return;
	ev_io_stop(n->loop, &n->link_io[slot]);
	fd_close(&n->io[slot].link);
	uint32_t part = swap.core.phase != SW_IDLE ? part_of(n, slot) : UINT32_MAX;
	if (part == UINT32_MAX)
		return;
	because(n, part, "it ended in the middle of it");
	carry_out(n, swap_step(&swap.core, SWE_GONE, part));
}

/* It has been told to prepare already: its module is not the question. */
static int
takes_part(struct node *n, uint32_t slot)
{
	uint32_t part = links_busy() ? part_of(n, slot) : UINT32_MAX;
	return part != UINT32_MAX && swap.core.due[part] != DUE_GONE;
}

static void
link_message(struct node *n, uint32_t slot, const struct swap_msg *m)
{
	uint32_t row = slot_at(n, slot)->row;
	if (m->type == SWAP_HELLO && !takes_part(n, slot)) {
		send_one(n, slot, SWAP_MODULE, 0, module_at(slot_rows(n, slot), row));
		return;
	}
	uint32_t part = part_of(n, slot);
	if (part == UINT32_MAX || m->txn != swap.txn)
		return; /* of a swap that is over */
	if (m->type == SWAP_FAILED) {
		because(n, part, m->text);
		carry_out(n, swap_step(&swap.core, SWE_FAILED, part));
	} else if (m->type == SWAP_DONE) {
		swap.longest_ns = MAX(swap.longest_ns, m->value);
		carry_out(n, swap_step(&swap.core, SWE_DONE, part));
	}
}

static void
on_link(struct ev_loop *loop, ev_io *io, int events)
{
	struct node *n = io->data;
	uint32_t slot = (uint32_t)(io - n->link_io);
	struct swap_msg m;
	int fds[CHAN_FDS];
	unsigned nfds = 0;
	(void)loop;
	(void)events;
	clock_read(n);
	ssize_t k = chan_recv(io->fd, &m, sizeof m, fds, &nfds);
	for (unsigned i = 0; k > 0 && i < nfds; i++)
		fd_close(&fds[i]);
	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (k == (ssize_t)sizeof m && m.text[sizeof m.text - 1] == '\0')
		link_message(n, slot, &m);
	else
		link_close(n, slot);
}

/* A worker has come; who it is its pid says. */
int
link_attach(struct node *n, int fd, pid_t pid)
{
	uint32_t slot = pid_find(n, pid);
	if (slot == SLOT_NONE || slot_at(n, slot)->kind != SLOT_WORKER ||
	    module_at(slot_rows(n, slot), slot_at(n, slot)->row)[0] == '\0')
		return -1;
	link_close(n, slot);
	n->io[slot].link = fd;
	ev_io_init(&n->link_io[slot], on_link, fd, EV_READ);
	n->link_io[slot].data = n;
	ev_io_start(n->loop, &n->link_io[slot]);
	return 0;
}

/* --- the beginning ------------------------------------------------------------------------- */

/* 1: it waits for the workers' answers; 0: none is concerned; -1. */
static int
gather(struct node *n, const struct rows *next, const uint32_t *map, struct err *err)
{
	char id[ROW_ID_MAX];
	uint32_t count = 0, used = n->st->head.core.slots_used;
	for (uint32_t i = 1; i < used; i++)
		count += (uint32_t)is_swapped(n, i, next, map);
	if (count == 0)
		return 0;
	swap.who = calloc(count, sizeof *swap.who);
	swap.due = calloc(count, sizeof *swap.due);
	if (swap.who == NULL || swap.due == NULL)
		return err_set(err, ERR_SYS, "no memory for a swap");
	uint32_t k = 0;
	for (uint32_t i = 1; i < used; i++) {
		if (!is_swapped(n, i, next, map))
			continue;
		const struct slot *s = slot_at(n, i);
		slot_id(&n->rows, s, id);
		if (s->phase != PH_UP || n->io[i].link < 0)
			return err_set(err, ERR_BUSY,
			    s->phase != PH_UP
				? "%s is just on its way up or down; try again"
				: "%s has no connection to the master; try again",
			    id);
		swap.who[k++] = (struct swap_who){i, s->gen};
	}
	swap_start(&swap.core, swap.due, count);
	return 1;
}

int
links_swap_begin(struct node *n, struct rows *next, int fd, struct err *err)
{
	uint32_t *map = rows_match(&n->rows, next);
	if (map == NULL)
		return err_set(err, ERR_SYS, "no memory for a reload");
	int r = gather(n, next, map, err);
	if (r <= 0) {
		swap_free(n);
		free(map);
		return r;
	}
	swap.txn++;
	swap.next = *next;
	swap.fd = fd;
	swap.longest_ns = 0;
	swap.why[0] = '\0';
	n->reloading = 0; /* the load process may end now */
	ev_init(&swap.late, on_late);
	swap.late.data = n;
	for (uint32_t i = 0; i < swap.core.n; i++)
		send_one(n, swap.who[i].slot, SWAP_PREPARE, 1,
		    module_at(next, map[slot_at(n, swap.who[i].slot)->row]));
	free(map);
	ev_timer_set(&swap.late, PREPARE_S, 0);
	ev_timer_start(n->loop, &swap.late);
	return 1;
}
