#include "conf/handler.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/dirs.h"
#include "base/str.h"
#include "base/util.h"
#include "conf/values.h"

enum { BACKLOG = 4096, MAILBOX_MODE = 0666, SHOWN = 80 };

bool
handler_is(const struct conf_sec *sec)
{
	return sec->kind == SEC_WORKER && doc_has(sec, WK_HANDLER);
}

void
handler_check(struct emitter *em, const struct item *it)
{
	static const enum conf_key_id only[] = {WK_ARGS, WK_CALLERS, WK_MAILBOX};
	struct diag *diag = em->tree->diag;
	bool handler = handler_is(it->sec);
	if (handler && doc_has(it->sec, WK_COMMAND))
		diag_error(diag, doc_place(it->sec, WK_HANDLER),
		    "handler: a worker has a handler or a command, not both");
	if (!handler && !doc_has(it->sec, WK_COMMAND))
		diag_error(diag, it->sec->at,
		    "[worker %s] needs 'command = ...' or 'handler = ...'",
		    it->sec->name);
	if (handler && doc_num(it->sec, WK_TYPE) != 0)
		diag_error(
		    diag, doc_place(it->sec, WK_TYPE), "type: a handler is no oneshot");
	for (size_t i = 0; !handler && i < COUNT(only); i++)
		if (doc_entry(it->sec, only[i]) != NULL)
			diag_error(diag, doc_place(it->sec, only[i]),
			    "%s: only a worker with a handler has it",
			    conf_keys[only[i]].name);
}

/* app/worker is app.worker there: no part of an id holds a point. */
static const char *
mailbox_path(struct emitter *em, const char *id)
{
	const char *root = em->exec.root;
	char *path = arena_print(em->tree->arena, "%s/mailbox/%s",
	    root[0] != '\0' ? arena_print(em->tree->arena, "%s/run", root)
			    : "/run/steward",
	    id);
	*strrchr(path, '/') = '.';
	return path;
}

void
handler_mailboxes(struct emitter *em)
{
	struct exec_maker *m = &em->exec;
	map_init(&m->mailboxes, m->arena);
	for (uint32_t i = 0; i < em->tree->n; i++) {
		const struct item *it = em->tree->item[i];
		if (!handler_is(it->sec))
			continue;
		if (m->nsockets >= ROW_SOCKS_MAX) {
			diag_error(m->diag, doc_place(it->sec, WK_HANDLER),
			    "handler: more than %d sockets and mailboxes",
			    ROW_SOCKS_MAX);
			return;
		}
		(void)map_put_text(&m->mailboxes, it->id, m->nsockets++);
		struct row_sock *s = arena_alloc(m->arena, sizeof *s);
		s->name = rows_build_string(m->build, "mailbox");
		s->path = rows_build_string(m->build, mailbox_path(em, it->id));
		s->type = SOCK_STREAM;
		s->backlog = BACKLOG;
		s->mode = MAILBOX_MODE;
		s->uid = s->gid = UINT32_MAX;
		(void)rows_build_sock(m->build, s);
	}
}

static uint32_t
uid_of(struct exec_maker *m, const struct item *it)
{
	const struct user *user = users_node(m->users);
	if (doc_has(it->sec, WK_USER))
		(void)users_find(m->users, doc_text(it->sec, WK_USER), &user, NULL);
	return user->uid;
}

static bool
is_below(const struct item *it, const char *app_or_id)
{
	size_t len = strlen(app_or_id);
	return strncmp(it->id, app_or_id, len) == 0 &&
	       (it->id[len] == '\0' || it->id[len] == '/');
}

/* Adds the uids of the workers that `name`, an application or a worker, stands for. */
static bool
add_uids(struct exec_maker *m, const char *name, char **list)
{
	bool found = false;
	for (uint32_t i = 0; i < m->tree->n; i++) {
		const struct item *it = m->tree->item[i];
		if (it->sec->kind != SEC_WORKER || !is_below(it, name))
			continue;
		found = true;
		const char *uid = arena_print(m->arena, ",%u", uid_of(m, it));
		if (strstr(arena_print(m->arena, "%s,", *list),
			arena_print(m->arena, "%s,", uid)) == NULL)
			*list = arena_print(m->arena, "%s%s", *list, uid);
	}
	return found;
}

/* "any", or the uids that may call: the node's own, and those of the callers. */
static const char *
callers_of(struct exec_maker *m, const struct item *it)
{
	char shown[SHOWN];
	const char *p = doc_text(it->sec, WK_CALLERS);
	char *list = arena_print(m->arena, ",%u", m->users->node_uid);
	(void)add_uids(m, tree_app_of(m->arena, it->id), &list);
	for (size_t len; p != NULL && (len = value_next(&p)) > 0; p += len) {
		const char *name = arena_copy(m->arena, p, len);
		if (strcmp(name, "any") == 0)
			return "any";
		if (!add_uids(m, name, &list))
			diag_error(m->diag, doc_place(it->sec, WK_CALLERS),
			    "callers: there is no worker or application '%s'",
			    str_printable(name, shown, sizeof shown));
	}
	return list + 1;
}

static void
add(struct exec_maker *m, struct words *out, const char *word)
{
	out->text =
	    arena_more(m->arena, out->text, out->n, &out->cap, sizeof *out->text);
	out->text[out->n++] = word;
}

void
handler_command(struct exec_maker *m, const struct item *it, struct words *out)
{
	char *program = arena_alloc(m->arena, DIRS_PATH);
	struct err err;
	if (dirs_program("supervisord-worker", program, DIRS_PATH, &err) < 0) {
		diag_error(
		    m->diag, doc_place(it->sec, WK_HANDLER), "handler: %s", err.msg);
		return;
	}
	const char *words[] = {program, "--callers", callers_of(m, it), "--queue",
	    arena_print(
		m->arena, "%llu", (unsigned long long)doc_num(it->sec, WK_MAILBOX)),
	    "--"};
	for (size_t i = 0; i < COUNT(words); i++)
		add(m, out, words[i]);
	words_split(
	    m->words, it->sec, WK_ARGS, it->pool || it->kind == ROW_TEMPLATE, out);
}
