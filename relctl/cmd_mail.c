/*
 * relctl call, cast, inspect, suspend, resume - what is asked of a handler worker itself.
 */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "mail.h"
#include "steward/handler.h"

enum { CALL_MS = 5000 }; /* OTP's default */

static const struct json_limits limits = {FRAME_DATA_MAX, 64};

static uint64_t
patience(const struct cmd *cmd)
{
	return cmd->timeout_ms != 0 ? cmd->timeout_ms : CALL_MS;
}

/* The words behind the id are one JSON text; without any it is null. */
static int
message_of(struct cmd *cmd, struct frame *f)
{
	struct err why;
	const char *text = cmd->nwords > 1 ? cmd->words[1] : "null";
	if (json_check(text, strlen(text), &limits, &why) < 0)
		return err_set(&cmd->err, ERR_USAGE,
		    "'%.40s' is no JSON: %s; a text needs quotes of its own: '\"%.20s\"'",
		    text, why.msg, text);
	f->data = text;
	f->len = (uint32_t)strlen(text);
	return 0;
}

static int
ask(struct cmd *cmd, int sys, struct frame *f, struct mail *m, struct frame *reply)
{
	cmd_dirs(cmd);
	if (mail_open(m, cmd->run_dir, cmd->words[0], sys, &cmd->err) < 0)
		return -1;
	return mail_ask(m, f, patience(cmd), reply, &cmd->err);
}

static int
run_call(struct cmd *cmd)
{
	struct mail m = {.conn.fd = -1};
	struct frame f = {.kind = FRAME_CALL, .name = ""}, reply = {0};
	int r = message_of(cmd, &f);
	if (r == 0)
		r = ask(cmd, 0, &f, &m, &reply);
	if (r == 0)
		(void)printf("%.*s\n", (int)reply.len, (const char *)reply.data);
	mail_close(&m);
	return r == 0 ? 0 : cmd_fail(cmd);
}

static int
run_cast(struct cmd *cmd)
{
	struct mail m = {.conn.fd = -1};
	struct frame f = {.kind = FRAME_CAST, .name = ""}, reply = {0};
	int r = message_of(cmd, &f);
	if (r == 0)
		r = ask(cmd, 0, &f, &m, &reply);
	if (r == 0 && cmd->json)
		(void)printf("{\"id\":\"%s\"}\n", m.name);
	mail_close(&m);
	return r == 0 ? 0 : cmd_fail(cmd);
}

/* For people: the members one a line, the state last, as the module wrote it. */
static int
show(struct cmd *cmd, const char *name, const char *text, size_t len)
{
	struct json *all = json_parse(text, len, &limits, NULL);
	if (all == NULL)
		return err_set(&cmd->err, ERR_PROTO, "%s answers nonsense", name);
	(void)printf("%s: module %s %s, state version %lld%s\n", name,
	    json_get_str(all, "module", "?"), json_get_str(all, "version", "?"),
	    (long long)json_get_int(all, "state_version", 0),
	    json_get_bool(all, "suspended") ? ", suspended" : "");
	static const char *const counts[] = {
	    "queue", "open_calls", "calls", "casts", "infos", "replies", "busy"};
	for (size_t i = 0; i < COUNT(counts); i++)
		(void)printf("%s%s %lld", i > 0 ? ", " : "", counts[i],
		    (long long)json_get_int(all, counts[i], 0));
	(void)printf("\n%s\n", json_get_str(all, "state", ""));
	json_free(&all);
	return 0;
}

static int
run_sys(struct cmd *cmd)
{
	struct mail m = {.conn.fd = -1};
	struct frame f = {.kind = FRAME_SYS, .name = cmd->entry->name, .data = ""},
		     reply = {0};
	int r = ask(cmd, 1, &f, &m, &reply);
	if (r == 0 && cmd->json)
		(void)printf("%.*s\n", (int)reply.len, (const char *)reply.data);
	else if (r == 0 && strcmp(cmd->entry->name, "inspect") == 0)
		r = show(cmd, m.name, reply.data, reply.len);
	else if (r == 0)
		cmd_say(cmd, "%s: %s", m.name,
		    strcmp(cmd->entry->name, "suspend") == 0 ? "suspended" : "resumed");
	mail_close(&m);
	return r == 0 ? 0 : cmd_fail(cmd);
}

const struct cmd_entry cmd_mail_entries[MAIL_MAX] = {
    [MAIL_CALL] = {.name = "call",
	.args = "ID [JSON]",
	.help = "call a handler worker and print its reply",
	.more = "Waits 5s for the reply unless --timeout says otherwise.",
	.role = "",
	.min = 1,
	.max = 2,
	.words = WORDS_IDS,
	.run = run_call},
    [MAIL_CAST] = {.name = "cast",
	.args = "ID [JSON]",
	.help = "send a handler worker a message without a reply",
	.role = "",
	.min = 1,
	.max = 2,
	.words = WORDS_IDS,
	.run = run_cast},
    [MAIL_INSPECT] = {.name = "inspect",
	.args = "ID",
	.help = "show a handler worker's module, queue, callers and state",
	.role = "",
	.min = 1,
	.max = 1,
	.words = WORDS_IDS,
	.run = run_sys},
    [MAIL_SUSPEND] = {.name = "suspend",
	.args = "ID",
	.help = "let a handler worker take nothing until it is resumed",
	.more = "What comes in meanwhile waits, up to its `mailbox`.",
	.role = "",
	.min = 1,
	.max = 1,
	.words = WORDS_IDS,
	.run = run_sys},
    [MAIL_RESUME] = {.name = "resume",
	.args = "ID",
	.help = "let a suspended handler worker go on",
	.role = "",
	.min = 1,
	.max = 1,
	.words = WORDS_IDS,
	.run = run_sys},
};
