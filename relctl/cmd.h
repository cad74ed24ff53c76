/*
 * cmd - verbs of relctl: one table, one file each (the plainest share cmd_each.c).
 *
 * A verb's file ends in its `const struct cmd_entry`; cmd.c lists them all.  Options,
 * help, the manual and completion come from these rows.  A verb gets a struct cmd with
 * its words checked, and returns an exit code; what it could not do it leaves in
 * cmd->err, which main prints as one sentence.
 */
#ifndef RELCTL_CMD_H
#define RELCTL_CMD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"
#include "json/json.h"

enum { CMD_OPTIONS = 4, CMD_ANY = 1 << 20 };

/* What a verb's words are, for completion. */
enum cmd_words {
	WORDS_NONE,
	WORDS_IDS,
	WORDS_POOLS,
	WORDS_APPS,
	WORDS_FILES,
	WORDS_VERBS
};

struct cmd_option {
	const char *name; /* long, without dashes */
	char letter;	  /* or NUL */
	const char *arg;  /* name of its value, null for a flag */
	const char *help;
};

struct cmd;

struct cmd_entry {
	const char *name;
	const char *args;  /* as in "ID..." */
	const char *help;  /* one line */
	const char *more;  /* prose for the manual and `help VERB`, or null */
	const char *role;  /* least role, or "" when no node is asked */
	unsigned min, max; /* how many words */
	enum cmd_words words;
	int raw;    /* behind the first word nothing is an option */
	int hidden; /* not in lists */
	struct cmd_option options[CMD_OPTIONS];
	int (*run)(struct cmd *cmd);
};

struct client;

struct cmd {
	const struct cmd_entry *entry;
	struct err err;
	const char *root; /* null: the system's node */
	char run_dir[512], log_dir[512];
	int json, quiet, wait;
	uint64_t timeout_ms; /* 0: none */
	unsigned nwords;
	const char *const *words;	 /* NULL behind */
	const char *option[CMD_OPTIONS]; /* value; "" for a flag; null: not given */
	struct client *client;		 /* owned by main; see cmd_client */
};

/* Each in cmd_NAME.c. */
extern const struct cmd_entry cmd_app_entry;
extern const struct cmd_entry cmd_check_entry;
extern const struct cmd_entry cmd_children_entry;
extern const struct cmd_entry cmd_complete_entry;
extern const struct cmd_entry cmd_completion_entry;
extern const struct cmd_entry cmd_count_entry;
extern const struct cmd_entry cmd_events_entry;
extern const struct cmd_entry cmd_help_entry;
extern const struct cmd_entry cmd_keygen_entry;
extern const struct cmd_entry cmd_logs_entry;
extern const struct cmd_entry cmd_pack_entry;
extern const struct cmd_entry cmd_reexec_entry;
extern const struct cmd_entry cmd_reload_entry;
extern const struct cmd_entry cmd_scale_entry;
extern const struct cmd_entry cmd_shutdown_entry;
extern const struct cmd_entry cmd_sign_entry;
extern const struct cmd_entry cmd_signal_entry;
extern const struct cmd_entry cmd_start_child_entry;
extern const struct cmd_entry cmd_status_entry;
extern const struct cmd_entry cmd_tree_entry;
extern const struct cmd_entry cmd_verify_entry;
extern const struct cmd_entry cmd_wait_entry;
extern const struct cmd_entry cmd_why_entry;

/* In cmd_each.c: what they have is an id or several, and a method. */
enum cmd_each {
	EACH_START,
	EACH_STOP,
	EACH_RESTART,
	EACH_ENABLE,
	EACH_DISABLE,
	EACH_TERMINATE_CHILD,
	EACH_RESTART_CHILD,
	EACH_DELETE_CHILD,
	EACH_MAX
};

extern const struct cmd_entry cmd_each_entries[EACH_MAX];

/* In cmd_mail.c: what a handler worker itself is asked. */
enum cmd_mail {
	MAIL_CALL,
	MAIL_CAST,
	MAIL_INSPECT,
	MAIL_SUSPEND,
	MAIL_RESUME,
	MAIL_MAX
};

extern const struct cmd_entry cmd_mail_entries[MAIL_MAX];

extern const struct cmd_entry *const cmd_table[];
extern const size_t cmd_table_n;
extern const struct cmd_option cmd_global_options[];
extern const size_t cmd_global_options_n;

/* The verb, or null with a suggestion in err. */
const struct cmd_entry *cmd_find(const char *name, struct err *err);
/* Splits the arguments behind the program's name; fills *cmd; words has room for argc. */
int cmd_parse(struct cmd *cmd, char **argv, const char **words, struct err *err);
void cmd_usage(const struct cmd_entry *entry, int to_stderr);
/* run_dir and log_dir from --root, $STEWARD_ROOT or the system's. */
void cmd_dirs(struct cmd *cmd);

/* The connection, made at first use; null with cmd->err. */
struct client *cmd_client(struct cmd *cmd);
/*
 * Calls a method; takes params.  For methods that change something --timeout goes along.
 * Null with cmd->err.
 */
struct json *cmd_call(struct cmd *cmd, const char *method, struct json *params);
struct json *cmd_change(struct cmd *cmd, const char *method, struct json *params);
/* {"id": id} */
struct json *cmd_params(const char *key, const char *value);
/* The exit code of cmd->err. */
int cmd_fail(const struct cmd *cmd);
/* Prints a value on one line. */
void cmd_print_json(const struct json *json);
/* A line for people, unless --quiet or --json. */
void cmd_say(const struct cmd *cmd, const char *fmt, ...) PRINTF(2, 3);
/* A sentence on stderr, with the program's name. */
void cmd_complain(const char *fmt, ...) PRINTF(1, 2);

#endif
