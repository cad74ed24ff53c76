/*
 * birth - the plan of one child, made by the parent, carried out by the child.
 *
 * The parent fills a struct plan in the birth's own memory (spawn.c); the child runs
 * child_main on it (spawn_child.c), by raw system calls only, and ends in exec or in a
 * report {stage, errno} on the exec pipe.  Nothing in the plan needs a look-up.
 */
#ifndef MASTER_BIRTH_H
#define MASTER_BIRTH_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "master/node.h"

enum { PLAN_FDS = 300, PLAN_GAP = -2 };

struct birth_report {
	uint32_t stage; /* enum spawn_stage */
	int32_t error;
};

struct plan {
	const struct rows *rows;
	const struct row_exec *exec; /* null: one of our own programs, as it is */
	const char *program;
	char **argv, **envp;
	const char *cwd;
	char *listen_pid;   /* the digits of LISTEN_PID=, filled in by the child */
	char *watchdog_pid; /* and those of WATCHDOG_PID= */
	int report;	    /* write end of the exec pipe */
	int32_t *pid_place; /* where the pid goes if clone does not write it */
	int cgroup_procs;   /* -1, or cgroup.procs to write to (plain fork) */
	int sets_uid;
	unsigned nfds; /* fd[i] becomes descriptor i; -1: /dev/null; PLAN_GAP: closed */
	int fd[PLAN_FDS];
};

struct birth_memory {
	_Alignas(16) char stack[SPAWN_STACK];
	char *ptrs[SPAWN_PTRS];
	char text[SPAWN_TEXT];
	struct plan plan;
};

/* Carries out the plan.  Does not return. */
int child_main(void *arg);
/* clone3 with a stack of its own; the child runs fn(arg) and exits with its value. */
long birth_clone(void *args, unsigned long size, int (*fn)(void *), void *arg);

#endif
