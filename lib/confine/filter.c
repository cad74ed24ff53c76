#include "confine/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "say here what this architecture is called in linux/audit.h"
#endif
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "the low half of an argument is its first");

#define X32_BIT 0x40000000U

static const uint32_t verdict_codes[] = {
    [VERDICT_ALLOW] = SECCOMP_RET_ALLOW,
    [VERDICT_KILL] = SECCOMP_RET_KILL_PROCESS,
    [VERDICT_NOSYS] = SECCOMP_RET_ERRNO | ENOSYS,
};
_Static_assert(COUNT(verdict_codes) == VERDICT_MAX, "one code a verdict");

struct tape {
	struct sock_filter *at;
	unsigned n;
};

static void
put(struct tape *t, unsigned code, uint32_t k, unsigned yes, unsigned no)
{
	t->at[t->n++] = (struct sock_filter){
	    .code = (uint16_t)code, .jt = (uint8_t)yes, .jf = (uint8_t)no, .k = k};
}

static void
load(struct tape *t, size_t offset)
{
	put(t, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void
verdict(struct tape *t, uint32_t code)
{
	put(t, BPF_RET | BPF_K, code, 0, 0);
}

static void
head(struct tape *t)
{
	load(t, offsetof(struct seccomp_data, arch));
	put(t, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	verdict(t, SECCOMP_RET_KILL_PROCESS);
	load(t, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	put(t, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	verdict(t, SECCOMP_RET_KILL_PROCESS);
#endif
}

/* The number is loaded before and behind each row, so that rows can stand in any order. */
static void
row(struct tape *t, const struct call *c, uint32_t pid)
{
	uint32_t code = verdict_codes[c->verdict];
	if (c->when == WHEN_ALWAYS) {
		put(t, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)c->nr, 0, 1);
		verdict(t, code);
		return;
	}
	put(t, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)c->nr, 0, FILTER_ROW - 1);
	load(t, offsetof(struct seccomp_data, args) + c->arg * sizeof(uint64_t));
	if (c->when == WHEN_WITHOUT)
		put(t, BPF_JMP | BPF_JSET | BPF_K, c->value, 1, 0);
	else
		put(t, BPF_JMP | BPF_JEQ | BPF_K, c->when == WHEN_SELF ? pid : c->value,
		    0, 1);
	verdict(t, code);
	load(t, offsetof(struct seccomp_data, nr));
}

unsigned
filter_make(enum role role, uint32_t pid, struct sock_filter out[FILTER_MAX])
{
	struct tape t = {.at = out};
	head(&t);
	for (unsigned i = 0; i < calls_n; i++)
		if ((calls[i].roles & 1U << role) != 0)
			row(&t, &calls[i], pid);
	verdict(&t, SECCOMP_RET_ERRNO | EPERM);
	return t.n;
}

#ifdef NO_SECCOMP

enum filter_ret
filter_enter(enum role role, struct err *err)
{
	(void)role;
	(void)err;
	return FILTER_LEFT_OUT;
}

#else

enum filter_ret
filter_enter(enum role role, struct err *err)
{
	struct sock_filter code[FILTER_MAX];
	uint32_t kill = SECCOMP_RET_KILL_PROCESS;
	/* A kernel without, or a container that keeps seccomp for itself. */
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill) < 0)
		return FILTER_UNKNOWN;
	struct sock_fprog prog = {.filter = code};
	prog.len = (uint16_t)filter_make(role, (uint32_t)getpid(), code);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0)
		return FILTER_ENTERED;
	err_sys(err, "cannot enter the filter of system calls");
	return FILTER_FAILED;
}

#endif
