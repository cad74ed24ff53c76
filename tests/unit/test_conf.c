/* From a configuration to rows: the tree, its order, and all that is refused. */
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/unit/conf_help.h"

#define CMD "command = /bin/true\n"

static void
a_small_tree_has_its_rows(void **state)
{
	struct loaded l;
	(void)state;
	load_good(&l,
	    "[node]\nname = web1\n"
	    "[application api]\nversion = 1.2\n"
	    "[supervisor api/back]\nstrategy = rest_for_one\nintensity = 3\n"
	    "period = 10s\n"
	    "[worker cache]\nsupervisor = api/back\n" CMD "ready = tcp:127.0.0.1:7000\n"
	    "[worker shop]\nsupervisor = api/back\n" CMD
	    "instances = 4\nafter = cache\n"
	    "[worker lone]\n" CMD);
	assert_string_equal(rows_string(&l.rows, l.rows.head->node.name), "web1");
	assert_int_equal(l.rows.head->nrows, 7);
	const struct row *back = row_named(&l, "api/back", ROW_SUP);
	assert_int_equal(back->strategy, REST_FOR_ONE);
	assert_int_equal(back->intensity, 3);
	assert_int_equal(back->period_ms, 10000);
	assert_int_equal(back->stop_ms, MS_INFINITY);
	const struct row *pool = row_named(&l, "api/shop", ROW_SUP);
	const struct row *shop = row_named(&l, "api/shop", ROW_TEMPLATE);
	assert_ptr_equal(pool + 1, shop);
	assert_int_equal(pool->flags, ROWF_IMPLICIT);
	assert_int_equal(pool->intensity, 3);
	assert_int_equal(shop->instances, 4);
	assert_int_equal(shop->nafter, 1);
	const struct row *cache = row_named(&l, "api/cache", ROW_WORKER);
	assert_ptr_equal(&l.rows.row[l.rows.word[shop->after]], cache);
	assert_int_equal(cache->ready, READY_TCP);
	assert_int_equal(cache->start_ms, 90000);
	assert_int_equal(cache->stop_ms, 5000);
	assert_int_equal(row_named(&l, "main/lone", ROW_WORKER)->start_ms, 10000);
	assert_int_equal(row_named(&l, "main", ROW_APP)->restart, TEMPORARY);
	load_done(&l);
}

static const char every_setting[] =
    "[socket http]\nlisten = tcp:[::1]:8080\nbacklog = 7\n"
    "[socket ctl]\nlisten = unix:/run/x.sock\nmode = 600\nuser = nobody\n"
    "[worker a]\ncommand = /bin/echo 50%% 'a b'\n"
    "user = nobody\ngroups = 7,8\numask = 027\nnice = -5\n"
    "oom_score_adj = 100\ncpu_affinity = 0-2,33\n"
    "capabilities = CAP_NET_BIND_SERVICE kill\nno_new_privs = yes\n"
    "limit_nofile = 100:200\nlimit_core = infinity\nlimit_cpu = 1h\n"
    "limit_rttime = 200ms\nstop_signal = SIGHUP\nshutdown = brutal_kill\n"
    "success_codes = 3, 64-66\nbackoff = 100ms..30s\nwatchdog = 30s\n"
    "ready = fd:7\nsockets = ctl http\ndirectory = /srv\n"
    "pre_start = /bin/a b\npost_stop = /bin/c\nlog = none\n"
    "log_size = 1k\nlog_age = 1d\nlog_keep = 2\nlog_zstd = yes\n"
    "log_timestamps = no\nenabled = no\nrestart = temporary\n"
    "inherit_environment = yes\n";

static void
every_setting_arrives(void **state)
{
	struct loaded l;
	(void)state;
	load_good(&l, every_setting);
	const struct row *r = row_named(&l, "main/a", ROW_WORKER);
	const struct row_exec *e = exec_of(&l, "main/a");
	const uint32_t *w = l.rows.word;
	assert_string_equal(arg_of(&l, e, 1), "50%");
	assert_int_equal(e->flags, EXECF_USER | EXECF_UMASK | EXECF_NICE | EXECF_OOM |
				       EXECF_CAPS | EXECF_NO_NEW_PRIVS |
				       EXECF_LOG_ZSTD | EXECF_MERGE_ENV);
	assert_int_equal(e->uid, 65534);
	assert_int_equal(e->ngroups, 2);
	assert_int_equal(w[e->groups + 1], 8);
	assert_int_equal(e->umask, 027);
	assert_int_equal(e->nice, -5);
	assert_int_equal(e->naffinity, 2);
	assert_int_equal(w[e->affinity], 7);
	assert_int_equal(w[e->affinity + 1], 2);
	assert_int_equal(e->caps_ambient, 1 << 10 | 1 << 5);
	assert_int_equal(e->nrlimits, 4);
	assert_int_equal(w[e->rlimits], RLIMIT_CORE);
	assert_int_equal(w[e->rlimits + 1], UINT32_MAX);
	assert_int_equal(w[e->rlimits + 5], RLIMIT_CPU);
	assert_int_equal(w[e->rlimits + 6], 3600);
	assert_int_equal(w[e->rlimits + 10], RLIMIT_NOFILE);
	assert_int_equal(w[e->rlimits + 13], 200);
	assert_int_equal(w[e->rlimits + 16], 200000);
	assert_int_equal(e->stop_signal, SIGHUP);
	assert_int_equal(r->stop_ms, 0);
	assert_int_equal(r->success[0], 1 << 0 | 1 << 3);
	assert_int_equal(r->success[2], 7);
	assert_int_equal(r->backoff_max_ms, 30000);
	assert_int_equal(r->watchdog_ms, 30000);
	assert_int_equal(e->ready_fd, 7);
	assert_int_equal(e->nsocks, 2);
	assert_string_equal(rows_string(&l.rows, l.rows.sock[w[e->socks]].name), "ctl");
	assert_int_equal(l.rows.sock[0].addr_len, sizeof(struct sockaddr_in6));
	assert_int_equal(l.rows.sock[1].uid, 65534);
	assert_int_equal(l.rows.sock[1].mode, 0600);
	assert_int_equal(e->npre, 2);
	assert_int_equal(e->npost, 1);
	assert_int_equal(e->log_kind, LOG_NONE);
	assert_int_equal(e->log_max_bytes, 1024);
	assert_int_equal(e->log_max_age_ms, 86400000);
	assert_int_equal(r->flags, ROWF_DISABLED);
	assert_string_equal(variable_of(&l, e, "HOME"), "/nonexistent");
	assert_null(variable_of(&l, e, "PATH"));
	load_done(&l);
}

static void
instances_see_their_number(void **state)
{
	struct loaded l;
	(void)state;
	load_good(&l, "[worker a]\ncommand = /bin/echo --port=70%n\n"
		      "environment = N=%n 'P=%%n'\ninstances = 2\n"
		      "[supervisor main/s]\nstrategy = simple_one_for_one\n"
		      "[worker b]\nsupervisor = main/s\ncommand = /bin/echo %n\n");
	const struct row *a = row_named(&l, "main/a", ROW_TEMPLATE);
	const struct row_exec *e = &l.rows.exec[a->exec];
	assert_string_equal(arg_of(&l, e, 1), "--port=70\x01");
	assert_string_equal(variable_of(&l, e, "N"), "\x01");
	assert_string_equal(variable_of(&l, e, "P"), "%n");
	assert_int_equal(row_named(&l, "main/b", ROW_TEMPLATE)->instances, 0);
	load_done(&l);
	refused("[worker a]\ncommand = /bin/echo %n\n", "this has no instances");
	refused("[worker a]\ncommand = /bin/echo %d\ninstances=1\n", "write %% for");
}

static void
commands_are_looked_up(void **state)
{
	struct loaded l;
	(void)state;
	load_good(
	    &l, "[worker a]\ncommand = sh -c true\n[worker b]\ncommand = no-such-x\n");
	const char *sh = arg_of(&l, exec_of(&l, "main/a"), 0);
	assert_int_equal(sh[0], '/');
	assert_int_equal(access(sh, X_OK), 0);
	assert_string_equal(arg_of(&l, exec_of(&l, "main/b"), 0), "/usr/bin/no-such-x");
	assert_non_null(
	    strstr(l.said, "warning: command: there is no program 'no-such-x'"));
	assert_int_equal(l.conf.diag.warnings, 1);
	load_done(&l);
	refused("[worker a]\ncommand = ./x\n", "'./x' is relative");
	refused("[worker a]\ncommand = ''\n", "the program is missing");
	refused("[worker a]\ncommand = 'x\n", "never closed");
	refused(
	    "[worker a]\nrestart = permanent\n", "[worker a] needs 'command = ...'");
	refused("[worker a]\ncommand =\n", "there is no value");
}

static void
slips_get_suggestions(void **state)
{
	(void)state;
	refused("[worker web]\n" CMD "restrat = transient\n",
	    ":3: error: unknown key 'restrat' in [worker web]; did you mean 'restart'?");
	refused(
	    "[wroker web]\n" CMD, "unknown section [wroker]; did you mean 'worker'?");
	refused("[worker web]\n" CMD "strategy = one_for_all\n",
	    "it is a key of [application] or [supervisor]");
	refused(
	    "[worker web]\n" CMD "restart = permanant\n", "did you mean 'permanent'?");
	refused("[worker web]\n" CMD "after = chache\n[worker cache]\n" CMD,
	    "did you mean 'main/cache'?");
	refused("[worker a]\nsupervisor = api/bakc\n" CMD
		"[application api]\n[supervisor api/back]\n",
	    "did you mean 'api/back'?");
	refused("[worker a]\nsockets = htpt\n" CMD "[socket http]\nlisten = tcp:*:80\n",
	    "did you mean 'http'?");
	refused("[worker a]\nstop_signal = TREM\n" CMD, "did you mean 'TERM'?");
	refused("[worker a]\ncapabilities = cap_sys_nise\n" CMD,
	    "did you mean 'sys_nice'?");
	refused("[worker a]\nuser = nobodi\n" CMD, "there is no user 'nobodi'");
	refused("[application ap]\napplications = bsae\n[application base]\n",
	    "did you mean 'base'?");
}

static void
wrong_values_are_refused(void **state)
{
	static const char *const lines[] = {"shutdown = 5", "nice = 20", "umask = 888",
	    "instances = -1", "backoff = 5s", "backoff = 5s..1s", "cpu_affinity = 3-1",
	    "cpu_affinity = 9999", "cpu_affinity = ,", "success_codes = 256",
	    "limit_nofile = 10:5", "limit_cpu = 1500ms", "limit_as = 5s",
	    "ready = tcp:x:1", "ready = tcp:127.0.0.1:0", "ready = tcp:127.0.0.1",
	    "ready = fd:2", "ready = perhaps", "environment = 1A=x", "environment = X",
	    "environment = =x", "directory = srv", "log = syslog", "log_size = big",
	    "enabled = maybe", "type = forking", "oom_score_adj = 1001",
	    "watchdog = soon", "groups = nogrp", "group = nogrp", "period = 5s",
	    "intensity = 5", "limit_nice = 41", "stop_signal = 0",
	    "stop_signal = RTMIN+99", "env_file = /no/such/file", "start_timeout = -1s",
	    "log_keep = x", "description"};
	char text[256];
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		(void)snprintf(text, sizeof text, "[worker a]\n" CMD "%s\n", lines[i]);
		refused(text, ":3: error: ");
	}
}

static void
otp_refuses_it_too(void **state)
{
	(void)state;
	refused("[worker a]\n" CMD "significant = yes\nrestart = transient\n",
	    "'main' has auto_shutdown = never");
	refused("[application main]\nauto_shutdown = any_significant\n"
		"[worker a]\n" CMD "significant = yes\n",
	    "'main/a' is permanent");
	refused("[worker a]\n" CMD "significant = yes\ninstances = 2\n",
	    "never ends by itself");
	refused("[supervisor main/s]\nstrategy = simple_one_for_one\n",
	    "needs one worker as its template");
	refused("[supervisor main/s]\nstrategy = simple_one_for_one\n"
		"[worker a]\nsupervisor = main/s\n" CMD
		"[worker b]\nsupervisor = main/s\n" CMD,
	    "has its template already, 'main/a'");
	refused("[supervisor main/s]\nstrategy = simple_one_for_one\n"
		"[supervisor main/t]\nsupervisor = main/s\n",
	    "its template must be a worker");
	refused(
	    "[application a]\nstrategy = simple_one_for_one\n", "'simple_one_for_one'");
	refused("[worker a]\n" CMD "dynamic = yes\ninstances = 2\n", "instances = 0");
	refused("[worker a]\n" CMD "type = oneshot\nready = notify\n",
	    "a oneshot is ready");
}

static void
what_can_never_start_is_refused(void **state)
{
	struct loaded l;
	(void)state;
	refused("[worker a]\n" CMD "after = b\n[worker b]\n" CMD,
	    ":3: error: after: can never start: 'main/a' waits for 'main/b', 'main/b' starts after its sibling 'main/a'");
	refused("[worker a]\n" CMD "after = a\n", "cannot wait for itself");
	refused("[supervisor main/s]\n[worker a]\nsupervisor = main/s\n" CMD
		"after = s\n",
	    "can never start");
	refused("[application x]\n[application y]\n"
		"[worker x/a]\n" CMD "after = y/b\n[worker y/b]\n" CMD "after = x/a\n",
	    "can never start");
	refused(
	    "[application x]\napplications = y\n[application y]\napplications = x\n",
	    "applications: can never start: 'x' needs 'y', 'y' needs 'x'");
	refused("[application x]\napplications = y\n[application y]\n"
		"[worker x/a]\n" CMD "[worker y/b]\n" CMD "after = x/a\n",
	    "can never start");
	refused("[supervisor main/s]\nsupervisor = main/t\n"
		"[supervisor main/t]\nsupervisor = main/s\n",
	    "lies below itself");
	refused("[supervisor main/s]\n[supervisor main/t]\n"
		"[worker a]\nsupervisor = main/s\n" CMD "after = b\n"
		"[worker b]\nsupervisor = main/t\n" CMD,
	    "can never start");
	/* Across applications, and on siblings before, it is fine. */
	load_good(&l, "[application x]\n[application y]\n"
		      "[worker x/a]\n" CMD "after = y/b\n"
		      "[worker y/b]\n" CMD "[worker y/c]\n" CMD "after = b x/a\n"
		      "[worker y/d]\n" CMD "dynamic = yes\n");
	assert_int_equal(l.rows.row[0].kind, ROW_APP);
	load_done(&l);
	load_good(
	    &l, "[worker a]\n" CMD "enabled = no\n[worker b]\n" CMD "after = a\n");
	assert_non_null(strstr(l.said, "waits for 'main/a', which is not enabled"));
	load_done(&l);
}

static void
needed_applications_come_first(void **state)
{
	struct loaded l;
	(void)state;
	load_good(&l,
	    "[application c]\napplications = b\n[application b]\napplications = a\n"
	    "[application a]\nautostart = no\n");
	assert_string_equal(rows_string(&l.rows, l.rows.row[0].id), "a");
	assert_string_equal(rows_string(&l.rows, l.rows.row[1].id), "b");
	assert_string_equal(rows_string(&l.rows, l.rows.row[2].id), "c");
	assert_int_equal(l.rows.row[0].flags, ROWF_LOADED_ONLY);
	assert_int_equal(l.rows.word[l.rows.row[2].after], 1);
	load_done(&l);
}

static void
ordinary_users_keep_their_rights(void **state)
{
	const struct conf_options me = {
	    .uid = 65534, .gid = 65534, .root = "/srv/node"};
	struct loaded l;
	static const char fine[] =
	    "[worker a]\n" CMD "user = nobody\ndirectory = data\n"
	    "nice = 3\n[socket s]\nlisten = unix:run/s\n";
	(void)state;
	refused_as("[worker a]\n" CMD "user = root\n", "does not run as root", &me);
	refused_as("[worker a]\n" CMD "groups = 0\n", "does not run as root", &me);
	refused_as(
	    "[worker a]\n" CMD "capabilities = kill\n", "does not run as root", &me);
	refused_as("[socket a]\nlisten = tcp:*:80\n", "is for root only", &me);
	refused_as(
	    "[socket a]\nlisten = unix:/x\nuser = root\n", "give files away", &me);
	assert_int_equal(load_bytes(&l, fine, sizeof fine - 1, &me), 0);
	const struct row_exec *e = exec_of(&l, "main/a");
	assert_int_equal(e->flags & EXECF_USER, 0);
	assert_string_equal(rows_string(&l.rows, e->cwd), "/srv/node/data");
	assert_string_equal(
	    rows_string(&l.rows, l.rows.sock[0].path), "/srv/node/run/s");
	load_done(&l);
}

static void
messages_are_capped(void **state)
{
	struct loaded l;
	char *text = malloc(100000);
	size_t used = 0;
	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 1000; i++)
		used += (size_t)sprintf(text + used, "[worker w%d]\nafter = nope\n", i);
	assert_int_equal(load_bytes(&l, text, used, &as_root), -1);
	assert_int_equal(l.conf.diag.errors, 2000);
	assert_int_equal(l.conf.diag.n, DIAG_MAX);
	assert_non_null(strstr(l.said, "1800 more messages are not shown"));
	load_done(&l);
	free(text);
}

static void
a_missing_file_is_said(void **state)
{
	struct conf conf;
	(void)state;
	assert_int_equal(conf_load("/no/such/file", &as_root, &conf), -1);
	assert_int_equal(conf.diag.errors, 1);
	conf_free(&conf);
	assert_int_equal(conf_load("/", &as_root, &conf), -1);
	conf_free(&conf);
}

/* A directory with a file of variables, disabled ids and two included files. */
static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
remove_files(const char *dir)
{
	static const char *const names[] = {
	    "main.ini", "env", "disabled", "d/b.ini", "d/a.ini", "d/x.txt", "d"};
	char path[128];
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		(void)remove(path);
	}
	(void)remove(dir);
}

static void
other_files_are_read(void **state)
{
	char dir[] = "/tmp/test_conf.XXXXXX", path[128], disabled[128];
	struct conf_options opt = {.disabled = disabled};
	struct loaded l = {0};
	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/d", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof path, "%s/main.ini", dir);
	(void)snprintf(disabled, sizeof disabled, "%s/disabled", dir);
	write_file(dir, "main.ini",
	    "[node]\ninclude = d/*.ini none/*.ini\n"
	    "[application main]\nenvironment = A=app E=app\n");
	write_file(dir, "d/b.ini",
	    "[worker b]\n" CMD "env_file = env -/no/file\n"
	    "environment = E=own\n");
	write_file(dir, "d/a.ini", "[worker a]\n" CMD);
	write_file(dir, "d/x.txt", "nonsense");
	write_file(dir, "disabled", "main/a\nmain/gone\n");
	write_file(dir, "env",
	    "# c\nF='from file'\n  Q = \"a\\\"b\\\nc\" \nE=file\nU=x y  \n");
	assert_int_equal(conf_load(path, &opt, &l.conf), 0);
	assert_int_equal(rows_check(l.conf.block, l.conf.size, &l.rows, NULL), 0);
	assert_string_equal(rows_string(&l.rows, l.rows.row[1].id), "main/a");
	assert_int_equal(l.rows.row[1].flags, ROWF_DISABLED);
	const struct row_exec *e = exec_of(&l, "main/b");
	assert_string_equal(variable_of(&l, e, "A"), "app");
	assert_string_equal(variable_of(&l, e, "E"), "own");
	assert_string_equal(variable_of(&l, e, "F"), "from file");
	assert_string_equal(variable_of(&l, e, "Q"), "a\"bc");
	assert_string_equal(variable_of(&l, e, "U"), "x y");
	conf_free(&l.conf);
	write_file(dir, "env", "A=1\nexport B=2\n\n1C=3\nD\nE=\"open\n");
	assert_int_equal(conf_load(path, &opt, &l.conf), -1);
	assert_int_equal(l.conf.diag.errors, 4);
	conf_free(&l.conf);
	write_file(dir, "d/a.ini", "[worker b]\n" CMD "[node]\ninclude = *.x\n");
	write_file(dir, "env", "");
	assert_int_equal(conf_load(path, &opt, &l.conf), -1);
	conf_free(&l.conf);
	remove_files(dir);
}

static void
ten_thousand_workers_are_no_matter(void **state)
{
	struct loaded l;
	char *text = malloc(2000000);
	size_t used = 0;
	struct timespec a, b;
	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 10000; i++)
		used += (size_t)sprintf(text + used,
		    "[worker w%d]\ncommand = /bin/sleep %d\nuser = nobody\n%s", i, i,
		    i > 0 ? "after = w0\n" : "");
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &a), 0);
	assert_int_equal(load_bytes(&l, text, used, &as_root), 0);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &b), 0);
	assert_int_equal(l.conf.workers, 10000);
	/* Anything quadratic takes minutes; sanitizers and busy machines do not. */
	assert_true(b.tv_sec - a.tv_sec < 10);
	load_done(&l);
	used = 0;
	for (int i = 0; i < 32001; i++)
		used += (size_t)sprintf(text + used, "[worker w%d]\ncommand=/x\n", i);
	assert_int_equal(load_bytes(&l, text, used, &as_root), -1);
	assert_non_null(strstr(l.said, "are more than 32000"));
	load_done(&l);
	free(text);
}

static void
limits_of_the_rows_are_said(void **state)
{
	struct loaded l;
	char *text = malloc(400000);
	size_t used = 0;
	(void)state;
	assert_non_null(text);
	refused("[worker a]\n" CMD "instances = 32000\n[worker b]\n" CMD,
	    "are more than 32000");
	for (int i = 0; i < 4096; i++)
		used += (size_t)sprintf(text + used, "[application a%d]\n", i);
	assert_int_equal(load_bytes(&l, text, used, &as_root), -1);
	assert_non_null(strstr(l.said, "are more than 4095"));
	load_done(&l);
	used = 0;
	for (int i = 0; i < ROW_SOCKS_MAX + 1; i++)
		used += (size_t)sprintf(
		    text + used, "[socket s%d]\nlisten = tcp:*:%d\n", i, 9000 + i);
	assert_int_equal(load_bytes(&l, text, used, &as_root), -1);
	assert_non_null(strstr(l.said, "more than 1280 sockets"));
	load_done(&l);
	used = (size_t)sprintf(text, "[worker a]\ncommand = /bin/x");
	for (int i = 0; i < 512; i++)
		used += (size_t)sprintf(text + used, " a");
	assert_int_equal(load_bytes(&l, text, used, &as_root), -1);
	assert_non_null(strstr(l.said, "513 words are more than 512"));
	load_done(&l);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_small_tree_has_its_rows),
	    cmocka_unit_test(every_setting_arrives),
	    cmocka_unit_test(instances_see_their_number),
	    cmocka_unit_test(commands_are_looked_up),
	    cmocka_unit_test(slips_get_suggestions),
	    cmocka_unit_test(wrong_values_are_refused),
	    cmocka_unit_test(otp_refuses_it_too),
	    cmocka_unit_test(what_can_never_start_is_refused),
	    cmocka_unit_test(needed_applications_come_first),
	    cmocka_unit_test(ordinary_users_keep_their_rights),
	    cmocka_unit_test(messages_are_capped),
	    cmocka_unit_test(a_missing_file_is_said),
	    cmocka_unit_test(other_files_are_read),
	    cmocka_unit_test(ten_thousand_workers_are_no_matter),
	    cmocka_unit_test(limits_of_the_rows_are_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
