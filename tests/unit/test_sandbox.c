/* Each role in its sandbox: what it may do works, what it may not is refused or its end. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/run.h"
#include "base/util.h"
#include "confine/filter.h"
#include "confine/sandbox.h"
#include "confine/user.h"

#ifdef NO_SECCOMP
enum { FILTERED = 0 };
#else
enum { FILTERED = 1 };
#endif
#ifdef NO_LANDLOCK
enum { LANDLOCKED = 0 };
#else
enum { LANDLOCKED = 1 };
#endif

/* What came of it. */
enum end { WORKS, REFUSED, KILLED, ODD };

static const char *const end_names[] = {"works", "refused", "killed", "odd"};

/* Who keeps the role from it; a kernel or a build without is not asked. */
enum by { BY_FILTER, BY_FILES, BY_TRUNCATE, BY_PORTS, BY_MAX };

static const int landlock_needed[] = {
    [BY_FILTER] = 0, [BY_FILES] = 1, [BY_TRUNCATE] = 3, [BY_PORTS] = 4};
_Static_assert(COUNT(landlock_needed) == BY_MAX, "one version each");

/* A directory of the role's own, one that is not, a socket made before the sandbox. */
static struct {
	char own[64], other[64], file[96];
	int own_fd, other_fd, listening, tcp, port;
	pid_t stranger;
} at;

/* --- attempts: 0 or -1 with errno ------------------------------------------------------ */

static int
opened(int fd)
{
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int
open_to_write(void)
{
	return opened(open(at.file, O_WRONLY | O_CLOEXEC));
}

static int
open_to_truncate(void)
{
	return opened(open(at.file, O_RDONLY | O_TRUNC | O_CLOEXEC));
}

static int
make_a_file(void)
{
	return opened(openat(at.other_fd, "new", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int
make_a_directory(void)
{
	return mkdirat(at.other_fd, "dir", 0700);
}

static int
remove_a_file(void)
{
	return unlinkat(at.other_fd, "file", 0);
}

static int
move_a_file(void)
{
	return renameat(at.other_fd, "file", at.other_fd, "moved");
}

static int
link_by_name(void)
{
	return symlinkat("/etc/passwd", at.other_fd, "link");
}

static int
read_any_file(void)
{
	return opened(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

/* A life of a log file. */
static int
keep_logs(void)
{
	if ((mkdirat(at.own_fd, "app", 0750) < 0 && errno != EEXIST) ||
	    opened(openat(at.own_fd, "app/w.log", O_RDWR | O_CREAT | O_APPEND, 0640)) <
		0)
		return -1;
	if (renameat(at.own_fd, "app/w.log", at.own_fd, "app/w.log.1") < 0)
		return -1;
	return unlinkat(at.own_fd, "app/w.log.1", 0);
}

static int
execute(void)
{
	char *argv[] = {unconst("true"), NULL};
	return execv("/bin/true", argv);
}

static int
run_fork(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 || waitpid(pid, NULL, 0) != pid ? -1 : 0;
}

static int
compress(void)
{
	static const char *const argv[] = {"/usr/bin/zstd", "-q", "-c", NULL};
	struct err err;
	pid_t pid;
	int status, in = openat(at.own_fd, "plain", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int out = openat(at.own_fd, "plain.zst", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (in < 0 || out < 0)
		in = out = -1;
	const int fds[3] = {in < 0 ? 0 : in, out < 0 ? 1 : out, 2};
	if (run_start(argv, fds, &pid, &err) < 0)
		return -1;
	errno = ECHILD;
	return waitpid(pid, &status, 0) == pid && status == 0 && out >= 0 ? 0 : -1;
}

static int
socket_of(int family)
{
	return opened(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
socket_inet(void)
{
	return socket_of(AF_INET);
}

static int
socket_unix(void)
{
	return socket_of(AF_UNIX);
}

static int
socket_netlink(void)
{
	return opened(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int
connect_out(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	    .sin_port = (in_port_t)at.port,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	return connect(at.tcp, (struct sockaddr *)&sa, sizeof sa);
}

static int
bind_a_port(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	return bind(at.tcp, (struct sockaddr *)&sa, sizeof sa);
}

static int
signal_a_stranger(void)
{
	return kill(at.stranger, 0);
}

static int
signal_a_stranger_thread(void)
{
	return (int)syscall(SYS_tgkill, at.stranger, at.stranger, 0);
}

static int
signal_itself(void)
{
	return (int)syscall(SYS_tgkill, getpid(), getpid(), 0);
}

static int
make_code(void)
{
	void *p =
	    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? -1 : 0;
}

static int
use_memory(void)
{
	size_t size = 8 << 20;
	char *p = malloc(size);
	if (p == NULL)
		return -1;
	memset(p, 1, size);
	free(p);
	return 0;
}

static int
mode_of_a_socket(void)
{
	return fchmodat(at.own_fd, "socket", 0660, 0);
}

static int
mode_of_a_trap(void)
{
	return fchmodat(at.own_fd, "socket", 04755, 0);
}

static int
look_up_users(void)
{
	errno = 0;
	if (getpwnam("root") == NULL)
		return -1;
	return getpwnam("nobody-at-all-of-this-name") == NULL ? 0 : -1;
}

static int
know_limits(void)
{
	struct rlimit rl;
	return getrlimit(RLIMIT_NICE, &rl);
}

static int
hand_over_rows(void)
{
	int fd = memfd_create("rows", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 || write(fd, "x", 1) != 1 ? -1
						: fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE);
}

#define ROLES(control, logger, probe, load)                           \
	{                                                             \
		[ROLE_CONTROL] = (control), [ROLE_LOGGER] = (logger), \
		[ROLE_PROBE] = (probe), [ROLE_LOAD] = (load)          \
	}
#define EACH(end) ROLES(end, end, end, end)

static const struct attempt {
	const char *name;
	int (*go)(void);
	enum by by;
	enum end want[ROLE_MAX];
} attempts[] = {
    {"open to write", open_to_write, BY_FILES, EACH(REFUSED)},
    {"open to truncate", open_to_truncate, BY_TRUNCATE, EACH(REFUSED)},
    {"make a file", make_a_file, BY_FILES, EACH(REFUSED)},
    {"make a directory", make_a_directory, BY_FILES, EACH(REFUSED)},
    {"remove a file", remove_a_file, BY_FILES, EACH(REFUSED)},
    {"move a file", move_a_file, BY_FILES, EACH(REFUSED)},
    {"link by name", link_by_name, BY_FILES, EACH(REFUSED)},
    {"read any file", read_any_file, BY_FILES, ROLES(REFUSED, REFUSED, REFUSED, WORKS)},
    {"keep logs", keep_logs, BY_FILES, ROLES(REFUSED, WORKS, REFUSED, REFUSED)},
    {"execute", execute, BY_FILTER, ROLES(KILLED, REFUSED, KILLED, KILLED)},
    {"fork", run_fork, BY_FILTER, ROLES(KILLED, WORKS, KILLED, REFUSED)},
    {"compress", compress, BY_FILTER, ROLES(KILLED, WORKS, KILLED, REFUSED)},
    {"an inet socket", socket_inet, BY_FILTER, ROLES(REFUSED, REFUSED, WORKS, REFUSED)},
    {"a unix socket", socket_unix, BY_FILTER, ROLES(REFUSED, WORKS, REFUSED, WORKS)},
    {"a netlink socket", socket_netlink, BY_FILTER, EACH(REFUSED)},
    {"connect out", connect_out, BY_PORTS, ROLES(REFUSED, REFUSED, WORKS, REFUSED)},
    {"bind a port", bind_a_port, BY_PORTS, EACH(REFUSED)},
    {"signal a stranger", signal_a_stranger, BY_FILTER, EACH(REFUSED)},
    {"signal a thread", signal_a_stranger_thread, BY_FILTER, EACH(REFUSED)},
    {"signal itself", signal_itself, BY_FILTER, EACH(WORKS)},
    {"make code", make_code, BY_FILTER, ROLES(REFUSED, WORKS, REFUSED, WORKS)},
    {"use memory", use_memory, BY_FILTER, EACH(WORKS)},
    {"mode of a socket", mode_of_a_socket, BY_FILTER,
	ROLES(WORKS, REFUSED, REFUSED, REFUSED)},
    {"mode of a trap", mode_of_a_trap, BY_FILTER, EACH(REFUSED)},
    {"users", look_up_users, BY_FILES, ROLES(REFUSED, REFUSED, REFUSED, WORKS)},
    {"limits", know_limits, BY_FILTER, ROLES(REFUSED, WORKS, REFUSED, WORKS)},
    {"rows", hand_over_rows, BY_FILTER, ROLES(REFUSED, REFUSED, REFUSED, WORKS)},
};

/* Harmless as they are called here, without arguments, should a filter let them through. */
static const struct {
	const char *name;
	long nr;
} deadly[] = {
    {"ptrace", SYS_ptrace},
    {"process_vm_readv", SYS_process_vm_readv},
    {"process_vm_writev", SYS_process_vm_writev},
    {"mount", SYS_mount},
    {"umount2", SYS_umount2},
    {"move_mount", SYS_move_mount},
    {"pivot_root", SYS_pivot_root},
    {"setuid", SYS_setuid},
    {"setresgid", SYS_setresgid},
    {"setgroups", SYS_setgroups},
    {"capset", SYS_capset},
    {"unshare", SYS_unshare},
    {"bpf", SYS_bpf},
    {"init_module", SYS_init_module},
    {"kexec_load", SYS_kexec_load},
    {"reboot", SYS_reboot},
    {"keyctl", SYS_keyctl},
    {"userfaultfd", SYS_userfaultfd},
    {"perf_event_open", SYS_perf_event_open},
    {"execveat", SYS_execveat},
#ifdef __x86_64__
    {"getpid of x32", 0x40000000L | SYS_getpid},
#endif
};

/* --- a child in a sandbox --------------------------------------------------------------- */

/* The directory as the role has it: only the logger has one of its own. */
static void
enter(enum role role)
{
	struct err err;
	log_open("test", 2, LOG_LEVEL_ERROR);
	if (confine_user(NULL, &err) < 0 ||
	    sandbox_enter(role, role == ROLE_LOGGER ? at.own_fd : -1, &err) < 0)
		_exit(99);
}

static enum end
end_of(pid_t pid)
{
	int status;
	must(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : ODD;
	switch (WEXITSTATUS(status)) {
	case 0:
		return WORKS;
	case EPERM:
	case EACCES:
		return REFUSED;
	default:
		return ODD;
	}
}

static enum end
attempt(enum role role, const struct attempt *a)
{
	pid_t pid = fork();
	if (pid != 0)
		return end_of(pid);
	at.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	enter(role);
	errno = 0;
	_exit(a->go() < 0 ? errno : 0);
}

static enum end
attempt_call(enum role role, long nr)
{
	pid_t pid = fork();
	if (pid != 0)
		return end_of(pid);
	enter(role);
	_exit(syscall(nr, 0, 0, 0, 0, 0, 0) < 0 ? errno : 0);
}

static int
landlock_here(void)
{
	long n = syscall(
	    SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return n < 0 || !LANDLOCKED ? 0 : (int)n;
}

static int
filter_here(void)
{
	uint32_t kill = SECCOMP_RET_KILL_PROCESS;
	return FILTERED &&
	       syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill) == 0;
}

static int
kept_here(const struct attempt *a)
{
	return a->by == BY_FILTER ? filter_here()
				  : landlock_here() >= landlock_needed[a->by];
}

/* --- tests ------------------------------------------------------------------------------ */

static int
make_place(void **unused)
{
	(void)unused;
	struct sockaddr_in sa = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sa;
	strcpy(at.own, "/tmp/steward-sandbox-own-XXXXXX");
	strcpy(at.other, "/tmp/steward-sandbox-other-XXXXXX");
	must(mkdtemp(at.own) != NULL && mkdtemp(at.other) != NULL);
	at.own_fd = open(at.own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	at.other_fd = open(at.other, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(at.file, sizeof at.file, "%s/file", at.other);
	must(opened(open(at.file, O_WRONLY | O_CREAT, 0600)) == 0);
	must(opened(openat(at.own_fd, "socket", O_WRONLY | O_CREAT, 0600)) == 0);
	at.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(bind(at.listening, (struct sockaddr *)&sa, sizeof sa) == 0);
	must(listen(at.listening, 16) == 0);
	must(getsockname(at.listening, (struct sockaddr *)&sa, &len) == 0);
	at.port = sa.sin_port;
	at.stranger = getpid();
	return 0;
}

static int
remove_place(void **unused)
{
	(void)unused;
	static const char *const names[] = {"plain", "plain.zst", "socket"};
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlinkat(at.own_fd, names[i], 0);
	(void)unlinkat(at.own_fd, "app", AT_REMOVEDIR);
	(void)unlinkat(at.other_fd, "file", 0);
	(void)close(at.own_fd);
	(void)close(at.other_fd);
	(void)close(at.listening);
	return rmdir(at.own) < 0 || rmdir(at.other) < 0 ? -1 : 0;
}

static void
each_attempt_of_each_role(void **unused)
{
	(void)unused;
	int wrong = 0;
	for (size_t i = 0; i < COUNT(attempts); i++)
		for (int role = ROLE_CONTROL; role < ROLE_MAX; role++) {
			const struct attempt *a = &attempts[i];
			if (!kept_here(a))
				continue;
			enum end got = attempt((enum role)role, a);
			if (got == a->want[role])
				continue;
			wrong++;
			print_error("%s, %s: %s, wanted: %s\n", role_names[role],
			    a->name, end_names[got], end_names[a->want[role]]);
		}
	assert_int_equal(wrong, 0);
}

/* What is refused above works without a sandbox, or it would prove nothing. */
static void
each_attempt_without_a_sandbox(void **unused)
{
	(void)unused;
	int (*const plain[])(void) = {open_to_write, open_to_truncate, read_any_file,
	    run_fork, compress, socket_inet, socket_unix, socket_netlink, connect_out,
	    signal_a_stranger, signal_a_stranger_thread, make_code, mode_of_a_trap};
	for (size_t i = 0; i < COUNT(plain); i++) {
		pid_t pid = fork();
		if (pid == 0) {
			at.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
			_exit(plain[i]() < 0 ? errno : 0);
		}
		if (end_of(pid) != WORKS)
			fail_msg("attempt %zu does not work at all", i);
	}
}

static void
deadly_calls_kill(void **unused)
{
	(void)unused;
	if (!filter_here())
		skip();
	for (size_t i = 0; i < COUNT(deadly); i++)
		for (int role = ROLE_CONTROL; role < ROLE_MAX; role++)
			if (attempt_call((enum role)role, deadly[i].nr) != KILLED)
				fail_msg(
				    "%s survives %s", role_names[role], deadly[i].name);
}

static void
unknown_calls_fail(void **unused)
{
	(void)unused;
	if (!filter_here())
		skip();
	for (int role = ROLE_CONTROL; role < ROLE_MAX; role++)
		assert_int_equal(attempt_call((enum role)role, 4000), REFUSED);
}

/* abort() must end it, and not spin: the message of a panic is all that is left then. */
static void
a_panic_ends_it(void **unused)
{
	(void)unused;
	for (int role = ROLE_CONTROL; role < ROLE_MAX; role++) {
		int status;
		pid_t pid = fork();
		if (pid == 0) {
			const struct rlimit none = {0};
			(void)setrlimit(RLIMIT_CORE, &none);
			(void)signal(SIGABRT, SIG_DFL);
			enter((enum role)role);
			abort();
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
	}
}

/* A kernel without: who asks for the one or the other hears that there is none. */
static void
forget(uint32_t one, uint32_t other)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, one, 1, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = COUNT(code), .filter = code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		_exit(98);
}

/* Much is refused by both; here each has to do it alone. */
static const struct {
	const char *name;
	int (*go)(void);
	uint32_t without;
	enum end want[ROLE_MAX];
} alone[] = {
    {"open to write", open_to_write, SYS_landlock_create_ruleset,
	ROLES(REFUSED, WORKS, REFUSED, REFUSED)},
    {"open to truncate", open_to_truncate, SYS_landlock_create_ruleset,
	ROLES(REFUSED, WORKS, REFUSED, REFUSED)},
    {"read any file", read_any_file, SYS_landlock_create_ruleset,
	ROLES(REFUSED, WORKS, REFUSED, WORKS)},
    {"signal a stranger", signal_a_stranger, SYS_landlock_create_ruleset,
	EACH(REFUSED)},
    {"signal a thread", signal_a_stranger_thread, SYS_landlock_create_ruleset,
	EACH(REFUSED)},
    {"bind a port", bind_a_port, SYS_landlock_create_ruleset, EACH(REFUSED)},
    {"open to write", open_to_write, SYS_seccomp, EACH(REFUSED)},
    {"open to truncate", open_to_truncate, SYS_seccomp, EACH(REFUSED)},
    {"make a directory", make_a_directory, SYS_seccomp, EACH(REFUSED)},
    {"read any file", read_any_file, SYS_seccomp,
	ROLES(REFUSED, REFUSED, REFUSED, WORKS)},
    {"execute", execute, SYS_seccomp, EACH(REFUSED)},
    {"connect out", connect_out, SYS_seccomp, ROLES(REFUSED, REFUSED, WORKS, REFUSED)},
    {"bind a port", bind_a_port, SYS_seccomp, EACH(REFUSED)},
    {"signal a stranger", signal_a_stranger, SYS_seccomp, EACH(REFUSED)},
};

static enum end
attempt_alone(enum role role, size_t i)
{
	pid_t pid = fork();
	if (pid != 0)
		return end_of(pid);
	at.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2); /* the holes are told */
	forget(alone[i].without, alone[i].without);
	enter(role);
	errno = 0;
	_exit(alone[i].go() < 0 ? errno : 0);
}

static void
each_layer_alone(void **unused)
{
	(void)unused;
	if (!filter_here() || landlock_here() < 6)
		skip();
	for (size_t i = 0; i < COUNT(alone); i++)
		for (int role = ROLE_CONTROL; role < ROLE_MAX; role++)
			if (attempt_alone((enum role)role, i) != alone[i].want[role])
				fail_msg("%s, %s, without system call %u",
				    role_names[role], alone[i].name, alone[i].without);
}

static void
an_old_kernel_is_told_once(void **unused)
{
	(void)unused;
	char text[1024] = "";
	struct err err;
	int ends[2];
	if (!filter_here() || !LANDLOCKED)
		skip();
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		forget(SYS_landlock_create_ruleset, SYS_seccomp);
		log_open("test", ends[1], LOG_LEVEL_INFO);
		_exit(sandbox_enter(ROLE_PROBE, -1, &err) < 0 ? 97 : 0);
	}
	assert_int_equal(end_of(pid), WORKS);
	close(ends[1]);
	assert_true(read(ends[0], text, sizeof text - 1) > 0);
	close(ends[0]);
	assert_string_equal(text,
	    "test warning: the sandbox of probe has holes, this kernel cannot filter: "
	    "system calls, files, moves, truncation, TCP ports, control of devices, "
	    "signals and abstract sockets\n");
}

/* A row behind one that always holds is never reached: it says something nobody does. */
static void
no_row_is_hidden(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < calls_n; i++) {
		assert_int_not_equal(calls[i].roles, 0);
		assert_true(calls[i].verdict < VERDICT_MAX && calls[i].when < WHEN_MAX);
		for (unsigned k = 0; k < i; k++)
			if (calls[k].nr == calls[i].nr && calls[k].when == WHEN_ALWAYS)
				assert_int_equal(calls[k].roles & calls[i].roles, 0);
	}
}

static void
filters_fit(void **unused)
{
	(void)unused;
	struct sock_filter code[FILTER_MAX];
	for (int role = ROLE_CONTROL; role < ROLE_MAX; role++) {
		unsigned n = filter_make((enum role)role, 1, code);
		assert_in_range(n, FILTER_HEAD, FILTER_MAX);
		assert_int_equal(code[n - 1].code, BPF_RET | BPF_K);
		assert_int_equal(code[n - 1].k, SECCOMP_RET_ERRNO | EPERM);
		for (unsigned i = 0; i < n; i++)
			assert_true(i + 1U + MAX(code[i].jt, code[i].jf) < n ||
				    BPF_CLASS(code[i].code) == BPF_RET);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_attempt_without_a_sandbox),
	    cmocka_unit_test(each_attempt_of_each_role),
	    cmocka_unit_test(each_layer_alone),
	    cmocka_unit_test(deadly_calls_kill),
	    cmocka_unit_test(unknown_calls_fail),
	    cmocka_unit_test(a_panic_ends_it),
	    cmocka_unit_test(an_old_kernel_is_told_once),
	    cmocka_unit_test(no_row_is_hidden),
	    cmocka_unit_test(filters_fit),
	};
	return cmocka_run_group_tests(tests, make_place, remove_place);
}
