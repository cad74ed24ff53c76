#include "release/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/unpack.h"
#include "base/fd.h"
#include "release/dir.h"

struct extract {
	int root;
	int file; /* the one that is written, or -1 */
	const char *path;
};

/*
 * The directory above a path, its parts made where they are missing; *name: the last
 * part.  A descriptor, or -1.
 */
static int
open_parent(
    const struct extract *x, const char *path, const char **name, struct err *err)
{
	char part[PATH_PART + 1];
	int dir = fcntl(x->root, F_DUPFD_CLOEXEC, 3);
	if (dir < 0)
		return err_sys(err, "%s: cannot open its directory", path);
	for (const char *slash; (slash = strchr(path, '/')) != NULL; path = slash + 1) {
		size_t len = (size_t)(slash - path);
		memcpy(part, path, len); /* path_check has seen to its length */
		part[len] = '\0';
		int next = -1;
		if (mkdirat(dir, part, 0700) == 0 || errno == EEXIST)
			next = openat(
			    dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			(void)err_sys(
			    err, "%s: cannot make the directory %s", x->path, part);
		fd_close(&dir);
		if (next < 0)
			return -1;
		dir = next;
	}
	*name = path;
	return dir;
}

static int
make(struct extract *x, int dir, const char *name, const struct policy_entry *e,
    struct err *err)
{
	switch (e->kind) {
	case POLICY_FILE:
		x->file = openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		return x->file < 0 ? err_sys(err, "%s: cannot make the file", x->path)
				   : 0;
	case POLICY_DIRECTORY:
		return mkdirat(dir, name, 0700) < 0 && errno != EEXIST
			   ? err_sys(err, "%s: cannot make the directory", x->path)
			   : 0;
	case POLICY_LINK:
		return symlinkat(e->target, dir, name) < 0
			   ? err_sys(err, "%s: cannot make the link", x->path)
			   : 0;
	default:
		return err_set(err, ERR_REFUSED, "%s: not a file", x->path);
	}
}

static int
enter(void *ctx, const char *path, const struct policy_entry *entry, struct err *err)
{
	struct extract *x = ctx;
	const char *name = path;
	x->path = path;
	int dir = open_parent(x, path, &name, err);
	if (dir < 0)
		return -1;
	int rc = make(x, dir, name, entry, err);
	fd_close(&dir);
	return rc;
}

static int
data(void *ctx, const void *bytes, size_t len, struct err *err)
{
	const struct extract *x = ctx;
	if (fd_write_all(x->file, bytes, len) < 0)
		return err_sys(err, "cannot write it");
	return 0;
}

static int
leave(void *ctx, struct err *err)
{
	struct extract *x = ctx;
	int rc = 0;
	if (x->file >= 0 && fchmod(x->file, path_mode(x->path)) < 0)
		rc = err_sys(err, "%s: cannot set its mode", x->path);
	fd_close(&x->file);
	return rc;
}

static int
extract_into(int fd, int root, const struct policy_limits *limits,
    struct extract_sums *sums, struct err *err)
{
	struct extract x = {.root = root, .file = -1};
	const struct unpack_sink sink = {
	    .ctx = &x, .enter = enter, .data = data, .leave = leave};
	struct policy policy;
	policy_begin(&policy, limits);
	int rc = unpack_walk(fd, &policy, &sink, err);
	fd_close(&x.file);
	*sums = (struct extract_sums){policy.entries, policy.bytes};
	policy_free(&policy);
	if (rc < 0)
		return -1;
	if (dir_seal(root, err) < 0)
		return -1;
	return syncfs(root) < 0 ? err_sys(err, "cannot write it to the disk") : 0;
}

int
extract_archive(int fd, int releases_fd, const char *temp,
    const struct policy_limits *limits, struct extract_sums *sums, struct err *err)
{
	if (mkdirat(releases_fd, temp, 0700) < 0)
		return err_sys(err, "cannot make the directory %s", temp);
	int root =
	    openat(releases_fd, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int rc = root < 0 ? err_sys(err, "cannot open the directory %s", temp)
			  : extract_into(fd, root, limits, sums, err);
	fd_close(&root);
	if (rc < 0)
		(void)dir_remove(releases_fd, temp, NULL);
	return rc;
}
