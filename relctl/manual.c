#include "manual.h"

#include "base/roff.h"
#include "cmd.h"

static const char head[] =
    ".SH NAME\n"
    "relctl \\- look at and steer a Steward node\n"
    ".SH SYNOPSIS\n"
    ".B relctl\n"
    "[\\fIoption\\fP ...] \\fIverb\\fP [\\fIargument\\fP ...]\n"
    ".SH DESCRIPTION\n"
    ".B relctl\n"
    "speaks to the node of this machine, or to the one that lives below the directory of\n"
    ".BR \\-\\-root ,\n"
    "over its socket\n"
    ".IR run/control.sock .\n"
    "What you may do there is decided by your role, see\n"
    ".BR steward-control (7).\n"
    ".PP\n"
    "An \\fIID\\fP is what\n"
    ".B relctl tree\n"
    "shows: \\fIapp\\fP, \\fIapp/worker\\fP, \\fIapp/worker#3\\fP; the part behind the "
    "slash is\n"
    "enough if only one has it, and the pid of a worker is taken too.  Several IDs may be\n"
    "given where the verb says so, and patterns as in a shell (\\(aqapi/*\\(aq, quoted)\n"
    "stand for the workers they match.\n"
    ".PP\n"
    "Options may stand before and behind the verb.  Colour and cutting to the width of\n"
    "the screen happen on a terminal only.\n";

static const char tail[] =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\ndone\n"
    ".TP\n.B 1\nfailed, or not done in time\n"
    ".TP\n.B 2\nwrong usage\n"
    ".TP\n.B 3\nnot running\n"
    ".TP\n.B 4\nno such name\n"
    ".TP\n.B 5\nrefused, by your role or by the state of things\n"
    ".TP\n.B 6\nfailed and rolled back\n"
    ".TP\n.B 7\nfailed and not rolled back\n"
    ".TP\n.B 69\nno node answers\n"
    ".TP\n.B 75\nlocked or busy, try later\n"
    ".TP\n.B 78\nthe configuration has errors\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B STEWARD_ROOT\nused where\n.B \\-\\-root\nis not given\n"
    ".TP\n.B NO_COLOR\nno colours, if it is not empty\n"
    ".SH FILES\n"
    ".TP\n.I /run/steward/control.sock\nthe system's node; \\fIDIR/run/control.sock\\fP "
    "with\n.B \\-\\-root\n"
    ".TP\n.I /var/log/steward\nlogs of the system's node; \\fIDIR/log\\fP with\n.B "
    "\\-\\-root\n"
    ".SH EXAMPLES\n"
    ".nf\n"
    "relctl status\n"
    "relctl why api/shop\n"
    "relctl restart \\(aqapi/*\\(aq --timeout 30s\n"
    "relctl logs -f shop cache\n"
    "relctl wait api --for ready --timeout 10s && echo up\n"
    ".fi\n"
    ".SH SEE ALSO\n"
    ".BR supervisord (8),\n"
    ".BR supervisord.conf (5),\n"
    ".BR steward-release (5),\n"
    ".BR steward-control (7)\n";

static void
option(FILE *out, const struct cmd_option *o)
{
	(void)fputs(".TP\n.B ", out);
	if (o->letter != 0)
		(void)fprintf(out, "\\-%c\\fR, \\fP", o->letter);
	(void)fputs("\\-\\-", out);
	roff_text(out, o->name);
	if (o->arg != NULL)
		(void)fprintf(out, " \\fI%s\\fP", o->arg);
	(void)fputc('\n', out);
	roff_line(out, o->help);
}

static void
verb(FILE *out, const struct cmd_entry *e)
{
	(void)fputs(".SS ", out);
	roff_text(out, e->name);
	(void)fputc(' ', out);
	roff_line(out, e->args);
	roff_text(out, e->help);
	(void)fputs(".\n", out);
	if (e->more != NULL) {
		roff_line(out, e->more);
	}
	if (e->role[0] != '\0')
		(void)fprintf(out, "Role: %s.\n", e->role);
	for (size_t i = 0; i < CMD_OPTIONS && e->options[i].name != NULL; i++)
		option(out, &e->options[i]);
}

void
manual_print(FILE *out)
{
	roff_head(out, "relctl --print man", "RELCTL", 1);
	(void)fputs(head, out);
	(void)fputs(".SH OPTIONS\n", out);
	for (size_t i = 0; i < cmd_global_options_n; i++)
		option(out, &cmd_global_options[i]);
	(void)fputs(".SH VERBS\n", out);
	for (size_t i = 0; i < cmd_table_n; i++)
		if (!cmd_table[i]->hidden)
			verb(out, cmd_table[i]);
	(void)fputs(tail, out);
}
