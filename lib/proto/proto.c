#include "proto/proto.h"

#include <string.h>

#include "base/util.h"

const char *const role_names[ROLE_MAX] = {
    [ROLE_MASTER] = "master",
    [ROLE_CONTROL] = "control",
    [ROLE_LOGGER] = "logger",
    [ROLE_PROBE] = "probe",
    [ROLE_LOAD] = "load",
};

const char *const answer_names[ANSWER_MAX] = {
    [AN_OK] = "ok",
    [AN_FAILED] = "failed",
    [AN_UNKNOWN] = "unknown",
    [AN_ALREADY] = "already",
    [AN_RUNNING] = "running",
    [AN_RESTARTING] = "restarting",
    [AN_NOT_RUNNING] = "not_running",
    [AN_POOL] = "pool",
    [AN_NOT_POOL] = "not_pool",
    [AN_BUSY] = "busy",
    [AN_CONFIG] = "config",
    [AN_STALE] = "stale",
    [AN_NEEDS] = "needs",
    [AN_STOPPING] = "stopping",
    [AN_UNSUPPORTED] = "unsupported",
    [AN_UNDONE] = "undone",
};

_Static_assert(COUNT(role_names) == ROLE_MAX, "one name a role");
_Static_assert(COUNT(answer_names) == ANSWER_MAX, "one name an answer");
_Static_assert(sizeof(struct msg_reply) <= 1024 && sizeof(struct msg_request) <= 1024,
    "messages stay small");

#define ROW(NAME, STRUCT, FROM, TO, MIN, MAX)                                       \
	{                                                                           \
		.name = (NAME), .size = sizeof(STRUCT), .from = (FROM), .to = (TO), \
		.min_fds = (MIN), .max_fds = (MAX)                                  \
	}

const struct proto_row proto_rows[MSG_MAX] = {
    [MSG_NONE] = {.name = "none"},
    [MSG_HELLO] = ROW("hello", struct msg, ROLE_MAX, ROLE_MASTER, 0, 0),
    [MSG_REQUEST] = ROW("request", struct msg_request, ROLE_CONTROL, ROLE_MASTER, 0, 0),
    [MSG_SUBSCRIBE] = ROW("subscribe", struct msg, ROLE_CONTROL, ROLE_MASTER, 0, 0),
    [MSG_REPLY] = ROW("reply", struct msg_reply, ROLE_MASTER, ROLE_CONTROL, 0, 1),
    [MSG_WAKE] = ROW("wake", struct msg, ROLE_MASTER, ROLE_CONTROL, 0, 0),
    [MSG_MAPS] = ROW("maps", struct msg, ROLE_MASTER, ROLE_CONTROL, 2, 3),
    [MSG_LOG_ADD] = ROW("log_add", struct msg_log_add, ROLE_MASTER, ROLE_LOGGER, 1, 1),
    [MSG_LOG_DROP] = ROW("log_drop", struct msg, ROLE_MASTER, ROLE_LOGGER, 0, 0),
    [MSG_LOG_REOPEN] = ROW("log_reopen", struct msg, ROLE_MASTER, ROLE_LOGGER, 0, 0),
    [MSG_LOG_ROTATE] = ROW("log_rotate", struct msg, ROLE_MASTER, ROLE_LOGGER, 0, 0),
    [MSG_LOG_HAVE] =
	ROW("log_have", struct msg_log_have, ROLE_LOGGER, ROLE_MASTER, 1, 1),
    [MSG_PROBE_NOTIFY] =
	ROW("probe_notify", struct msg_probe, ROLE_MASTER, ROLE_PROBE, 0, 1),
    [MSG_PROBE_TCP] = ROW("probe_tcp", struct msg_probe, ROLE_MASTER, ROLE_PROBE, 0, 0),
    [MSG_PROBE_FD] = ROW("probe_fd", struct msg_probe, ROLE_MASTER, ROLE_PROBE, 1, 1),
    [MSG_PROBE_DROP] = ROW("probe_drop", struct msg, ROLE_MASTER, ROLE_PROBE, 0, 0),
    [MSG_PROBE_HEARD] = ROW("probe_heard", struct msg, ROLE_MASTER, ROLE_PROBE, 0, 0),
    [MSG_FACT] = ROW("fact", struct msg_fact, ROLE_PROBE, ROLE_MASTER, 0, 0),
    [MSG_LOADED] = ROW("loaded", struct msg_loaded, ROLE_LOAD, ROLE_MASTER, 0, 2),
};
_Static_assert(COUNT(proto_rows) == MSG_MAX, "one row a message");

static int
has_nul(const char *text, size_t cap)
{
	return memchr(text, '\0', cap) != NULL;
}

static int
check_request(const struct msg_request *req, struct err *err)
{
	if (req->verb == VERB_NONE || req->verb >= VERB_MAX)
		return err_set(
		    err, ERR_PROTO, "request: verb %u is not known", req->verb);
	if (req->text_len > MSG_TEXT)
		return err_set(
		    err, ERR_PROTO, "request: text of %u bytes", req->text_len);
	if (req->text_len > 0 && req->text[req->text_len - 1] != '\0')
		return err_set(err, ERR_PROTO, "request: text without its end");
	return 0;
}

static int
check_reply(const struct msg_reply *reply, struct err *err)
{
	if (reply->answer >= ANSWER_MAX)
		return err_set(
		    err, ERR_PROTO, "reply: answer %u is not known", reply->answer);
	if (!has_nul(reply->text, sizeof reply->text))
		return err_set(err, ERR_PROTO, "reply: text without its end");
	return 0;
}

static int
check_fact(const struct msg_fact *fact, struct err *err)
{
	if (fact->fact >= FACT_MAX)
		return err_set(err, ERR_PROTO, "fact: %u is not known", fact->fact);
	if (!has_nul(fact->text, sizeof fact->text))
		return err_set(err, ERR_PROTO, "fact: text without its end");
	return 0;
}

static int
check_probe(const struct msg_probe *probe, struct err *err)
{
	if (probe->addr_len > sizeof probe->addr)
		return err_set(
		    err, ERR_PROTO, "probe: address of %u bytes", probe->addr_len);
	return 0;
}

/* What the size alone does not say. */
static int
check_body(const struct msg *m, struct err *err)
{
	const void *body = m;
	switch (m->type) {
	case MSG_REQUEST:
		return check_request(body, err);
	case MSG_REPLY:
		return check_reply(body, err);
	case MSG_FACT:
		return check_fact(body, err);
	case MSG_PROBE_NOTIFY:
	case MSG_PROBE_TCP:
	case MSG_PROBE_FD:
		return check_probe(body, err);
	case MSG_LOG_ADD:
		if (!has_nul(((const struct msg_log_add *)body)->id, ROW_ID_MAX))
			return err_set(err, ERR_PROTO, "log_add: id without its end");
		return 0;
	case MSG_LOG_HAVE:
		if (!has_nul(((const struct msg_log_have *)body)->id, ROW_ID_MAX))
			return err_set(err, ERR_PROTO, "log_have: id without its end");
		return 0;
	default:
		return 0;
	}
}

static const char *
role_name(enum role role)
{
	return (unsigned)role < ROLE_MAX ? role_names[role] : "nobody";
}

int
proto_check(const void *msg, size_t len, unsigned nfds, enum role from, enum role to,
    struct err *err)
{
	struct msg m;
	if (len < sizeof m)
		return err_set(err, ERR_PROTO, "%s sent a message of %zu bytes",
		    role_name(from), len);
	memcpy(&m, msg, sizeof m);
	if (m.type == MSG_NONE || m.type >= MSG_MAX)
		return err_set(err, ERR_PROTO, "%s sent a message of unknown type %u",
		    role_name(from), m.type);
	const struct proto_row *row = &proto_rows[m.type];
	if ((row->from != ROLE_MAX && row->from != from) || row->to != to)
		return err_set(err, ERR_PROTO, "%s may not send '%s' to %s",
		    role_name(from), row->name, role_name(to));
	if (len != row->size)
		return err_set(err, ERR_PROTO,
		    "'%s' from %s has %zu bytes instead of %u", row->name,
		    role_name(from), len, row->size);
	if (nfds < row->min_fds || nfds > row->max_fds)
		return err_set(err, ERR_PROTO, "'%s' from %s brings %u descriptors",
		    row->name, role_name(from), nfds);
	return check_body(msg, err);
}
