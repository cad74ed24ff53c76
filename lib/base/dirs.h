/*
 * dirs - where a node lives, and where its programs are.
 *
 * Without --root: /run/steward, /var/log/steward, /var/lib/steward and
 * /etc/steward/supervisord.conf.  With --root DIR: DIR/run, DIR/log, DIR/lib and
 * DIR/supervisord.conf.  Programs are looked for beside the running one first (a build
 * tree), then in LIBEXECDIR.
 */
#ifndef BASE_DIRS_H
#define BASE_DIRS_H

#include "base/err.h"

#ifndef LIBEXECDIR
#define LIBEXECDIR "/usr/lib/steward"
#endif

enum { DIRS_PATH = 1024 };

struct dirs {
	int user_mode;	      /* --root was given, or the caller is not root */
	char root[DIRS_PATH]; /* "" for the system's own */
	char run[DIRS_PATH];
	char log[DIRS_PATH];
	char lib[DIRS_PATH];
	char config[DIRS_PATH];
};

/* root: null for the system's own; config: null for the default.  Made absolute. */
int dirs_set(struct dirs *d, const char *root, const char *config, struct err *err);
/* Makes run, log and lib. */
int dirs_make(const struct dirs *d, struct err *err);

/*
 * The arguments with which keeper and master start each other, null at the end; what they
 * point to is borrowed from d and inherit.  inherit: the descriptor's number as text.
 */
enum { DIRS_ARGS = 16 };

void dirs_master_args(struct dirs *d, int init, char *argv[DIRS_ARGS]);
/* The master's side of it: no help, no defaults.  *init and *check (--check-state) are set
 * where they are given. */
int dirs_master_read(
    struct dirs *d, char *const *argv, int *init, int *check, struct err *err);
void dirs_keeper_args(struct dirs *d, int init, char *inherit, char *argv[DIRS_ARGS]);
/* The path of one of our programs, e.g. "supervisord-master". */
int dirs_program(const char *name, char *buf, unsigned cap, struct err *err);

#endif
