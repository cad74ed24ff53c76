/*
 * supervisord-unpack - extracts one release into a temporary directory, and ends.
 *
 * It reads what may be anybody's bytes with libarchive, so it does nothing else: no keys, no
 * names, no verdict that counts.  What it made is judged by supervisord-verify.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "confine/reach.h"
#include "confine/user.h"
#include "release/extract.h"
#include "release/options.h"
#include "release/report.h"

static const char usage[] =
    "usage: supervisord-unpack --archive-fd FD (--releases DIR | --releases-fd FD)\n"
    "                          --temp NAME --result-fd FD [--max-bytes SIZE]\n"
    "                          [--confine USER]\n"
    "\n"
    "Extracts a release into DIR/NAME for supervisord-verify.  Started by\n"
    "supervisord-master and relctl.\n";

/* Memory, open files and time enough for any release, and no more; no core of it. */
static void
limit(uint64_t most_bytes)
{
	static const struct {
		__rlimit_resource_t what;
		rlim_t most;
	} limits[] = {
	    {RLIMIT_CORE, 0},
	    {RLIMIT_NOFILE, 64},
	    {RLIMIT_CPU, 600},
	    {RLIMIT_NPROC, 0},
	};
	struct rlimit file = {most_bytes, most_bytes};
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		struct rlimit r = {limits[i].most, limits[i].most};
		if (setrlimit(limits[i].what, &r) < 0)
			fatal("cannot limit this process: %s", strerrordesc_np(errno));
	}
	if (setrlimit(RLIMIT_FSIZE, &file) < 0)
		fatal("cannot limit this process: %s", strerrordesc_np(errno));
}

int
main(int argc, char **argv)
{
	struct place_options o = {.program = "supervisord-unpack"};
	struct policy_limits limits = policy_usual;
	struct place_report report;
	struct extract_sums sums = {0, 0};
	struct err err;
	log_open(o.program, 2, LOG_LEVEL_INFO);
	place_options_read(&o, argc, argv, usage);
	if (o.archive_fd < 0)
		fatal("--archive-fd is missing");
	/* what the kernel lacks is no failure: the other walls stand */
	static const struct reach_rules in_reach = {.in_own = REACH_KEEP | REACH_LINK};
	char lacks[REACH_LACKS];
	if (confine_user(o.confine, &err) < 0 ||
	    reach_enter(&in_reach, o.releases_fd, lacks, &err) < 0)
		fatal("%s", err.msg);
	if (o.max_bytes > 0)
		limits.bytes = o.max_bytes;
	limit(limits.bytes);
	(void)umask(077);
	place_report_init(&report, PLACE_UNPACKED);
	int rc =
	    extract_archive(o.archive_fd, o.releases_fd, o.temp, &limits, &sums, &err);
	report.entries = sums.entries;
	report.bytes = sums.bytes;
	if (rc < 0) {
		log_error("%s", err.msg);
		place_report_refuse(&report, &err);
	}
	if (fd_write_all(o.result_fd, &report, sizeof report) < 0)
		fatal("cannot report: %s", strerrordesc_np(errno));
	return rc < 0 ? err_exit_code(&err) : 0;
}
