/*
 * snowflake 2: users and their passwords, by HTTP.
 *
 *   PUT /users/ID password=…	201 with Location, or 200 if there is one; the document
 *   GET, HEAD /users/ID	200 {"password": "pass", "userId": "ID"}, or 404
 *   DELETE /users/ID		204, or 404
 *
 * Version 1 said user_id, and kept a list; code_change takes its state over, and back.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <steward/handler.h>

#include "change.h"
#include "text.h"
#include "users.h"

enum { TAG_HTTP = 1 };

struct request {
	struct steward_worker *w;
	const struct steward_http *http;
	struct users *users;
	const char *id;
};

static void
answer(const struct request *r, unsigned status, const char *header,
    const struct steward_data *body)
{
	const char *const headers[] = {header, NULL};
	/* ENOENT: the client has gone, which is nobody's failure */
	(void)steward_http_reply(r->w, r->http->id, status, headers, body);
}

/* A page for people: what went wrong. */
static void
answer_page(
    const struct request *r, unsigned status, const char *title, const char *header)
{
	char page[512];
	const char *const headers[] = {"Content-Type: text/html", header, NULL};
	(void)snprintf(page, sizeof page,
	    "<!DOCTYPE html>\n<html><head><title>%u %s</title></head>"
	    "<body><h1>%s</h1></body></html>\n",
	    status, title, title);
	struct steward_data body = steward_bytes(page, strlen(page));
	(void)steward_http_reply(r->w, r->http->id, status, headers, &body);
}

static void
answer_document(const struct request *r, unsigned status, const char *header)
{
	const struct user *u = users_find(r->users, r->id);
	char password[USER_PASSWORD_MAX * 6 + 1];
	char text[sizeof password + USER_ID_MAX + 64];
	if (u == NULL) {
		answer_page(r, 404, "Not Found", NULL);
		return;
	}
	text_json(u->password, password);
	(void)snprintf(text, sizeof text,
	    "{\"password\": \"%s\", \"userId\": \"%.*s\"}", password, USER_ID_MAX,
	    u->id);
	struct steward_data body = steward_json(text);
	answer(r, status, header, &body);
}

static void
get(const struct request *r)
{
	answer_document(r, 200, NULL);
}

static int
is_form(const char *type)
{
	static const char form[] = "application/x-www-form-urlencoded";
	size_t len = strcspn(type, "; ");
	return len == 0 ||
	       (len == sizeof form - 1 && strncasecmp(type, form, len) == 0);
}

static void
put(const struct request *r)
{
	const struct steward_data *form = &r->http->body;
	char password[USER_PASSWORD_MAX + 1], location[USER_ID_MAX + 32];
	if (!is_form(r->http->type)) {
		answer_page(r, 415, "Unsupported Media Type", NULL);
		return;
	}
	if (text_form_value(
		form->bytes, form->len, "password", password, sizeof password) < 0) {
		answer_page(r, 400, "Bad Request", NULL);
		return;
	}
	(void)snprintf(location, sizeof location, "Location: /users/%s", r->id);
	switch (users_put(r->users, r->id, password)) {
	case USERS_CREATED:
		answer_document(r, 201, location);
		return;
	case USERS_CHANGED:
		answer_document(r, 200, NULL);
		return;
	case USERS_FULL:
		answer_page(r, 507, "Insufficient Storage", NULL);
		return;
	}
}

static void
delete_it(const struct request *r)
{
	if (users_delete(r->users, r->id))
		answer(r, 204, NULL, NULL);
	else
		answer_page(r, 404, "Not Found", NULL);
}

static const struct {
	const char *method;
	void (*carry_out)(const struct request *r);
} methods[] = {
    {"GET", get},
    {"HEAD", get},
    {"PUT", put},
    {"DELETE", delete_it},
};

/* The ID of /users/ID, or null: it may stand in a header and a path as it is. */
static const char *
id_of(const char *path)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-._~"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char where[] = "/users/";
	if (strncmp(path, where, sizeof where - 1) != 0)
		return NULL;
	const char *id = path + sizeof where - 1;
	size_t len = strspn(id, letters);
	return len > 0 && len <= USER_ID_MAX && id[len] == '\0' ? id : NULL;
}

static void
request(const struct request *r)
{
	if (r->id == NULL) {
		answer_page(r, 404, "Not Found", NULL);
		return;
	}
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (strcmp(r->http->method, methods[i].method) == 0) {
			methods[i].carry_out(r);
			return;
		}
	answer_page(r, 405, "Method Not Allowed", "Allow: GET, HEAD, PUT, DELETE");
}

static enum steward_next
handle_info(struct steward_worker *w, const struct steward_info *info, void *state)
{
	if (info->kind == STEWARD_HTTP && info->tag == TAG_HTTP)
		request(&(struct request){.w = w,
		    .http = info->http,
		    .users = state,
		    .id = id_of(info->http->path)});
	return STEWARD_OK;
}

static int
init(struct steward_worker *w, const struct steward_args *args, void **state)
{
	(void)args;
	struct users *users = users_new();
	if (users == NULL || steward_http_serve(w, "http", TAG_HTTP) < 0) {
		steward_log(w, users == NULL ? "no memory"
					     : "the socket 'http' cannot be served; "
					       "has the worker `sockets = http`?");
		if (users != NULL)
			users_free(users);
		return -1;
	}
	*state = users;
	return 0;
}

static int
code_change(struct steward_worker *w, const struct steward_change *change,
    void *old_state, void **new_state)
{
	if (change->old_version == 1 && change->new_version == 2) {
		*new_state = change_up(old_state);
	} else if (change->old_version == 2 && change->new_version == 1) {
		*new_state = change_down(old_state);
	} else {
		steward_log(w, "no way from state version %u to %u",
		    change->old_version, change->new_version);
		return -1;
	}
	if (*new_state == NULL)
		steward_log(w, "no memory for the new state");
	return *new_state != NULL ? 0 : -1;
}

static void
discard(void *state, uint32_t state_version)
{
	if (state_version == 1)
		change_free1(state);
	else
		users_free(state);
}

static void
inspect(struct steward_worker *w, const void *state, struct steward_out *out)
{
	const struct users *users = state;
	(void)w;
	steward_print(out, "%zu users, %llu created", users->n,
	    (unsigned long long)users->created);
}

STEWARD_HANDLER("snowflake", "2", 2, .init = init, .handle_info = handle_info,
    .code_change = code_change, .discard = discard, .inspect = inspect);
