#include "base/roff.h"

/* The names of the volumes, by section. */
static const char *const volumes[] = {[1] = "User Commands",
    [5] = "File Formats",
    [7] = "Protocols",
    [8] = "System Administration"};

void
roff_head(FILE *out, const char *command, const char *title, int section)
{
	(void)fprintf(out,
	    ".\\\" Made by `%s`; change the tables, not this file.\n"
	    ".TH %s %d \"" RELEASED "\" \"Steward " VERSION "\" \"%s\"\n",
	    command, title, section, volumes[section]);
}

void
roff_text(FILE *out, const char *text)
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

void
roff_line(FILE *out, const char *text)
{
	roff_text(out, text);
	(void)fputc('\n', out);
}

void
roff_subsection(FILE *out, const char *text)
{
	(void)fputs(".SS ", out);
	roff_line(out, text);
}
