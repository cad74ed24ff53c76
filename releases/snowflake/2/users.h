/*
 * users - the state of snowflake 2: an array sorted by id, to search in, and who came when.
 *
 * Each user has a number: the first that ever was has 1, and none is given twice while the
 * worker lives.  Version 1 had a list in that order; change.h turns one into the other.
 */
#ifndef USERS_H
#define USERS_H

#include <stddef.h>
#include <stdint.h>

enum { USERS_MAX = 100000, USER_ID_MAX = 64, USER_PASSWORD_MAX = 256 };

struct user {
	char *id, *password;
	uint64_t number;
};

struct users {
	struct user *user; /* by id */
	size_t n, cap;
	uint64_t created; /* how many there were, with those deleted since */
};

enum users_put { USERS_FULL = -1, USERS_CHANGED, USERS_CREATED };

struct users *users_new(void);
const struct user *users_find(const struct users *users, const char *id);
/* USERS_FULL: there are USERS_MAX, or no memory; nothing has changed then. */
enum users_put users_put(struct users *users, const char *id, const char *password);
/* 1: it was there. */
int users_delete(struct users *users, const char *id);
void users_free(struct users *users);

#endif
