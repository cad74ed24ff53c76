/*
 * inherit - what a keeper that is put in place by exec finds behind `--inherit FD`.
 *
 * Written by a keeper that replaces itself, or by a master whose keeper was killed.  The
 * memfd holds one struct inherit_head and `n` struct inherit_fd; every descriptor named
 * in it is open and has lost its close-on-exec flag.
 */
#ifndef PROTO_INHERIT_H
#define PROTO_INHERIT_H

#include <stdint.h>

#define INHERIT_MAGIC 0x31746e6977747331ULL

struct inherit_head {
	uint64_t magic;
	int32_t master; /* pid that lives on, 0: start one */
	int32_t chan;	/* its channel, -1 */
	int32_t lock_fd;
	uint32_t n;
	uint64_t reaped_n, acked_n; /* counters; the statuses between follow the fds */
};

struct inherit_fd {
	uint64_t number;
	uint32_t kind; /* enum keep_kind */
	int32_t fd;
};

#endif
