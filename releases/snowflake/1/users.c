#include "users.h"

#include <stdlib.h>
#include <string.h>

struct users *
users_new(void)
{
	return calloc(1, sizeof(struct users));
}

const struct user *
users_find(const struct users *users, const char *id)
{
	const struct user *u = users->first;
	while (u != NULL && strcmp(u->id, id) != 0)
		u = u->next;
	return u;
}

static void
user_free(struct user *u)
{
	free(u->id);
	free(u->password);
	free(u);
}

static struct user *
user_new(const char *id, const char *password)
{
	struct user *u = calloc(1, sizeof *u);
	if (u == NULL)
		return NULL;
	u->id = strdup(id);
	u->password = strdup(password);
	if (u->id != NULL && u->password != NULL)
		return u;
	user_free(u);
	return NULL;
}

enum users_put
users_put(struct users *users, const char *id, const char *password)
{
	struct user **at = &users->first;
	while (*at != NULL && strcmp((*at)->id, id) != 0)
		at = &(*at)->next;
	if (*at != NULL) {
		char *copy = strdup(password);
		if (copy == NULL)
			return USERS_FULL;
		free((*at)->password);
		(*at)->password = copy;
		return USERS_CHANGED;
	}
	struct user *u = users->n < USERS_MAX ? user_new(id, password) : NULL;
	if (u == NULL)
		return USERS_FULL;
	*at = u;
	users->n++;
	return USERS_CREATED;
}

int
users_delete(struct users *users, const char *id)
{
	struct user **at = &users->first;
	while (*at != NULL && strcmp((*at)->id, id) != 0)
		at = &(*at)->next;
	struct user *u = *at;
	if (u == NULL)
		return 0;
	*at = u->next;
	users->n--;
	user_free(u);
	return 1;
}

void
users_free(struct users *users)
{
	for (struct user *u = users->first, *next; u != NULL; u = next) {
		next = u->next;
		user_free(u);
	}
	free(users);
}
