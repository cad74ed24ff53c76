/*
 * relctl - everything a person types to a Steward node.
 *
 * Finds the verb, lets it run, prints what went wrong as one sentence and ends with the
 * exit code that belongs to it.
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "client.h"
#include "cmd.h"
#include "manual.h"

/* With --json also a failure is JSON. */
static void
report(const struct cmd *cmd, int code)
{
	if (cmd->err.kind == ERR_NONE)
		return;
	cmd_complain("%s", cmd->err.msg);
	const struct json *data =
	    cmd->client != NULL ? client_error_data(cmd->client) : NULL;
	const char *text = json_get_str(data, "text", NULL);
	if (text != NULL && !cmd->json)
		(void)fputs(text, stderr);
	if (!cmd->json)
		return;
	struct json *json = json_object(), *error = json_object();
	json_set_i64(error, "exit", code);
	json_set_str(error, "message", cmd->err.msg);
	if (data != NULL)
		json_set(error, "data", json_copy(data));
	json_set(json, "error", error);
	cmd_print_json(json);
	json_free(&json);
}

/* The manual pages that are made from tables; 0: there is no such one. */
static int
print_paper(const char *which)
{
	if (strcmp(which, "man") == 0)
		manual_print(stdout);
	else if (strcmp(which, "release") == 0)
		manual_print_release(stdout);
	else
		return 0;
	return 1;
}

int
main(int argc, char **argv)
{
	struct cmd cmd = {.err = {.kind = ERR_NONE}};
	int code;
	(void)setlocale(LC_CTYPE, "");
	(void)signal(SIGPIPE, SIG_DFL);
	log_open("relctl", 2, LOG_LEVEL_INFO);
	if (argc == 3 && strcmp(argv[1], "--print") == 0 && print_paper(argv[2]))
		return fflush(stdout) == 0 ? 0 : 1;
	const char **words = calloc((size_t)argc + 1, sizeof *words);
	must(words != NULL);
	if (argc < 1 || cmd_parse(&cmd, argv + 1, words, &cmd.err) < 0) {
		code = err_exit_code(&cmd.err);
	} else {
		cmd_dirs(&cmd);
		code = cmd.entry->run(&cmd);
	}
	if (code != 0)
		report(&cmd, code);
	client_close(&cmd.client);
	free(words);
	if (fflush(stdout) != 0 && code == 0) {
		cmd_complain("what was to be printed could not be written");
		code = 1;
	}
	return code;
}
