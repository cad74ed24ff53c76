/*
 * users - the state of snowflake 1: who there is, in the order they came.
 *
 * A list, because it is the least that does; version 2 has an array to search in.  What a
 * struct users points to is its own; one made here is freed by users_free, or, after an
 * upgrade, by version 2, which knows both.
 */
#ifndef USERS_H
#define USERS_H

#include <stddef.h>

enum { USERS_MAX = 100000, USER_ID_MAX = 64, USER_PASSWORD_MAX = 256 };

struct user {
	char *id, *password;
	struct user *next;
};

struct users {
	struct user *first;
	size_t n;
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
