#include "master/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * Configurations.  Only supervisord-load reads text; what comes from it is a block of rows
 * that is checked (rows_check) and copied to run/rows-N before it is put in force, so that
 * the next master finds the very rows the state refers to.
 */

static void
rows_name(char name[32], uint32_t seq)
{
	(void)snprintf(name, 32, "rows-%u", seq);
}

/* A copy of the block that outlives keeper and master. */
static int
rows_save(struct node *n, int fd, const struct rows *r, uint32_t seq, struct err *err)
{
	char name[32], temp[40];
	(void)fd;
	rows_name(name, seq);
	(void)snprintf(temp, sizeof temp, "%s.new", name);
	int out = openat(n->run_dir, temp,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0)
		return err_sys(err, "cannot write run/%s", temp);
	int ret = fd_write_all(out, r->head, r->head->size);
	if (ret < 0)
		err_sys(err, "cannot write run/%s", temp);
	fd_close(&out);
	if (ret == 0 && renameat(n->run_dir, temp, n->run_dir, name) < 0)
		ret = err_sys(err, "cannot make run/%s", name);
	if (ret < 0)
		(void)unlinkat(n->run_dir, temp, 0);
	return ret;
}

static int
rows_open(struct node *n, uint32_t seq, int *fd, struct rows *out, struct err *err)
{
	char name[32];
	rows_name(name, seq);
	*fd = openat(n->run_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return err_sys(err, "cannot open run/%s", name);
	if (rows_map(*fd, out, err) == 0)
		return 0;
	fd_close(fd);
	return err_wrap(err, "run/%s", name);
}

/* Want of the machine, not the file's fault: nobody is killed for it. */
int
err_is_passing(const struct err *err)
{
	return err->kind == ERR_SYS && err->code != ENOENT && err->code != ELOOP;
}

/* At the end: also what a life before had begun to write. */
void
rows_remove_all(struct node *n)
{
	int fd = openat(n->run_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
		if (strncmp(e->d_name, "rows-", 5) == 0 ||
		    strcmp(e->d_name, "state.new") == 0)
			(void)unlinkat(n->run_dir, e->d_name, 0);
	if (dir != NULL)
		(void)closedir(dir);
	else
		fd_close(&fd);
}

/* Those the state refers to: in force, and before if something is still leaving. */
int
rows_open_kept(struct node *n, struct err *err)
{
	uint32_t seq = n->st->head.core.rows_seq;
	if (n->st->head.undo_core)
		seq = n->st->head.core_undo.rows_seq; /* that step will be undone */
	if (rows_open(n, seq, &n->rows_fd, &n->rows, err) < 0)
		return -1;
	if (seq > 0 && rows_open(n, seq - 1, &n->old_rows_fd, &n->old_rows, err) < 0) {
		n->old_rows_fd = -1;
		if (err_is_passing(err))
			return -1;
	}
	n->tree.rows = &n->rows;
	n->tree.old = &n->old_rows;
	return 0;
}

static uint32_t
row_name_hash(const struct rows *r, uint32_t row)
{
	uint32_t h = 2166136261U ^ r->row[row].kind;
	for (const char *p = rows_string(r, r->row[row].id); *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619U;
	return h ^ h >> 15;
}

static uint32_t
rows_instances(const struct rows *r)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < r->head->nrows; i++)
		if (r->row[i].kind == ROW_TEMPLATE)
			sum += MIN(r->row[i].instances, (uint32_t)SLOT_MAX);
	return sum;
}

/* The first configuration: a new tree over it, and everything starts. */
int
rows_begin(struct node *n, int fd, struct err *err)
{
	if (rows_map(fd, &n->rows, err) < 0)
		return -1;
	n->rows_fd = fd;
	n->tree.rows = &n->rows;
	n->tree.old = &n->old_rows;
	if (state_reserve(n, n->rows.head->nrows + rows_instances(&n->rows) + 64, err) <
	    0)
		return -1;
	return rows_save(n, fd, &n->rows, 0, err);
}

/* Nobody refers to the old rows any more. */
void
old_rows_release(struct node *n)
{
	char name[32];
	if (tree_leavers(&n->tree) > 0)
		return;
	rows_unmap(&n->old_rows);
	fd_close(&n->old_rows_fd);
	rows_name(name, n->st->head.core.rows_seq - 1);
	(void)unlinkat(n->run_dir, name, 0);
}

/* --- the load process ------------------------------------------------------------------ */

void
load_start(struct node *n)
{
	if (n->role[ROLE_LOAD].pid > 0) {
		n->reload_next = !n->booting && !n->reloading;
		return;
	}
	if (links_busy()) {
		n->reload_next = 1;
		return;
	}
	if (!n->booting && tree_leavers(&n->tree) > 0) {
		log_warn("no reload: the one before is still being carried out");
		return;
	}
	n->reloading = !n->booting;
	role_start(n, ROLE_LOAD);
}

void
reload_answer(struct node *n, enum answer an, const char *text, int fd)
{
	if (n->reload_asked)
		control_reply(n, n->reload_ref, an, SLOT_NONE, text, fd);
	n->reload_asked = 0;
	n->reload_check = 0;
	n->reloading = 0;
}

/* The messages of load, for people: to standard error, as they are. */
static void
text_copy(int from, int to)
{
	char buf[4096];
	off_t at = 0;
	for (ssize_t k; (k = pread(from, buf, sizeof buf, at)) > 0; at += k)
		(void)fd_write_all(to, buf, (size_t)k);
}

/* --- from one block to another ---------------------------------------------------------- */

/* For each row in force the row of `next` that continues it: same id, kind and parent. */
uint32_t *
rows_match(const struct rows *now, const struct rows *next)
{
	uint32_t *map = malloc(((size_t)now->head->nrows + 1) * sizeof *map);
	uint32_t cap = 1;
	while (cap < next->head->nrows * 2 + 2)
		cap *= 2;
	uint32_t *table = map != NULL ? calloc(cap, sizeof *table) : NULL;
	if (table == NULL) {
		free(map);
		return NULL;
	}
	for (uint32_t r = 0; r < next->head->nrows; r++) {
		uint32_t h = row_name_hash(next, r) & (cap - 1);
		while (table[h] != 0)
			h = (h + 1) & (cap - 1);
		table[h] = r + 1;
	}
	for (uint32_t r = 0; r < now->head->nrows; r++) {
		const struct row *a = &now->row[r];
		map[r] = ROW_NONE;
		for (uint32_t h = row_name_hash(now, r) & (cap - 1); table[h] != 0;
		     h = (h + 1) & (cap - 1)) {
			const struct row *b = &next->row[table[h] - 1];
			uint32_t parent =
			    a->parent == ROW_NONE ? (uint32_t)ROW_NONE : map[a->parent];
			if (row_continues(a, b) && parent == b->parent &&
			    (a->parent == ROW_NONE || parent != ROW_NONE) &&
			    strcmp(rows_string(now, a->id), rows_string(next, b->id)) ==
				0)
				map[r] = table[h] - 1;
		}
	}
	free(table);
	return map;
}

int
rows_put_in_force(struct node *n, struct rows *next, int fd, struct err *err)
{
	uint32_t seq = n->st->head.core.rows_seq;
	if (state_reserve(n,
		n->st->head.core.slots_used + next->head->nrows + rows_instances(next) +
		    64,
		err) < 0 ||
	    rows_save(n, fd, next, seq + 1, err) < 0)
		return -1;
	uint32_t *map = rows_match(&n->rows, next);
	if (map == NULL)
		return err_set(err, ERR_SYS, "no memory for a reload");
	n->performing++;
	tree_reload(&n->tree, next, map);
	free(map);
	n->old_rows = n->rows;
	n->old_rows_fd = n->rows_fd;
	n->rows = *next;
	n->rows_fd = fd;
	n->tree.rows = &n->rows;
	n->tree.old = &n->old_rows;
	socks_follow(n, &n->old_rows);
	n->performing--;
	control_maps(n);
	for (uint32_t i = 0; i < n->st->head.core.slots_used; i++)
		if ((slot_at(n, i)->flags & SF_OLD_ROW) == 0)
			n->io[i].log_told = 0; /* limits may be others */
	log_add_all(n);
	perform(n);
	return 0;
}

static void
reload_rows(struct node *n, int *fd)
{
	struct rows next;
	struct err err;
	if (rows_map(*fd, &next, &err) < 0) {
		log_error("reload: %s", err.msg);
		reload_answer(n, AN_FAILED, err.msg, -1);
		return;
	}
	if (n->reload_check) {
		rows_unmap(&next);
		reload_answer(n, AN_OK, "", *fd);
		return;
	}
	int swapping = links_swap_begin(n, &next, *fd, &err);
	if (swapping > 0) {
		*fd = -1;
		return;
	}
	if (swapping < 0 || rows_put_in_force(n, &next, *fd, &err) < 0) {
		rows_unmap(&next);
		log_error("reload: %s; the node is as it was", err.msg);
		reload_answer(
		    n, err.kind == ERR_BUSY ? AN_BUSY : AN_FAILED, err.msg, -1);
		return;
	}
	reload_answer(n, AN_OK, "", n->rows_fd);
	*fd = -1;
}

static NORETURN void
boot_failed(struct node *n, int text)
{
	if (text >= 0)
		text_copy(text, 2);
	if (!n->strays) /* else the next start must know that there are some */
		(void)unlinkat(n->run_dir, "state", 0);
	keep_say(n, KEEP_BYE, EXIT_CONFIG);
	_exit(EXIT_CONFIG);
}

void
load_done(struct node *n, const struct msg_loaded *m, int *fds, unsigned nfds)
{
	if (n->role[ROLE_LOAD].up) /* it has said its word */
		return;
	n->role[ROLE_LOAD].up = 1;
	if (n->booting && (m->m.value != 0 || nfds == 0))
		boot_failed(n, nfds > 0 ? fds[nfds - 1] : -1);
	if (n->booting) {
		if (nfds > 1)
			text_copy(fds[nfds - 1], 2);
		int fd = fds[0];
		fds[0] = -1;
		node_boot(n, fd);
	} else if (m->m.value != 0) {
		log_error("reload refused: the configuration has %llu errors",
		    (unsigned long long)m->m.value);
		reload_answer(n, AN_CONFIG, "the configuration has errors",
		    nfds > 0 ? fds[nfds - 1] : -1);
	} else if (nfds > 0) {
		reload_rows(n, &fds[0]);
	}
}

/* It ended; without a word, if `up` is not set. */
void
load_died(struct node *n)
{
	if (n->booting)
		boot_failed(n, -1);
	if (n->reloading)
		reload_answer(n, AN_FAILED, "supervisord-load died", -1);
	if (n->reload_next) {
		n->reload_next = 0;
		load_start(n);
	}
}
