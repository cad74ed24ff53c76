/*
 * supervisord-verify - judges one unpacked release, and ends.
 *
 * Compares every file with the manifest, and the manifest with the trusted keys.  It writes
 * nothing but its report: the master gives the release its name when that says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "confine/reach.h"
#include "confine/user.h"
#include "release/options.h"
#include "release/report.h"
#include "release/verify.h"
#include "sign/crypt.h"

static const char usage[] =
    "usage: supervisord-verify (--releases DIR | --releases-fd FD) --temp NAME\n"
    "                          (--keys DIR | --keys-fd FD) --result-fd FD\n"
    "                          [--now SECONDS] [--confine USER]\n"
    "\n"
    "Verifies the release that was unpacked into DIR/NAME.  Started by supervisord-master\n"
    "and relctl.\n";

static void
fill(struct place_report *r, const struct verdict *v)
{
	(void)strncat(r->name, v->release.name, sizeof r->name - 1);
	(void)strncat(r->version, v->release.version, sizeof r->version - 1);
	(void)key_id_text(v->signature.id, r->key);
	memcpy(r->manifest, v->manifest, sizeof r->manifest);
	r->entries = v->files;
	r->bytes = v->bytes;
	r->modules = v->release.nmodules;
	r->apps = v->release.napps;
}

static int
judge(const struct place_options *o, struct place_report *report, struct err *err)
{
	struct keyring ring = {.n = 0};
	struct verdict v;
	if (keyring_read(&ring, o->keys_fd, err) < 0)
		return -1;
	if (ring.n == 0)
		return err_set(err, ERR_REFUSED,
		    "no key is trusted: the directory of trusted keys has no *.pub");
	int fd = openat(
	    o->releases_fd, o->temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open what was unpacked");
	int rc = verify_dir(fd, &ring, o->now >= 0 ? o->now : time(NULL), &v, err);
	fd_close(&fd);
	if (rc < 0)
		return -1;
	fill(report, &v);
	verdict_free(&v);
	return 0;
}

int
main(int argc, char **argv)
{
	struct place_options o = {.program = "supervisord-verify"};
	struct place_report report;
	struct err err;
	log_open(o.program, 2, LOG_LEVEL_INFO);
	place_options_read(&o, argc, argv, usage);
	if (o.keys_fd < 0)
		fatal("--keys is missing");
	char keys[32], lacks[REACH_LACKS];
	(void)snprintf(keys, sizeof keys, "/proc/self/fd/%d", o.keys_fd);
	const struct reach_rules in_reach = {
	    .in_own = REACH_READ, .paths = {{keys, REACH_READ}}};
	crypt_begin();
	if (confine_user(o.confine, &err) < 0 ||
	    reach_enter(&in_reach, o.releases_fd, lacks, &err) < 0)
		fatal("%s", err.msg);
	place_report_init(&report, PLACE_VERIFIED);
	int rc = judge(&o, &report, &err);
	if (rc < 0) {
		log_error("%s", err.msg);
		place_report_refuse(&report, &err);
	}
	if (fd_write_all(o.result_fd, &report, sizeof report) < 0)
		fatal("cannot report: %s", strerrordesc_np(errno));
	return rc < 0 ? err_exit_code(&err) : 0;
}
