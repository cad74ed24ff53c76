#include "outfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

int
outfile_open(struct outfile *out, const char *name, struct err *err)
{
	int n = snprintf(out->name, sizeof out->name, "%s", name);
	(void)snprintf(out->temp, sizeof out->temp, "%s.part-%d", name, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof out->name)
		return err_set(err, ERR_USAGE, "the name of the file is too long");
	out->fd =
	    open(out->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return out->fd < 0 ? err_sys(err, "cannot make %s", out->temp) : 0;
}

int
outfile_end(struct outfile *out, int rc, struct err *err)
{
	if (rc == 0 && (fsync(out->fd) < 0 || rename(out->temp, out->name) < 0))
		rc = err_sys(err, "cannot write %s", out->name);
	if (rc < 0)
		(void)unlink(out->temp);
	fd_close(&out->fd);
	return rc;
}
