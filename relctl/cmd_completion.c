/*
 * relctl completion - scripts that let a shell complete verbs, options and ids.
 *
 * The scripts ask `relctl __complete`, so they never grow old.  The files in
 * conf/completions are what this prints.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd.h"

static const char bash[] =
    "# bash completion for relctl; made by `relctl completion bash`.\n"
    "_relctl()\n"
    "{\n"
    "\tlocal cur=${COMP_LINE:0:COMP_POINT} words line\n"
    "\tread -ra words <<<\"$cur\"\n"
    "\t[[ $cur == *[[:space:]] ]] && words+=('')\n"
    "\tCOMPREPLY=()\n"
    "\twhile IFS= read -r line; do\n"
    "\t\tCOMPREPLY+=(\"$line\")\n"
    "\tdone < <(\"${words[0]}\" __complete -- \"${words[@]:1}\" 2>/dev/null)\n"
    "}\n"
    "complete -o default -o bashdefault -F _relctl relctl\n";

static const char zsh[] =
    "#compdef relctl\n"
    "# zsh completion for relctl; made by `relctl completion zsh`.\n"
    "_relctl()\n"
    "{\n"
    "\tlocal -a found\n"
    "\tfound=(${(f)\"$(${words[1]} __complete -- \"${(@)words[2,CURRENT]}\" "
    "2>/dev/null)\"})\n"
    "\tif (( ${#found} )); then\n"
    "\t\tcompadd -- $found\n"
    "\telse\n"
    "\t\t_files\n"
    "\tfi\n"
    "}\n"
    "# the first call of an installed one loads this file\n"
    "if [[ ${funcstack[1]} == _relctl ]]; then\n"
    "\t_relctl \"$@\"\n"
    "else\n"
    "\tcompdef _relctl relctl\n"
    "fi\n";

static const char fish[] =
    "# fish completion for relctl; made by `relctl completion fish`.\n"
    "function __relctl_complete\n"
    "\tset -l words (commandline -opc) (commandline -ct)\n"
    "\tcommand $words[1] __complete -- $words[2..-1] 2>/dev/null\n"
    "end\n"
    "complete -c relctl -n 'not __fish_seen_subcommand_from check keygen pack sign verify' -f\n"
    "complete -c relctl -a '(__relctl_complete)'\n";

static const struct {
	const char *shell, *script;
} scripts[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static int
run(struct cmd *cmd)
{
	for (size_t i = 0; i < COUNT(scripts); i++)
		if (strcmp(scripts[i].shell, cmd->words[0]) == 0) {
			(void)fputs(scripts[i].script, stdout);
			return 0;
		}
	err_set(&cmd->err, ERR_USAGE,
	    "there is no completion for '%.40s'; for bash, zsh and fish there is",
	    cmd->words[0]);
	return cmd_fail(cmd);
}

const struct cmd_entry cmd_completion_entry = {.name = "completion",
    .args = "bash|zsh|fish",
    .help = "print a completion script for a shell",
    .more =
	"For bash and zsh: source <(relctl completion bash); for fish: relctl completion "
	"fish | source.",
    .role = "",
    .min = 1,
    .max = 1,
    .run = run};
