/* The node and its sockets; see emit.h. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/util.h"
#include "conf/emit.h"
#include "conf/values.h"

enum { SOCKET_NAME_MAX = 80 /* fits behind /proc/self/fd/DIR/ in 108 bytes */ };

/* Ordinary users cannot bind ports below this one. */
static uint64_t
first_free_port(void)
{
	char text[32];
	uint64_t port = 1024;
	ssize_t n = fd_read_file(
	    -1, "/proc/sys/net/ipv4/ip_unprivileged_port_start", text, sizeof text);
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	if (n > 0)
		(void)str_number(text, 0, 65535, &port, NULL);
	return port;
}

static void
put_owner(struct emitter *em, const struct conf_sec *sec, struct row_sock *s)
{
	struct users *users = em->exec.users;
	struct diag *diag = em->tree->diag;
	const struct user *user;
	struct err err;
	s->uid = s->gid = UINT32_MAX;
	if (doc_has(sec, SOCK_USER)) {
		if (users_find(users, doc_text(sec, SOCK_USER), &user, &err) < 0)
			diag_error(
			    diag, doc_place(sec, SOCK_USER), "user: %s", err.msg);
		else
			s->uid = user->uid;
	}
	if (doc_has(sec, SOCK_GROUP) &&
	    users_group(users, doc_text(sec, SOCK_GROUP), &s->gid, &err) < 0)
		diag_error(diag, doc_place(sec, SOCK_GROUP), "group: %s", err.msg);
	if (users->node_uid != 0 && s->uid != UINT32_MAX && s->uid != users->node_uid)
		diag_error(diag, doc_place(sec, SOCK_USER),
		    "user: this node does not run as root, so it cannot give files away");
}

static void
put_path(struct emitter *em, const struct conf_sec *sec, const char *path,
    struct row_sock *s)
{
	const char *full = exec_path(&em->exec, sec, SOCK_LISTEN, path);
	if (full == NULL)
		return;
	const char *name = strrchr(full, '/') + 1;
	if (name[0] == '\0' || strlen(name) > SOCKET_NAME_MAX)
		diag_error(em->tree->diag, doc_place(sec, SOCK_LISTEN),
		    "listen: the last part of the path must have 1 to %d bytes",
		    SOCKET_NAME_MAX);
	s->path = rows_build_string(em->exec.build, full);
	s->mode = (uint32_t)doc_num(sec, SOCK_MODE);
	put_owner(em, sec, s);
}

static void
put_address(struct emitter *em, const struct conf_sec *sec,
    const struct value_listen *l, struct row_sock *s)
{
	static const enum conf_key_id only_unix[] = {SOCK_MODE, SOCK_USER, SOCK_GROUP};
	struct diag *diag = em->tree->diag;
	s->addr_len = l->address.len;
	memcpy(s->addr, l->address.bytes, sizeof s->addr);
	s->uid = s->gid = UINT32_MAX;
	for (size_t i = 0; i < COUNT(only_unix); i++)
		if (doc_entry(sec, only_unix[i]) != NULL)
			diag_error(diag, doc_place(sec, only_unix[i]),
			    "%s: only a unix socket has one",
			    conf_keys[only_unix[i]].name);
	if (em->exec.users->node_uid != 0 && l->address.port < first_free_port())
		diag_error(diag, doc_place(sec, SOCK_LISTEN),
		    "listen: port %u is for root only, and this node does not run as root",
		    l->address.port);
}

static void
emit_socket(struct emitter *em, const struct conf_sec *sec, struct map *addresses)
{
	struct row_sock *s = arena_alloc(em->tree->arena, sizeof *s);
	struct value_listen l = {0};
	const char *text = doc_text(sec, SOCK_LISTEN);
	uint32_t number = em->exec.nsockets;
	if (number >= ROW_SOCKS_MAX) {
		diag_error(
		    em->tree->diag, sec->at, "more than %d sockets", ROW_SOCKS_MAX);
		return;
	}
	(void)map_put_text(&em->exec.sockets, sec->name, number);
	em->exec.socket_names[em->exec.nsockets++] = sec->name;
	s->name = rows_build_string(em->exec.build, sec->name);
	s->type = SOCK_STREAM;
	s->backlog = (uint32_t)doc_num(sec, SOCK_BACKLOG);
	if (doc_has(sec, SOCK_LISTEN) && value_listen(text, &l, NULL) == 0) {
		s->type = (uint32_t)l.type;
		if (l.path != NULL)
			put_path(em, sec, l.path, s);
		else
			put_address(em, sec, &l, s);
		if (map_put_text(addresses, text, number) != MAP_NONE)
			diag_error(em->tree->diag, doc_place(sec, SOCK_LISTEN),
			    "listen: another socket has this address");
	}
	(void)rows_build_sock(em->exec.build, s);
}

void
emit_sockets(struct emitter *em)
{
	struct map addresses;
	map_init(&em->exec.sockets, em->tree->arena);
	map_init(&addresses, em->tree->arena);
	em->exec.socket_names =
	    arena_alloc(em->tree->arena, ROW_SOCKS_MAX * sizeof(const char *));
	for (uint32_t i = 0; i < em->tree->doc->n; i++)
		if (em->tree->doc->sec[i]->kind == SEC_SOCKET)
			emit_socket(em, em->tree->doc->sec[i], &addresses);
}

/* A list of numbers that grows in the arena. */
struct ids {
	uint32_t *id;
	uint32_t n, cap;
};

static void
add_id(struct arena *arena, struct ids *ids, uint32_t id)
{
	for (uint32_t i = 0; i < ids->n; i++)
		if (ids->id[i] == id)
			return;
	ids->id = arena_more(arena, ids->id, ids->n, &ids->cap, sizeof *ids->id);
	ids->id[ids->n++] = id;
}

/* "anna @operators" as user ids and group ids. */
static void
read_role(struct emitter *em, const struct conf_sec *sec, enum conf_key_id id,
    struct ids *uids, struct ids *gids)
{
	const char *p = doc_text(sec, id);
	const struct user *user = NULL;
	struct err err;
	uint32_t gid = 0;
	for (size_t len; (len = value_next(&p)) > 0; p += len) {
		const char *name = arena_copy(em->tree->arena, p, len);
		int rc = name[0] == '@'
			     ? users_group(em->exec.users, name + 1, &gid, &err)
			     : users_find(em->exec.users, name, &user, &err);
		if (rc < 0)
			diag_error(em->tree->diag, doc_place(sec, id), "%s: %s",
			    conf_keys[id].name, err.msg);
		else if (name[0] == '@')
			add_id(em->tree->arena, gids, gid);
		else
			add_id(em->tree->arena, uids, user->uid);
	}
}

static void
emit_roles(struct emitter *em, const struct conf_sec *sec, struct row_node *n)
{
	static const enum conf_key_id keys[] = {NODE_READ, NODE_OPERATE, NODE_ADMIN};
	struct rows_build *b = em->exec.build;
	struct ids uids[3] = {0}, gids[3] = {0};
	add_id(em->tree->arena, &uids[2], 0);
	add_id(em->tree->arena, &uids[2], em->exec.users->node_uid);
	for (size_t i = 0; i < COUNT(keys); i++)
		read_role(em, sec, keys[i], &uids[i], &gids[i]);
	n->read_uids = rows_build_list(b, uids[0].id, n->nread_uids = uids[0].n);
	n->read_gids = rows_build_list(b, gids[0].id, n->nread_gids = gids[0].n);
	n->operate_uids = rows_build_list(b, uids[1].id, n->noperate_uids = uids[1].n);
	n->operate_gids = rows_build_list(b, gids[1].id, n->noperate_gids = gids[1].n);
	n->admin_uids = rows_build_list(b, uids[2].id, n->nadmin_uids = uids[2].n);
	n->admin_gids = rows_build_list(b, gids[2].id, n->nadmin_gids = gids[2].n);
}

/* The host's name, with what a node's name cannot have made to '-'. */
static const char *
host_name(struct arena *arena)
{
	char name[HOST_NAME_MAX + 1] = "";
	if (gethostname(name, sizeof name - 1) < 0 || name[0] == '\0')
		return "node";
	for (char *p = name; *p != '\0'; p++) {
		struct err err;
		uint64_t num;
		const char one[2] = {*p, '\0'};
		if (value_check(&conf_keys[NODE_NAME], one, &num, &err) < 0)
			*p = '-';
	}
	return arena_text(arena, name);
}

void
emit_node(struct emitter *em)
{
	struct conf_doc *doc = em->tree->doc;
	struct row_node *n = rows_build_node(em->exec.build);
	const struct conf_sec *sec = doc_find(doc, SEC_NODE, "");
	if (sec == NULL)
		sec = doc_add(doc, SEC_NODE, "");
	const char *name = doc_text(sec, NODE_NAME);
	if (name[0] == '\0')
		name = host_name(em->tree->arena);
	uint64_t age = doc_num(sec, NODE_LOG_AGE);
	n->name = rows_build_string(em->exec.build, name);
	n->log_level = (uint32_t)doc_num(sec, NODE_LOG_LEVEL);
	n->cgroups = (uint32_t)doc_num(sec, NODE_CGROUPS);
	n->stop_ms = doc_num(sec, NODE_SHUTDOWN_TIMEOUT);
	n->log_max_bytes = doc_num(sec, NODE_LOG_SIZE);
	n->log_max_age_ms = age == MS_INFINITY ? 0 : age;
	n->log_keep = (uint32_t)doc_num(sec, NODE_LOG_KEEP);
	n->log_zstd = (uint32_t)doc_num(sec, NODE_LOG_ZSTD);
	emit_roles(em, sec, n);
}
