#include "change.h"

#include <stdlib.h>
#include <string.h>

struct users *
change_up(const struct users1 *old)
{
	struct users *new = users_new();
	for (const struct user1 *u = old->first; new != NULL &&u != NULL; u = u->next)
		if (users_put(new, u->id, u->password) != USERS_CREATED) {
			users_free(new);
			new = NULL;
		}
	return new;
}

static int
by_number(const void *a, const void *b)
{
	const struct user *x = a, *y = b;
	return x->number < y->number ? -1 : 1;
}

/* Appends a copy behind **at, which moves on. */
static int
append(struct users1 *new, struct user1 ***at, const struct user *u)
{
	struct user1 *copy = calloc(1, sizeof *copy);
	if (copy == NULL)
		return -1;
	**at = copy; /* from here on change_free1 finds it */
	*at = &copy->next;
	new->n++;
	copy->id = strdup(u->id);
	copy->password = strdup(u->password);
	return copy->id != NULL && copy->password != NULL ? 0 : -1;
}

/* The same users, borrowed, as they came. */
static struct user *
in_order(const struct users *old)
{
	struct user *order = calloc(old->n + 1, sizeof *order);
	if (order == NULL)
		return NULL;
	if (old->n > 0)
		memcpy(order, old->user, old->n * sizeof *order);
	qsort(order, old->n, sizeof *order, by_number);
	return order;
}

struct users1 *
change_down(const struct users *old)
{
	struct users1 *new = calloc(1, sizeof *new);
	struct user *order = in_order(old);
	int failed = new == NULL || order == NULL;
	struct user1 **at = new != NULL ? &new->first : NULL;
	for (size_t i = 0; !failed && i < old->n; i++)
		failed = append(new, &at, &order[i]) < 0;
	free(order);
	if (failed && new != NULL) {
		change_free1(new);
		new = NULL;
	}
	return new;
}

void
change_free1(struct users1 *users)
{
	for (struct user1 *u = users->first, *next; u != NULL; u = next) {
		next = u->next;
		free(u->id);
		free(u->password);
		free(u);
	}
	free(users);
}
