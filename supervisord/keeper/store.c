#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/fd.h"
#include "base/log.h"
#include "keeper/keeper.h"
#include "proto/inherit.h"
#include "state/state.h"

/*
 * What is kept by slot stands in arrays of descriptor + 1, so that untouched memory means
 * nothing kept; sockets stand in a short list.
 */
enum { SLOT_KINDS = 3 };

static int32_t by_slot[SLOT_KINDS][SLOT_MAX];
static struct inherit_fd socks[SOCKS_MAX + 1];
static unsigned nsocks;
static uint32_t slots_used;

static int32_t *
place_of(uint32_t kind, uint64_t number)
{
	if (kind < KEEP_LOG_READ || kind > KEEP_NOTIFY || number >= SLOT_MAX)
		return NULL;
	return &by_slot[kind - KEEP_LOG_READ][number];
}

static void
store_put(uint32_t kind, uint64_t number, int fd)
{
	int32_t *place = place_of(kind, number);
	if (place != NULL) {
		int old = *place - 1;
		fd_close(&old);
		*place = fd + 1;
		if (fd >= 0 && number >= slots_used)
			slots_used = (uint32_t)number + 1;
		return;
	}
	unsigned i = 0;
	while (i < nsocks && (socks[i].kind != kind || socks[i].number != number))
		i++;
	if (i < nsocks)
		fd_close(&socks[i].fd);
	if (fd < 0) {
		if (i < nsocks)
			socks[i] = socks[--nsocks];
		return;
	}
	if (i == COUNT(socks)) {
		fd_close(&fd);
		return;
	}
	socks[i] = (struct inherit_fd){.kind = kind, .number = number, .fd = fd};
	if (i == nsocks)
		nsocks++;
}

void
store_take(struct keep_msg *m, const int *fds, unsigned nfds)
{
	for (unsigned i = 0; i < nfds; i++) {
		int fd = fds[i];
		if (i < m->n)
			store_put(m->key[i].kind, m->key[i].number, fd);
		else
			fd_close(&fd);
	}
}

void
store_drop(const struct keep_msg *m)
{
	for (unsigned i = 0; i < m->n; i++)
		store_put(m->key[i].kind, m->key[i].number, -1);
}

/* Walks all that is kept: 1 and *out, or 0 at the end.  *at begins at 0. */
static int
store_next(uint64_t *at, struct inherit_fd *out)
{
	uint64_t per_slot = (uint64_t)slots_used * SLOT_KINDS;
	for (; *at < per_slot; (*at)++) {
		uint32_t kind = (uint32_t)(*at % SLOT_KINDS);
		uint32_t slot = (uint32_t)(*at / SLOT_KINDS);
		if (by_slot[kind][slot] == 0)
			continue;
		*out = (struct inherit_fd){.kind = KEEP_LOG_READ + kind,
		    .number = slot,
		    .fd = by_slot[kind][slot] - 1};
		(*at)++;
		return 1;
	}
	if (*at - per_slot >= nsocks)
		return 0;
	*out = socks[*at - per_slot];
	(*at)++;
	return 1;
}

int
store_send_all(int chan)
{
	struct keep_msg m = {.type = KEEP_FDS};
	int fds[CHAN_FDS];
	uint64_t at = 0;
	struct inherit_fd f;
	int more;
	do {
		more = store_next(&at, &f);
		if (more) {
			m.key[m.n] =
			    (struct keep_key){.kind = f.kind, .number = f.number};
			fds[m.n++] = f.fd;
		}
		if (m.n == KEEP_KEYS || (!more && m.n > 0)) {
			if (chan_send(chan, &m, KEEP_MSG_SIZE(m.n), fds, m.n) < 0)
				return -1;
			m.n = 0;
		}
	} while (more);
	return 0;
}

/* --- statuses of orphans ----------------------------------------------------------- */

void
reaped_add(struct keeper *k, pid_t pid, int status)
{
	struct keep_key *e = &k->reaped[k->reaped_n % REAPED_RING];
	*e = (struct keep_key){.number = ++k->reaped_n,
	    .value = (uint64_t)(uint32_t)pid << 32 | (uint32_t)status};
	if (k->reaped_n - k->acked_n > REAPED_RING)
		k->acked_n = k->reaped_n - REAPED_RING; /* the oldest are lost */
}

/* Short words that may not fit into the channel at once. */
static void
due_send(struct keeper *k)
{
	struct keep_msg go = {.type = KEEP_GO, .value = (uint64_t)getpid()};
	struct keep_msg lost = {.type = KEEP_LOST};
	if (k->go_due && chan_send(k->chan, &go, KEEP_MSG_SIZE(0), NULL, 0) == 0)
		k->go_due = 0;
	if (k->lost_due && chan_send(k->chan, &lost, KEEP_MSG_SIZE(0), NULL, 0) == 0)
		k->lost_due = 0;
}

/* Sends what has not been sent; a full channel is tried again when it has room. */
void
reaped_send(struct keeper *k)
{
	if (k->sent_n < k->acked_n)
		k->sent_n = k->acked_n;
	while (k->chan >= 0 && k->sent_n < k->reaped_n) {
		struct keep_msg m = {.type = KEEP_REAPED};
		while (m.n < KEEP_KEYS && k->sent_n + m.n < k->reaped_n) {
			m.key[m.n] = k->reaped[(k->sent_n + m.n) % REAPED_RING];
			m.n++;
		}
		if (chan_send(k->chan, &m, KEEP_MSG_SIZE(m.n), NULL, 0) < 0)
			return;
		k->sent_n += m.n;
	}
	if (k->chan >= 0)
		due_send(k);
}

/* --- over an exec ------------------------------------------------------------------ */

static int
inherit_write_to(int fd, const struct keeper *k)
{
	struct inherit_head h = {.magic = INHERIT_MAGIC,
	    .master = k->master,
	    .chan = k->chan,
	    .lock_fd = k->lock_fd,
	    .reaped_n = k->reaped_n,
	    .acked_n = k->acked_n};
	if (fd_write_all(fd, &h, sizeof h) < 0)
		return -1;
	uint64_t at = 0;
	for (struct inherit_fd f; store_next(&at, &f); h.n++) {
		(void)fd_cloexec(f.fd, 0);
		if (fd_write_all(fd, &f, sizeof f) < 0)
			return -1;
	}
	for (uint64_t i = k->acked_n; i < k->reaped_n; i++)
		if (fd_write_all(
			fd, &k->reaped[i % REAPED_RING], sizeof(struct keep_key)) < 0)
			return -1;
	return pwrite(fd, &h, sizeof h, 0) == (ssize_t)sizeof h ? 0 : -1;
}

/* There was no exec: the children of this one are to inherit nothing. */
void
inherit_stay(const struct keeper *k)
{
	uint64_t at = 0;
	for (struct inherit_fd f; store_next(&at, &f);)
		(void)fd_cloexec(f.fd, 1);
	(void)fd_cloexec(k->chan, 1);
	(void)fd_cloexec(k->lock_fd, 1);
}

int
inherit_write(struct keeper *k)
{
	int fd = memfd_create("inherit", 0);
	if (fd < 0 || inherit_write_to(fd, k) < 0) {
		uint64_t at = 0;
		for (struct inherit_fd f; store_next(&at, &f);)
			(void)fd_cloexec(
			    f.fd, 1); /* the keeper stays: see keeper_exec */
		fd_close(&fd);
		return -1;
	}
	(void)fd_cloexec(k->chan, 0);
	(void)fd_cloexec(k->lock_fd, 0);
	return fd;
}

static int
read_exactly(int fd, void *buf, size_t len)
{
	return read(fd, buf, len) == (ssize_t)len ? 0 : -1;
}

int
inherit_read(struct keeper *k, int fd, struct err *err)
{
	struct inherit_head h;
	if (lseek(fd, 0, SEEK_SET) != 0 || read_exactly(fd, &h, sizeof h) < 0 ||
	    h.magic != INHERIT_MAGIC)
		return err_set(
		    err, ERR_PROTO, "descriptor %d holds no inheritance", fd);
	for (uint32_t i = 0; i < h.n; i++) {
		struct inherit_fd f;
		if (read_exactly(fd, &f, sizeof f) < 0)
			break;
		(void)fd_cloexec(f.fd, 1);
		store_put(f.kind, f.number, f.fd);
	}
	k->reaped_n = k->acked_n = h.acked_n;
	for (uint64_t i = h.acked_n; i < h.reaped_n; i++) {
		struct keep_key e;
		if (read_exactly(fd, &e, sizeof e) < 0)
			break;
		reaped_add(k, (pid_t)(e.value >> 32), (int)(uint32_t)e.value);
	}
	k->master = h.master;
	k->chan = h.chan;
	k->lock_fd = h.lock_fd;
	(void)fd_cloexec(k->lock_fd, 1);
	if (k->chan >= 0)
		(void)fd_cloexec(k->chan, 1);
	fd_close(&fd);
	return 0;
}
