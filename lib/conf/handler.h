/*
 * handler - workers that run a handler module: their command and their mailbox.
 *
 * `handler = lib/x.so` stands for the command that starts supervisord-worker with that
 * module, and gives the worker a mailbox: a listening socket run/mailbox/APP.WORKER that the
 * master makes and hands to each of its lives.  Parts of conf.c.
 */
#ifndef CONF_HANDLER_H
#define CONF_HANDLER_H

#include "conf/emit.h"

bool handler_is(const struct conf_sec *sec);
/* A row for each mailbox, behind those of [socket] sections. */
void handler_mailboxes(struct emitter *em);
/* The words that start it, but for the module: that may change while it runs. */
void handler_command(struct exec_maker *m, const struct item *it, struct words *out);
/* `handler` or `command`, and keys that belong to one of them only. */
void handler_check(struct emitter *em, const struct item *it);

#endif
