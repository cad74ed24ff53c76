/* supervisord.conf(5): prose around the table of keys. */
#include <string.h>

#include "conf/keys.h"
#include "conf/values.h"
#include "load/paper.h"

static const char prose_before[] =
    ".TH SUPERVISORD.CONF 5 \"\" \"Steward\" \"File Formats\"\n"
    ".SH NAME\n"
    "supervisord.conf \\- what a Steward node keeps running\n"
    ".SH SYNOPSIS\n"
    ".I /etc/steward/supervisord.conf\n"
    ".SH DESCRIPTION\n"
    "The file describes a tree, in the words of Erlang/OTP.\n"
    "Its leaves are\n"
    ".IR workers ,\n"
    "each one process that is kept alive.\n"
    "Its inner points are\n"
    ".IR supervisors :\n"
    "each starts its children in the order in which they stand in the file, each child\n"
    "after the one before it is ready, stops them in reverse, and restarts them by its\n"
    ".IR strategy .\n"
    "A supervisor that has to restart more than\n"
    ".I intensity\n"
    "times within\n"
    ".I period\n"
    "gives up: it stops its children and ends, and its own supervisor decides what to\n"
    "do about that, by the same rules.\n"
    "At the top stand\n"
    ".IR applications ,\n"
    "supervisors with a name, a version, an environment, and a start type that says what\n"
    "their end means for the node.\n"
    ".PP\n"
    "A worker's id is\n"
    ".IR APP / WORKER ,\n"
    "that of one instance of a pool\n"
    ".IR APP / WORKER # N .\n"
    "Each part is made of 1 to 32 of a\\-z, 0\\-9, _ and \\-; all ids of an application\n"
    "are different.\n"
    ".PP\n"
    "The file is only read by\n"
    ".BR supervisord\\-load ,\n"
    "which hands the finished tree to the master.\n"
    "What is wrong is reported all at once, with file, line and, where one can be guessed,\n"
    "what was meant; a node that is running is not touched by a file with errors.\n"
    ".B relctl check\n"
    "only checks,\n"
    ".B relctl reload\n"
    "puts the file in force: workers that are new start, those that are gone stop, those\n"
    "whose process would be started differently (its command, environment, user, limits\n"
    "and the like) restart, and all others keep running.\n"
    ".SH SYNTAX\n"
    ".B [section]\n"
    "lines are followed by\n"
    ".B key = value\n"
    "lines.\n"
    "Blanks around keys and values go; nothing else of a value is changed, so it may hold\n"
    "any UTF\\-8 text, also # and ; characters, and may be long.\n"
    "A line that begins with blanks continues the value above it and is joined to it by\n"
    "one blank; an empty line ends the value.\n"
    "A line whose first character other than a blank is # or ; is a comment; a comment\n"
    "behind a value is not possible.\n"
    "Each section and each key in it may be given once.\n"
    "Control characters other than tabs are refused.\n"
    ".SS Values\n"
    ".TP\n"
    ".I time\n"
    "A number with a unit, as in 500ms, 5s, 2m, 1h, 3d, 1.5s or 1h30m; 0 needs no unit.\n"
    ".TP\n"
    ".I size\n"
    "A number of bytes, or of 1024 bytes with k, and so on with M, G and T.\n"
    ".TP\n"
    ".IR command \" and \" NAME=value\n"
    "Words as in a shell:\n"
    ".RB \\(aq...\\(aq\n"
    "takes all literally, inside\n"
    ".RB \\(dq...\\(dq\n"
    "a backslash escapes \\(dq, \\e, $ and \\`, and outside of quotes it escapes any character.\n"
    "No shell is involved and nothing is expanded but\n"
    ".BR %n ,\n"
    "the number of the instance, and\n"
    ".BR %% ,\n"
    "a percent sign.\n"
    "For a shell's powers write a shell:\n"
    ".BR \"/bin/sh \\-c \\(aq... | ...\\(aq\" .\n"
    ".TP\n"
    ".I id\n"
    ".IR APP ,\n"
    ".I APP/NAME\n"
    "or, within the same application,\n"
    ".IR NAME .\n"
    "Several ids, names or numbers stand between blanks or commas.\n"
    ".TP\n"
    ".I SOFT[:HARD]\n"
    "A limit as of\n"
    ".BR setrlimit (2),\n"
    "or infinity; without HARD both are the same.\n"
    "An ordinary user\\(aqs node may not raise the hard limits it was started with.\n"
    ".PP\n"
    "Keys marked with\n"
    ".RB ( R )\n"
    "may also be set by a release.\n";

static const char prose_after[] =
    ".SH ENVIRONMENT OF A WORKER\n"
    "A worker gets, later ones over earlier ones: PATH; HOME, USER, LOGNAME and SHELL of\n"
    "its user; the\n"
    ".B env_file\n"
    "and then the\n"
    ".B environment\n"
    "of its application; its own\n"
    ".B env_file\n"
    "and then its own\n"
    ".BR environment .\n"
    "With\n"
    ".B inherit_environment = yes\n"
    "the environment of the node comes first.\n"
    "The node adds STEWARD_* variables, NOTIFY_SOCKET with\n"
    ".BR \"ready = notify\" ,\n"
    "WATCHDOG_USEC and WATCHDOG_PID with\n"
    ".BR watchdog ,\n"
    "and LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES with\n"
    ".BR sockets ;\n"
    "these cannot be set here.\n"
    ".SS Files of variables\n"
    "An\n"
    ".B env_file\n"
    "is read as systemd reads EnvironmentFile=: one NAME=value a line, comment lines begin\n"
    "with # or ;, values may be quoted, a quoted value may span lines, a backslash at the\n"
    "end of a line joins the next.\n"
    "Nothing is expanded, not even %n.\n"
    "Relative paths begin at the directory of the main file.\n"
    "The file is read when the configuration is loaded; a worker whose variables have\n"
    "changed is restarted by the next reload.\n"
    ".SH RESTARTS\n"
    "A\n"
    ".B permanent\n"
    "child is restarted whenever it ends, a\n"
    ".B transient\n"
    "one only after an abnormal end, a\n"
    ".B temporary\n"
    "one never.\n"
    "An end is normal with exit status 0 or one of\n"
    ".BR success_codes .\n"
    "Restarts come at once; with\n"
    ".B backoff\n"
    "they wait.\n"
    "A start that fails counts like an end.\n"
    "A worker that was stopped by the operator stays stopped until it is started again.\n"
    ".PP\n"
    "A child with\n"
    ".B significant = yes\n"
    "can end its supervisor by ending itself, by the supervisor\\(aqs\n"
    ".BR auto_shutdown .\n"
    "As in OTP a significant child is transient or temporary, and its supervisor has\n"
    "auto_shutdown any_significant or all_significant.\n"
    ".SH POOLS\n"
    "A worker with\n"
    ".B instances\n"
    "becomes a pool: a simple_one_for_one supervisor with the worker\\(aqs own id whose\n"
    "children are instances #1, #2 and so on of one template.\n"
    ".B relctl scale\n"
    "changes their number without touching the others.\n"
    "A declared supervisor with\n"
    ".B strategy = simple_one_for_one\n"
    "has exactly one worker, which is its template, and starts as many instances as that\n"
    "worker\\(aqs\n"
    ".B instances\n"
    "says; without it none, as in OTP, and they come by start_child.\n"
    ".SH ORDER\n"
    "Children of one supervisor start one after the other, different applications at the\n"
    "same time.\n"
    ".B after\n"
    "makes a worker wait for any other worker or supervisor to be ready, and\n"
    ".B applications\n"
    "an application for others.\n"
    "What could never start is refused: to wait for a sibling that starts later, for a\n"
    "supervisor above, or in a circle.\n"
    ".SH USER MODE\n"
    "A node that was started by an ordinary user cannot change users, groups or\n"
    "capabilities, raise hard limits, lower nice values or bind low ports; keys that ask\n"
    "for it are errors.\n"
    "Relative paths of\n"
    ".B directory\n"
    "and of unix sockets then begin at the node\\(aqs own directory.\n"
    ".SH EXAMPLES\n"
    "A cache and a shop that needs it: when the cache dies the shop is restarted, too.\n"
    ".PP\n"
    ".nf\n"
    "[application api]\n"
    "environment = LANG=C.UTF-8\n"
    "\n"
    "[supervisor api/back]\n"
    "strategy  = rest_for_one\n"
    "intensity = 3\n"
    "period    = 10s\n"
    "\n"
    "[worker cache]\n"
    "supervisor = api/back\n"
    "command    = /usr/bin/redis-server --port 7000\n"
    "ready      = tcp:127.0.0.1:7000\n"
    "user       = redis\n"
    "\n"
    "[worker shop]\n"
    "supervisor  = api/back\n"
    "command     = /usr/bin/shop --cache 127.0.0.1:7000\n"
    "environment = PORT=800%n 'GREETING=good morning'\n"
    "instances   = 4\n"
    ".fi\n"
    ".PP\n"
    "A server whose socket outlives it:\n"
    ".PP\n"
    ".nf\n"
    "[socket http]\n"
    "listen = tcp:*:80\n"
    "\n"
    "[worker web]\n"
    "command      = /usr/sbin/web --foreground\n"
    "user         = www-data\n"
    "sockets      = http\n"
    "ready        = notify\n"
    "watchdog     = 30s\n"
    "limit_nofile = 65536\n"
    ".fi\n"
    ".PP\n"
    "A task that runs once before the others:\n"
    ".PP\n"
    ".nf\n"
    "[worker migrate]\n"
    "command = /usr/bin/shop-migrate\n"
    "type    = oneshot\n"
    "restart = transient\n"
    "\n"
    "[worker serve]\n"
    "command = /usr/bin/shop-serve\n"
    "after   = migrate\n"
    ".fi\n"
    ".SH DIAGNOSTICS\n"
    ".nf\n"
    "web.ini:7: error: unknown key 'restrat' in [worker web]; did you mean 'restart'?\n"
    ".fi\n"
    ".PP\n"
    "At most 200 messages are shown.\n"
    ".B supervisord\\-load \\-\\-check\n"
    "and\n"
    ".B relctl check\n"
    "end with status 78 when there are errors.\n"
    "A program that is not found in PATH is only a warning, since it may come later.\n"
    ".SH SEE ALSO\n"
    ".BR supervisord (8),\n"
    ".BR relctl (1)\n";

/* A text with what roff would take for its own escaped. */
static void
roff(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		(void)fputs("\\&", out);
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			(void)fputs("\\e", out);
		else if (*text == '-')
			(void)fputs("\\-", out);
		else if (*text == '\'')
			(void)fputs("\\(aq", out);
		else
			(void)fputc(*text, out);
	}
}

static void
man_syntax(FILE *out, const struct conf_key *key)
{
	if (key->nwords == 0) {
		roff(out, value_syntax(key->type));
		return;
	}
	for (size_t i = 0; i < key->nwords; i++) {
		(void)fputs(i == 0 ? "" : " | ", out);
		roff(out, key->words[i]);
	}
}

static void
man_key(FILE *out, const struct conf_key *key)
{
	(void)fprintf(out, ".TP\n\\fB%s\\fR = \\fI", key->name);
	man_syntax(out, key);
	(void)fprintf(out, "\\fR%s\n", key->release ? " (\\fBR\\fR)" : "");
	roff(out, key->help);
	(void)fputc('\n', out);
	if (key->required)
		(void)fputs("Required.\n", out);
	if (key->def != NULL) {
		(void)fputs("Default: ", out);
		roff(out, key->def);
		(void)fputs(".\n", out);
	} else if (key->example != NULL) {
		(void)fputs("Example: ", out);
		roff(out, key->example);
		(void)fputs("\n", out);
	}
}

void
paper_man(FILE *out)
{
	(void)fputs(prose_before, out);
	(void)fputs(".SH SECTIONS AND KEYS\n", out);
	for (int s = 0; s < SEC_MAX; s++) {
		(void)fputs(".SS ", out);
		roff(out, conf_sections[s].title);
		(void)fputc('\n', out);
		roff(out, conf_sections[s].help);
		(void)fputc('\n', out);
		for (size_t i = 0; i < CONF_KEY_MAX; i++)
			if ((int)conf_keys[i].section == s)
				man_key(out, &conf_keys[i]);
	}
	(void)fputs(prose_after, out);
}
