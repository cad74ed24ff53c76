#include "release/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "release/path.h"

/* Deeper than any release; a tree that somebody has made deeper is not followed. */
enum { DEPTH_MAX = PATH_DEPTH + 4, NAME_CAP = 256, PATH_CAP = 1024 };

/* --- the names of one directory, sorted ------------------------------------------------- */

struct names {
	char **name; /* owned */
	size_t n;
};

static void
names_clear(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct names){NULL, 0};
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
names_add(struct names *names, const char *name)
{
	if ((names->n & (names->n + 1)) == 0) { /* room is a power of two */
		char **more =
		    realloc(names->name, 2 * (names->n + 1) * sizeof *names->name);
		must(more != NULL);
		names->name = more;
	}
	names->name[names->n] = strdup(name);
	must(names->name[names->n] != NULL);
	names->n++;
}

static int
names_read(int fd, struct names *ret)
{
	const struct dirent *e;
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (dir == NULL) {
		fd_close(&copy);
		return -1;
	}
	for (;;) {
		errno = 0;
		e = readdir(dir);
		if (e == NULL)
			break;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			names_add(ret, e->d_name);
	}
	int failed = errno;
	(void)closedir(dir);
	errno = failed;
	if (failed != 0)
		return -1;
	if (ret->n > 0)
		qsort(ret->name, ret->n, sizeof *ret->name, by_name);
	return 0;
}

/* --- walking ------------------------------------------------------------------------------ */

struct walk {
	const struct dir_sink *sink;
	char path[PATH_CAP];
};

static int walk_dir(
    struct walk *w, int fd, size_t len, unsigned depth, struct err *err);

static int
shown_failure(const struct walk *w, const char *what, struct err *err)
{
	char shown[PATH_CAP];
	int saved = errno;
	(void)str_printable(w->path, shown, sizeof shown);
	errno = saved;
	return err_sys(err, "%s: %s", shown, what);
}

static int
walk_below(struct walk *w, int fd, const char *name, unsigned depth, struct err *err)
{
	if (depth >= DEPTH_MAX) {
		errno = ELOOP;
		return shown_failure(w, "it is too deep", err);
	}
	int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0)
		return shown_failure(w, "cannot open it", err);
	int rc = walk_dir(w, below, strlen(w->path), depth + 1, err);
	fd_close(&below);
	return rc;
}

static int
walk_one(struct walk *w, int fd, const char *name, unsigned depth, struct err *err)
{
	struct stat st;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return shown_failure(w, "cannot look at it", err);
	if (w->sink->seen(w->sink->ctx, w->path, fd, name, &st, err) < 0)
		return -1;
	return S_ISDIR(st.st_mode) ? walk_below(w, fd, name, depth, err) : 0;
}

/* What lies in fd, whose path is the first len bytes of w->path. */
static int
walk_dir(struct walk *w, int fd, size_t len, unsigned depth, struct err *err)
{
	struct names names = {NULL, 0};
	int rc = names_read(fd, &names) < 0
		     ? shown_failure(w, "cannot read the directory", err)
		     : 0;
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		int n = snprintf(w->path + len, sizeof w->path - len, "%s%s",
		    len > 0 ? "/" : "", names.name[i]);
		if (n < 0 || (size_t)n >= sizeof w->path - len)
			rc = err_set(err, ERR_REFUSED, "a name is too long in %.*s",
			    (int)len, w->path);
		else
			rc = walk_one(w, fd, names.name[i], depth, err);
	}
	w->path[len] = '\0';
	names_clear(&names);
	return rc;
}

int
dir_walk(int root, const struct dir_sink *sink, struct err *err)
{
	struct walk w = {.sink = sink, .path = ""};
	return walk_dir(&w, root, 0, 0, err);
}

/* --- sealing and removing --------------------------------------------------------------- */

static int
seal(void *ctx, const char *path, int dirfd, const char *name, const struct stat *st,
    struct err *err)
{
	(void)ctx;
	if (S_ISDIR(st->st_mode) && fchmodat(dirfd, name, 0555, 0) < 0)
		return err_sys(err, "cannot set the mode of %s", path);
	return 0;
}

int
dir_seal(int root, struct err *err)
{
	const struct dir_sink sink = {.seen = seal};
	if (dir_walk(root, &sink, err) < 0)
		return -1;
	return fchmod(root, 0555) < 0 ? err_sys(err, "cannot set a directory's mode")
				      : 0;
}

static int
remove_below(int parent, const char *name, unsigned depth)
{
	struct names names = {NULL, 0};
	int rc = 0;
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if ((errno != EISDIR && errno != EPERM) || depth >= DEPTH_MAX)
		return -1;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* what is read-only is made ours again first */
	if (fd < 0 || fchmod(fd, 0700) < 0 || names_read(fd, &names) < 0)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < names.n; i++)
		rc = remove_below(fd, names.name[i], depth + 1);
	names_clear(&names);
	fd_close(&fd);
	return rc == 0 ? unlinkat(parent, name, AT_REMOVEDIR) : -1;
}

int
dir_remove(int parent, const char *name, struct err *err)
{
	char shown[2 * NAME_CAP];
	if (remove_below(parent, name, 0) == 0)
		return 0;
	int saved = errno;
	(void)str_printable(name, shown, sizeof shown);
	errno = saved;
	return err_sys(err, "cannot remove %s", shown);
}
