#include "release/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/text.h"
#include "release/dir.h"
#include "release/name.h"

/* --- names ------------------------------------------------------------------------------ */

int
place_temp_name(char name[PLACE_TEMP], struct err *err)
{
	unsigned char random[8];
	char hex[2 * sizeof random + 1];
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return err_sys(err, "cannot get random bytes");
	text_hex(random, sizeof random, hex);
	(void)snprintf(name, PLACE_TEMP, ".tmp-%s", hex);
	return 0;
}

/* releases/NAME, made durably. */
static int
open_name(int releases_fd, const char *name, struct err *err)
{
	if (mkdirat(releases_fd, name, 0755) < 0 && errno != EEXIST)
		return err_sys(err, "cannot make the directory releases/%s", name);
	int fd =
	    openat(releases_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "cannot open the directory releases/%s", name)
		      : fd;
}

/*
 * To get another parent a directory must be writable by who is not root, and is so for this
 * moment; with its mode everything in it stays read-only.
 */
static int
move(int releases_fd, const char *temp, int dir, const char *version, struct err *err)
{
	int fd =
	    openat(releases_fd, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int rc = 0;
	if (fd < 0)
		return err_sys(err, "cannot open what was unpacked");
	if (fchmod(fd, 0755) < 0)
		rc = err_sys(err, "cannot set a directory's mode");
	else if (renameat2(releases_fd, temp, dir, version, RENAME_NOREPLACE) < 0)
		rc = errno == EEXIST || errno == ENOTEMPTY
			 ? err_set(err, ERR_REFUSED, "it is here already")
			 : err_sys(err, "cannot give it its name");
	else if (fchmod(fd, 0555) < 0 || fsync(fd) < 0)
		rc = err_sys(err, "cannot make it read-only");
	fd_close(&fd);
	return rc;
}

int
place_commit(int releases_fd, const char *temp, const char *name, const char *version,
    struct err *err)
{
	if (release_check_name(name, version, err) < 0)
		return -1;
	int dir = open_name(releases_fd, name, err);
	if (dir < 0)
		return -1;
	int rc = move(releases_fd, temp, dir, version, err);
	/* the name first in its directory, then that directory's own */
	if (rc == 0 && (fsync(dir) < 0 || fsync(releases_fd) < 0))
		rc = err_sys(err, "cannot write its name to the disk");
	fd_close(&dir);
	return rc < 0 ? err_wrap(err, "release %s %s", name, version) : 0;
}

int
place_sweep(int releases_fd, struct err *err)
{
	int copy = openat(releases_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;
	if (dir == NULL) {
		fd_close(&copy);
		return err_sys(err, "cannot read the directory of releases");
	}
	while (rc == 0 && (e = readdir(dir)) != NULL)
		if (str_starts(e->d_name, ".tmp-"))
			rc = dir_remove(releases_fd, e->d_name, err);
	(void)closedir(dir);
	return rc;
}
