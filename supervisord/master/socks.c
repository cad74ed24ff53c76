#include "master/node.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * Descriptors that outlive processes: listening sockets, one log pipe and one notify
 * socket a worker.  Each is made once, stored with the keeper, and handed on.
 */

/* --- listening sockets --------------------------------------------------------------- */

static int
sock_bind_unix(const struct rows *r, const struct row_sock *so, int fd)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	const char *path = rows_string(r, so->path), *slash = strrchr(path, '/');
	char dir[DIRS_PATH];
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;
	if (slash == NULL || len >= sizeof dir || strlen(slash) > 64) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(dir, path, len);
	dir[len] = '\0';
	int at = open(len > 0 ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return -1;
	(void)snprintf(
	    sa.sun_path, sizeof sa.sun_path, "/proc/self/fd/%d/%s", at, slash + 1);
	struct stat sb;
	if (fstatat(at, slash + 1, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISSOCK(sb.st_mode))
		(void)unlinkat(at, slash + 1, 0);
	int ret = bind(fd, (struct sockaddr *)&sa, sizeof sa);
	if (ret == 0 && so->mode != 0)
		ret = fchmodat(at, slash + 1, (mode_t)so->mode, 0);
	if (ret == 0 && (so->uid != UINT32_MAX || so->gid != UINT32_MAX))
		ret = fchownat(at, slash + 1, so->uid, so->gid, AT_SYMLINK_NOFOLLOW);
	fd_close(&at);
	return ret;
}

/* The file of a unix socket goes with the socket. */
static void
sock_unlink(const struct rows *r, const struct row_sock *so)
{
	struct stat sb;
	const char *path = rows_string(r, so->path);
	if (so->addr_len == 0 && path[0] == '/' &&
	    fstatat(AT_FDCWD, path, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISSOCK(sb.st_mode))
		(void)unlink(path);
}

void
socks_end(struct node *n)
{
	for (uint32_t k = 0; k < n->rows.head->nsocks; k++)
		if (n->socks[k] >= 0)
			sock_unlink(&n->rows, &n->rows.sock[k]);
}

static int
sock_make(const struct rows *r, const struct row_sock *so)
{
	struct sockaddr_storage sa = {.ss_family = AF_UNIX};
	int on = 1;
	if (so->addr_len > 0)
		memcpy(&sa, so->addr, so->addr_len);
	int fd = socket(sa.ss_family, (int)so->type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (sa.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	int ret = so->addr_len > 0 ? bind(fd, (struct sockaddr *)&sa, so->addr_len)
				   : sock_bind_unix(r, so, fd);
	if (ret == 0 && so->type != SOCK_DGRAM)
		ret = listen(fd, (int)so->backlog);
	if (ret < 0)
		fd_close(&fd);
	return fd;
}

static void
sock_note(struct node *n, uint32_t index, const struct row_sock *so)
{
	struct stat sb = {0};
	(void)fstat(n->socks[index], &sb);
	n->st->head.sock[index] =
	    (struct state_sock){.hash = so->hash, .ino = sb.st_ino};
}

/* Makes those of a worker that are not there yet. */
int
socks_need(struct node *n, uint32_t slot, struct reason *why)
{
	const struct slot *s = slot_at(n, slot);
	const struct rows *r = &n->rows;
	if ((s->flags & SF_OLD_ROW) != 0)
		return 0; /* it only ends */
	const struct row_exec *x = &r->exec[r->row[s->row].exec];
	for (uint32_t i = 0; i < x->nsocks; i++) {
		uint32_t k = r->word[x->socks + i];
		if (n->socks[k] >= 0)
			continue;
		n->socks[k] = sock_make(r, &r->sock[k]);
		if (n->socks[k] < 0) {
			why->stage = ST_SOCKET;
			why->code = errno;
			return -1;
		}
		sock_note(n, k, &r->sock[k]);
		keep_store(n, KEEP_SOCK, r->sock[k].hash, n->socks[k]);
	}
	return 0;
}

/* At the start: what the keeper held comes into its place, or is given up. */
void
socks_adopt(struct node *n)
{
	for (uint32_t k = 0; k < n->rows.head->nsocks; k++)
		for (uint32_t j = 0; j < n->nkept_socks; j++)
			if (n->kept_sock[j].number == n->rows.sock[k].hash) {
				n->socks[k] = n->kept_sock_fd[j];
				n->kept_sock_fd[j] = -1;
				sock_note(n, k, &n->rows.sock[k]);
			}
	for (uint32_t j = 0; j < n->nkept_socks; j++)
		if (n->kept_sock_fd[j] >= 0) {
			keep_drop(n, KEEP_SOCK, n->kept_sock[j].number);
			fd_close(&n->kept_sock_fd[j]);
		}
	n->nkept_socks = 0;
}

static uint32_t
sock_index(const struct rows *r, uint64_t hash)
{
	uint32_t k = 0;
	while (k < r->head->nsocks && r->sock[k].hash != hash)
		k++;
	return k;
}

/* Other rows: sockets that are the same stay, the others are closed. */
void
socks_follow(struct node *n, const struct rows *before)
{
	int old[SOCKS_MAX];
	memcpy(old, n->socks, sizeof old);
	for (uint32_t k = 0; k < SOCKS_MAX; k++)
		n->socks[k] = -1;
	for (uint32_t j = 0; j < before->head->nsocks; j++) {
		uint32_t k = sock_index(&n->rows, before->sock[j].hash);
		if (old[j] < 0)
			continue;
		if (k < n->rows.head->nsocks && n->socks[k] < 0) {
			n->socks[k] = old[j];
			sock_note(n, k, &n->rows.sock[k]);
			continue;
		}
		keep_drop(n, KEEP_SOCK, before->sock[j].hash);
		sock_unlink(before, &before->sock[j]);
		fd_close(&old[j]);
	}
}

/* --- log pipes ----------------------------------------------------------------------- */

static int
wants_pipe(const struct node *n, uint32_t slot)
{
	const struct slot *s = &n->st->slot[slot];
	if (slot == ROOT)
		return 1;
	if (s->kind != SLOT_WORKER || (s->flags & SF_OLD_ROW) != 0)
		return 0;
	return n->rows.exec[n->rows.row[s->row].exec].log_kind == LOG_FILE;
}

/*
 * A worker's end can be read, too: whoever writes holds a reader, and is never killed by
 * SIGPIPE while keeper, master and logger are dead at once.
 */
void
pipe_hold(int *fd)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
	int both = open(path, O_RDWR | O_CLOEXEC);
	if (both < 0)
		return;
	fd_close(fd);
	*fd = both;
}

int
pipes_need(struct node *n, uint32_t slot)
{
	struct slot_io *io = &n->io[slot];
	struct stat sb;
	int pipe[2];
	if (io->log_write >= 0 || !wants_pipe(n, slot))
		return 0;
	if (pipe2(pipe, O_CLOEXEC) < 0)
		return -1;
	io->log_read = pipe[0];
	io->log_write = pipe[1];
	(void)fd_nonblock(io->log_read);
	pipe_hold(&io->log_write);
	if (fstat(io->log_read, &sb) == 0)
		slot_at(n, slot)->log_ino = sb.st_ino;
	keep_store(n, KEEP_LOG_READ, slot, io->log_read);
	keep_store(n, KEEP_LOG_WRITE, slot, io->log_write);
	log_add(n, slot);
	return 0;
}

/* Tells the logger of a pipe; what does not fit into the channel is told later. */
void
log_add(struct node *n, uint32_t slot)
{
	struct slot_io *io = &n->io[slot];
	const struct slot *s = slot_at(n, slot);
	struct msg_log_add m = {.m = {.type = MSG_LOG_ADD, .slot = slot}};
	if (io->log_read < 0 || n->role[ROLE_LOGGER].chan < 0)
		return;
	m.ino = s->log_ino;
	if (slot == ROOT) {
		const struct row_node *rn = &n->rows.head->node;
		(void)snprintf(m.id, sizeof m.id, "node");
		m.max_bytes = rn->log_max_bytes;
		m.max_age_ms = rn->log_max_age_ms;
		m.keep = rn->log_keep;
		m.flags = 1 | (rn->log_zstd ? 2 : 0);
	} else if (s->kind != SLOT_WORKER || (s->flags & SF_OLD_ROW) != 0) {
		return;
	} else {
		const struct row_exec *x = &n->rows.exec[n->rows.row[s->row].exec];
		slot_id(&n->rows, s, m.id);
		m.max_bytes = x->log_max_bytes;
		m.max_age_ms = x->log_max_age_ms;
		m.keep = x->log_keep;
		m.flags = ((x->flags & EXECF_LOG_TIME) != 0 ? 1 : 0) |
			  ((x->flags & EXECF_LOG_ZSTD) != 0 ? 2 : 0);
	}
	io->log_told = role_send(n, ROLE_LOGGER, &m, sizeof m, &io->log_read, 1) == 0;
	if (!io->log_told)
		n->logs_untold = 1;
}

void
log_add_all(struct node *n)
{
	n->logs_untold = n->role[ROLE_LOGGER].up && pipes_left_tell(n) < 0;
	for (uint32_t i = 0; i < n->st->head.core.slots_used && !n->logs_untold; i++)
		if (n->io[i].log_read >= 0 && !n->io[i].log_told)
			log_add(n, i);
}

/* The node's own log: a pipe like a worker's, under the root's slot. */
void
node_log_open(struct node *n)
{
	struct slot_io *io = &n->io[ROOT];
	if (pipes_need(n, ROOT) < 0)
		return;
	keep_flush(n);
	if (n->tee_fd < 0)
		n->tee_fd = fcntl(2, F_DUPFD_CLOEXEC, 20);
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", io->log_write);
	int fd = open(
	    path, O_WRONLY | O_NONBLOCK | O_CLOEXEC); /* its own file description */
	if (fd < 0)
		return;
	(void)dup2(fd, 2);
	fd_close(&fd);
}

/* --- notify sockets ------------------------------------------------------------------ */

static int
wants_notify(const struct node *n, uint32_t slot)
{
	const struct slot *s = &n->st->slot[slot];
	const struct row *r = &n->rows.row[s->row];
	return (s->flags & SF_OLD_ROW) == 0 &&
	       (r->ready == READY_NOTIFY || r->watchdog_ms > 0);
}

static int
notify_bind(struct node *n, uint32_t slot)
{
	char name[64];
	struct err err;
	(void)snprintf(name, sizeof name, "%u", slot);
	if (strlen(n->dirs.run) < 80) {
		int fd =
		    fd_unix_bind(n->notify_dir, name, SOCK_DGRAM | SOCK_NONBLOCK, &err);
		if (fd >= 0 && fchmodat(n->notify_dir, name, 0666, 0) < 0)
			fd_close(&fd);
		return fd; /* who speaks is told by SCM_CREDENTIALS */
	}
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int len = snprintf(sa.sun_path + 1, sizeof sa.sun_path - 1,
	    "steward/%016llx/%u", (unsigned long long)n->st->head.started_ms, slot);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t salen =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) + (socklen_t)len;
	if (fd >= 0 && bind(fd, (struct sockaddr *)&sa, salen) < 0)
		fd_close(&fd);
	return fd;
}

int
notify_need(struct node *n, uint32_t slot)
{
	struct slot_io *io = &n->io[slot];
	int on = 1;
	if (io->notify >= 0 || !wants_notify(n, slot))
		return 0;
	io->notify = notify_bind(n, slot);
	if (io->notify < 0)
		return -1;
	(void)setsockopt(io->notify, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	keep_store(n, KEEP_NOTIFY, slot, io->notify);
	return 0;
}

/* The slot is free: what it held is given up everywhere. */
void
slot_fds_drop(struct node *n, uint32_t slot, const char *id)
{
	struct slot_io *io = &n->io[slot];
	char name[32];
	if (io->log_read >= 0) {
		struct msg m = {.type = MSG_LOG_DROP, .slot = slot};
		int told = io->log_told &&
			   role_send(n, ROLE_LOGGER, &m, sizeof m, NULL, 0) == 0;
		pipe_leave(n, slot, id, &io->log_read, told);
		keep_drop(n, KEEP_LOG_READ, slot);
		keep_drop(n, KEEP_LOG_WRITE, slot);
	}
	if (io->notify >= 0) {
		keep_drop(n, KEEP_NOTIFY, slot);
		(void)snprintf(name, sizeof name, "%u", slot);
		(void)unlinkat(n->notify_dir, name, 0);
	}
	fd_close(&io->log_read);
	fd_close(&io->log_write);
	fd_close(&io->notify);
	fd_close(&io->ready_read);
	fd_close(&io->pidfd);
	io->log_told = 0;
	io->probe_knows = 0;
}
