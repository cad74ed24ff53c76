#include "release/relup.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/text.h"
#include "base/util.h"
#include "release/schema.h"

#define M(name) (1U << RELUP_##name)

const struct relup_row relup_rows[] = {
    {"update", M(MODULE), M(EXTRA) | M(TIMEOUT_MS) | M(DEPS),
	"suspend the module's workers, load its new code, run code_change, resume"},
    {"load_module", M(MODULE), M(DEPS), "load the new code; the state stays as it is"},
    {"add_module", M(MODULE), 0, "a module that was not there before"},
    {"delete_module", M(MODULE), 0, "a module that is there no longer"},
    {"add_application", M(APPLICATION), 0, "start a new application"},
    {"remove_application", M(APPLICATION), 0, "stop an application and forget it"},
    {"restart_application", M(APPLICATION), 0, "stop and start an application"},
    {"restart_workers", M(WORKERS), M(TIMEOUT_MS),
	"replace workers one after the other"},
    {"load_object_code", M(MODULES), 0, "read and check code, do not run it"},
    {"point_of_no_return", 0, 0, "what fails from here on undoes everything"},
    {"suspend", M(MODULES), M(TIMEOUT_MS), "stop giving messages to their workers"},
    {"resume", M(MODULES), 0, "go on giving messages to their workers"},
    {"load", M(MODULE), 0, "make loaded code the one that runs"},
    {"remove", M(MODULE), 0, "make code old"},
    {"purge", M(MODULES), 0, "unload old code"},
    {"code_change", M(MODULE), M(EXTRA), "change the state of suspended workers"},
    {"stop", M(MODULES), 0, "stop their workers"},
    {"start", M(MODULES), 0, "start their workers"},
    {"sync_nodes", 0, M(TIMEOUT_MS), "wait until the other nodes have come here"},
    {"restart_node", 0, 0, "put a new master in place at the end"},
};
const size_t relup_rows_n = COUNT(relup_rows);

const char *const relup_member_names[RELUP_MEMBER_MAX] = {
    [RELUP_MODULE] = "module",
    [RELUP_MODULES] = "modules",
    [RELUP_APPLICATION] = "application",
    [RELUP_WORKERS] = "workers",
    [RELUP_EXTRA] = "extra",
    [RELUP_TIMEOUT_MS] = "timeout_ms",
    [RELUP_DEPS] = "deps",
};
_Static_assert(COUNT(relup_member_names) == RELUP_MEMBER_MAX, "one name a member");

static const enum json_type types[RELUP_MEMBER_MAX] = {
    [RELUP_MODULE] = JSON_STRING,
    [RELUP_MODULES] = JSON_ARRAY,
    [RELUP_APPLICATION] = JSON_STRING,
    [RELUP_WORKERS] = JSON_ARRAY,
    [RELUP_EXTRA] = JSON_STRING,
    [RELUP_TIMEOUT_MS] = JSON_NUMBER,
    [RELUP_DEPS] = JSON_ARRAY,
};

enum { WHERE = 80, ENTRIES_MAX = 1000 };

static const struct relup_row *
find(const char *word)
{
	for (size_t i = 0; i < COUNT(relup_rows); i++)
		if (strcmp(relup_rows[i].word, word) == 0)
			return &relup_rows[i];
	return NULL;
}

static int
unknown_word(const char *word, const char *where, struct err *err)
{
	const char *names[COUNT(relup_rows)];
	char shown[80];
	for (size_t i = 0; i < COUNT(relup_rows); i++)
		names[i] = relup_rows[i].word;
	const char *near = str_nearest(word, names, COUNT(names));
	(void)str_printable(word, shown, sizeof shown);
	if (near == NULL)
		return err_set(err, ERR_REFUSED,
		    "%sthere is no instruction '%s'; steward-release(5) has them",
		    where, shown);
	return err_set(err, ERR_REFUSED,
	    "%sthere is no instruction '%s'; did you mean '%s'?", where, shown, near);
}

/* All members of an array are texts. */
static int
check_names(const struct json *json, const char *where, struct err *err)
{
	for (const struct json *m = json_first(json);
	     m != NULL && json_is(json, JSON_ARRAY); m = json_next(m))
		if (!json_is(m, JSON_STRING))
			return err_set(err, ERR_REFUSED, "%s'%s' is an array of names",
			    where, json_key(json));
	return 0;
}

static int
check_instruction(const struct json *in, const char *where, struct err *err)
{
	struct schema_field fields[RELUP_MEMBER_MAX + 1] = {{"do", JSON_STRING, 1}};
	struct schema schema = {fields, 1};
	const char *word = json_get_str(in, "do", NULL);
	if (word == NULL)
		return err_set(err, ERR_REFUSED,
		    "%san instruction is an object with a member 'do'", where);
	const struct relup_row *row = find(word);
	if (row == NULL)
		return unknown_word(word, where, err);
	for (unsigned i = 0; i < RELUP_MEMBER_MAX; i++)
		if (((row->needs | row->may) & 1U << i) != 0)
			fields[schema.n++] =
			    (struct schema_field){relup_member_names[i], types[i],
				(row->needs & 1U << i) != 0};
	if (schema_check(in, &schema, where, err) < 0)
		return -1;
	for (const struct json *m = json_first(in); m != NULL; m = json_next(m))
		if (check_names(m, where, err) < 0)
			return -1;
	return 0;
}

static int
check_list(const struct json *list, unsigned entry, const char *name, struct err *err)
{
	char where[WHERE];
	unsigned i = 0;
	for (const struct json *in = json_first(list); in != NULL;
	     in = json_next(in), i++) {
		(void)snprintf(
		    where, sizeof where, "upgrade[%u].%s[%u]: ", entry, name, i);
		if (check_instruction(in, where, err) < 0)
			return -1;
	}
	return 0;
}

static int
check_entry(const struct json *entry, unsigned i, struct err *err)
{
	static const struct schema_field fields[] = {
	    {"from", JSON_STRING, 1}, {"up", JSON_ARRAY, 1}, {"down", JSON_ARRAY, 0}};
	static const struct schema schema = {fields, COUNT(fields)};
	char where[WHERE];
	(void)snprintf(where, sizeof where, "upgrade[%u]: ", i);
	if (schema_check(entry, &schema, where, err) < 0)
		return -1;
	if (!text_is_version(json_get_str(entry, "from", "")))
		return err_set(err, ERR_REFUSED, "%s'from' is no version", where);
	if (check_list(json_get(entry, "up"), i, "up", err) < 0)
		return -1;
	return check_list(json_get(entry, "down"), i, "down", err);
}

int
relup_check(const struct json *upgrade, struct err *err)
{
	unsigned i = 0;
	if (!json_is(upgrade, JSON_ARRAY))
		return err_set(err, ERR_REFUSED, "'upgrade' has to be an array");
	if (json_count(upgrade) > ENTRIES_MAX)
		return err_set(err, ERR_REFUSED,
		    "'upgrade' has instructions from more than %d versions",
		    ENTRIES_MAX);
	for (const struct json *e = json_first(upgrade); e != NULL;
	     e = json_next(e), i++) {
		if (check_entry(e, i, err) < 0)
			return -1;
		for (const struct json *f = json_first(upgrade); f != e;
		     f = json_next(f))
			if (strcmp(json_get_str(f, "from", ""),
				json_get_str(e, "from", "")) == 0)
				return err_set(err, ERR_REFUSED,
				    "upgrade[%u]: there are instructions from this "
				    "version already",
				    i);
	}
	return 0;
}
