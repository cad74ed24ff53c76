#include "logger/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* The length of a part of an id at p, 0 if there is none. */
static size_t
part_len(const char *p)
{
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	return n <= ROW_PART_MAX ? n : 0;
}

int
names_id_ok(const char *id)
{
	if (strcmp(id, "node") == 0)
		return 1;
	size_t app = part_len(id);
	if (app == 0 || id[app] != '/')
		return 0;
	const char *p = id + app + 1;
	size_t worker = part_len(p);
	if (worker == 0)
		return 0;
	p += worker;
	if (*p == '\0')
		return 1;
	size_t digits = *p == '#' ? strspn(p + 1, "0123456789") : 0;
	return digits > 0 && digits <= 10 && p[1 + digits] == '\0';
}

int
names_open(int logdir, const char *id, struct names *out)
{
	const char *slash = strchr(id, '/');
	char app[ROW_ID_MAX] = ".";
	if (!names_id_ok(id)) {
		errno = EINVAL;
		return -1;
	}
	if (slash != NULL) {
		memcpy(app, id, (size_t)(slash - id));
		app[slash - id] = '\0';
		if (mkdirat(logdir, app, 0750) < 0 && errno != EEXIST)
			return -1;
	}
	int dir = openat(logdir, app, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return -1;
	out->dir = dir;
	(void)snprintf(
	    out->base, sizeof out->base, "%s.log", slash != NULL ? slash + 1 : id);
	return 0;
}

void
names_close(struct names *names)
{
	fd_close(&names->dir);
}

void
names_old(const struct names *names, unsigned n, int zst, char out[NAME_CAP])
{
	if (n == 0)
		(void)snprintf(out, NAME_CAP, "%.*s", ROW_ID_MAX, names->base);
	else
		(void)snprintf(out, NAME_CAP, "%.*s.%u%s", ROW_ID_MAX, names->base, n,
		    zst ? ".zst" : "");
}

static int
exists(const struct names *names, unsigned n, int zst)
{
	char name[NAME_CAP];
	struct stat st;
	names_old(names, n, zst, name);
	return fstatat(names->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
move(const struct names *names, unsigned n, int zst)
{
	char from[NAME_CAP], to[NAME_CAP];
	names_old(names, n, zst, from);
	names_old(names, n + 1, zst, to);
	if (renameat(names->dir, from, names->dir, to) < 0 && errno != ENOENT)
		return -1;
	return 0;
}

static int
drop(const struct names *names, unsigned n, int zst)
{
	char name[NAME_CAP];
	names_old(names, n, zst, name);
	if (unlinkat(names->dir, name, 0) < 0 && errno != ENOENT)
		return -1;
	return 0;
}

/*
 * Numbers move from the top down into the first gap, so each rename lands on a free
 * name; only when there is no gap does the oldest go.
 */
int
names_shift(const struct names *names, unsigned keep)
{
	unsigned gap = 1;
	if (keep == 0)
		return drop(names, 0, 0);
	while (gap < keep && (exists(names, gap, 0) || exists(names, gap, 1)))
		gap++;
	if (drop(names, gap, 0) < 0 || drop(names, gap, 1) < 0)
		return -1;
	for (unsigned n = gap - 1; n >= 1; n--)
		if (move(names, n, 1) < 0 || move(names, n, 0) < 0)
			return -1;
	return move(names, 0, 0);
}

unsigned
names_plain(const struct names *names, unsigned keep)
{
	unsigned found = 0;
	for (unsigned n = 1; n <= keep; n++) {
		int plain = exists(names, n, 0), zst = exists(names, n, 1);
		if (!plain && !zst)
			break;
		if (plain && zst)
			(void)drop(names, n, 0);
		else if (plain)
			found = n;
	}
	return found;
}

void
names_tmp(const struct names *names, char out[NAME_CAP])
{
	(void)snprintf(out, NAME_CAP, "%.*s.zst.tmp", ROW_ID_MAX, names->base);
}

void
names_clean(const struct names *names)
{
	char name[NAME_CAP];
	names_tmp(names, name);
	(void)unlinkat(names->dir, name, 0);
}
