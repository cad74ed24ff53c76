#include "cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "client.h"

/* Longer than the server's own timeout, so that its answer is the one that counts. */
enum { READ_TIMEOUT_MS = 10000, SLACK_MS = 3000 };

const struct cmd_entry *const cmd_table[] = {
    &cmd_status_entry,
    &cmd_tree_entry,
    &cmd_why_entry,
    &cmd_logs_entry,
    &cmd_events_entry,
    &cmd_each_entries[EACH_START],
    &cmd_each_entries[EACH_STOP],
    &cmd_each_entries[EACH_RESTART],
    &cmd_each_entries[EACH_ENABLE],
    &cmd_each_entries[EACH_DISABLE],
    &cmd_signal_entry,
    &cmd_scale_entry,
    &cmd_wait_entry,
    &cmd_mail_entries[MAIL_CALL],
    &cmd_mail_entries[MAIL_CAST],
    &cmd_mail_entries[MAIL_INSPECT],
    &cmd_mail_entries[MAIL_SUSPEND],
    &cmd_mail_entries[MAIL_RESUME],
    &cmd_app_entry,
    &cmd_children_entry,
    &cmd_count_entry,
    &cmd_start_child_entry,
    &cmd_each_entries[EACH_TERMINATE_CHILD],
    &cmd_each_entries[EACH_RESTART_CHILD],
    &cmd_each_entries[EACH_DELETE_CHILD],
    &cmd_keygen_entry,
    &cmd_pack_entry,
    &cmd_sign_entry,
    &cmd_verify_entry,
    &cmd_check_entry,
    &cmd_reload_entry,
    &cmd_reexec_entry,
    &cmd_shutdown_entry,
    &cmd_completion_entry,
    &cmd_help_entry,
    &cmd_complete_entry,
};
const size_t cmd_table_n = COUNT(cmd_table);

enum { G_ROOT, G_JSON, G_TIMEOUT, G_WAIT, G_QUIET, G_HELP, G_VERSION, G_MAX };
const struct cmd_option cmd_global_options[] = {
    [G_ROOT] = {"root", 0, "DIR",
	"the node that lives below DIR (else $STEWARD_ROOT, else the system's)"},
    [G_JSON] = {"json", 0, NULL, "print JSON and nothing else on stdout"},
    [G_TIMEOUT] = {"timeout", 0, "TIME",
	"give up waiting after TIME, such as 5s or 2m"},
    [G_WAIT] = {"wait", 0, NULL,
	"wait until it is done (start, stop, restart and scale always do)"},
    [G_QUIET] = {"quiet", 'q', NULL, "print nothing that is no error"},
    [G_HELP] = {"help", 'h', NULL, "explain the verb"},
    [G_VERSION] = {"version", 'V', NULL, "print the version"},
};
const size_t cmd_global_options_n = COUNT(cmd_global_options);
_Static_assert(COUNT(cmd_global_options) == G_MAX, "one row a global option");

/* --- the table ------------------------------------------------------------------- */

const struct cmd_entry *
cmd_find(const char *name, struct err *err)
{
	const char *names[COUNT(cmd_table)];
	char shown[80];
	for (size_t i = 0; i < COUNT(cmd_table); i++) {
		if (strcmp(cmd_table[i]->name, name) == 0)
			return cmd_table[i];
		names[i] = cmd_table[i]->hidden ? NULL : cmd_table[i]->name;
	}
	const char *near = str_nearest(name, names, COUNT(names));
	(void)str_printable(name, shown, sizeof shown);
	if (near != NULL)
		err_set(err, ERR_USAGE, "there is no verb '%s'; did you mean '%s'?",
		    shown, near);
	else
		err_set(err, ERR_USAGE,
		    "there is no verb '%s'; `relctl help` lists all", shown);
	return NULL;
}

static void
option_line(FILE *out, const struct cmd_option *o)
{
	char left[64];
	(void)snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : "",
	    o->letter ? o->letter : ' ', o->letter ? ", " : "   ", o->name,
	    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
	(void)fprintf(out, "  %-24s %s\n", left, o->help);
}

void
cmd_usage(const struct cmd_entry *entry, int to_stderr)
{
	FILE *out = to_stderr ? stderr : stdout;
	(void)fprintf(out, "usage: relctl %s%s%s\n%s\n", entry->name,
	    entry->args[0] != '\0' ? " " : "", entry->args, entry->help);
	if (entry->more != NULL)
		(void)fprintf(out, "%s\n", entry->more);
	(void)fputs("options:\n", out);
	for (size_t i = 0; i < CMD_OPTIONS && entry->options[i].name != NULL; i++)
		option_line(out, &entry->options[i]);
	for (size_t i = 0; i < COUNT(cmd_global_options); i++)
		option_line(out, &cmd_global_options[i]);
}

/* --- arguments ------------------------------------------------------------------- */

/* Where an option's value goes. */
struct place {
	const struct cmd_option *option;
	int global; /* index, or -1 */
	int own;
};

static int
matches(const struct cmd_option *o, const char *word, size_t len)
{
	if (word[1] != '-')
		return o->letter != 0 && word[1] == o->letter;
	return strlen(o->name) == len - 2 && memcmp(word + 2, o->name, len - 2) == 0;
}

static struct place
option_find(const struct cmd_entry *entry, const char *word, size_t len)
{
	struct place p = {NULL, -1, -1};
	for (int i = 0; i < CMD_OPTIONS && entry->options[i].name != NULL; i++)
		if (matches(&entry->options[i], word, len)) {
			p.option = &entry->options[i];
			p.own = i;
			return p;
		}
	for (int i = 0; i < G_MAX; i++)
		if (matches(&cmd_global_options[i], word, len)) {
			p.option = &cmd_global_options[i];
			p.global = i;
			return p;
		}
	return p;
}

static int
unknown_option(const struct cmd_entry *entry, const char *word, struct err *err)
{
	const char *names[CMD_OPTIONS + G_MAX] = {NULL};
	char shown[80];
	size_t n = 0;
	for (int i = 0; i < CMD_OPTIONS && entry->options[i].name != NULL; i++)
		names[n++] = entry->options[i].name;
	for (int i = 0; i < G_MAX; i++)
		names[n++] = cmd_global_options[i].name;
	const char *bare = word + strspn(word, "-");
	const char *near = str_nearest(bare, names, n);
	(void)str_printable(word, shown, sizeof shown);
	if (near != NULL)
		return err_set(err, ERR_USAGE,
		    "'%s' has no option '%s'; did you mean '--%s'?", entry->name, shown,
		    near);
	return err_set(err, ERR_USAGE, "'%s' has no option '%s'; see `relctl help %s`",
	    entry->name, shown, entry->name);
}

static int
take_global(struct cmd *cmd, int which, const char *value, struct err *err)
{
	switch (which) {
	case G_ROOT:
		cmd->root = value;
		return 0;
	case G_JSON:
		cmd->json = 1;
		return 0;
	case G_TIMEOUT:
		if (str_time_ms(value, &cmd->timeout_ms, err) < 0) {
			err->kind = ERR_USAGE;
			return err_wrap(err, "--timeout");
		}
		if (cmd->timeout_ms == MS_INFINITY)
			cmd->timeout_ms = 0;
		return 0;
	case G_WAIT:
		cmd->wait = 1;
		return 0;
	case G_QUIET:
		cmd->quiet = 1;
		return 0;
	case G_HELP:
		cmd_usage(cmd->entry, 0);
		exit(0);
	default:
		(void)puts("relctl " VERSION);
		exit(0);
	}
}

/* One option at *argv; moves on over its value. */
static int
take_option(struct cmd *cmd, char ***argv, struct err *err)
{
	const char *word = **argv;
	int is_long = word[1] == '-';
	const char *equals = is_long ? strchr(word, '=') : NULL;
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
	struct place p = option_find(cmd->entry, word, len);
	const char *value = "";
	if (p.option == NULL)
		return unknown_option(cmd->entry, word, err);
	if (p.option->arg != NULL) {
		if (equals != NULL)
			value = equals + 1;
		else if (!is_long && word[2] != '\0')
			value = word + 2;
		else if ((value = *++*argv) == NULL)
			return err_set(err, ERR_USAGE, "--%s needs a value: %s",
			    p.option->name, p.option->arg);
	} else if (equals != NULL || (!is_long && word[2] != '\0')) {
		return err_set(err, ERR_USAGE, "--%s takes no value", p.option->name);
	}
	if (p.global >= 0)
		return take_global(cmd, p.global, value, err);
	cmd->option[p.own] = value;
	return 0;
}

static int
check_words(const struct cmd *cmd, struct err *err)
{
	const struct cmd_entry *e = cmd->entry;
	if (cmd->nwords < e->min)
		return err_set(err, ERR_USAGE, "'%s' needs more: relctl %s %s", e->name,
		    e->name, e->args);
	if (cmd->nwords > e->max)
		return err_set(err, ERR_USAGE,
		    "'%s' does not know what to do with '%s'", e->name,
		    cmd->words[e->max]);
	return 0;
}

int
cmd_parse(struct cmd *cmd, char **argv, const char **words, struct err *err)
{
	static const struct cmd_entry none = {.name = "relctl", .args = "VERB"};
	int literal = 0;
	const struct cmd_entry *entry = NULL;
	cmd->entry = &none;
	cmd->words = words;
	for (; *argv != NULL; argv++) {
		const char *word = *argv;
		if (!literal && strcmp(word, "--") == 0) {
			literal = 1;
		} else if (!literal && word[0] == '-' && word[1] != '\0') {
			if (entry == NULL &&
			    (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0))
				return cmd_parse(cmd,
				    (char *[]){(char[]){"help"}, NULL}, words, err);
			if (take_option(cmd, &argv, err) < 0)
				return -1;
		} else if (entry == NULL) {
			entry = cmd_find(word, err);
			if (entry == NULL)
				return -1;
			cmd->entry = entry;
		} else {
			words[cmd->nwords++] = word;
			literal |= entry->raw;
		}
	}
	words[cmd->nwords] = NULL;
	if (entry == NULL)
		return err_set(err, ERR_USAGE, "which verb? `relctl help` lists all");
	return check_words(cmd, err);
}

void
cmd_dirs(struct cmd *cmd)
{
	if (cmd->root == NULL)
		cmd->root = getenv("STEWARD_ROOT");
	if (cmd->root != NULL && cmd->root[0] == '\0')
		cmd->root = NULL;
	(void)snprintf(cmd->run_dir, sizeof cmd->run_dir, "%s",
	    cmd->root != NULL ? cmd->root : "/run/steward");
	(void)snprintf(cmd->log_dir, sizeof cmd->log_dir, "%s",
	    cmd->root != NULL ? cmd->root : "/var/log/steward");
	if (cmd->root == NULL)
		return;
	(void)snprintf(cmd->run_dir, sizeof cmd->run_dir, "%s/run", cmd->root);
	(void)snprintf(cmd->log_dir, sizeof cmd->log_dir, "%s/log", cmd->root);
}

/* --- calls ----------------------------------------------------------------------- */

struct client *
cmd_client(struct cmd *cmd)
{
	if (cmd->client == NULL)
		cmd->client = client_open(cmd->run_dir, cmd->root, &cmd->err);
	return cmd->client;
}

struct json *
cmd_call(struct cmd *cmd, const char *method, struct json *params)
{
	uint64_t wait_ms = cmd->timeout_ms > 0 ? cmd->timeout_ms : READ_TIMEOUT_MS;
	if (cmd_client(cmd) == NULL) {
		json_free(&params);
		return NULL;
	}
	return client_call(cmd->client, method, params, wait_ms, &cmd->err);
}

struct json *
cmd_change(struct cmd *cmd, const char *method, struct json *params)
{
	uint64_t wait_ms = MS_INFINITY;
	if (params == NULL)
		params = json_object();
	if (cmd->timeout_ms > 0) {
		json_set_u64(params, "timeout_ms", cmd->timeout_ms);
		wait_ms = cmd->timeout_ms + SLACK_MS;
	}
	if (cmd_client(cmd) == NULL) {
		json_free(&params);
		return NULL;
	}
	return client_call(cmd->client, method, params, wait_ms, &cmd->err);
}

struct json *
cmd_params(const char *key, const char *value)
{
	struct json *params = json_object();
	json_set_str(params, key, value);
	return params;
}

int
cmd_fail(const struct cmd *cmd)
{
	int code = err_exit_code(&cmd->err);
	return code != 0 ? code : 1;
}

void
cmd_print_json(const struct json *json)
{
	char *text = json_print(json);
	(void)puts(text);
	free(text);
}

void
cmd_say(const struct cmd *cmd, const char *fmt, ...)
{
	va_list ap;
	if (cmd->quiet || cmd->json)
		return;
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
}

void
cmd_complain(const char *fmt, ...)
{
	va_list ap;
	(void)fflush(stdout);
	(void)fputs("relctl: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}
