#include "load/paper.h"

#include <string.h>

#include "base/util.h"
#include "conf/keys.h"
#include "conf/values.h"

/* Text as comment lines of at most 90 bytes. */
static void
comment(FILE *out, const char *text)
{
	size_t column = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, " ");
		if (column == 0 || column + 1 + len > 88) {
			(void)fprintf(out, "%s#", column > 0 ? "\n" : "");
			column = 1;
		}
		(void)fprintf(out, " %.*s", (int)len, text);
		column += len + 1;
		text += len;
		text += strspn(text, " ");
	}
	(void)fputc('\n', out);
}

static void
conf_key(FILE *out, const struct conf_key *key)
{
	const char *value = key->def != NULL ? key->def : key->example;
	(void)fputc('\n', out);
	comment(out, key->help);
	if (key->type == V_WORD) {
		(void)fprintf(out, "# One of:");
		for (size_t i = 0; i < key->nwords; i++)
			(void)fprintf(out, " %s", key->words[i]);
		(void)fprintf(out, ".\n");
	}
	(void)fprintf(out, "#%s = %s\n", key->name, value != NULL ? value : "");
}

static void
paper_conf(FILE *out)
{
	static const char *const titles[SEC_MAX] = {
	    [SEC_NODE] = "[node]",
	    [SEC_APPLICATION] = "#[application api]",
	    [SEC_SUPERVISOR] = "#[supervisor api/back]",
	    [SEC_WORKER] = "#[worker cache]",
	    [SEC_SOCKET] = "#[socket http]",
	};
	(void)fprintf(out,
	    "# supervisord.conf - what this node keeps running.  See supervisord.conf(5).\n"
	    "# Check it with `relctl check FILE`; put it in force with `relctl reload`.\n"
	    "#\n"
	    "# All keys there are stand below, commented out, with their default or, where\n"
	    "# there is none, an example.  A worker needs no more than its command:\n"
	    "#\n"
	    "#     [worker cache]\n"
	    "#     command = /usr/bin/redis-server --port 7000\n");
	for (int s = 0; s < SEC_MAX; s++) {
		(void)fprintf(out, "\n# ---- %s ----\n#\n", conf_sections[s].title);
		comment(out, conf_sections[s].help);
		(void)fprintf(out, "%s\n", titles[s]);
		for (size_t i = 0; i < CONF_KEY_MAX; i++)
			if ((int)conf_keys[i].section == s)
				conf_key(out, &conf_keys[i]);
	}
}

static void
paper_keys(FILE *out)
{
	for (size_t i = 0; i < CONF_KEY_MAX; i++) {
		const struct conf_key *key = &conf_keys[i];
		(void)fprintf(
		    out, "%s\t%s\t", conf_sections[key->section].name, key->name);
		for (size_t k = 0; k < key->nwords; k++)
			(void)fprintf(out, "%s%s", k > 0 ? "|" : "", key->words[k]);
		(void)fprintf(out, "%s\t%s\t%s\n",
		    key->nwords == 0 ? value_syntax(key->type) : "",
		    key->def != NULL ? key->def : "",
		    key->release ? "release" : "node");
	}
}

int
paper_print(const char *name, FILE *out)
{
	static const struct {
		const char *name;
		void (*print)(FILE *);
	} papers[] = {{"man", paper_man}, {"conf", paper_conf}, {"keys", paper_keys}};

	for (size_t i = 0; i < COUNT(papers); i++)
		if (strcmp(papers[i].name, name) == 0) {
			papers[i].print(out);
			return 0;
		}
	return -1;
}
