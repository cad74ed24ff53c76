/*
 * check - watches for the first sign of life of one incarnation.
 *
 * Either a TCP address that accepts (tried after 10, 20, 40 ... 250 ms until it does), or
 * a newline on a descriptor (s6's notification).  It ends with one call of `ready`, or
 * silently when the descriptor ends first.
 */
#ifndef PROBE_CHECK_H
#define PROBE_CHECK_H

#include <ev.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/proto.h"

enum { CHECK_FIRST_MS = 10, CHECK_LAST_MS = 250, CHECK_CONNECT_MS = 1000 };

struct check;
/* The check is over; the callee frees it.  ready 0: it ended without a sign. */
typedef void check_done(struct check *check, int ready, void *arg);

struct check {
	struct ev_loop *loop; /* borrowed */
	uint32_t slot, gen;
	int fd; /* of the try under way, or the descriptor that is read */
	int is_tcp;
	int wait_ms; /* before the next try */
	uint32_t addr_len;

	union {
		uint8_t bytes[28];
		uint16_t family;
	} addr;

	ev_io io;
	ev_timer timer;
	check_done *done;
	void *arg;
};

/* Null with err; fd is taken by check_new_fd, also on failure. */
struct check *check_new_tcp(struct ev_loop *loop, const struct msg_probe *msg,
    check_done *done, void *arg, struct err *err);
struct check *check_new_fd(struct ev_loop *loop, const struct msg_probe *msg, int fd,
    check_done *done, void *arg, struct err *err);
void check_free(struct check **cp);

#endif
