#include "confine/calls.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "proto/proto.h"

/* Whom a row is for. */
#define CTL (1U << ROLE_CONTROL)
#define LOG (1U << ROLE_LOGGER)
#define PRB (1U << ROLE_PROBE)
#define LOD (1U << ROLE_LOAD)
#define ALL (CTL | LOG | PRB | LOD)

/* What a row with a condition says; MODE_PLAIN is read and write, for whomever. */
#define IF(w, a, v) .when = WHEN_##w, .arg = (a), .value = (v)
#define KILL	    .verdict = VERDICT_KILL
#define MODE_PLAIN  0666U
/* Load writes nowhere, also where there is no Landlock, or one without truncation. */
#define O_CHANGES (O_ACCMODE | O_CREAT | O_TRUNC)
/* The logger starts zstd, which has threads; nobody makes a world of his own. */
#define CLONE_WORLDS                                                                   \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	    CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE | CLONE_PARENT)

const struct call calls[] = {
    /* Memory.  Who starts no program and loads no module makes no code either. */
    {.nr = SYS_brk, .roles = ALL},
    {.nr = SYS_munmap, .roles = ALL},
    {.nr = SYS_mremap, .roles = ALL},
    {.nr = SYS_madvise, .roles = ALL},
    {.nr = SYS_mmap, .roles = CTL | PRB, IF(WITHOUT, 2, PROT_EXEC)},
    {.nr = SYS_mmap, .roles = LOG | LOD},
    {.nr = SYS_mprotect, .roles = CTL | PRB, IF(WITHOUT, 2, PROT_EXEC)},
    {.nr = SYS_mprotect, .roles = LOG | LOD},

    /* Descriptors that are open already. */
    {.nr = SYS_read, .roles = ALL},
    {.nr = SYS_write, .roles = ALL},
    {.nr = SYS_readv, .roles = ALL},
    {.nr = SYS_writev, .roles = ALL},
    {.nr = SYS_close, .roles = ALL},
    {.nr = SYS_fcntl, .roles = ALL},
    {.nr = SYS_fstat, .roles = ALL},
    {.nr = SYS_newfstatat, .roles = ALL},
    {.nr = SYS_statx, .roles = ALL},
    {.nr = SYS_lseek, .roles = ALL},
    {.nr = SYS_dup, .roles = ALL},
    {.nr = SYS_dup3, .roles = LOG},
    {.nr = SYS_ioctl, .roles = LOG}, /* FIONREAD of a pipe; zstd asks for terminals */
    {.nr = SYS_pread64, .roles = CTL | LOG | LOD},
    {.nr = SYS_flock, .roles = LOG},
    {.nr = SYS_fsync, .roles = LOG},
    {.nr = SYS_fdatasync, .roles = LOG},
    {.nr = SYS_ftruncate, .roles = LOG | LOD},
    {.nr = SYS_fadvise64, .roles = LOG | LOD},
    {.nr = SYS_tee, .roles = LOG},
    {.nr = SYS_pipe2, .roles = LOG},
    {.nr = SYS_memfd_create, .roles = LOD},

    /* Waiting, and the time. */
    {.nr = SYS_epoll_create1, .roles = ALL},
    {.nr = SYS_epoll_ctl, .roles = ALL},
    {.nr = SYS_epoll_pwait, .roles = ALL},
    {.nr = SYS_ppoll, .roles = ALL},
    {.nr = SYS_eventfd2, .roles = ALL},
    {.nr = SYS_timerfd_create, .roles = CTL | LOG | PRB},
    {.nr = SYS_timerfd_settime, .roles = CTL | LOG | PRB},
    {.nr = SYS_clock_gettime, .roles = ALL}, /* where the vdso cannot */
    {.nr = SYS_clock_getres, .roles = ALL},
    {.nr = SYS_clock_nanosleep, .roles = ALL},
    {.nr = SYS_gettimeofday, .roles = ALL},
    {.nr = SYS_restart_syscall, .roles = ALL},

    /* Files: Landlock says which.  Control and probe open none at all. */
    {.nr = SYS_openat, .roles = LOG},
    {.nr = SYS_openat, .roles = LOD, IF(WITHOUT, 2, O_CHANGES)},
    {.nr = SYS_readlinkat, .roles = LOG | LOD},
    {.nr = SYS_faccessat, .roles = LOG | LOD},
    {.nr = SYS_faccessat2, .roles = LOG | LOD},
    {.nr = SYS_getdents64, .roles = LOG | LOD},
    {.nr = SYS_getcwd, .roles = LOG | LOD},
    {.nr = SYS_mkdirat, .roles = LOG},
    {.nr = SYS_renameat, .roles = LOG},
    {.nr = SYS_renameat2, .roles = LOG},
    {.nr = SYS_unlinkat, .roles = LOG},
    {.nr = SYS_umask, .roles = LOG},
    /* control.sock follows the configuration; no bit beyond read and write, ever */
    {.nr = SYS_fchmodat, .roles = CTL, IF(WITHOUT, 2, ~MODE_PLAIN)},

    /* Sockets.  Load asks the daemons of nsswitch.conf; the logger its next master. */
    {.nr = SYS_socket, .roles = LOG | LOD, IF(EQUAL, 0, AF_UNIX)},
    {.nr = SYS_socket, .roles = PRB, IF(EQUAL, 0, AF_INET)},
    {.nr = SYS_socket, .roles = PRB, IF(EQUAL, 0, AF_INET6)},
    {.nr = SYS_connect, .roles = LOG | PRB | LOD},
    {.nr = SYS_getsockopt, .roles = ALL},
    {.nr = SYS_setsockopt, .roles = PRB | LOD},
    {.nr = SYS_getsockname, .roles = PRB | LOD},
    {.nr = SYS_getpeername, .roles = PRB | LOD},
    {.nr = SYS_sendto, .roles = ALL},
    {.nr = SYS_sendmsg, .roles = ALL},
    {.nr = SYS_recvfrom, .roles = ALL},
    {.nr = SYS_recvmsg, .roles = ALL},
    {.nr = SYS_listen, .roles = CTL}, /* on the socket that was bound before */
    {.nr = SYS_accept4, .roles = CTL},

    /* The process itself, and its end.  abort() signals itself and nobody else. */
    {.nr = SYS_getpid, .roles = ALL},
    {.nr = SYS_gettid, .roles = ALL},
    {.nr = SYS_getuid, .roles = ALL},
    {.nr = SYS_geteuid, .roles = ALL},
    {.nr = SYS_getgid, .roles = ALL},
    {.nr = SYS_getegid, .roles = ALL},
    {.nr = SYS_uname, .roles = ALL},
    {.nr = SYS_prlimit64, .roles = LOG | LOD, IF(EQUAL, 0, 0)}, /* its own */
    {.nr = SYS_getrandom, .roles = ALL},
    {.nr = SYS_futex, .roles = ALL},
    {.nr = SYS_sched_yield, .roles = ALL},
    {.nr = SYS_rt_sigaction, .roles = ALL},
    {.nr = SYS_rt_sigprocmask, .roles = ALL},
    {.nr = SYS_rt_sigreturn, .roles = ALL},
    {.nr = SYS_sigaltstack, .roles = ALL},
    {.nr = SYS_tgkill, .roles = ALL, IF(SELF, 0, 0)},
    {.nr = SYS_exit, .roles = ALL},
    {.nr = SYS_exit_group, .roles = ALL},
    /* libcap, which comes along with nss-systemd, counts the capabilities. */
    {.nr = SYS_prctl, .roles = LOD, IF(EQUAL, 0, PR_CAPBSET_READ)},

    /* The logger's helpers: zstd and sync, at low priority, and what a libc begins with. */
    {.nr = SYS_clone, .roles = LOG, IF(WITHOUT, 0, CLONE_WORLDS)},
    {.nr = SYS_clone3, .roles = ALL, .verdict = VERDICT_NOSYS},
    {.nr = SYS_execve, .roles = LOG},
    {.nr = SYS_wait4, .roles = LOG},
    {.nr = SYS_close_range, .roles = LOG},
    {.nr = SYS_setpriority, .roles = LOG, IF(EQUAL, 2, 19)},
    {.nr = SYS_set_tid_address, .roles = LOG},
    {.nr = SYS_set_robust_list, .roles = LOG},
    {.nr = SYS_rseq, .roles = LOG},
    {.nr = SYS_sched_getaffinity, .roles = LOG},
    {.nr = SYS_sysinfo, .roles = LOG},

#ifdef __x86_64__
    /* What the x86-64 libc still calls by its old name. */
    {.nr = SYS_poll, .roles = ALL},
    {.nr = SYS_epoll_wait, .roles = ALL},
    {.nr = SYS_time, .roles = ALL},
    {.nr = SYS_stat, .roles = LOG | LOD},
    {.nr = SYS_lstat, .roles = LOG | LOD},
    {.nr = SYS_open, .roles = LOG},
    {.nr = SYS_open, .roles = LOD, IF(WITHOUT, 1, O_CHANGES)},
    {.nr = SYS_access, .roles = LOG | LOD},
    {.nr = SYS_readlink, .roles = LOG | LOD},
    {.nr = SYS_rename, .roles = LOG},
    {.nr = SYS_unlink, .roles = LOG},
    {.nr = SYS_dup2, .roles = LOG},
    {.nr = SYS_arch_prctl, .roles = LOG}, /* the thread register of zstd */
    {.nr = SYS_vfork, .roles = LOG},

    {.nr = SYS_fork, .roles = ALL, KILL},
    {.nr = SYS_vfork, .roles = CTL | PRB | LOD, KILL},
    {.nr = SYS_iopl, .roles = ALL, KILL},
    {.nr = SYS_ioperm, .roles = ALL, KILL},
    {.nr = SYS_uselib, .roles = ALL, KILL},
#endif

    /* A role that starts a program, */
    {.nr = SYS_execve, .roles = CTL | PRB | LOD, KILL},
    {.nr = SYS_execveat, .roles = ALL, KILL},
    {.nr = SYS_clone, .roles = CTL | PRB, KILL},
    /* looks into another process, */
    {.nr = SYS_ptrace, .roles = ALL, KILL},
    {.nr = SYS_process_vm_readv, .roles = ALL, KILL},
    {.nr = SYS_process_vm_writev, .roles = ALL, KILL},
    {.nr = SYS_process_madvise, .roles = ALL, KILL},
    {.nr = SYS_pidfd_getfd, .roles = ALL, KILL},
    {.nr = SYS_pidfd_send_signal, .roles = ALL, KILL},
    /* becomes somebody else, */
    {.nr = SYS_setuid, .roles = ALL, KILL},
    {.nr = SYS_setgid, .roles = ALL, KILL},
    {.nr = SYS_setreuid, .roles = ALL, KILL},
    {.nr = SYS_setregid, .roles = ALL, KILL},
    {.nr = SYS_setresuid, .roles = ALL, KILL},
    {.nr = SYS_setresgid, .roles = ALL, KILL},
    {.nr = SYS_setfsuid, .roles = ALL, KILL},
    {.nr = SYS_setfsgid, .roles = ALL, KILL},
    {.nr = SYS_setgroups, .roles = ALL, KILL},
    {.nr = SYS_capset, .roles = ALL, KILL},
    {.nr = SYS_unshare, .roles = ALL, KILL},
    {.nr = SYS_setns, .roles = ALL, KILL},
    /* rearranges the file system, */
    {.nr = SYS_mount, .roles = ALL, KILL},
    {.nr = SYS_umount2, .roles = ALL, KILL},
    {.nr = SYS_pivot_root, .roles = ALL, KILL},
    {.nr = SYS_chroot, .roles = ALL, KILL},
    {.nr = SYS_move_mount, .roles = ALL, KILL},
    {.nr = SYS_open_tree, .roles = ALL, KILL},
    {.nr = SYS_fsopen, .roles = ALL, KILL},
    {.nr = SYS_fsconfig, .roles = ALL, KILL},
    {.nr = SYS_fsmount, .roles = ALL, KILL},
    {.nr = SYS_fspick, .roles = ALL, KILL},
    {.nr = SYS_mount_setattr, .roles = ALL, KILL},
    {.nr = SYS_open_by_handle_at, .roles = ALL, KILL},
    {.nr = SYS_swapon, .roles = ALL, KILL},
    {.nr = SYS_swapoff, .roles = ALL, KILL},
    /* or reaches for the kernel is not ours any more. */
    {.nr = SYS_bpf, .roles = ALL, KILL},
    {.nr = SYS_perf_event_open, .roles = ALL, KILL},
    {.nr = SYS_userfaultfd, .roles = ALL, KILL},
    {.nr = SYS_init_module, .roles = ALL, KILL},
    {.nr = SYS_finit_module, .roles = ALL, KILL},
    {.nr = SYS_delete_module, .roles = ALL, KILL},
    {.nr = SYS_kexec_load, .roles = ALL, KILL},
    {.nr = SYS_kexec_file_load, .roles = ALL, KILL},
    {.nr = SYS_reboot, .roles = ALL, KILL},
    {.nr = SYS_keyctl, .roles = ALL, KILL},
    {.nr = SYS_add_key, .roles = ALL, KILL},
    {.nr = SYS_request_key, .roles = ALL, KILL},
    {.nr = SYS_quotactl, .roles = ALL, KILL},
    {.nr = SYS_acct, .roles = ALL, KILL},
    {.nr = SYS_syslog, .roles = ALL, KILL},
    {.nr = SYS_personality, .roles = ALL, KILL},
    {.nr = SYS_sethostname, .roles = ALL, KILL},
    {.nr = SYS_setdomainname, .roles = ALL, KILL},
    {.nr = SYS_settimeofday, .roles = ALL, KILL},
    {.nr = SYS_clock_settime, .roles = ALL, KILL},
    {.nr = SYS_adjtimex, .roles = ALL, KILL},
    {.nr = SYS_clock_adjtime, .roles = ALL, KILL},
};
_Static_assert(COUNT(calls) <= CALLS_MAX, "a filter has room for each row");

const unsigned calls_n = COUNT(calls);
