#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "release/dir.h"
#include "release/place.h"
#include "release/policy.h"
#include "release/release.h"
#include "release/relup.h"
#include "release/verify.h"
#include "release/when.h"

static struct err err;

#define HASH "a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf"
#define FILE_ROW(path, mode)                                                          \
	"{\"path\":\"" path "\",\"size\":10,\"mode\":\"" mode "\",\"sha256\":\"" HASH \
	"\"}"
#define HEAD                                                  \
	"\"format\":1,\"name\":\"shop\",\"version\":\"1.0\"," \
	"\"created\":\"2026-11-21T11:00:00Z\",\"applications\":[]"
#define MODULE(file, name)                        \
	"{\"file\":\"" file "\",\"name\":\"" name \
	"\",\"version\":\"1\",\"abi\":1,\"state_version\":2}"
#define TREE FILE_ROW("tree.ini", "0444")

static int
read_text(const char *text)
{
	struct release r;
	if (release_read(text, strlen(text), &r, &err) < 0)
		return -1;
	release_free(&r);
	return 0;
}

static void
a_manifest_is_read_and_printed_again(void **state)
{
	static const char text[] = "{" HEAD ",\"modules\":[" MODULE("lib/a.so",
	    "a") "],\"upgrade\":[{\"from\":"
		 "\"0.9\",\"up\":[{\"do\":\"update\",\"module\":\"a\"}]}],\"files\":[" FILE_ROW(
		     "bin/x", "0555") "," FILE_ROW("lib/a.so",
		     "0444") ",{\"path\":\"share/"
			     "t\",\"link\":"
			     "\"../"
			     "tree.ini\"}," TREE "]}";
	struct release r, again;
	(void)state;
	if (release_read(text, strlen(text), &r, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(r.nfiles, 4);
	assert_int_equal(r.created, 1795258800);
	assert_int_equal(release_find(&r, "bin/x")->mode, 0555);
	assert_null(release_find(&r, "bin"));
	assert_true(release_has_directory(&r, "bin"));
	assert_false(release_has_directory(&r, "bi"));
	char *one = release_print(&r);
	assert_int_equal(release_read(one, strlen(one), &again, &err), 0);
	char *two = release_print(&again);
	assert_string_equal(one, two);
	free(one);
	free(two);
	release_free(&r);
	release_free(&again);
}

#define TOP(rest)   "{" HEAD "," rest "}"
#define FILES(rows) TOP("\"modules\":[],\"files\":[" rows "]")
static const char *const wrong[][2] = {
    {"[]", "has to be an object"},
    {"{", "release.json"},
    {"{\"format\":2}", "missing"},
    {FILES(""), "no tree.ini"},
    {TOP("\"modules\":[]"), "'files' is missing"},
    {TOP("\"modules\":[],\"flies\":[]"), "did you mean 'files'"},
    {TOP("\"modules\":[],\"modules\":[],\"files\":[" TREE "]"), "twice"},
    {TOP("\"modules\":{},\"files\":[" TREE "]"), "has to be an array"},
    {FILES(FILE_ROW("../x", "0444") "," TREE), "files[0]"},
    {FILES(FILE_ROW("/x", "0444") "," TREE), "empty part"},
    {FILES(FILE_ROW(".x", "0444") "," TREE), "does not match"},
    {FILES(FILE_ROW("a b", "0444") "," TREE), "does not match"},
    {FILES(FILE_ROW("a", "0555") "," TREE), "'mode'"},
    {FILES(FILE_ROW("a", "0644") "," TREE), "'mode'"},
    {FILES(FILE_ROW("z", "0444") "," TREE), "sorted"},
    {FILES(TREE "," TREE), "each once"},
    {FILES(FILE_ROW("a", "0444") "," FILE_ROW("a/b", "0444") "," TREE),
	"a file and a directory"},
    {FILES(FILE_ROW("release.json", "0444") "," TREE), "itself"},
    {FILES(FILE_ROW("lib/a.so", "0444") "," TREE), "1 modules"},
    {FILES("{\"path\":\"a\",\"link\":\"../x\"}," TREE), "stay inside"},
    {FILES("{\"path\":\"a\",\"link\":\"/x\"}," TREE), "stay inside"},
    {FILES("{\"path\":\"a/b\",\"link\":\"x/../y\"}," TREE), "stay inside"},
    {FILES("{\"path\":\"a\",\"link\":\"x\",\"size\":1}," TREE), "unknown member"},
    {FILES("{\"path\":\"a\",\"size\":-1,\"mode\":\"0444\",\"sha256\":\"\"}," TREE),
	"whole number"},
    {FILES("{\"path\":\"a\",\"size\":1,\"mode\":\"0444\",\"sha256\":\"00\"}," TREE),
	"'sha256'"},
    {TOP("\"modules\":[" MODULE("lib/a.so", "a") "],\"files\":[" TREE "]"),
	"no file 'lib/a.so'"},
    {TOP("\"modules\":[" MODULE("bin/a", "a") "],\"files\":[" TREE "]"), "lib/NAME.so"},
    {TOP("\"modules\":[" MODULE("lib/a.so", "A") "],\"files\":[" TREE "]"),
	"modules[0]"},
    {TOP("\"upgrade\":[{\"from\":\"1\",\"up\":[{\"do\":\"updaet\"}]}],"
	 "\"modules\":[],\"files\":[" TREE "]"),
	"did you mean 'update'"},
    {TOP("\"upgrade\":[{\"from\":\"1\",\"up\":[{\"do\":\"update\"}]}],"
	 "\"modules\":[],\"files\":[" TREE "]"),
	"upgrade[0].up[0]: 'module' is missing"},
    {TOP("\"upgrade\":[{\"from\":\"1\",\"up\":[]},{\"from\":\"1\",\"up\":[]}],"
	 "\"modules\":[],\"files\":[" TREE "]"),
	"already"},
    {TOP("\"expires\":\"tomorrow\",\"modules\":[],\"files\":[" TREE "]"), "'expires'"},
};

static void
what_a_manifest_may_not_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(read_text(wrong[i][0]), -1);
		if (strstr(err.msg, wrong[i][1]) == NULL)
			fail_msg("row %zu says: %s", i, err.msg);
		assert_int_equal(err.kind, ERR_REFUSED);
	}
	assert_int_equal(read_text(FILES(TREE)), 0);
}

static void
a_release_expires_at_its_time(void **state)
{
	const struct release r = {.name = "a", .version = "1", .expires = 1000};
	const struct release never = {.name = "a", .version = "1"};
	(void)state;
	assert_int_equal(release_check_time(&r, 999, &err), 0);
	assert_int_equal(release_check_time(&r, 1000, &err), -1);
	assert_int_equal(release_check_time(&never, INT64_MAX, &err), 0);
}

static void
times_have_one_text(void **state)
{
	static const char *const bad[] = {"", "2026-11-21", "2026-11-21T11:00:00+",
	    "2026-02-30T11:00:00Z", "2026-11-21T25:00:00Z", "2026-11-21t11:00:00Z",
	    "1969-12-31T23:59:59Z", "2026-11-21T11:00:0aZ"};
	char text[WHEN_TEXT];
	int64_t when = 0;
	(void)state;
	assert_int_equal(when_read("2028-02-29T23:59:59Z", &when), 0);
	assert_string_equal(when_print(when, text), "2028-02-29T23:59:59Z");
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(when_read(bad[i], &when), -1);
}

/* --- the policy of archives ------------------------------------------------------------ */

/* The refusal of the last of some entries, behind a good beginning; null for none. */
static const char *
refusal(const struct policy_entry *entries, size_t n)
{
	static const struct policy_entry begin[] = {
	    {POLICY_FILE, "release.json", NULL, 10, 0444},
	    {POLICY_FILE, "release.json.minisig", NULL, 10, 0444}};
	struct policy p;
	const char *path;
	int rc = 0;
	policy_begin(&p, NULL);
	for (size_t i = 0; i < COUNT(begin); i++)
		assert_int_equal(policy_enter(&p, &begin[i], &path, &err), 0);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = policy_enter(&p, &entries[i], &path, &err);
	policy_free(&p);
	return rc < 0 ? err.msg : NULL;
}

static void
good_entries_pass(void **state)
{
	static const struct policy_entry good[] = {
	    {POLICY_DIRECTORY, "bin/", NULL, 0, 0755},
	    {POLICY_FILE, "bin/x", NULL, 5, 0755},
	    {POLICY_DIRECTORY, "lib", NULL, 0, 0700},
	    {POLICY_FILE, "lib/x.so", NULL, 5, 0},
	    {POLICY_LINK, "share/deep/link", "../../bin/x", 0, 0777},
	    {POLICY_FILE, "tree.ini", NULL, 0, 0644},
	};
	(void)state;
	if (refusal(good, COUNT(good)) != NULL)
		fail_msg("%s", err.msg);
}

#define LONG_PART                                                                          \
	"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhh" \
	"iiiiiiiiiijjjjjjjjjjk"

static const struct {
	struct policy_entry entry;
	const char *sentence;
} hostile[] = {
    {{POLICY_FILE, NULL, NULL, 1, 0444}, "no name"},
    {{POLICY_FILE, "", NULL, 1, 0444}, "empty part"},
    {{POLICY_FILE, "/etc/passwd", NULL, 1, 0444}, "empty part"},
    {{POLICY_FILE, "../x", NULL, 1, 0444}, "does not match"},
    {{POLICY_FILE, "a/../../x", NULL, 1, 0444}, "does not match"},
    {{POLICY_FILE, "./x", NULL, 1, 0444}, "does not match"},
    {{POLICY_FILE, "a//x", NULL, 1, 0444}, "empty part"},
    {{POLICY_FILE, "x/", NULL, 1, 0444}, "empty part"},
    {{POLICY_FILE, "a\nb", NULL, 1, 0444}, "a\\x0ab"},
    {{POLICY_FILE, "a\x1b[2J", NULL, 1, 0444}, "a\\x1b"},
    {{POLICY_FILE, "-rf", NULL, 1, 0444}, "does not match"},
    {{POLICY_FILE, ".hidden", NULL, 1, 0444}, "does not match"},
    {{POLICY_FILE, "\xc3\xa4", NULL, 1, 0444}, "does not match"},
    {{POLICY_FILE, LONG_PART, NULL, 1, 0444}, "more than 100"},
    {{POLICY_FILE, "a/b/c/d/e/f/g/h/i", NULL, 1, 0444}, "deep"},
    {{POLICY_FILE, LONG_PART "/" LONG_PART "/" LONG_PART, NULL, 1, 0444}, "255"},
    {{POLICY_HARD_LINK, "x", "y", 0, 0444}, "a hard link"},
    {{POLICY_CHARACTER_DEVICE, "x", NULL, 0, 0444}, "a character device"},
    {{POLICY_BLOCK_DEVICE, "x", NULL, 0, 0444}, "a block device"},
    {{POLICY_FIFO, "x", NULL, 0, 0444}, "a FIFO"},
    {{POLICY_SOCKET, "x", NULL, 0, 0444}, "a socket"},
    {{(enum policy_kind)77, "x", NULL, 0, 0444}, "nobody knows"},
    {{POLICY_FILE, "x", NULL, 1, 04755}, "4755"},
    {{POLICY_FILE, "x", NULL, 1, 02755}, "setgid"},
    {{POLICY_LINK, "x", "/etc", 0, 0777}, "stay inside"},
    {{POLICY_LINK, "x", "../y", 0, 0777}, "stay inside"},
    {{POLICY_LINK, "x", "a/../../y", 0, 0777}, "stay inside"},
    {{POLICY_LINK, "x", "", 0, 0777}, "stay inside"},
    {{POLICY_LINK, "x", NULL, 0, 0777}, "stay inside"},
    {{POLICY_LINK, "release.json", "y", 0, 0777}, "twice"},
    {{POLICY_FILE, "release.json.minisig", NULL, 1, 0444}, "twice"},
    {{POLICY_FILE, "m/f", NULL, 1, 0444}, "twice"},
    {{POLICY_FILE, "a", NULL, 1, 0444}, "out of order"},
    {{POLICY_FILE, "m/f/x", NULL, 1, 0444}, "no directory"},
    {{POLICY_FILE, "m/l/x", NULL, 1, 0444}, "no directory"},
    {{POLICY_FILE, "x", NULL, 2ULL << 30, 0444}, "the most"},
};

static void
hostile_entries_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hostile); i++) {
		struct policy_entry e[] = {{POLICY_FILE, "m/f", NULL, 1, 0444},
		    {POLICY_LINK, "m/l", "f", 0, 0777}, hostile[i].entry};
		/* what is refused for its place comes where the place is wrong */
		const char *name =
		    hostile[i].entry.path != NULL ? hostile[i].entry.path : "";
		size_t before = strcmp(hostile[i].sentence, "twice") == 0 ||
					strcmp(name, "m/f/x") == 0
				    ? 1
				    : 2;
		if (before == 1)
			e[1] = e[2];
		else if (name[0] != 'm') {
			e[0].path = "Am";
			e[1].path = "Bm";
		}
		if (strcmp(hostile[i].sentence, "out of order") == 0) {
			e[0].path = "m";
			e[1].path = "n";
		}
		const char *said = refusal(e, before + 1);
		if (said == NULL || strstr(said, hostile[i].sentence) == NULL)
			fail_msg(
			    "row %zu says: %s", i, said != NULL ? said : "nothing");
	}
}

static void
the_beginning_is_fixed(void **state)
{
	static const struct policy_entry other = {POLICY_FILE, "a", NULL, 1, 0444},
					 manifest = {POLICY_FILE, "release.json", NULL,
					     10, 0444},
					 huge = {POLICY_FILE, "release.json", NULL,
					     5 << 20, 0444};
	struct policy p;
	const char *path;
	(void)state;
	policy_begin(&p, NULL);
	assert_int_equal(policy_end(&p, &err), -1);
	assert_int_equal(policy_enter(&p, &other, &path, &err), -1);
	assert_non_null(strstr(err.msg, "first entry"));
	assert_int_equal(policy_enter(&p, &huge, &path, &err), -1);
	assert_int_equal(policy_enter(&p, &manifest, &path, &err), 0);
	assert_int_equal(policy_end(&p, &err), -1);
	assert_int_equal(policy_enter(&p, &other, &path, &err), -1);
	assert_non_null(strstr(err.msg, "not signed"));
	p.unsigned_too = 1;
	assert_int_equal(policy_enter(&p, &other, &path, &err), 0);
	assert_int_equal(policy_end(&p, &err), 0);
	policy_free(&p);
}

static void
data_is_capped(void **state)
{
	static const struct policy_entry manifest = {
	    POLICY_FILE, "release.json", NULL, 4 << 20, 0444};
	static const struct policy_limits limits = {
	    .bytes = 4 << 20, .entries = 1, .ratio = 10, .small = 1000};
	struct policy p;
	const char *path;
	(void)state;
	policy_begin(&p, &limits);
	assert_int_equal(policy_enter(&p, &manifest, &path, &err), 0);
	assert_int_equal(policy_data(&p, 1000, 1, &err), 0);
	assert_int_equal(policy_leave(&p, &err), -1);
	assert_int_equal(policy_data(&p, 1000, 200, &err), 0);
	assert_int_equal(policy_data(&p, 1000, 200, &err), -1);
	assert_non_null(strstr(err.msg, "fill disks"));
	assert_int_equal(policy_data(&p, 4 << 20, 4 << 20, &err), -1);
	assert_int_equal(policy_enter(&p, &manifest, &path, &err), -1);
	assert_non_null(strstr(err.msg, "more than 1 entries"));
	policy_free(&p);
}

/* --- directories ------------------------------------------------------------------------ */

static char root_path[64];
static int root = -1;

static void
make_release_dir(const char *temp)
{
	assert_int_equal(mkdirat(root, temp, 0700), 0);
	int dir = openat(root, temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(dir, "lib", 0700), 0);
	int fd = openat(dir, "lib/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	fd_close(&fd);
	assert_int_equal(symlinkat("/etc", dir, "lib/etc"), 0);
	assert_int_equal(dir_seal(dir, &err), 0);
	fd_close(&dir);
}

static void
a_release_gets_its_name_once(void **state)
{
	char temp[PLACE_TEMP];
	struct stat st;
	(void)state;
	assert_int_equal(place_temp_name(temp, &err), 0);
	make_release_dir(temp);
	if (place_commit(root, temp, "shop", "1.0", &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(fstatat(root, "shop/1.0/lib/x", &st, 0), 0);
	assert_int_equal(fstatat(root, "shop/1.0", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	make_release_dir(temp);
	assert_int_equal(place_commit(root, temp, "shop", "1.0", &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_int_equal(place_commit(root, temp, "shop", "..", &err), -1);
	assert_int_equal(place_commit(root, temp, "../x", "1", &err), -1);
	assert_int_equal(fstatat(root, temp, &st, 0), 0);
	assert_int_equal(place_sweep(root, &err), 0);
	assert_int_equal(fstatat(root, temp, &st, 0), -1);
	assert_int_equal(fstatat(root, "shop/1.0/lib/x", &st, 0), 0);
	assert_int_equal(dir_remove(root, "shop", &err), 0);
	assert_int_equal(dir_remove(root, "shop", &err), 0);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void
reports_are_checked(void **state)
{
	struct place_report r, got;
	struct err why = {.kind = ERR_REFUSED, .msg = "no\nway"};
	(void)state;
	place_report_init(&r, PLACE_VERIFIED);
	assert_int_equal(
	    place_report_check(&r, sizeof r, PLACE_VERIFIED, &got, &err), -1);
	(void)snprintf(r.name, sizeof r.name, "shop");
	(void)snprintf(r.version, sizeof r.version, "1");
	assert_int_equal(
	    place_report_check(&r, sizeof r, PLACE_VERIFIED, &got, &err), 0);
	assert_int_equal(
	    place_report_check(&r, sizeof r - 1, PLACE_VERIFIED, &got, &err), -1);
	assert_int_equal(
	    place_report_check(&r, sizeof r, PLACE_UNPACKED, &got, &err), -1);
	memset(r.version, 'x', sizeof r.version);
	assert_int_equal(
	    place_report_check(&r, sizeof r, PLACE_VERIFIED, &got, &err), -1);
	place_report_init(&r, PLACE_VERIFIED);
	place_report_refuse(&r, &why);
	assert_int_equal(
	    place_report_check(&r, sizeof r, PLACE_VERIFIED, &got, &err), 0);
	assert_string_equal(got.why, "no\\x0away");
}

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(root_path, sizeof root_path, "/tmp/steward-release-XXXXXX");
	if (mkdtemp(root_path) == NULL)
		return -1;
	root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	fd_close(&root);
	return rmdir(root_path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_manifest_is_read_and_printed_again),
	    cmocka_unit_test(what_a_manifest_may_not_say),
	    cmocka_unit_test(a_release_expires_at_its_time),
	    cmocka_unit_test(times_have_one_text),
	    cmocka_unit_test(good_entries_pass),
	    cmocka_unit_test(hostile_entries_are_refused),
	    cmocka_unit_test(the_beginning_is_fixed),
	    cmocka_unit_test(data_is_capped),
	    cmocka_unit_test(a_release_gets_its_name_once),
	    cmocka_unit_test(reports_are_checked),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
