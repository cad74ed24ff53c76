#include "master/node.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * Keeper and master died together: what they held is taken back from the workers that
 * live, if the kernel allows it (pidfd_getfd: root, or the same user without Yama), and
 * only if the inode is the one that was recorded.
 */

enum { FIRST_SOCK_FD = 3, OUTPUT_FD = 1 };

/* A duplicate of descriptor `number` of that process, if it is this inode; -1. */
static int
take_fd(int pidfd, unsigned number, uint64_t ino)
{
	struct stat sb;
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	if (fd >= 0 && (ino == 0 || fstat(fd, &sb) < 0 || sb.st_ino != ino))
		fd_close(&fd);
	return fd;
}

static void
take_socks(struct node *n, uint32_t slot, const struct row_exec *x)
{
	for (uint32_t i = 0; i < x->nsocks; i++) {
		uint32_t k = n->rows.word[x->socks + i];
		const struct state_sock *known = &n->st->head.sock[k];
		if (n->socks[k] >= 0 || known->hash != n->rows.sock[k].hash)
			continue;
		n->socks[k] = take_fd(n->io[slot].pidfd, FIRST_SOCK_FD + i, known->ino);
		if (n->socks[k] >= 0)
			keep_store(n, KEEP_SOCK, known->hash, n->socks[k]);
	}
}

/* The pipe's other end is opened anew: a logger that lives may have been killed with, or
 * may not have heard of it.  One that has it knows it by its inode. */
static void
take_pipe(struct node *n, uint32_t slot)
{
	char path[64];
	struct slot_io *io = &n->io[slot];
	int fd = take_fd(io->pidfd, OUTPUT_FD, slot_at(n, slot)->log_ino);
	if (fd < 0)
		return;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	io->log_read = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (io->log_read < 0) {
		fd_close(&fd);
		return;
	}
	io->log_write = fd;
	keep_store(n, KEEP_LOG_READ, slot, io->log_read);
	keep_store(n, KEEP_LOG_WRITE, slot, io->log_write);
	log_add(n, slot);
}

/* Null if that slot holds no worker to take anything from. */
static const struct row_exec *
exec_of(const struct node *n, uint32_t slot)
{
	const struct slot *s = &n->st->slot[slot];
	if (s->kind != SLOT_WORKER || s->pid <= 0 || n->io[slot].pidfd < 0 ||
	    (s->flags & SF_OLD_ROW) != 0)
		return NULL;
	return &n->rows.exec[n->rows.row[s->row].exec];
}

/* Of a worker that was adopted and is not this process's or the keeper's child. */
void
adopt_fds(struct node *n, uint32_t slot)
{
	const struct row_exec *x = exec_of(n, slot);
	if (x == NULL)
		return;
	take_socks(n, slot, x);
	if (x->log_kind == LOG_FILE && n->io[slot].log_read < 0)
		take_pipe(n, slot);
	keep_flush(n);
}

/* --- what nobody holds any more -------------------------------------------------------- */

/* Of the slot's life before this one, as the events tell it. */
static const char *
name_before(const struct node *n, uint32_t slot)
{
	char now[ROW_ID_MAX] = "";
	if (n->st->slot[slot].kind != SLOT_FREE)
		slot_id(&n->rows, &n->st->slot[slot], now);
	uint64_t newest = n->st->head.event_n;
	for (uint64_t k = newest; k > 0 && newest - k < EVENT_RING; k--) {
		const struct event *ev = &n->st->event[k % EVENT_RING];
		if (ev->n == k && ev->slot == slot && strcmp(ev->id, now) != 0)
			return ev->id;
	}
	return NULL;
}

/*
 * A slot was freed, and the master was killed before it gave up what that held: the keeper
 * has it still.  By now the slot may be another's.
 */
void
adopt_leftovers(struct node *n)
{
	struct stat sb;
	for (uint32_t i = ROOT + 1; i < SLOT_MAX; i++) {
		const struct slot *s = slot_at(n, i);
		const struct slot_io *io = &n->io[i];
		int strange = io->log_read >= 0 && fstat(io->log_read, &sb) == 0 &&
			      sb.st_ino != s->log_ino;
		int held = io->log_read >= 0 || io->log_write >= 0 || io->notify >= 0;
		if (!held || (s->kind != SLOT_FREE && !strange))
			continue;
		const char *id = name_before(n, i);
		slot_fds_drop(n, i, id != NULL ? id : "gone");
		if (s->kind == SLOT_FREE && id != NULL)
			cgroup_remove(n, id);
	}
}
