/*
 * client - connections on control.sock.
 *
 * A client sends lines and gets lines.  At most CLIENTS_MAX are connected, some places
 * being kept for admins; a line is at most RPC_LINE_MAX bytes and, once begun, must end
 * within CLIENT_LINE_S; who does not read his answers is not served until he does
 * (CLIENT_OUT_SOFT), and nobody else waits for him.  Requests that wait for the master
 * keep their client alive until they are answered (client_hold, client_release).
 */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "control/caller.h"
#include "control/control.h"

enum {
	CLIENTS_MAX = 256,
	CLIENTS_ADMIN = 16, /* of them, for admins only */
	CLIENT_LINE_S = 10,
	CLIENT_OUT_SOFT = 256 * 1024, /* unread bytes after which requests wait */
	CLIENT_CALLS_MAX = 64	      /* requests of one client under way */
};

struct client;
struct events_sub;

/* Takes the bound socket; nobody can connect before clients_listen. */
struct clients *clients_new(struct control *c, int sock);
void clients_free(struct clients **clients);
int clients_listen(struct clients *all, struct err *err);
/*
 * Who may connect at all: the owner and group of the socket, or everybody as soon as the
 * rows list a user or a group, since the roles then decide.
 */
void clients_allow(struct clients *all);
/* The rows are new: roles are looked up again, and lines that waited are read. */
void clients_resume(struct clients *all);
unsigned clients_count(const struct clients *all);
/* Calls f for each client that has a subscription. */
void clients_each_sub(
    struct clients *all, void (*f)(struct control *c, struct client *cl));

/* A client on a connected socket; null when it was refused (and fd closed). */
struct client *client_new(struct clients *all, int fd);
const struct caller *client_who(const struct client *cl);
enum caller_role client_role(const struct client *cl);
/* One line; the newline is added. */
void client_send(struct client *cl, const char *text);
/* Bytes that the client has not read yet. */
size_t client_unsent(const struct client *cl);
/* A request of this client is under way; its answer has been sent. */
void client_hold(struct client *cl);
void client_release(struct client *cl);
/* Place for a subscription; owned by events.c, freed with the client. */
struct events_sub **client_sub(struct client *cl);

#endif
