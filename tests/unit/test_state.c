#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "state/state.h"

static void
every_name_is_there(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < PHASE_MAX; i++)
		assert_non_null(phase_names[i]);
	for (unsigned i = 0; i < EVENT_MAX; i++)
		assert_non_null(event_names[i]);
	for (unsigned i = 0; i < STAGE_MAX; i++)
		assert_non_null(spawn_stage_names[i]);
	for (unsigned i = 0; i < CHILD_STATE_MAX; i++)
		assert_non_null(child_state_names[i]);
}

static const struct {
	struct reason re;
	const char *term, *words;
} reasons[] = {
    {{.type = RE_NONE}, "none", "has not ended yet"},
    {{.type = RE_NORMAL}, "normal", "ended normally"},
    {{.type = RE_SHUTDOWN}, "shutdown", "was shut down"},
    {{.type = RE_EXIT, .code = 3}, "{exit,3}", "exited with status 3"},
    {{.type = RE_SIGNAL, .code = SIGKILL}, "{signal,KILL}", "was killed by SIGKILL"},
    {{.type = RE_SIGNAL, .code = SIGSEGV, .core = 1}, "{signal,SEGV,core}",
	"was killed by SIGSEGV and dumped core"},
    {{.type = RE_SIGNAL, .code = 40}, "{signal,40}", "was killed by SIG40"},
    {{.type = RE_OOM}, "{oom}",
	"was killed because the machine or its cgroup ran out of memory"},
    {{.type = RE_EXEC_FAILED, .stage = ST_EXEC, .code = ENOENT},
	"{exec_failed,exec,ENOENT}",
	"could not be executed: No such file or directory (at exec)"},
    {{.type = RE_EXEC_FAILED, .stage = ST_CLONE, .code = EAGAIN},
	"{exec_failed,clone,EAGAIN}",
	"could not get a process: Resource temporarily unavailable (at clone)"},
    {{.type = RE_EXEC_FAILED, .stage = ST_CWD, .code = 9999}, "{exec_failed,cwd,9999}",
	"could not be started: unknown error (at cwd)"},
    {{.type = RE_EXEC_FAILED, .stage = 200, .code = 0}, "{exec_failed,unknown stage,0}",
	"could not be started: unknown error (at unknown stage)"},
    {{.type = RE_PRE_START, .code = 1}, "{pre_start,{exit,1}}",
	"did not start: its pre_start exited with status 1"},
    {{.type = RE_PRE_START, .code = -SIGTERM}, "{pre_start,{signal,TERM}}",
	"did not start: its pre_start was killed by SIGTERM"},
    {{.type = RE_UNKNOWN}, "{unknown}", "ended while nobody could see how"},
    {{.type = 250}, "{unknown}", "ended while nobody could see how"},
};

static void
reasons_read_as_otp_terms_and_as_words(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT(reasons); i++) {
		char buf[128];
		assert_int_equal(reason_format(&reasons[i].re, buf, sizeof buf),
		    strlen(reasons[i].term));
		assert_string_equal(buf, reasons[i].term);
		assert_int_equal(reason_words(&reasons[i].re, buf, sizeof buf),
		    strlen(reasons[i].words));
		assert_string_equal(buf, reasons[i].words);
	}
}

static void
an_id_is_app_worker_and_number(void **unused)
{
	(void)unused;
	struct row row[1] = {{.id = 1}};
	struct rows_head head = {.nrows = 1};
	struct rows rows = {.head = &head, .row = row, .string = "\0api/web"};
	struct slot s = {.kind = SLOT_WORKER};
	char id[ROW_ID_MAX];
	slot_id(&rows, &s, id);
	assert_string_equal(id, "api/web");
	s.number = 4294967295u;
	slot_id(&rows, &s, id);
	assert_string_equal(id, "api/web#4294967295");
	s.row = 7;
	slot_id(&rows, &s, id);
	assert_string_equal(id, "?");
	s.kind = SLOT_ROOT;
	slot_id(&rows, &s, id);
	assert_string_equal(id, "root");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_name_is_there),
	    cmocka_unit_test(reasons_read_as_otp_terms_and_as_words),
	    cmocka_unit_test(an_id_is_app_worker_and_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
