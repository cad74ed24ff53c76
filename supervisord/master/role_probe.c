#include "master/node.h"

#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * What the probe is told of a worker, and what it found out.  A fact from a process that
 * is neither the worker's main process nor one of its own is not believed.
 */

static void
tell_notify(struct node *n, uint32_t slot)
{
	struct slot_io *io = &n->io[slot];
	const struct slot *s = slot_at(n, slot);
	struct msg_probe m = {
	    .m = {.type = MSG_PROBE_NOTIFY, .slot = slot, .gen = s->gen},
	    .pid = s->pid};
	if (io->notify < 0)
		return;
	unsigned with_fd = io->probe_knows ? 0 : 1;
	if (role_send(n, ROLE_PROBE, &m, sizeof m, &io->notify, with_fd) == 0)
		io->probe_knows = 1;
}

static void
tell_tcp(struct node *n, uint32_t slot, const struct row_exec *x)
{
	const struct slot *s = slot_at(n, slot);
	struct msg_probe m = {.m = {.type = MSG_PROBE_TCP, .slot = slot, .gen = s->gen},
	    .pid = s->pid,
	    .addr_len = x->ready_addr_len};
	memcpy(m.addr, x->ready_addr, sizeof m.addr);
	(void)role_send(n, ROLE_PROBE, &m, sizeof m, NULL, 0);
}

static void
tell_fd(struct node *n, uint32_t slot)
{
	struct slot_io *io = &n->io[slot];
	const struct slot *s = slot_at(n, slot);
	struct msg_probe m = {
	    .m = {.type = MSG_PROBE_FD, .slot = slot, .gen = s->gen}, .pid = s->pid};
	if (io->ready_read >= 0 &&
	    role_send(n, ROLE_PROBE, &m, sizeof m, &io->ready_read, 1) == 0 &&
	    s->phase != PH_STARTING && s->phase != PH_SPAWNING)
		fd_close(
		    &io->ready_read); /* kept while a new probe may need it again */
}

/* Before the clone: what a quick worker says at once is of the new incarnation. */
void
probe_expect(struct node *n, uint32_t slot)
{
	tell_notify(n, slot);
}

/* A new incarnation, or a new probe. */
void
probe_worker(struct node *n, uint32_t slot)
{
	const struct slot *s = slot_at(n, slot);
	if ((s->flags & SF_OLD_ROW) != 0 || s->pid <= 0)
		return;
	const struct row *r = &n->rows.row[s->row];
	tell_notify(n, slot);
	if (s->phase != PH_SPAWNING && s->phase != PH_STARTING)
		return;
	if (r->ready == READY_TCP)
		tell_tcp(n, slot, &n->rows.exec[r->exec]);
	else if (r->ready == READY_FD)
		tell_fd(n, slot);
}

void
probe_all(struct node *n)
{
	for (uint32_t i = 0; i < n->st->head.core.slots_used; i++)
		if (n->st->slot[i].kind == SLOT_WORKER)
			probe_worker(n, i);
}

void
probe_forget(struct node *n, uint32_t slot, uint32_t gen)
{
	struct msg m = {.type = MSG_PROBE_DROP, .slot = slot, .gen = gen};
	struct slot_io *io = &n->io[slot];
	int probed = io->probe_knows || io->ready_read >= 0;
	const struct slot *s = slot_at(n, slot);
	if (!probed && s->kind == SLOT_WORKER && (s->flags & SF_OLD_ROW) == 0)
		probed = n->rows.row[s->row].ready == READY_TCP;
	fd_close(&io->ready_read);
	if (probed)
		(void)role_send(n, ROLE_PROBE, &m, sizeof m, NULL, 0);
}

/* The sender is the main process, or of its session. */
static int
is_its_own(const struct node *n, uint32_t slot, pid_t pid)
{
	if (pid <= 0)
		return 0;
	return pid == n->st->slot[slot].pid || getsid(pid) == n->io[slot].session;
}

static void
main_pid(struct node *n, const struct msg_fact *m)
{
	uint32_t slot = m->m.slot;
	const struct slot *s = slot_at(n, slot);
	pid_t pid = (pid_t)m->m.value;
	if (m->m.value == (uint64_t)s->pid)
		return; /* told again, by the next probe */
	if (m->m.value > INT32_MAX || !is_its_own(n, slot, pid) ||
	    pid_find(n, pid) != SLOT_NONE) {
		log_warn("worker in slot %u gen %u: MAINPID=%llu is not one of its own",
		    slot, s->gen, (unsigned long long)m->m.value);
		return;
	}
	pid_forget(n, s->pid);
	pid_learn(n, pid, slot);
	feed(n, &(struct input){.type = IN_MAINPID,
		    .slot = slot,
		    .gen = s->gen,
		    .value = (uint64_t)pid});
	slot_at(n, slot)->born = process_born(pid);
	watch_foreign(n, slot);
	tell_notify(n, slot);
}

static void
said_status(struct node *n, uint32_t slot, const char *text)
{
	memcpy(n->st->status[slot], text, STATUS_TEXT);
	n->st->status[slot][STATUS_TEXT - 1] = '\0';
}

static void
take_fact(struct node *n, const struct msg_fact *m)
{
	uint32_t slot = m->m.slot;
	if (slot >= n->st->head.core.slots_used)
		return;
	const struct slot *s = slot_at(n, slot);
	if (s->kind != SLOT_WORKER || s->gen != m->m.gen ||
	    (s->flags & SF_OLD_ROW) != 0)
		return;
	uint8_t ready = n->rows.row[s->row].ready;
	int by_notify = m->fact != FACT_READY || ready == READY_NOTIFY;
	if (by_notify && !is_its_own(n, slot, m->sender))
		return;
	struct input in = {.slot = slot, .gen = s->gen, .value = m->fact};
	switch ((enum fact)m->fact) {
	case FACT_READY:
		in.type = s->phase == PH_UP ? IN_SAID : IN_READY;
		break;
	case FACT_STATUS:
		said_status(n, slot, m->text);
		return;
	case FACT_STOPPING:
	case FACT_RELOADING:
		in.type = IN_SAID;
		break;
	case FACT_WATCHDOG:
		in.type = IN_PING;
		break;
	case FACT_WATCHDOG_TRIGGER:
		in.type = IN_WATCHDOG_MS;
		in.value = 1;
		break;
	case FACT_WATCHDOG_USEC:
		in.type = IN_WATCHDOG_MS;
		in.value = m->m.value / 1000;
		break;
	case FACT_EXTEND:
		in.type = IN_EXTEND;
		in.value = m->m.value / 1000;
		break;
	case FACT_MAINPID:
		main_pid(n, m);
		return;
	case FACT_MAX:
		return;
	}
	feed(n, &in);
}

/* A fact of weight is answered once it is in the state: till then its datagram stays in
 * the socket, for the next probe of the next master. */
void
probe_fact(struct node *n, const struct msg_fact *m)
{
	struct msg heard = {.type = MSG_PROBE_HEARD,
	    .ref = m->m.ref,
	    .slot = m->m.slot,
	    .gen = m->m.gen};
	take_fact(n, m);
	if (m->m.ref != 0)
		(void)role_send(n, ROLE_PROBE, &heard, sizeof heard, NULL, 0);
}
