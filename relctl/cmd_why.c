/*
 * relctl why - one screen that explains a state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logfile.h"
#include "nodes.h"
#include "table.h"

enum { LOG_LINES = 10 };

static void
heading(const char *text)
{
	(void)printf("%s%s%s\n", table_colours() ? "\033[1m" : "", text,
	    table_colours() ? "\033[0m" : "");
}

static void
print_stopped(const struct json *list, const char *itself)
{
	const char *before = "  stopped with it: ";
	for (const struct json *j = json_first(list); j != NULL; j = json_next(j)) {
		const char *id = json_str(j) != NULL ? json_str(j) : "?";
		if (strcmp(id, itself) == 0)
			continue;
		(void)printf("%s%s", before, id);
		before = ", ";
	}
	if (before[0] == ',')
		(void)putchar('\n');
}

static void
on_line(void *arg, const char *id, const char *text, size_t len)
{
	(void)arg;
	(void)id;
	(void)fputs("  ", stdout);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		(void)putchar((c < ' ' && c != '\t') || c == 127 ? '?' : c);
	}
	(void)putchar('\n');
}

static void
print_log(struct cmd *cmd, const struct json *story)
{
	const struct logfile_sink sink = {on_line, NULL};
	const char *id = json_get_str(json_get(story, "node"), "id", "");
	struct err err;
	if (json_get(story, "log") == NULL)
		return;
	struct json *info = cmd_call(cmd, "node.info", NULL);
	const char *dir = json_get_str(json_get(info, "dirs"), "log", cmd->log_dir);
	struct logfile *f = logfile_open(dir, id, &err);
	json_free(&info);
	heading("last lines of its log");
	if (f == NULL || logfile_last(f, LOG_LINES, 0, &err) < 0) {
		(void)printf("  (%s)\n", err.msg);
	} else {
		logfile_give(&f, 1, &sink);
		logfile_rest(f, &sink);
	}
	logfile_close(&f);
}

/* With --json the lines of the log are a list of texts. */
static void
gather(void *arg, const char *id, const char *text, size_t len)
{
	char *line = strndup(text, len);
	(void)id;
	if (line != NULL)
		json_push_str(arg, line);
	free(line);
}

static void
add_log(struct cmd *cmd, struct json *story)
{
	struct json *lines = json_array();
	const struct logfile_sink sink = {gather, lines};
	const char *id = json_get_str(json_get(story, "node"), "id", "");
	struct json *info = cmd_call(cmd, "node.info", NULL);
	const char *dir = json_get_str(json_get(info, "dirs"), "log", cmd->log_dir);
	struct logfile *f = logfile_open(dir, id, NULL);
	if (f != NULL && logfile_last(f, LOG_LINES, 0, NULL) == 0) {
		logfile_give(&f, 1, &sink);
		logfile_rest(f, &sink);
	}
	logfile_close(&f);
	json_free(&info);
	json_set(story, "log_lines", lines);
}

static int
run(struct cmd *cmd)
{
	struct json *story = cmd_call(cmd, "why", cmd_params("id", cmd->words[0]));
	if (story == NULL)
		return cmd_fail(cmd);
	if (cmd->json) {
		add_log(cmd, story);
		cmd_print_json(story);
	} else {
		const struct json *list = json_get(story, "summary");
		const char *id = json_get_str(json_get(story, "node"), "id", "?");
		heading(id);
		for (const struct json *j = json_first(list); j != NULL;
		     j = json_next(j))
			(void)printf("  %s\n", json_str(j) != NULL ? json_str(j) : "?");
		print_stopped(json_get(story, "stopped_with"), id);
		print_log(cmd, story);
	}
	json_free(&story);
	return 0;
}

const struct cmd_entry cmd_why_entry = {.name = "why",
    .args = "ID",
    .help = "explain why it is as it is",
    .more =
	"Shows the last end in words, the restart window, who else was stopped for it, "
	"the next try, and the last lines of its log.",
    .role = "read",
    .min = 1,
    .max = 1,
    .words = WORDS_IDS,
    .run = run};
