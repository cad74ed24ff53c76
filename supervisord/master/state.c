#include "master/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* run/state: opened, or made anew.  What is wrong with an old one is said, never trusted. */

static int
read_boot_id(char id[40])
{
	char text[64];
	if (fd_read_file(
		AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, sizeof text) < 36)
		return -1;
	memcpy(id, text, 36);
	memset(id + 36, 0, 4);
	return 0;
}

/* Why the head of a state file cannot be used, or null. */
static const char *
head_fault(const struct state_head *h)
{
	char boot[40];
	if (h->magic != STATE_MAGIC)
		return "it is not a state file";
	if (h->version != STATE_VERSION || h->slot_size != sizeof(struct slot) ||
	    h->size != sizeof(struct state))
		return "it was written by another version";
	if (read_boot_id(boot) == 0 && memcmp(boot, h->boot_id, sizeof boot) != 0)
		return "the machine was booted since";
	if (h->core.slots_used == 0 || h->core.slots_used > SLOT_MAX ||
	    h->undo_n > SLOT_MAX)
		return "its counters are wrong";
	return NULL;
}

static int
state_map_file(struct node *n, struct err *err)
{
	void *m = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED,
	    n->state_fd, 0);
	if (m == MAP_FAILED)
		return err_sys(err, "cannot map run/state");
	n->st = m;
	return 0;
}

int
state_reserve(struct node *n, uint32_t slots, struct err *err)
{
	slots = slots < SLOT_MAX ? slots : SLOT_MAX;

	const struct {
		size_t at, len;
	} part[] = {
	    {0, offsetof(struct state, slot)},
	    {offsetof(struct state, slot), slots * sizeof(struct slot)},
	    {offsetof(struct state, undo), slots * sizeof(struct undo_entry)},
	    {offsetof(struct state, status), (size_t)slots * STATUS_TEXT},
	    {offsetof(struct state, args), (size_t)slots * ARGS_MAX},
	    {offsetof(struct state, nargs), slots * sizeof(uint16_t)},
	};

	for (unsigned i = 0; i < COUNT(part); i++) {
		int e =
		    posix_fallocate(n->state_fd, (off_t)part[i].at, (off_t)part[i].len);
		if (e != 0 && e != EOPNOTSUPP && e != EINVAL) {
			errno = e;
			return err_sys(err, "no room for run/state");
		}
	}
	uint32_t sups = 0;
	for (uint32_t r = 0; n->rows.head != NULL && r < n->rows.head->nrows; r++)
		sups +=
		    n->rows.row[r].kind == ROW_APP || n->rows.row[r].kind == ROW_SUP;
	int e = posix_fallocate(n->state_fd, (off_t)offsetof(struct state, window),
	    (off_t)((sups + 1) * sizeof(struct state_window)));
	if (e != 0 && e != EOPNOTSUPP && e != EINVAL) {
		errno = e;
		return err_sys(err, "no room for run/state");
	}
	return 0;
}

static int
state_make(struct node *n, struct err *err)
{
	(void)unlinkat(n->run_dir, "state.new", 0);
	fd_close(&n->state_fd);
	n->state_fd = openat(n->run_dir, "state.new",
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (n->state_fd < 0 || ftruncate(n->state_fd, sizeof(struct state)) < 0)
		return err_sys(err, "cannot make run/state");
	if (state_reserve(n, 64, err) < 0 || state_map_file(n, err) < 0)
		return -1;
	/* only now: without a file nobody would know that there may be strays */
	if (renameat(n->run_dir, "state.new", n->run_dir, "state") < 0)
		return err_sys(err, "cannot make run/state");
	struct state_head *h = &n->st->head;
	h->version = STATE_VERSION;
	h->slot_size = sizeof(struct slot);
	h->size = sizeof(struct state);
	h->started_ms = n->tree.real_ms;
	(void)read_boot_id(h->boot_id);
	return 0; /* the magic comes with the tree, when the file is whole */
}

/* Instead of one that cannot be followed. */
int
state_renew(struct node *n, struct err *err)
{
	(void)munmap(n->st, sizeof(struct state));
	n->strays = 1;
	return state_make(n, err);
}

int
state_open(struct node *n, struct err *err)
{
	struct stat sb;
	struct state_head head;
	const char *fault = NULL;
	n->state_fd = openat(n->run_dir, "state", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (n->state_fd < 0 && errno == ENOENT)
		return state_make(n, err);
	if (n->state_fd < 0 && errno != ELOOP)
		return err_sys(err, "cannot open run/state"); /* tried again */
	ssize_t got = n->state_fd < 0 ? 0 : pread(n->state_fd, &head, sizeof head, 0);
	if (got < 0 && errno != ESPIPE && errno != EISDIR)
		return err_sys(err, "cannot read run/state");
	if (n->state_fd < 0)
		fault = "it is a link";
	else if (fstat(n->state_fd, &sb) < 0 ||
		 sb.st_size != (off_t)sizeof(struct state) ||
		 got != (ssize_t)sizeof head)
		fault = "it has the wrong size";
	else
		fault = head_fault(&head);
	if (fault == NULL)
		return state_map_file(n, err) < 0 ? -1 : 1;
	log_warn("run/state is not used: %s", fault);
	n->strays = 1;
	return state_make(n, err);
}
