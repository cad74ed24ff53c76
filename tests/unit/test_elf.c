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
#include "base/text.h"
#include "base/util.h"
#include "elf/elf.h"
#include "elf/module.h"
#include "elf/note.h"
#include "tests/unit/module.h"

enum { FILE_MAX = 256 * 1024 };

static char dir[64], path[96];
static char *file; /* FILE_MAX bytes */
static size_t file_len;
static struct err err;

static void
build(const char *flags, const char *source)
{
	assert_int_equal(module_build(path, flags, source), 0);
	ssize_t n = fd_read_file(-1, path, file, FILE_MAX);
	assert_true(n > 0);
	file_len = (size_t)n;
}

/* --- breaches ------------------------------------------------------------------------- */

static char said[4096];

static void
collect(void *ctx, const char *sentence)
{
	size_t n = strlen(said);
	(void)ctx;
	(void)snprintf(said + n, sizeof said - n, "%s\n", sentence);
}

static unsigned
breaches(const void *data, size_t len)
{
	const struct elf_module_sink sink = {.breach = collect};
	said[0] = '\0';
	return elf_module_check(data, len, &sink);
}

#define GOOD MODULE_NOTE("counter", "1.0", 3, 7) MODULE_EXPORT

static void
the_note_of_a_good_module_is_read(void **state)
{
	struct elf_note note;
	(void)state;
	build(MODULE_FLAGS " -Wl,--build-id=sha1", GOOD);
	assert_int_equal(elf_note_read(file, file_len, &note, &err), 0);
	assert_string_equal(note.name, "counter");
	assert_string_equal(note.version, "1.0");
	assert_int_equal(note.abi, 3);
	assert_int_equal(note.state_version, 7);
	assert_int_equal(strlen(note.build_id), 40);
	build(MODULE_FLAGS " -Wl,--build-id=none -s", GOOD);
	assert_int_equal(elf_note_read(file, file_len, &note, &err), 0);
	assert_string_equal(note.build_id, "");
}

static void
good_modules_break_no_rule(void **state)
{
	static const char *const flags[] = {MODULE_FLAGS, MODULE_FLAGS " -s",
	    MODULE_FLAGS " -nostartfiles", MODULE_FLAGS " -O2 -g",
	    MODULE_FLAGS " -Wl,--hash-style=sysv -Wl,-z,separate-code"};
	(void)state;
	for (size_t i = 0; i < COUNT(flags); i++) {
		build(flags[i],
		    GOOD "extern int printf(const char *, ...);"
			 "static int quiet; int hidden(void) { return printf(\"%d\", "
			 "quiet++); }");
		if (breaches(file, file_len) != 0)
			fail_msg("with %s: %s", flags[i], said);
	}
}

static const struct {
	const char *flags, *source, *sentence;
} breaking[] = {
    {"-shared -fPIC -fvisibility=hidden -Wl,-z,lazy", GOOD, "-z,now"},
    {MODULE_FLAGS " -fvisibility=default", GOOD "int other;", "exports other"},
    {MODULE_FLAGS, MODULE_NOTE("a", "1", 1, 1), "does not export"},
    {MODULE_FLAGS, MODULE_EXPORT, "no note"},
    {MODULE_FLAGS, MODULE_NOTE("A", "1", 1, 1) MODULE_EXPORT, "name in its note"},
    {MODULE_FLAGS, MODULE_NOTE("a", ".1", 1, 1) MODULE_EXPORT, "version in its"},
    {MODULE_FLAGS,
	MODULE_NOTE("a23456789012345678901234567890123", "1", 1, 1) MODULE_EXPORT,
	"name in its note"},
    {MODULE_FLAGS " -Wl,--no-as-needed -lz", GOOD, "needs libz.so.1"},
    {MODULE_FLAGS, GOOD "__attribute__((constructor)) static void f(void) { }",
	"constructors"},
    {MODULE_FLAGS " -nostartfiles",
	GOOD "__attribute__((constructor)) static void f(void) { }", "constructors"},
    {MODULE_FLAGS, GOOD "__attribute__((destructor)) static void f(void) { }",
	"destructors"},
    {MODULE_FLAGS,
	GOOD "__asm__(\".pushsection .init,\\\"ax\\\"\\n nop; nop; nop; "
	     "nop; nop; nop; nop; nop\\n.popsection\");",
	"constructors"},
    {MODULE_FLAGS,
	GOOD "int atexit(void (*)(void)); static void f(void) { }"
	     "int g(void) { return atexit(f); }",
	"when the module is gone"},
    {MODULE_FLAGS,
	GOOD "int pthread_key_create(); int f(void) "
	     "{ return pthread_key_create(); }",
	"pthread_key_create"},
    {MODULE_FLAGS,
	GOOD "int __cxa_thread_atexit_impl(); int f(void) "
	     "{ return __cxa_thread_atexit_impl(); }",
	"keeps the module loaded"},
    {MODULE_FLAGS, GOOD "int sigaction(); int f(void) { return sigaction(); }",
	"handle_info"},
    {MODULE_FLAGS " -Wl,-z,nodelete", GOOD, "cannot be unloaded"},
    {MODULE_FLAGS " -Wl,-rpath,/tmp", GOOD, "RPATH"},
    {MODULE_FLAGS " -Wl,-z,execstack", GOOD, "executable stack"},
    {MODULE_FLAGS " -ftls-model=initial-exec",
	GOOD "__thread int x; int f(void) { return x; }", "thread-local"},
    {MODULE_FLAGS,
	GOOD "__asm__(\".globl u\\n.type u, @gnu_unique_object\\n"
	     ".data\\nu: .long 1\\n.size u, 4\\n.text\");",
	"unique symbol"},
    {MODULE_FLAGS,
	GOOD "static void one(void) { } static void *pick(void)"
	     "{ return one; } __attribute__((ifunc(\"pick\"))) static "
	     "void f(void); void g(void) { f(); }",
	"ifunc"},
    {"-fPIE -pie", GOOD "int main(void) { return 0; }", "export"},
    {"-no-pie", GOOD "int main(void) { return 0; }", "no shared object"},
    {"-c", GOOD, "no shared object"},
};

static void
each_rule_is_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(breaking); i++) {
		build(breaking[i].flags, breaking[i].source);
		unsigned n = breaches(file, file_len);
		if (n == 0 || strstr(said, breaking[i].sentence) == NULL)
			fail_msg(
			    "row %zu (%s): %u: %s", i, breaking[i].sentence, n, said);
	}
}

/* Cut off anywhere, and with any byte changed, it is read without harm. */
static void
damage_is_no_harm(void **state)
{
	struct elf_note note;
	unsigned char *copy = NULL;
	(void)state;
	build(MODULE_FLAGS " -s", GOOD);
	for (size_t len = 0; len < file_len; len += len < 1024 ? 1 : 97) {
		copy =
		    malloc(len + 1); /* exact, so that a sanitizer sees one too many */
		assert_non_null(copy);
		memcpy(copy, file, len);
		if (elf_note_read(copy, len, &note, &err) == 0)
			assert_string_equal(note.name, "counter");
		assert_true(breaches(copy, len) > 0);
		free(copy);
	}
	for (size_t i = 0; i < 1024; i++) {
		char old = file[i];
		file[i] = (char)0xff;
		(void)elf_note_read(file, file_len, &note, &err);
		(void)breaches(file, file_len);
		file[i] = old;
	}
	assert_int_equal(elf_note_read("MZ", 2, &note, &err), -1);
}

/* --- versions ------------------------------------------------------------------------- */

static void
versions_compare_as_people_read_them(void **state)
{
	static const char *const up[] = {"0.9", "1.0~rc1", "1.0", "1.0-1", "1.0.1",
	    "1.2", "1.10", "2", "2a", "2b", "10", "20261121"};
	(void)state;
	for (size_t i = 0; i < COUNT(up); i++)
		for (size_t k = 0; k < COUNT(up); k++) {
			int d = text_version_cmp(up[i], up[k]);
			if ((i < k && d >= 0) || (i == k && d != 0) ||
			    (i > k && d <= 0))
				fail_msg("%s and %s: %d", up[i], up[k], d);
		}
	assert_int_equal(text_version_cmp("1.01", "1.1"), 0);
}

static void
versions_may_stand_in_a_path(void **state)
{
	static const char *const bad[] = {"", ".", "..", "1..2", "-1", "1/2", "1 ",
	    "1\n", "123456789012345678901234567890123", "\xc3\xa4", "+1", "~1"};
	(void)state;
	assert_true(text_is_version("1"));
	assert_true(text_is_version("2.0.1-rc+3~x"));
	assert_true(text_is_version("12345678901234567890123456789012"));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(text_is_version(bad[i]));
}

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/steward-elf-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/m.so", dir);
	file = malloc(FILE_MAX);
	return file == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(file);
	(void)unlink(path);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_note_of_a_good_module_is_read),
	    cmocka_unit_test(good_modules_break_no_rule),
	    cmocka_unit_test(each_rule_is_kept),
	    cmocka_unit_test(damage_is_no_harm),
	    cmocka_unit_test(versions_compare_as_people_read_them),
	    cmocka_unit_test(versions_may_stand_in_a_path),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
