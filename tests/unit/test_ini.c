/* Lines, continuations, comments and what must never be cut. */
#include "tests/unit/conf_help.h"

#define HEAD "[worker a]\ncommand = /bin/echo "

static void
check_arg(const char *text, const char *arg)
{
	struct loaded l;
	load_good(&l, text);
	assert_string_equal(arg_of(&l, exec_of(&l, "main/a"), 1), arg);
	load_done(&l);
}

static void
values_are_kept_verbatim(void **state)
{
	(void)state;
	check_arg(HEAD "'a ; b # c'\n", "a ; b # c");
	check_arg(HEAD "x=y:z\n", "x=y:z");
	check_arg(HEAD "gr\xc3\xbc\xc3\x9f\n", "gr\xc3\xbc\xc3\x9f");
	check_arg(HEAD "'tab\there'\n", "tab\there");
	check_arg(HEAD "'[x]'", "[x]");
	check_arg("\xef\xbb\xbf" HEAD "x\r\n", "x");
}

static void
long_values_and_names_are_whole(void **state)
{
	struct loaded l;
	char *text = malloc(20000), word[10241];
	(void)state;
	assert_non_null(text);
	memset(word, 'x', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	(void)snprintf(text, 20000, HEAD "%s\n", word);
	check_arg(text, word);
	free(text);
	load_good(&l,
	    "[application aaaaaaaaaabbbbbbbbbbccccccccccdd]\n"
	    "[worker aaaaaaaaaabbbbbbbbbbccccccccccdd/eeeeeeeeeeffffffffffggggggggggdd]\n"
	    "command = /bin/true\n");
	assert_int_equal(l.rows.head->nrows, 2);
	load_done(&l);
	refused(
	    "[worker aaaaaaaaaabbbbbbbbbbccccccccccddd]\ncommand=x\n", "is no name");
}

static void
indented_lines_continue(void **state)
{
	struct loaded l;
	(void)state;
	load_good(&l, "[worker a]\n"
		      "command = /bin/echo\n"
		      "  one\n"
		      "# a comment between\n"
		      "\t; and another\n"
		      "\ttwo ; three\n"
		      "restart = transient\n");
	const struct row_exec *e = exec_of(&l, "main/a");
	assert_int_equal(e->argc, 5);
	assert_string_equal(arg_of(&l, e, 1), "one");
	assert_string_equal(arg_of(&l, e, 3), ";");
	assert_int_equal(row_named(&l, "main/a", ROW_WORKER)->restart, TRANSIENT);
	load_done(&l);
	refused("[worker a]\n  command = /bin/true\n", ":2: error: this indented line");
	refused(HEAD "\n\n  x\n", ":4: error: this indented line");
}

static void
wrong_lines_are_named(void **state)
{
	struct loaded l;
	static const char nul[] = HEAD "a\0b\n";
	(void)state;
	refused("[worker a\ncommand = /bin/true\n",
	    ":1: error: this section name has no ']'");
	refused("[worker a] # x\n", ":1: error: nothing may stand behind the ']'");
	refused(
	    "command = x\n", ":1: error: 'command' stands before the first section");
	refused(
	    HEAD "x\nrestart permanent\n", ":3: error: 'restart permanent' is neither");
	refused(HEAD "x\nre start = y\n", ":3: error: 're start' is not a key");
	refused(HEAD "x\n= y\n", "is not a key");
	refused(HEAD "a\x01 b\n", ":2: error: control character \\x01");
	refused(HEAD "a\x1b[0m\n", "control character \\x1b");
	refused(HEAD "\xff\n", ":2: error: this line is not UTF-8");
	assert_int_equal(load_bytes(&l, nul, sizeof nul - 1, &as_root), -1);
	assert_non_null(strstr(l.said, "control character \\x00"));
	load_done(&l);
}

static void
keys_of_any_length_are_refused_whole(void **state)
{
	char text[400];
	(void)state;
	memset(text, 'k', sizeof text);
	memcpy(text, "[node]\n", 7);
	memcpy(text + 300, " = x\n", 6);
	refused(text, ":2: error: ");
}

static void
duplicates_name_the_first(void **state)
{
	(void)state;
	refused(HEAD "x\ncommand = /bin/y\n",
	    ":3: error: key 'command' is in [worker a] twice; the first is on line 2");
	refused(HEAD "x\n[worker a]\ncommand = /bin/y\n",
	    ":3: error: [worker a] is here twice");
	refused(
	    HEAD "x\n[worker main/a]\ncommand = /bin/y\n", "the id 'main/a' is taken");
}

static void
an_indented_key_is_warned_of(void **state)
{
	struct loaded l;
	(void)state;
	load_good(&l, HEAD "x\n restart = transient\n");
	assert_non_null(strstr(l.said, ":3: warning: this line is indented"));
	load_done(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_are_kept_verbatim),
	    cmocka_unit_test(long_values_and_names_are_whole),
	    cmocka_unit_test(indented_lines_continue),
	    cmocka_unit_test(wrong_lines_are_named),
	    cmocka_unit_test(keys_of_any_length_are_refused_whole),
	    cmocka_unit_test(duplicates_name_the_first),
	    cmocka_unit_test(an_indented_key_is_warned_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
