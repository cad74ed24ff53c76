#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "release/build.h"
#include "release/dir.h"
#include "release/place.h"
#include "sign/key.h"
#include "tests/unit/module.h"

/* A release from its source to its name: built, signed, unpacked and verified by the
 * programs beside this test. */

static char top_path[64], unpack[600], verify[600], releases[100], keys[100];
static int top = -1;
static struct key_secret secret;
static struct err err;

static void
put(const char *path, const char *text)
{
	int fd = openat(top, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	fd_close(&fd);
}

/* The archive of src as it is now; a descriptor at its beginning. */
static int
pack(const struct key_secret *key)
{
	struct diag diag = {.errors = 0};
	struct release r;
	int src = openat(top, "src", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct build_output out = {
	    memfd_create("archive", MFD_CLOEXEC), PACK_ZSTD, key};
	assert_true(src >= 0 && out.fd >= 0);
	if (build_read(src, "src", &r, &diag) < 0) {
		diag_print(&diag, stderr);
		fail();
	}
	if (build_write(src, &r, &out, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(r.nmodules, 1);
	assert_string_equal(r.module[0].name, "counter");
	assert_int_equal(r.napps, 1);
	assert_string_equal(r.app[0].version, "7");
	release_free(&r);
	diag_free(&diag);
	fd_close(&src);
	assert_int_equal(lseek(out.fd, 0, SEEK_SET), 0);
	return out.fd;
}

static int
place(int archive, struct place_report *report)
{
	const struct place_job job = {unpack, verify, releases, keys, archive};
	int rc = place_run(&job, report, &err);
	fd_close(&archive);
	return rc;
}

static unsigned
count_temps(void)
{
	char command[200];
	unsigned n = 99;
	(void)snprintf(command, sizeof command, "ls -A %s | grep -c tmp", releases);
	FILE *ls = popen(command, "r");
	assert_non_null(ls);
	assert_int_equal(fscanf(ls, "%u", &n), 1);
	(void)pclose(ls);
	return n;
}

static void
a_release_arrives_once(void **state)
{
	struct place_report report;
	struct stat st;
	char id[KEY_ID_TEXT];
	(void)state;
	if (place(pack(&secret), &report) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(report.name, "shop");
	assert_string_equal(report.version, "1.0");
	assert_string_equal(report.key, key_id_text(secret.id, id));
	assert_int_equal(report.modules, 1);
	assert_int_equal(fstatat(top, "releases/shop/1.0/bin/run", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	assert_int_equal(place(pack(&secret), &report), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_non_null(strstr(err.msg, "here already"));
	assert_int_equal(count_temps(), 0);
}

static void
what_nobody_trusted_has_signed_leaves_nothing(void **state)
{
	struct place_report report;
	struct key_secret stranger;
	struct stat st;
	(void)state;
	put("src/release.ini", "[release]\nname = shop\nversion = 2\n");
	assert_int_equal(key_make(&stranger, &err), 0);
	assert_int_equal(place(pack(&stranger), &report), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_non_null(strstr(err.msg, "not trusted"));
	assert_int_equal(place(pack(NULL), &report), -1);
	assert_non_null(strstr(err.msg, "not signed"));
	assert_int_equal(fstatat(top, "releases/shop/2", &st, 0), -1);
	assert_int_equal(count_temps(), 0);
	put("src/release.ini", "[release]\nname = shop\nversion = 1.0\n");
}

static void
programs_that_are_not_there_or_lie_are_a_failure(void **state)
{
	struct place_report report;
	char good[sizeof verify];
	(void)state;
	put("src/release.ini", "[release]\nname = shop\nversion = 3\n");
	memcpy(good, verify, sizeof good);
	(void)snprintf(verify, sizeof verify, "/bin/true");
	assert_int_equal(place(pack(&secret), &report), -1);
	assert_int_equal(err.kind, ERR_PROTO);
	(void)snprintf(verify, sizeof verify, "/nowhere");
	assert_int_equal(place(pack(&secret), &report), -1);
	memcpy(verify, good, sizeof good);
	assert_int_equal(count_temps(), 0);
	put("src/release.ini", "[release]\nname = shop\nversion = 1.0\n");
}

static void
find(const char *name, char *buf, size_t cap)
{
	char self[500];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = '\0';
	for (int i = 0; i < 2 && strrchr(self, '/') != NULL; i++)
		*strrchr(self, '/') = '\0';
	(void)snprintf(buf, cap, "%s/bin/%s", self, name);
}

static int
set_up(void **state)
{
	static const char *const dirs[] = {
	    "src", "src/lib", "src/bin", "releases", "keys"};
	char text[KEY_FILE_MAX], module[100];
	(void)state;
	(void)snprintf(top_path, sizeof top_path, "/tmp/steward-place-XXXXXX");
	if (mkdtemp(top_path) == NULL)
		return -1;
	top = open(top_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < COUNT(dirs); i++)
		assert_int_equal(mkdirat(top, dirs[i], 0700), 0);
	(void)snprintf(releases, sizeof releases, "%s/releases", top_path);
	(void)snprintf(keys, sizeof keys, "%s/keys", top_path);
	(void)snprintf(module, sizeof module, "%s/src/lib/counter.so", top_path);
	find("supervisord-unpack", unpack, sizeof unpack);
	find("supervisord-verify", verify, sizeof verify);
	assert_int_equal(key_make(&secret, &err), 0);
	const struct key_public public_key = key_public_of(&secret);
	key_public_print(&public_key, text);
	put("keys/a.pub", text);
	put("src/release.ini", "[release]\nname = shop\nversion = 1.0\n");
	put("src/tree.ini", "[application shop]\nversion = 7\n");
	put("src/bin/run", "#!/bin/sh\n");
	return module_build(
	    module, MODULE_FLAGS, MODULE_NOTE("counter", "1", 1, 1) MODULE_EXPORT);
}

static int
tear_down(void **state)
{
	(void)state;
	fd_close(&top);
	return dir_remove(AT_FDCWD, top_path, &err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_release_arrives_once),
	    cmocka_unit_test(what_nobody_trusted_has_signed_leaves_nothing),
	    cmocka_unit_test(programs_that_are_not_there_or_lie_are_a_failure),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
