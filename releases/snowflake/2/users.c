#include "users.h"

#include <stdlib.h>
#include <string.h>

enum { CAP_FIRST = 16 };

struct users *
users_new(void)
{
	return calloc(1, sizeof(struct users));
}

/* Where it is, or belongs. */
static size_t
place_of(const struct users *users, const char *id)
{
	size_t from = 0, to = users->n;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (strcmp(users->user[middle].id, id) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static int
is_at(const struct users *users, size_t at, const char *id)
{
	return at < users->n && strcmp(users->user[at].id, id) == 0;
}

const struct user *
users_find(const struct users *users, const char *id)
{
	size_t at = place_of(users, id);
	return is_at(users, at, id) ? &users->user[at] : NULL;
}

static void
user_clear(struct user *u)
{
	free(u->id);
	free(u->password);
}

static int
room_for_one(struct users *users)
{
	if (users->n < users->cap)
		return 1;
	size_t cap = users->cap > 0 ? users->cap * 2 : CAP_FIRST;
	struct user *more = realloc(users->user, cap * sizeof *more);
	if (more == NULL)
		return 0;
	users->user = more;
	users->cap = cap;
	return 1;
}

static enum users_put
insert(struct users *users, size_t at, const char *id, const char *password)
{
	struct user u = {.id = strdup(id), .password = strdup(password)};
	if (u.id == NULL || u.password == NULL || users->n >= USERS_MAX ||
	    !room_for_one(users)) {
		user_clear(&u);
		return USERS_FULL;
	}
	u.number = ++users->created;
	memmove(users->user + at + 1, users->user + at,
	    (users->n - at) * sizeof *users->user);
	users->user[at] = u;
	users->n++;
	return USERS_CREATED;
}

enum users_put
users_put(struct users *users, const char *id, const char *password)
{
	size_t at = place_of(users, id);
	if (!is_at(users, at, id))
		return insert(users, at, id, password);
	char *copy = strdup(password);
	if (copy == NULL)
		return USERS_FULL;
	free(users->user[at].password);
	users->user[at].password = copy;
	return USERS_CHANGED;
}

int
users_delete(struct users *users, const char *id)
{
	size_t at = place_of(users, id);
	if (!is_at(users, at, id))
		return 0;
	user_clear(&users->user[at]);
	users->n--;
	memmove(users->user + at, users->user + at + 1,
	    (users->n - at) * sizeof *users->user);
	return 1;
}

void
users_free(struct users *users)
{
	for (size_t i = 0; i < users->n; i++)
		user_clear(&users->user[i]);
	free(users->user);
	free(users);
}
