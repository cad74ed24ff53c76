/*
 * node - the master: what it holds, and the index of its files.
 *
 * Start reading at main.c.  Everything the process knows is one `struct node`; every
 * function takes it first.  The tree decides (tree.h); the files below turn what is seen
 * into its inputs and its actions into system calls.
 *
 *   main.c     the whole life in one screen
 *   state.c    run/state: made, mapped, checked
 *   adopt.c    what is left of the life before; adopt_fds.c: what the workers still hold
 *   perform.c  the actions of a step, one by one
 *   event_log.c what of the events stands in the node's log
 *   spawn.c    birth: the only clone and exec; spawn_child.c: the child's side
 *   kill.c     the only kill; what is left of a process tree
 *   reap.c     who died
 *   cgroup.c   a cgroup a worker, where cgroup v2 can be written
 *   socks.c    listening sockets, log pipes, notify sockets; socks_left.c: pipes left behind
 *   keep.c     the channel to the keeper
 *   roles.c    the roles' processes and channels; role_control.c, role_probe.c: their words
 *   reload.c   configurations: loaded, kept in run/rows-N, put in force
 *   disabled.c what is not started at boot
 *   clock.c    timers
 */
#ifndef MASTER_NODE_H
#define MASTER_NODE_H

#include <ev.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/chan.h"
#include "base/dirs.h"
#include "base/log.h"
#include "master/tree.h"
#include "proto/keep.h"
#include "proto/proto.h"

enum { BIRTHS_MAX = 32, SPAWN_STACK = 16384, SPAWN_PTRS = 1100, SPAWN_TEXT = 8192 };

/* A child on its way from clone to exec; its memory is borrowed by the child till then. */
struct birth {
	ev_io io; /* the exec pipe */
	struct node *node;
	int pipe; /* read end, -1: this place is free */
	uint32_t slot, gen;
	struct birth_memory *mem; /* stack and argument vectors */
};

/* What the shell knows of a slot beside the state. */
struct slot_io {
	int log_read, log_write; /* the pipe, -1 */
	int notify;		 /* bound datagram socket, -1 */
	int ready_read;	     /* read end of `ready = fd:N` on its way to the probe */
	int32_t session;     /* of its main process, kept after its death */
	int pidfd;	     /* of an adopted process, -1 */
	int link;	     /* of a handler worker, -1 */
	int cgroup;	     /* 0: it has one of its own, -1 */
	uint8_t probe_knows; /* the probe holds its notify socket */
	uint8_t log_told;    /* the logger holds its pipe */
	uint8_t timer_on;
	uint8_t cgroup_used; /* cgroup.kill was used on its cgroup, or may have been */
	uint16_t ooms; /* kills by the kernel's out-of-memory killer, as last read */
};

struct role_io {
	ev_io io;
	ev_timer again; /* its next start, or its time to come back */
	struct node *node;
	enum role role;
	pid_t pid;
	int chan; /* -1: none */
	int up;	  /* it said hello */
	uint64_t started_ms;
	unsigned quick_deaths;
};

struct node {
	struct ev_loop *loop;
	int performing;	   /* inputs that come now wait in inq */
	struct input *inq; /* ring of SLOT_MAX */
	uint32_t inq_head, inq_n;
	struct dirs dirs;
	int init;
	int run_dir, lib_dir;
	struct tree tree;
	struct state *st;
	int state_fd;
	struct rows rows, old_rows;
	int rows_fd, old_rows_fd; /* read-only, -1 */
	uint32_t *slot_of_row;
	struct slot_io *io; /* SLOT_MAX */
	ev_timer *timer;    /* SLOT_MAX: timer or watchdog of a slot */
	ev_io *pidfd_io;    /* SLOT_MAX: deaths of adopted ones */
	ev_io *link_io;	    /* SLOT_MAX: words of handler workers */
	int32_t *pid_slot;  /* hash of pids, PIDS_CAP */
	struct birth birth[BIRTHS_MAX];
	unsigned births;
	uint32_t *waiting; /* slots whose spawn waits for a free place */
	unsigned nwaiting;
	ev_io keep_io;
	int keep_lost;
	ev_timer pipe_timer;	  /* log pipes that nobody brought back */
	ev_timer keep_again;	  /* what the keeper had no room for, or its place */
	int keep;		  /* channel to the keeper */
	struct keep_msg keep_out; /* descriptors gathered for it */
	int keep_fds[CHAN_FDS];
	struct keep_key kept_sock[SOCKS_MAX]; /* sockets it had, until rows are known */
	int kept_sock_fd[SOCKS_MAX];
	unsigned nkept_socks;
	int lock_fd;
	pid_t keeper;
	int keeper_exe; /* its program, to put in its place */
	struct role_io role[ROLE_MAX];
	ev_signal sigchld;
	ev_periodic far; /* keeps libev from waking every minute */
	ev_timer sweep;	 /* looks again at trees that were killed */
	uint32_t *sweeping;
	unsigned nsweeping;
	int socks[SOCKS_MAX]; /* by index into rows.sock, -1 */
	int cgroup_root;      /* directory of this node's cgroup, -1: none */
	int tee_fd;	      /* where standard error went before there was a logger */
	int spare_fd;  /* given up when descriptors run out, to accept and refuse */
	int attach_fd; /* run/attach.sock, for a logger that lives on */
	ev_io attach_io;
	char disabled_path[DIRS_PATH + 16]; /* lib/disabled: ids not started at boot */
	ev_timer disabled_again;	    /* it could not be written */
	int notify_dir;			    /* run/notify */
	int logs_untold; /* the logger's channel was full: more to tell */
	int subscribed;	 /* control wants to be woken at events */
	uint64_t woken_n;
	uint64_t logged_n;   /* the newest event that stands in the node's log */
	uint32_t reexec_ref; /* request that waits for the new program's check */
	int reexec_asked;
	uint32_t keeper_ref; /* request that waits for the keeper's; 0: none */
	int strays;	     /* the state before was of no use: its processes must go */
	int booting;	     /* the first configuration is being loaded */
	int reloading;	     /* 1: the load process is for a reload */
	int reload_next; /* 1: once more, when the load process that answered has ended */
	int reload_asked, reload_check; /* by a request of control; only to be shown */
	uint32_t reload_ref;
	int ended, status;
	int sets_uid; /* root: workers get their own users */
};

static inline struct slot *
slot_at(struct node *n, uint32_t i)
{
	return &n->st->slot[i];
}

/* The rows that a slot's row is one of. */
static inline const struct rows *
slot_rows(const struct node *n, uint32_t slot)
{
	return (n->st->slot[slot].flags & SF_OLD_ROW) != 0 ? n->tree.old : n->tree.rows;
}

/* state.c: 1 if there was a state of this boot to adopt, 0 if it is new, -1 */
int state_open(struct node *n, struct err *err);
int state_renew(struct node *n, struct err *err);
int state_reserve(struct node *n, uint32_t slots, struct err *err);
int state_check_file(const char *run_dir, struct err *err);
/* adopt.c */
void adopt(struct node *n);
void adopt_status(struct node *n, const struct keep_key *told);
void adopted_look(struct node *n);
void adopt_leftovers(struct node *n);
void adopt_fds(struct node *n, uint32_t slot);
uint64_t process_born(pid_t pid); /* 0: no such process, or a zombie */
void watch_foreign(struct node *n, uint32_t slot);
/* perform.c */
void feed(struct node *n, const struct input *in);
void feed_slot(struct node *n, enum input_type type, uint32_t slot, uint32_t gen);
void feed_reason(struct node *n, enum input_type type, uint32_t slot, uint32_t gen,
    struct reason re);
void feed_decide(struct node *n);
void perform(struct node *n);
void wake_control(struct node *n);
/* event_log.c */
void event_log(struct node *n);
/* spawn.c */
void spawn_slot(struct node *n, uint32_t slot, enum spawn_what what);
int spawn_program(struct node *n, const char *program, char *const argv[],
    const int fds[5], int32_t *pid_place);
void keeper_execute(int exe, char *const argv[]);
void program_execute(const char *path, char *const argv[]);
void birth_read(struct node *n, struct birth *b);
void births_of(struct node *n, uint32_t slot);
void spawn_waiting(struct node *n);
/* kill.c */
void kill_main(struct node *n, uint32_t slot, int sig);
void kill_tree(struct node *n, uint32_t slot);
void kill_role(struct node *n, pid_t pid, int sig);
void kill_strays(struct node *n);
void sweep_start(struct node *n, uint32_t slot);
void sweep_init(struct node *n);
/* links.c: -1: that process is no handler worker of ours */
int link_attach(struct node *n, int fd, pid_t pid);
void link_close(struct node *n, uint32_t slot);
/* Swaps modules where `next` has others: 1, and it is put in force, or not, and answered
 * later; 0: no worker is concerned; -1. */
int links_busy(void);
int links_swap_begin(struct node *n, struct rows *next, int fd, struct err *err);
/* reap.c */
void reap_init(struct node *n);
void reap_all(struct node *n);
void pid_learn(struct node *n, int32_t pid, uint32_t slot);
void pid_forget(struct node *n, int32_t pid);
uint32_t pid_find(const struct node *n, int32_t pid);
struct reason reason_of_status(int status);
void worker_gone(struct node *n, uint32_t slot, int status);
/* cgroup.c */
void cgroup_init(struct node *n);
int cgroup_of(struct node *n, uint32_t slot);
int cgroup_kill(struct node *n, uint32_t slot);
int cgroup_populated(struct node *n, uint32_t slot);
int cgroup_oom_kills(struct node *n, uint32_t slot);
void cgroup_remove(struct node *n, const char *id);
void cgroup_end(struct node *n);
void cgroup_kill_all(struct node *n);
/* socks.c */
int socks_need(struct node *n, uint32_t slot, struct reason *why);
void socks_adopt(struct node *n);
void socks_follow(struct node *n, const struct rows *before);
void socks_end(struct node *n);
int pipes_need(struct node *n, uint32_t slot);
void pipe_hold(int *fd);
int notify_need(struct node *n, uint32_t slot);
void slot_fds_drop(struct node *n, uint32_t slot, const char *id);
/* socks_left.c */
void pipe_leave(struct node *n, uint32_t slot, const char *id, int *fd, int told);
int pipes_left_tell(struct node *n);
void pipes_left_untold(void);
int pipes_hold_lines(const struct node *n);
void log_add(struct node *n, uint32_t slot);
void log_add_all(struct node *n);
void node_log_open(struct node *n);
/* keep.c */
void keep_init(struct node *n, struct err *err);
void keep_store(struct node *n, uint32_t kind, uint64_t number, int fd);
void keep_flush(struct node *n);
void keep_sync(struct node *n);
void keep_drop(struct node *n, uint32_t kind, uint64_t number);
void keep_say(struct node *n, enum keep_type type, uint64_t value);
int keep_wait_go(struct node *n, struct err *err);
void become_keeper(struct node *n);
/* roles.c */
void roles_init(struct node *n);
void role_start(struct node *n, enum role role);
void role_exited(struct node *n, enum role role, int status);
int role_of_pid(const struct node *n, pid_t pid);
int role_send(struct node *n, enum role role, const void *msg, size_t len,
    const int *fds, unsigned nfds);
void roles_begin(struct node *n);
void roles_stop(struct node *n);
void role_attach(struct node *n, enum role role, int chan, pid_t pid);
/* attach.c */
void role_listen(struct node *n);
void attach_one(struct node *n);
void event_role(struct node *n, enum event_type type, enum role role, struct reason re);
/* role_control.c */
void control_hello(struct node *n);
void control_maps(struct node *n);
void control_request(struct node *n, const struct msg_request *m);
void control_reply(struct node *n, uint32_t ref, enum answer an, uint32_t slot,
    const char *text, int fd);

void reply_reason(struct node *n, const struct action *a);
/* role_probe.c */
void probe_expect(struct node *n, uint32_t slot);
void probe_worker(struct node *n, uint32_t slot);
void probe_forget(struct node *n, uint32_t slot, uint32_t gen);
void probe_all(struct node *n);
void probe_fact(struct node *n, const struct msg_fact *m);
/* reload.c */
int rows_open_kept(struct node *n, struct err *err);
int err_is_passing(const struct err *err);
void rows_remove_all(struct node *n);
int rows_begin(struct node *n, int fd, struct err *err);
void node_boot(struct node *n, int rows_fd);
void load_start(struct node *n);
void load_done(struct node *n, const struct msg_loaded *m, int *fds, unsigned nfds);
void load_died(struct node *n);
void old_rows_release(struct node *n);
uint32_t *rows_match(const struct rows *now, const struct rows *next);
int rows_put_in_force(struct node *n, struct rows *next, int fd, struct err *err);
void reload_answer(struct node *n, enum answer an, const char *text, int fd);
/* disabled.c */
void disabled_save(struct node *n);
/* reexec.c */
void reexec_request(struct node *n, const struct msg_request *m);
void reexec_checked(struct node *n, int status);
/* What came of the keeper's: enum keep_reexec. */
void reexec_keeper_said(struct node *n, uint64_t what);
/* clock.c */
void clock_init(struct node *n);
void clock_read(struct node *n);
void timer_set(struct node *n, uint32_t slot);

#endif
