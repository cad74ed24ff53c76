#include "conf/doc.h"

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "conf/ini.h"
#include "conf/slurp.h"
#include "conf/values.h"

enum { SHOWN = 80 };

static const char *
title(struct arena *arena, enum conf_section kind, const char *name)
{
	return arena_print(arena, "%s%s%s", conf_sections[kind].name,
	    name[0] != '\0' ? " " : "", name);
}

static struct conf_sec *
add_section(struct conf_doc *doc, enum conf_section kind, const char *name)
{
	struct conf_sec *sec = arena_alloc(doc->arena, sizeof *sec);
	*sec = (struct conf_sec){.kind = kind, .name = name, .doc = doc};
	doc->sec = arena_more(doc->arena, doc->sec, doc->n, &doc->cap, sizeof(void *));
	doc->sec[doc->n] = sec;
	(void)map_put_text(&doc->by_title, title(doc->arena, kind, name), doc->n);
	doc->n++;
	return sec;
}

struct conf_sec *
doc_add(struct conf_doc *doc, enum conf_section kind, const char *name)
{
	return add_section(doc, kind, name);
}

struct conf_sec *
doc_find(const struct conf_doc *doc, enum conf_section kind, const char *name)
{
	uint32_t i = map_get_text(&doc->by_title, title(doc->arena, kind, name));
	return i == MAP_NONE ? NULL : doc->sec[i];
}

static int
section_kind(const char *word)
{
	for (int i = 0; i < SEC_MAX; i++)
		if (strcmp(conf_sections[i].name, word) == 0)
			return i;
	return -1;
}

static void
unknown_section(struct conf_doc *doc, struct place at, const char *word)
{
	const char *names[SEC_MAX];
	char shown[SHOWN];
	for (size_t i = 0; i < SEC_MAX; i++)
		names[i] = conf_sections[i].name;
	const char *nearest = str_nearest(word, names, SEC_MAX);
	str_printable(word, shown, sizeof shown);
	if (nearest != NULL)
		diag_error(doc->diag, at, "unknown section [%s]; did you mean '%s'?",
		    shown, nearest);
	else
		diag_error(doc->diag, at,
		    "unknown section [%s]; there are [node], [application NAME], [supervisor APP/NAME], [worker NAME] and [socket NAME]",
		    shown);
}

/* [node] has no name, all others have one that an id can be made of. */
static bool
name_fits(
    struct conf_doc *doc, struct place at, enum conf_section kind, const char *name)
{
	char shown[SHOWN];
	const char *slash = strchr(name, '/');
	bool two = kind == SEC_SUPERVISOR || (kind == SEC_WORKER && slash != NULL);
	size_t first = slash != NULL ? (size_t)(slash - name) : strlen(name);
	bool fits = two ? slash != NULL && str_is_id_part(name, first) &&
			      str_is_id_part(slash + 1, strlen(slash + 1))
			: str_is_id_part(name, strlen(name));
	str_printable(name, shown, sizeof shown);
	if (kind == SEC_NODE && name[0] != '\0')
		diag_error(doc->diag, at, "[node] has no name; write 'name = %s' in it",
		    shown);
	else if (kind != SEC_NODE && name[0] == '\0')
		diag_error(doc->diag, at, "the name is missing: write %s",
		    conf_sections[kind].title);
	else if (kind != SEC_NODE && !fits)
		diag_error(doc->diag, at,
		    "'%s' is no name for %s: up to 32 of a-z 0-9 _ - in each part",
		    shown, conf_sections[kind].title);
	else
		return true;
	return false;
}

static void
on_section(void *ctx, struct place at, const char *text)
{
	struct conf_doc *doc = ctx;
	size_t len = strcspn(text, " \t");
	const char *word = arena_copy(doc->arena, text, len);
	const char *name = text + len + strspn(text + len, " \t");
	int kind = section_kind(word);
	doc->now = NULL;
	if (kind < 0) {
		unknown_section(doc, at, word);
		return;
	}
	if (!name_fits(doc, at, (enum conf_section)kind, name))
		return;
	const struct conf_sec *twin = doc_find(doc, (enum conf_section)kind, name);
	if (twin != NULL) {
		diag_error(doc->diag, at, "[%s] is here twice; the first is %s:%u",
		    text, twin->at.file->path, twin->at.line);
		return;
	}
	doc->now = add_section(doc, (enum conf_section)kind, name);
	doc->now->at = at;
}

/* "it belongs to [application] and [supervisor]" */
static bool
key_elsewhere(const char *key, char *buf, size_t cap)
{
	size_t used = 0;
	for (int i = 0; i < SEC_MAX; i++) {
		if (conf_key_find((enum conf_section)i, key) == NULL || used >= cap)
			continue;
		int n = snprintf(buf + used, cap - used, "%s[%s]",
		    used > 0 ? " or " : "", conf_sections[i].name);
		used += n > 0 ? (size_t)n : 0;
	}
	return used > 0;
}

/* What other supervisors and people call our keys. */
static const char *
foreign_key(const char *key)
{
	static const struct {
		const char *theirs, *ours;
	} words[] = {{"cwd", "directory"}, {"chdir", "directory"},
	    {"workingdirectory", "directory"}, {"exec", "command"}, {"cmd", "command"},
	    {"run", "command"}, {"execstart", "command"}, {"program", "command"},
	    {"env", "environment"}, {"environmentfile", "env_file"}, {"stdout", "log"},
	    {"stderr", "log"}, {"stdout_logfile", "log"}, {"stderr_logfile", "log"},
	    {"numprocs", "instances"}, {"count", "instances"},
	    {"stopsignal", "stop_signal"}, {"killsignal", "stop_signal"},
	    {"stopwaitsecs", "shutdown"}, {"timeout", "shutdown"},
	    {"startsecs", "ready"}, {"autorestart", "restart"},
	    {"max_restarts", "intensity"}, {"max_seconds", "period"},
	    {"depends", "after"}, {"requires", "after"}, {"autostart", "enabled"}};

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcasecmp(words[i].theirs, key) == 0)
			return words[i].ours;
	return NULL;
}

static void
unknown_key(struct conf_doc *doc, struct place at, const char *key)
{
	char where[128];
	const char *of = title(doc->arena, doc->now->kind, doc->now->name);
	const char *nearest = foreign_key(key);
	if (nearest == NULL || conf_key_find(doc->now->kind, nearest) == NULL)
		nearest = conf_key_nearest(doc->now->kind, key);
	if (key_elsewhere(key, where, sizeof where))
		diag_error(doc->diag, at, "unknown key '%s' in [%s]; it is a key of %s",
		    key, of, where);
	else if (nearest != NULL)
		diag_error(doc->diag, at,
		    "unknown key '%s' in [%s]; did you mean '%s'?", key, of, nearest);
	else
		diag_error(doc->diag, at,
		    "unknown key '%s' in [%s]; see supervisord.conf(5)", key, of);
}

static void
on_entry(void *ctx, struct place at, const char *name, const char *value)
{
	struct conf_doc *doc = ctx;
	struct conf_sec *sec = doc->now;
	struct err err;
	if (sec == NULL)
		return;
	const struct conf_key *key = conf_key_find(sec->kind, name);
	if (key == NULL) {
		unknown_key(doc, at, name);
		return;
	}
	for (uint32_t i = 0; i < sec->n; i++)
		if (sec->entry[i].key == key) {
			diag_error(doc->diag, at,
			    "key '%s' is in [%s] twice; the first is on line %u", name,
			    title(doc->arena, sec->kind, sec->name),
			    sec->entry[i].at.line);
			return;
		}
	struct conf_entry e = {.key = key, .text = value, .at = at};
	if (value_check(key, value, &e.num, &err) < 0) {
		diag_error(doc->diag, at, "%s: %s", name, err.msg);
		e.bad = true;
	}
	sec->entry = arena_more(doc->arena, sec->entry, sec->n, &sec->cap, sizeof e);
	sec->entry[sec->n++] = e;
}

static int
read_file(struct conf_doc *doc, const char *path, bool is_main)
{
	const struct ini_sink sink = {doc, on_section, on_entry};
	struct conf_file *file = arena_alloc(doc->arena, sizeof *file);
	struct err err;
	size_t len;
	*file = (struct conf_file){arena_text(doc->arena, path), ++doc->nfiles};
	char *text = slurp(doc->arena, path, is_main, &len, &err);
	if (text == NULL) {
		diag_error(doc->diag, (struct place){file, 0}, "%s%s", err.msg,
		    is_main && errno == ENOENT
			? "; write one, supervisord.conf(5) ends with an example"
			: "");
		return -1;
	}
	doc->now = NULL;
	ini_read(doc->arena, file, text, len, &sink, doc->diag);
	return 0;
}

/* A pattern of `include`, relative to the main file. */
static void
include(struct conf_doc *doc, struct place at, const char *main, const char *word)
{
	char shown[SHOWN];
	glob_t found = {0};
	const char *slash = strrchr(main, '/');
	const char *pattern = word;
	if (word[0] != '/' && slash != NULL)
		pattern =
		    arena_print(doc->arena, "%.*s/%s", (int)(slash - main), main, word);
	int rc = glob(pattern, GLOB_ERR, NULL, &found);
	str_printable(pattern, shown, sizeof shown);
	if (rc == GLOB_NOMATCH && strpbrk(word, "*?[") == NULL)
		diag_error(doc->diag, at, "include: there is no file '%s'", shown);
	else if (rc != 0 && rc != GLOB_NOMATCH && errno != ENOENT)
		diag_error(doc->diag, at, "include: cannot look for '%s': %s", shown,
		    strerrordesc_np(errno));
	for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
		(void)read_file(doc, found.gl_pathv[i], false);
	globfree(&found);
}

static void
include_all(struct conf_doc *doc, const char *main)
{
	const struct conf_sec *node = doc_find(doc, SEC_NODE, "");
	if (node == NULL || !doc_has(node, NODE_INCLUDE))
		return;
	const struct conf_entry *e = doc_entry(node, NODE_INCLUDE);
	char *words = arena_alloc(doc->arena, strlen(e->text) + 2);
	int64_t n = str_words(e->text, words, NULL);
	for (; n > 0; n--, words += strlen(words) + 1)
		include(doc, e->at, main, words);
}

static void
check_sections(struct conf_doc *doc)
{
	for (uint32_t i = 0; i < doc->n; i++) {
		const struct conf_sec *sec = doc->sec[i];
		for (uint32_t k = 0; k < CONF_KEY_MAX; k++)
			if (conf_keys[k].section == sec->kind &&
			    conf_keys[k].required &&
			    doc_entry(sec, (enum conf_key_id)k) == NULL)
				diag_error(doc->diag, sec->at, "[%s] needs '%s = ...'",
				    title(doc->arena, sec->kind, sec->name),
				    conf_keys[k].name);
		const struct conf_entry *e = doc_entry(sec, NODE_INCLUDE);
		if (e != NULL && e->at.file->number > 1)
			diag_error(
			    doc->diag, e->at, "only the main file may include others");
	}
}

int
doc_read(struct conf_doc *doc, const char *path, struct arena *arena, struct diag *diag)
{
	*doc = (struct conf_doc){.arena = arena, .diag = diag};
	map_init(&doc->by_title, arena);
	for (size_t i = 0; i < CONF_KEY_MAX; i++)
		if (conf_keys[i].def != NULL)
			must(value_check(&conf_keys[i], conf_keys[i].def,
				 &doc->default_num[i], NULL) == 0);
	if (read_file(doc, path, true) < 0)
		return -1;
	include_all(doc, path);
	check_sections(doc);
	return 0;
}

const struct conf_entry *
doc_entry(const struct conf_sec *sec, enum conf_key_id id)
{
	for (uint32_t i = 0; i < sec->n; i++)
		if (sec->entry[i].key == &conf_keys[id])
			return &sec->entry[i];
	return NULL;
}

bool
doc_has(const struct conf_sec *sec, enum conf_key_id id)
{
	const struct conf_entry *e = doc_entry(sec, id);
	return e != NULL && !e->bad;
}

uint64_t
doc_num(const struct conf_sec *sec, enum conf_key_id id)
{
	const struct conf_entry *e = doc_entry(sec, id);
	return e != NULL && !e->bad ? e->num : sec->doc->default_num[id];
}

const char *
doc_text(const struct conf_sec *sec, enum conf_key_id id)
{
	const struct conf_entry *e = doc_entry(sec, id);
	if (e != NULL && !e->bad)
		return e->text;
	return conf_keys[id].def != NULL ? conf_keys[id].def : "";
}

struct place
doc_place(const struct conf_sec *sec, enum conf_key_id id)
{
	const struct conf_entry *e = doc_entry(sec, id);
	return e != NULL ? e->at : sec->at;
}
