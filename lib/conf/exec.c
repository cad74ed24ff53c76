#include "conf/exec.h"

#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "conf/handler.h"
#include "conf/values.h"

enum { SHOWN = 80, LIMIT_WORDS = 5, LIMIT_KEYS = WK_LIMIT_STACK - WK_LIMIT_AS + 1 };

static const uint32_t limit_resources[LIMIT_KEYS] = {
    [0] = RLIMIT_AS,
    [WK_LIMIT_CORE - WK_LIMIT_AS] = RLIMIT_CORE,
    [WK_LIMIT_CPU - WK_LIMIT_AS] = RLIMIT_CPU,
    [WK_LIMIT_DATA - WK_LIMIT_AS] = RLIMIT_DATA,
    [WK_LIMIT_FSIZE - WK_LIMIT_AS] = RLIMIT_FSIZE,
    [WK_LIMIT_LOCKS - WK_LIMIT_AS] = RLIMIT_LOCKS,
    [WK_LIMIT_MEMLOCK - WK_LIMIT_AS] = RLIMIT_MEMLOCK,
    [WK_LIMIT_MSGQUEUE - WK_LIMIT_AS] = RLIMIT_MSGQUEUE,
    [WK_LIMIT_NICE - WK_LIMIT_AS] = RLIMIT_NICE,
    [WK_LIMIT_NOFILE - WK_LIMIT_AS] = RLIMIT_NOFILE,
    [WK_LIMIT_NPROC - WK_LIMIT_AS] = RLIMIT_NPROC,
    [WK_LIMIT_RSS - WK_LIMIT_AS] = RLIMIT_RSS,
    [WK_LIMIT_RTPRIO - WK_LIMIT_AS] = RLIMIT_RTPRIO,
    [WK_LIMIT_RTTIME - WK_LIMIT_AS] = RLIMIT_RTTIME,
    [WK_LIMIT_SIGPENDING - WK_LIMIT_AS] = RLIMIT_SIGPENDING,
    [WK_LIMIT_STACK - WK_LIMIT_AS] = RLIMIT_STACK,
};

static bool
is_root(const struct exec_maker *m)
{
	return m->users->node_uid == 0;
}

const char *
exec_path(struct exec_maker *m, const struct conf_sec *sec, enum conf_key_id id,
    const char *path)
{
	char shown[SHOWN];
	if (strlen(path) >= PATH_MAX) {
		diag_error(m->diag, doc_place(sec, id),
		    "%s: a path of %zu bytes is too long", conf_keys[id].name,
		    strlen(path));
		return NULL;
	}
	if (path[0] == '/')
		return path;
	if (m->root[0] != '\0')
		return arena_print(m->arena, "%s/%s", m->root, path);
	diag_error(m->diag, doc_place(sec, id), "%s: '%s' is not an absolute path",
	    conf_keys[id].name, str_printable(path, shown, sizeof shown));
	return NULL;
}

static void
put_limits(struct exec_maker *m, const struct conf_sec *sec, struct row_exec *e)
{
	uint32_t words[LIMIT_KEYS * LIMIT_WORDS];
	for (uint32_t i = 0; i < LIMIT_KEYS; i++) {
		enum conf_key_id id = (enum conf_key_id)(WK_LIMIT_AS + i);
		uint64_t sh[2];
		struct rlimit now;
		if (!doc_has(sec, id) ||
		    value_limit(&conf_keys[id], doc_text(sec, id), sh, NULL) < 0)
			continue;
		if (!is_root(m) &&
		    getrlimit((__rlimit_resource_t)limit_resources[i], &now) == 0 &&
		    sh[1] > now.rlim_max)
			diag_error(m->diag, doc_place(sec, id),
			    "%s: the hard limit of this node is %llu, and only root may raise it",
			    conf_keys[id].name, (unsigned long long)now.rlim_max);
		uint32_t *w = words + (size_t)e->nrlimits++ * LIMIT_WORDS;
		w[0] = limit_resources[i];
		w[1] = (uint32_t)sh[0];
		w[2] = (uint32_t)(sh[0] >> 32);
		w[3] = (uint32_t)sh[1];
		w[4] = (uint32_t)(sh[1] >> 32);
	}
	e->rlimits = rows_build_list(m->build, words, e->nrlimits * LIMIT_WORDS);
}

/* Explicit `groups`, or those of the user's login. */
static void
put_groups(struct exec_maker *m, const struct conf_sec *sec, const struct user *user,
    struct row_exec *e)
{
	uint32_t *list = user->groups, n = user->ngroups, cap = 0;
	struct err err;
	if (doc_has(sec, WK_GROUPS)) {
		const char *p = doc_text(sec, WK_GROUPS);
		list = NULL;
		n = 0;
		for (size_t len; (len = value_next(&p)) > 0; p += len) {
			list = arena_more(m->arena, list, n, &cap, sizeof *list);
			if (users_group(m->users, arena_copy(m->arena, p, len),
				&list[n], &err) < 0)
				diag_error(m->diag, doc_place(sec, WK_GROUPS),
				    "groups: %s", err.msg);
			else
				n++;
		}
	}
	e->groups = rows_build_list(m->build, list, n);
	e->ngroups = n;
}

/* An ordinary user's node keeps its ids; naming them is allowed, others are not. */
static void
check_ids(struct exec_maker *m, const struct conf_sec *sec, struct row_exec *e)
{
	if (is_root(m))
		return;
	if (e->uid != m->users->node_uid)
		diag_error(m->diag, doc_place(sec, WK_USER),
		    "user: this node does not run as root, so its workers run as its own user (uid %u)",
		    m->users->node_uid);
	else if (doc_has(sec, WK_GROUP) && e->gid != m->users->node_gid)
		diag_error(m->diag, doc_place(sec, WK_GROUP),
		    "group: this node does not run as root, so it cannot change groups");
	else if (doc_has(sec, WK_GROUPS))
		diag_error(m->diag, doc_place(sec, WK_GROUPS),
		    "groups: this node does not run as root, so it cannot change groups");
	e->flags &= ~(uint32_t)EXECF_USER;
	e->groups = 0;
	e->ngroups = 0;
}

/* The worker's user; null when it is not known. */
static const struct user *
put_ids(struct exec_maker *m, const struct conf_sec *sec, struct row_exec *e)
{
	const struct user *user = users_node(m->users);
	struct err err;
	bool given =
	    doc_has(sec, WK_USER) || doc_has(sec, WK_GROUP) || doc_has(sec, WK_GROUPS);
	if (doc_has(sec, WK_USER) &&
	    users_find(m->users, doc_text(sec, WK_USER), &user, &err) < 0) {
		diag_error(m->diag, doc_place(sec, WK_USER), "user: %s", err.msg);
		return NULL;
	}
	e->uid = user->uid;
	e->gid = doc_has(sec, WK_USER) ? user->gid : m->users->node_gid;
	if (doc_has(sec, WK_GROUP) &&
	    users_group(m->users, doc_text(sec, WK_GROUP), &e->gid, &err) < 0)
		diag_error(m->diag, doc_place(sec, WK_GROUP), "group: %s", err.msg);
	if (!given)
		return user;
	e->flags |= EXECF_USER;
	put_groups(m, sec, user, e);
	check_ids(m, sec, e);
	return user;
}

static void
put_env(struct exec_maker *m, const struct item *it, const struct user *user,
    struct row_exec *e)
{
	struct words env = {0};
	const struct item *app = it;
	bool instances = it->pool || it->kind == ROW_TEMPLATE;
	bool inherit = doc_num(it->sec, WK_INHERIT_ENVIRONMENT) != 0;
	while (app->parent != NULL)
		app = app->parent;
	if (!inherit)
		words_set(m->words, &env,
		    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	if (user->known && (!inherit || doc_has(it->sec, WK_USER))) {
		words_set(m->words, &env, arena_print(m->arena, "HOME=%s", user->home));
		words_set(m->words, &env, arena_print(m->arena, "USER=%s", user->name));
		words_set(
		    m->words, &env, arena_print(m->arena, "LOGNAME=%s", user->name));
		words_set(
		    m->words, &env, arena_print(m->arena, "SHELL=%s", user->shell));
	}
	for (uint32_t i = 0; i < app->nenv; i++)
		words_set(m->words, &env, app->env[i]);
	words_env_files(m->words, it->sec, WK_ENV_FILE, &env);
	words_environment(m->words, it->sec, WK_ENVIRONMENT, instances, &env);
	if (env.n > ROW_ARGV_MAX)
		diag_error(m->diag, doc_place(it->sec, WK_ENVIRONMENT),
		    "environment: %u variables are more than %d", env.n, ROW_ARGV_MAX);
	e->env = rows_build_strings(m->build, env.text, env.n);
	e->nenv = env.n;
	if (inherit)
		e->flags |= EXECF_MERGE_ENV;
}

static void
put_command(struct exec_maker *m, const struct item *it, enum conf_key_id id,
    uint32_t *list, uint32_t *n)
{
	struct words words = {0};
	words_command(
	    m->words, it->sec, id, it->pool || it->kind == ROW_TEMPLATE, &words);
	*list = rows_build_strings(m->build, words.text, words.n);
	*n = words.n;
}

static void
put_handler(struct exec_maker *m, const struct item *it, struct row_exec *e)
{
	struct words words = {0};
	const char *module =
	    exec_path(m, it->sec, WK_HANDLER, doc_text(it->sec, WK_HANDLER));
	if (module != NULL)
		e->module = rows_build_string(m->build, module);
	handler_command(m, it, &words);
	e->argv = rows_build_strings(m->build, words.text, words.n);
	e->argc = words.n;
}

static void
put_sockets(struct exec_maker *m, const struct item *it, struct row_exec *e)
{
	const struct conf_sec *sec = it->sec;
	uint32_t list[ROW_SOCKS_MAX], n = 0;
	struct place at = doc_place(sec, WK_SOCKETS);
	char shown[SHOWN];
	const char *p = doc_text(sec, WK_SOCKETS);
	for (size_t len; (len = value_next(&p)) > 0; p += len) {
		const char *name = arena_copy(m->arena, p, len);
		uint32_t i = map_get_text(&m->sockets, name);
		if (i == MAP_NONE) {
			const char *nearest =
			    str_nearest(name, m->socket_names, m->nsockets);
			diag_error(m->diag, at,
			    "sockets: there is no [socket %s]%s%s%s",
			    str_printable(name, shown, sizeof shown),
			    nearest != NULL ? "; did you mean '" : "",
			    nearest != NULL ? nearest : "",
			    nearest != NULL ? "'?" : "");
		} else if (n == COUNT(list)) {
			diag_error(m->diag, at, "sockets: more than %d", ROW_SOCKS_MAX);
			break;
		} else {
			list[n++] = i;
		}
	}
	if (handler_is(sec) && n < COUNT(list) &&
	    map_get_text(&m->mailboxes, it->id) != MAP_NONE)
		list[n++] = map_get_text(&m->mailboxes, it->id);
	e->socks = rows_build_list(m->build, list, n);
	e->nsocks = n;
}

static void
put_nice(struct exec_maker *m, const struct conf_sec *sec, struct row_exec *e)
{
	struct rlimit now;
	if (doc_has(sec, WK_NICE)) {
		e->flags |= EXECF_NICE;
		e->nice = (int32_t)(int64_t)doc_num(sec, WK_NICE);
		int lowest = getrlimit(RLIMIT_NICE, &now) == 0 && now.rlim_cur <= 40
				 ? 20 - (int)now.rlim_cur
				 : -20;
		if (!is_root(m) && e->nice < 0 && e->nice < lowest)
			diag_error(m->diag, doc_place(sec, WK_NICE),
			    "nice: only a node that runs as root may go below 0");
	}
	if (doc_has(sec, WK_OOM_SCORE_ADJ)) {
		e->flags |= EXECF_OOM;
		e->oom_score_adj = (int32_t)(int64_t)doc_num(sec, WK_OOM_SCORE_ADJ);
		if (!is_root(m) && m->node_oom_score != INT_MAX &&
		    e->oom_score_adj < m->node_oom_score)
			diag_error(m->diag, doc_place(sec, WK_OOM_SCORE_ADJ),
			    "oom_score_adj: only a node that runs as root may go below its own, %d",
			    m->node_oom_score);
	}
}

static void
put_rights(struct exec_maker *m, const struct conf_sec *sec, struct row_exec *e)
{
	uint32_t cpus[VALUE_CPU_WORDS];
	if (doc_has(sec, WK_CPU_AFFINITY) &&
	    value_cpus(doc_text(sec, WK_CPU_AFFINITY), cpus, &e->naffinity, NULL) == 0)
		e->affinity = rows_build_list(m->build, cpus, e->naffinity);
	if (doc_has(sec, WK_CAPABILITIES)) {
		e->flags |= EXECF_CAPS;
		e->caps_bounding = e->caps_ambient = doc_num(sec, WK_CAPABILITIES);
		if (!is_root(m))
			diag_error(m->diag, doc_place(sec, WK_CAPABILITIES),
			    "capabilities: this node does not run as root, so it has none to give or take");
	}
	if (doc_has(sec, WK_UMASK)) {
		e->flags |= EXECF_UMASK;
		e->umask = (uint32_t)doc_num(sec, WK_UMASK);
	}
	if (doc_num(sec, WK_NO_NEW_PRIVS) != 0)
		e->flags |= EXECF_NO_NEW_PRIVS;
}

static void
put_log(const struct conf_sec *sec, struct row_exec *e)
{
	uint64_t age = doc_num(sec, WK_LOG_AGE);
	e->log_kind = (uint32_t)doc_num(sec, WK_LOG);
	e->log_keep = (uint32_t)doc_num(sec, WK_LOG_KEEP);
	e->log_max_bytes = doc_num(sec, WK_LOG_SIZE);
	e->log_max_age_ms = age == MS_INFINITY ? 0 : age;
	if (doc_num(sec, WK_LOG_TIMESTAMPS) != 0)
		e->flags |= EXECF_LOG_TIME;
	if (doc_num(sec, WK_LOG_ZSTD) != 0)
		e->flags |= EXECF_LOG_ZSTD;
}

static void
put_ready(struct exec_maker *m, const struct conf_sec *sec, struct row_exec *e)
{
	struct value_ready ready = {0};
	if (value_ready(doc_text(sec, WK_READY), &ready, NULL) < 0)
		return;
	e->ready_fd = ready.fd;
	e->ready_addr_len = ready.address.len;
	memcpy(e->ready_addr, ready.address.bytes, sizeof e->ready_addr);
	if (ready.kind == READY_FD && (uint32_t)ready.fd < 3 + e->nsocks)
		diag_error(m->diag, doc_place(sec, WK_READY),
		    "ready: descriptor %d is taken by its sockets, which are 3 to %u",
		    ready.fd, 2 + e->nsocks);
}

uint32_t
exec_make(struct exec_maker *m, const struct item *it)
{
	const struct conf_sec *sec = it->sec;
	struct row_exec *e = arena_alloc(m->arena, sizeof *e);
	if (handler_is(sec))
		put_handler(m, it, e);
	else
		put_command(m, it, WK_COMMAND, &e->argv, &e->argc);
	put_command(m, it, WK_PRE_START, &e->pre, &e->npre);
	put_command(m, it, WK_POST_STOP, &e->post, &e->npost);
	const struct user *user = put_ids(m, sec, e);
	if (user != NULL)
		put_env(m, it, user, e);
	if (doc_has(sec, WK_DIRECTORY)) {
		const char *path =
		    exec_path(m, sec, WK_DIRECTORY, doc_text(sec, WK_DIRECTORY));
		e->cwd = rows_build_string(m->build, path);
	}
	put_limits(m, sec, e);
	put_sockets(m, it, e);
	put_nice(m, sec, e);
	put_rights(m, sec, e);
	put_log(sec, e);
	put_ready(m, sec, e);
	e->stop_signal = (int32_t)doc_num(sec, WK_STOP_SIGNAL);
	return rows_build_exec(m->build, e);
}
