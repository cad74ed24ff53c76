/* The part of place.h that starts the two programs and waits for them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/run.h"
#include "release/dir.h"
#include "release/place.h"

/* What the program writes until it ends. */
static int
read_report(int fd, enum place_kind kind, struct place_report *ret, struct err *err)
{
	char buf[sizeof *ret + 1];
	size_t n = 0;
	ssize_t k;
	while (n < sizeof buf && (k = read(fd, buf + n, sizeof buf - n)) != 0) {
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_sys(err, "cannot read a report");
		n += (size_t)k;
	}
	return place_report_check(buf, n, kind, ret, err);
}

/* Starts one of them; its answer comes on its descriptor 1. */
static int
ask(const char *const argv[], int input, enum place_kind kind, struct place_report *ret,
    struct err *err)
{
	int pair[2], status = 0;
	pid_t pid;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, "cannot make a pipe");
	const int fds[3] = {input, pair[1], STDERR_FILENO};
	int rc = run_start(argv, fds, &pid, err);
	fd_close(&pair[1]);
	if (rc == 0) {
		rc = read_report(pair[0], kind, ret, err);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	fd_close(&pair[0]);
	if (rc < 0)
		return err_wrap(err, "%s", argv[0]);
	/* a report is only worth as much as the end of who made it */
	if (ret->refused != 0)
		return err_set(err, ERR_REFUSED, "%s", ret->why);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(err, ERR_FAILED, "%s ended badly", argv[0]);
	return 0;
}

static int
run_in(const struct place_job *job, int releases_fd, const char *temp,
    struct place_report *ret, struct err *err)
{
	const char *const unpack[] = {job->unpack, "--archive-fd", "0", "--result-fd",
	    "1", "--releases", job->releases, "--temp", temp, NULL};
	const char *const verify[] = {job->verify, "--result-fd", "1", "--releases",
	    job->releases, "--temp", temp, "--keys", job->keys, NULL};
	struct place_report report = {.magic = 0};
	if (ask(unpack, job->archive, PLACE_UNPACKED, &report, err) < 0 ||
	    ask(verify, -1, PLACE_VERIFIED, &report, err) < 0 ||
	    place_commit(releases_fd, temp, report.name, report.version, err) < 0)
		return -1;
	*ret = report;
	return 0;
}

int
place_run(const struct place_job *job, struct place_report *ret, struct err *err)
{
	char temp[PLACE_TEMP];
	int fd = open(job->releases, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(
		    err, "cannot open the directory of releases %s", job->releases);
	int rc = place_temp_name(temp, err);
	if (rc == 0)
		rc = run_in(job, fd, temp, ret, err);
	if (rc < 0)
		(void)dir_remove(fd, temp, NULL);
	fd_close(&fd);
	return rc;
}
