/*
 * What one datagram of sd_notify means, by table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "probe/notify_parse.h"

#define BIT(f) (1u << (f))

static const struct {
	const char *text;
	uint32_t has;
	enum fact of; /* whose value is checked */
	uint64_t value;
	const char *status;
} good[] = {
    {"READY=1", BIT(FACT_READY), 0, 0, ""},
    {"READY=1\n", BIT(FACT_READY), 0, 0, ""},
    {"\n\nREADY=1\n\n", BIT(FACT_READY), 0, 0, ""},
    {"READY=0", 0, 0, 0, ""},
    {"READY=11", 0, 0, 0, ""},
    {"READY=", 0, 0, 0, ""},
    {"ready=1", 0, 0, 0, ""},
    {"READY=1\nSTATUS=up", BIT(FACT_READY) | BIT(FACT_STATUS), 0, 0, "up"},
    {"STATUS=", BIT(FACT_STATUS), 0, 0, ""},
    {"STATUS=a=b", BIT(FACT_STATUS), 0, 0, "a=b"},
    {"STATUS=one\nSTATUS=two", BIT(FACT_STATUS), 0, 0, "two"},
    {"STATUS=a\tb\x1b[31mc\x7f", BIT(FACT_STATUS), 0, 0, "a?b?[31mc?"},
    {"STATUS=gr\xc3\xbc\xc3\x9f", BIT(FACT_STATUS), 0, 0, "gr\xc3\xbc\xc3\x9f"},
    {"STATUS=\xff\xc3|\xe2\x82|\xc0\x80|", BIT(FACT_STATUS), 0, 0, "??|??|??|"},
    {"STATUS=\xc2\x9b|\xc2\xa0", BIT(FACT_STATUS), 0, 0, "??|\xc2\xa0"},
    {"STATUS=\xe0\x9f\xbf|\xed\xa0\x80|", BIT(FACT_STATUS), 0, 0, "???|???|"},
    {"STATUS=\xf0\x8f\xbf\xbf|\xf4\x90\x80\x80|\xf0\x9f\x98\x80", BIT(FACT_STATUS), 0,
	0, "????|????|\xf0\x9f\x98\x80"},
    {"STOPPING=1", BIT(FACT_STOPPING), 0, 0, ""},
    {"RELOADING=1\nMONOTONIC_USEC=12", BIT(FACT_RELOADING), 0, 0, ""},
    {"WATCHDOG=1", BIT(FACT_WATCHDOG), 0, 0, ""},
    {"WATCHDOG=trigger", BIT(FACT_WATCHDOG_TRIGGER), 0, 0, ""},
    {"WATCHDOG=other", 0, 0, 0, ""},
    {"WATCHDOG_USEC=20000000", BIT(FACT_WATCHDOG_USEC), FACT_WATCHDOG_USEC, 20000000,
	""},
    {"WATCHDOG_USEC=0", BIT(FACT_WATCHDOG_USEC), FACT_WATCHDOG_USEC, 0, ""},
    {"WATCHDOG_USEC=18446744073709551615", BIT(FACT_WATCHDOG_USEC), FACT_WATCHDOG_USEC,
	UINT64_MAX, ""},
    {"MAINPID=4711", BIT(FACT_MAINPID), FACT_MAINPID, 4711, ""},
    {"MAINPID=2147483647", BIT(FACT_MAINPID), FACT_MAINPID, INT32_MAX, ""},
    {"MAINPID=1\nMAINPID=2", BIT(FACT_MAINPID), FACT_MAINPID, 2, ""},
    {"EXTEND_TIMEOUT_USEC=5", BIT(FACT_EXTEND), FACT_EXTEND, 5, ""},
    {"ERRNO=2\nBUSERROR=x\nEXIT_STATUS=3\nFDSTORE=1\nFDNAME=a\nBARRIER=1\nX_Y9=z", 0, 0,
	0, ""},
};

static const char *const bad[] = {
    "",
    "READY",
    "=1",
    "READY =1",
    "RE-ADY=1",
    "READY=1\nnonsense\n",
    "\xff\xfe=1",
    "MAINPID=",
    "MAINPID=0",
    "MAINPID=-1",
    "MAINPID=1x",
    "MAINPID= 1",
    "MAINPID=2147483648",
    "MAINPID=99999999999999999999999",
    "WATCHDOG_USEC=18446744073709551616",
    "WATCHDOG_USEC=1e3",
    "EXTEND_TIMEOUT_USEC=+1",
    "READY=1\nMAINPID=x",
};

static void
good_datagrams_become_facts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct notify got;
		struct err err;
		const char *text = good[i].text;
		if (notify_parse(text, strlen(text), &got, &err) < 0)
			fail_msg("'%s': %s", text, err.msg);
		if (got.has != good[i].has || strcmp(got.status, good[i].status) != 0)
			fail_msg(
			    "'%s': has %x, status '%s'", text, got.has, got.status);
		if (got.has != 0 && got.value[good[i].of] != good[i].value)
			fail_msg("'%s': another value", text);
	}
}

static void
bad_datagrams_are_refused_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct notify got = {.has = 12345};
		struct err err;
		if (notify_parse(bad[i], strlen(bad[i]), &got, &err) == 0)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(err.kind, ERR_PROTO);
		assert_int_equal(got.has, 12345);
	}
}

static void
one_nul_at_the_end_is_allowed(void **state)
{
	struct notify got;
	(void)state;
	assert_int_equal(notify_parse("READY=1", 8, &got, NULL), 0);
	assert_int_equal(got.has, BIT(FACT_READY));
	assert_int_equal(notify_parse("READY=1\0", 9, &got, NULL), -1);
	assert_int_equal(notify_parse("\0", 1, &got, NULL), -1);
	assert_int_equal(notify_parse("STATUS=a\0b", 10, &got, NULL), -1);
}

static void
a_status_is_cut_between_characters(void **state)
{
	char text[300] = "STATUS=";
	struct notify got;
	(void)state;
	for (int i = 0; i < 100; i++)
		(void)strcat(text, i == 0 ? "x" : "\xc3\xbc");
	assert_int_equal(notify_parse(text, strlen(text), &got, NULL), 0);
	assert_int_equal(strlen(got.status), 127);
	memset(text + 7, 'a', 126);
	(void)strcpy(text + 7 + 126, "\xe2\x82\xac...");
	assert_int_equal(notify_parse(text, strlen(text), &got, NULL), 0);
	assert_int_equal(strlen(got.status), 126);
	assert_int_equal(got.status[125], 'a');
}

static void
no_more_than_4096_bytes(void **state)
{
	static char text[NOTIFY_MAX_BYTES + 2];
	struct notify got;
	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, "STATUS=", 7);
	assert_int_equal(notify_parse(text, NOTIFY_MAX_BYTES, &got, NULL), 0);
	assert_int_equal(notify_parse(text, NOTIFY_MAX_BYTES + 1, &got, NULL), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_datagrams_become_facts),
	    cmocka_unit_test(bad_datagrams_are_refused_whole),
	    cmocka_unit_test(one_nul_at_the_end_is_allowed),
	    cmocka_unit_test(a_status_is_cut_between_characters),
	    cmocka_unit_test(no_more_than_4096_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
