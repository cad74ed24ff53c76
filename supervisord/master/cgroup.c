#include "master/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * A cgroup of its own for each worker, kept across its restarts, where cgroup v2 can be
 * written: under this node's own cgroup, in steward-HASH (of the run directory), one
 * directory a worker.  Nothing but directories and cgroup.kill is used here.
 */

/* Where cgroup2 is mounted, from /proc/self/mountinfo: field 5, type behind " - ". */
static int
find_mount(char *out, size_t cap)
{
	static char info[262144];
	if (fd_read_file(AT_FDCWD, "/proc/self/mountinfo", info, sizeof info) <= 0)
		return -1;
	char *save = NULL;
	for (char *line = strtok_r(info, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *type = strstr(line, " - cgroup2 "), *p = line;
		if (type == NULL)
			continue;
		for (int f = 0; f < 4 && p != NULL; f++)
			p = strchr(p + 1, ' ');
		if (p == NULL)
			continue;
		p++;
		size_t len = strcspn(p, " ");
		if (len >= cap)
			continue;
		memcpy(out, p, len);
		out[len] = '\0';
		return 0;
	}
	return -1;
}

/* Our own cgroup: the line "0::/PATH"; a leaf we made ourselves does not count. */
static int
find_own(char *out, size_t cap)
{
	char text[4096];
	if (fd_read_file(AT_FDCWD, "/proc/self/cgroup", text, sizeof text) <= 0)
		return -1;
	char *p = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (p == NULL)
		return -1;
	p = strstr(p, "::") + 2;
	p[strcspn(p, "\n")] = '\0';
	size_t len = strlen(p), tail = strlen("/supervisor");
	if (len >= tail && strcmp(p + len - tail, "/supervisor") == 0)
		p[len - tail] = '\0';
	return snprintf(out, cap, "%s", p) < (int)cap ? 0 : -1;
}

static uint32_t
hash_of(const char *s)
{
	uint32_t h = 2166136261U;
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619U;
	return h;
}

/* In a service's cgroup keeper and master go into a leaf, or controllers could never be
 * enabled above their heads. */
static void
enter_leaf(const struct node *n, const char *own)
{
	char path[DIRS_PATH * 4], pid[32];
	(void)snprintf(path, sizeof path, "%s/supervisor", own);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof path, "%s/supervisor/cgroup.procs", own);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	const pid_t who[] = {n->keeper, getpid()};
	for (unsigned i = 0; i < COUNT(who); i++) {
		int len = snprintf(pid, sizeof pid, "%d", (int)who[i]);
		if (write(fd, pid, (size_t)len) < 0)
			log_warn("no leaf cgroup for process %s", pid);
	}
	fd_close(&fd);
}

void
cgroup_init(struct node *n)
{
	char mount[DIRS_PATH], own[DIRS_PATH], path[DIRS_PATH * 3];
	n->cgroup_root = -1;
	if (!n->rows.head->node.cgroups || find_mount(mount, sizeof mount) < 0 ||
	    find_own(own, sizeof own) < 0)
		return;
	int at_top = own[0] == '\0' || strcmp(own, "/") == 0;
	(void)snprintf(path, sizeof path, "%s%s", mount, at_top ? "" : own);
	if (!at_top && getenv("INVOCATION_ID") != NULL)
		enter_leaf(n, path);
	size_t len = strlen(path);
	(void)snprintf(
	    path + len, sizeof path - len, "/steward-%08x", hash_of(n->dirs.run));
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return;
	n->cgroup_root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n->cgroup_root >= 0 &&
	    faccessat(n->cgroup_root, "cgroup.kill", W_OK, 0) < 0)
		fd_close(&n->cgroup_root);
}

static void
name_of(const struct node *n, uint32_t slot, char *name)
{
	const struct slot *s = &n->st->slot[slot];
	const struct rows *r =
	    (s->flags & SF_OLD_ROW) != 0 ? n->tree.old : n->tree.rows;
	slot_id(r, s, name);
	for (; *name != '\0'; name++)
		if (*name == '/')
			*name = '.';
}

/*
 * The directory for a clone, for the caller to close; -1 without.  Linux kills at once
 * what CLONE_INTO_CGROUP puts into a cgroup on which cgroup.kill was ever used (seen on
 * 6.18: the count of kills is compared with that of the parent's own cgroup), so such a
 * one is made anew.
 */
int
cgroup_of(struct node *n, uint32_t slot)
{
	char name[ROW_ID_MAX];
	if (n->cgroup_root < 0)
		return -1;
	name_of(n, slot, name);
	if (n->io[slot].cgroup_used)
		(void)unlinkat(n->cgroup_root, name, AT_REMOVEDIR);
	n->io[slot].cgroup_used = 0;
	int fd = openat(n->cgroup_root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && mkdirat(n->cgroup_root, name, 0755) == 0)
		fd = openat(n->cgroup_root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	n->io[slot].cgroup = fd >= 0 ? 0 : -1;
	return fd;
}

static int
file_of(struct node *n, uint32_t slot, const char *file, int flags)
{
	char name[ROW_ID_MAX + 32];
	if (n->cgroup_root < 0)
		return -1;
	name_of(n, slot, name);
	size_t len = strlen(name);
	(void)snprintf(name + len, sizeof name - len, "/%s", file);
	return openat(n->cgroup_root, name, flags | O_CLOEXEC);
}

int
cgroup_kill(struct node *n, uint32_t slot)
{
	int fd = file_of(n, slot, "cgroup.kill", O_WRONLY);
	if (fd < 0)
		return -1;
	ssize_t k = write(fd, "1", 1);
	fd_close(&fd);
	n->io[slot].cgroup_used = 1;
	return k == 1 ? 0 : -1;
}

int
cgroup_populated(struct node *n, uint32_t slot)
{
	char text[256];
	int fd = file_of(n, slot, "cgroup.events", O_RDONLY);
	if (fd < 0)
		return 0;
	ssize_t k = read(fd, text, sizeof text - 1);
	fd_close(&fd);
	text[k > 0 ? k : 0] = '\0';
	return strstr(text, "populated 1") != NULL;
}

/* Whether the kernel's out-of-memory killer has struck in it (memory.events). */
int
cgroup_oom_kills(struct node *n, uint32_t slot)
{
	char text[512];
	int fd =
	    n->io[slot].cgroup >= 0 ? file_of(n, slot, "memory.events", O_RDONLY) : -1;
	if (fd < 0)
		return 0;
	ssize_t k = read(fd, text, sizeof text - 1);
	fd_close(&fd);
	text[k > 0 ? k : 0] = '\0';
	const char *p = strstr(text, "oom_kill ");
	uint16_t kills = p != NULL ? (uint16_t)strtoul(p + 9, NULL, 10) : 0;
	int more = kills > n->io[slot].ooms;
	n->io[slot].ooms = kills;
	return more;
}

/* The directory of a worker that is no more. */
void
cgroup_remove(struct node *n, const char *id)
{
	char name[ROW_ID_MAX];
	if (n->cgroup_root < 0)
		return;
	(void)snprintf(name, sizeof name, "%s", id);
	for (char *p = name; *p != '\0'; p++)
		if (*p == '/')
			*p = '.';
	(void)unlinkat(n->cgroup_root, name, AT_REMOVEDIR);
}

static int
root_populated(const struct node *n)
{
	char text[256];
	ssize_t k = fd_read_file(n->cgroup_root, "cgroup.events", text, sizeof text);
	return k > 0 && strstr(text, "populated 1") != NULL;
}

static void
remove_all(const struct node *n)
{
	int fd = openat(n->cgroup_root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			(void)unlinkat(n->cgroup_root, e->d_name, AT_REMOVEDIR);
	if (dir != NULL)
		(void)closedir(dir);
}

/*
 * Everything that ran under a state that cannot be followed.  The one place that waits:
 * nothing is served yet, and what is born into a cgroup that was killed dies at once, so
 * the directories must go first.
 */
void
cgroup_kill_all(struct node *n)
{
	struct timespec pause = {.tv_nsec = 2000000};
	if (n->cgroup_root < 0)
		return;
	int fd = openat(n->cgroup_root, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) != 1)
		log_warn(
		    "what is left of the life before cannot be killed by its cgroup");
	fd_close(&fd);
	for (int k = 0; k < 1000 && root_populated(n); k++)
		(void)nanosleep(&pause, NULL);
	remove_all(n);
}

/* At the end of the node: all that is empty goes. */
void
cgroup_end(struct node *n)
{
	char path[DIRS_PATH * 3];
	if (n->cgroup_root < 0)
		return;
	for (uint32_t i = 0; i < n->st->head.core.slots_used; i++)
		if (n->st->slot[i].kind == SLOT_WORKER) {
			char name[ROW_ID_MAX];
			name_of(n, i, name);
			(void)unlinkat(n->cgroup_root, name, AT_REMOVEDIR);
		}
	char fd_path[64];
	(void)snprintf(fd_path, sizeof fd_path, "/proc/self/fd/%d", n->cgroup_root);
	/* NOLINTNEXTLINE(readability-suspicious-call-argument) */
	ssize_t k = readlink(fd_path, path, sizeof path - 1);
	if (k > 0) {
		path[k] = '\0';
		(void)rmdir(path);
	}
}
