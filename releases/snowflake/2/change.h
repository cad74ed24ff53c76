/*
 * change - version 1's state made of version 2's, and the other way round.
 *
 * The newer module knows both, so these structs are version 1's, word for word.  Each
 * function makes a whole new state and leaves the old one as it is; null: no memory.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include "users.h"

struct user1 {
	char *id, *password;
	struct user1 *next;
};

struct users1 {
	struct user1 *first; /* in the order they came */
	size_t n;
};

/* Numbers are given in version 1's order: who was deleted before does not count. */
struct users *change_up(const struct users1 *old);
/* What version 1 does not know, is lost. */
struct users1 *change_down(const struct users *old);
void change_free1(struct users1 *users);

#endif
