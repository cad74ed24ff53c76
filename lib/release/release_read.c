/* release.json into a struct release: the types first, by tables, then what they mean. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/text.h"
#include "base/util.h"
#include "release/policy.h"
#include "release/release.h"
#include "release/relup.h"
#include "release/schema.h"
#include "release/when.h"

#define SCHEMA(fields)                \
	{                             \
		fields, COUNT(fields) \
	}

static const struct schema_field top_fields[] = {
    {"format", JSON_NUMBER, 1},
    {"name", JSON_STRING, 1},
    {"version", JSON_STRING, 1},
    {"description", JSON_STRING, 0},
    {"created", JSON_STRING, 1},
    {"expires", JSON_STRING, 0},
    {"applications", JSON_ARRAY, 1},
    {"modules", JSON_ARRAY, 1},
    {"upgrade", JSON_ARRAY, 0},
    {"files", JSON_ARRAY, 1},
};
static const struct schema_field app_fields[] = {
    {"name", JSON_STRING, 1}, {"version", JSON_STRING, 1}};
static const struct schema_field module_fields[] = {
    {"file", JSON_STRING, 1},
    {"name", JSON_STRING, 1},
    {"version", JSON_STRING, 1},
    {"abi", JSON_NUMBER, 1},
    {"state_version", JSON_NUMBER, 1},
    {"build_id", JSON_STRING, 0},
};
static const struct schema_field file_fields[] = {
    {"path", JSON_STRING, 1},
    {"size", JSON_NUMBER, 1},
    {"mode", JSON_STRING, 1},
    {"sha256", JSON_STRING, 1},
};
static const struct schema_field link_fields[] = {
    {"path", JSON_STRING, 1}, {"link", JSON_STRING, 1}};

enum { WHERE = 32 };

struct reader {
	struct release *r;
	struct err *err;
	char where[WHERE];
	uint64_t bytes;
};

static char *
text_of(struct reader *rd, const struct json *o, const char *key)
{
	return arena_text(&rd->r->arena, json_get_str(o, key, ""));
}

static int
number_of(struct reader *rd, const struct json *o, const char *key, int64_t most,
    int64_t *ret)
{
	int64_t v;
	if (json_int(json_get(o, key), &v) < 0 || v < 0 || v > most)
		return err_set(rd->err, ERR_REFUSED,
		    "%s'%s' has to be a whole number from 0 to %lld", rd->where, key,
		    (long long)most);
	*ret = v;
	return 0;
}

static int
read_app(struct reader *rd, const struct json *o, uint32_t i)
{
	static const struct schema schema = SCHEMA(app_fields);
	struct release_app *a = &rd->r->app[i];
	if (schema_check(o, &schema, rd->where, rd->err) < 0)
		return -1;
	a->name = text_of(rd, o, "name");
	a->version = text_of(rd, o, "version");
	if (!str_is_id_part(a->name, strlen(a->name)))
		return err_set(rd->err, ERR_REFUSED,
		    "%s'name' has to match [a-z0-9_-]{1,32}", rd->where);
	for (uint32_t k = 0; k < i; k++)
		if (strcmp(rd->r->app[k].name, a->name) == 0)
			return err_set(rd->err, ERR_REFUSED,
			    "%s'%s' stands there twice", rd->where, a->name);
	return 0;
}

static int
is_hex(const char *text)
{
	return strspn(text, "0123456789abcdef") == strlen(text) && strlen(text) <= 64;
}

static int
check_module(struct reader *rd, const struct release_module *m, uint32_t i)
{
	if (!path_is_module(m->file))
		return err_set(
		    rd->err, ERR_REFUSED, "%s'file' has to be lib/NAME.so", rd->where);
	if (!str_is_id_part(m->name, strlen(m->name)) || !text_is_version(m->version))
		return err_set(
		    rd->err, ERR_REFUSED, "%sits name or version is none", rd->where);
	if (!is_hex(m->build_id))
		return err_set(rd->err, ERR_REFUSED,
		    "%s'build_id' has to be hexadecimal", rd->where);
	for (uint32_t k = 0; k < i; k++)
		if (strcmp(rd->r->module[k].name, m->name) == 0)
			return err_set(rd->err, ERR_REFUSED,
			    "%sanother module has the name '%s', too", rd->where,
			    m->name);
	if (i > 0 && strcmp(rd->r->module[i - 1].file, m->file) >= 0)
		return err_set(rd->err, ERR_REFUSED,
		    "%smodules are sorted by file, each once", rd->where);
	return 0;
}

static int
read_module(struct reader *rd, const struct json *o, uint32_t i)
{
	static const struct schema schema = SCHEMA(module_fields);
	struct release_module *m = &rd->r->module[i];
	int64_t abi = 0, state = 0;
	if (schema_check(o, &schema, rd->where, rd->err) < 0 ||
	    number_of(rd, o, "abi", UINT32_MAX, &abi) < 0 ||
	    number_of(rd, o, "state_version", UINT32_MAX, &state) < 0)
		return -1;
	*m = (struct release_module){.file = text_of(rd, o, "file"),
	    .name = text_of(rd, o, "name"),
	    .version = text_of(rd, o, "version"),
	    .build_id = text_of(rd, o, "build_id"),
	    .abi = (uint32_t)abi,
	    .state_version = (uint32_t)state};
	return check_module(rd, m, i);
}

/* Its place among the files: behind the one before, and not below a file. */
static int
check_place(struct reader *rd, const struct release_file *f, uint32_t i)
{
	struct err inner;
	if (path_check(f->path, &inner) < 0)
		return err_set(rd->err, ERR_REFUSED, "%s%s", rd->where, inner.msg);
	if (strcmp(f->path, PATH_MANIFEST) == 0 || strcmp(f->path, PATH_SIGNATURE) == 0)
		return err_set(rd->err, ERR_REFUSED, "%s%s does not list itself",
		    rd->where, PATH_MANIFEST);
	if (i > 0 && strcmp(rd->r->file[i - 1].path, f->path) >= 0)
		return err_set(rd->err, ERR_REFUSED,
		    "%sfiles are sorted by path, each once", rd->where);
	return 0;
}

static int
read_link(struct reader *rd, const struct json *o, struct release_file *f)
{
	static const struct schema schema = SCHEMA(link_fields);
	struct err inner;
	if (schema_check(o, &schema, rd->where, rd->err) < 0)
		return -1;
	f->path = text_of(rd, o, "path");
	f->link = text_of(rd, o, "link");
	if (path_check(f->path, NULL) == 0 &&
	    path_check_link(f->path, f->link, &inner) < 0)
		return err_set(rd->err, ERR_REFUSED, "%s%s", rd->where, inner.msg);
	return 0;
}

static int
read_plain(struct reader *rd, const struct json *o, struct release_file *f)
{
	static const struct schema schema = SCHEMA(file_fields);
	int64_t size = 0;
	if (schema_check(o, &schema, rd->where, rd->err) < 0 ||
	    number_of(rd, o, "size", (int64_t)policy_usual.bytes, &size) < 0)
		return -1;
	f->path = text_of(rd, o, "path");
	f->size = (uint64_t)size;
	f->mode = path_mode(f->path);
	rd->bytes += f->size;
	if (strcmp(json_get_str(o, "mode", ""), f->mode == 0555 ? "0555" : "0444") != 0)
		return err_set(rd->err, ERR_REFUSED,
		    "%s'mode' has to be \"0555\" below bin/ and \"0444\" elsewhere",
		    rd->where);
	if (text_unhex(json_get_str(o, "sha256", ""), f->sha256, sizeof f->sha256) < 0)
		return err_set(rd->err, ERR_REFUSED,
		    "%s'sha256' has to be 64 lower case hexadecimal digits", rd->where);
	if (rd->bytes > policy_usual.bytes)
		return err_set(rd->err, ERR_REFUSED,
		    "%sthe files have more than %llu bytes together", rd->where,
		    (unsigned long long)policy_usual.bytes);
	return 0;
}

static int
read_file(struct reader *rd, const struct json *o, uint32_t i)
{
	struct release_file *f = &rd->r->file[i];
	int rc =
	    json_get(o, "link") != NULL ? read_link(rd, o, f) : read_plain(rd, o, f);
	return rc < 0 ? -1 : check_place(rd, f, i);
}

static int
read_array(struct reader *rd, const struct json *top, const char *name,
    int (*read_one)(struct reader *, const struct json *, uint32_t))
{
	uint32_t i = 0;
	for (const struct json *o = json_first(json_get(top, name)); o != NULL;
	     o = json_next(o), i++) {
		(void)snprintf(rd->where, sizeof rd->where, "%s[%u]: ", name, i);
		if (read_one(rd, o, i) < 0)
			return -1;
	}
	rd->where[0] = '\0';
	return 0;
}

static void *
room(struct reader *rd, const struct json *top, const char *name, size_t size,
    uint32_t *n)
{
	*n = (uint32_t)json_count(json_get(top, name));
	return arena_alloc(&rd->r->arena, (*n + (size_t)1) * size);
}

static int
read_when(struct reader *rd, const struct json *top, const char *key, int64_t *ret)
{
	const char *text = json_get_str(top, key, NULL);
	if (text != NULL && when_read(text, ret) < 0)
		return err_set(rd->err, ERR_REFUSED,
		    "'%s' has to be a time such as \"2026-11-21T11:00:00Z\"", key);
	return 0;
}

static int
read_head(struct reader *rd, const struct json *top)
{
	struct release *r = rd->r;
	int64_t format = 0;
	if (number_of(rd, top, "format", INT32_MAX, &format) < 0)
		return -1;
	if (format != RELEASE_FORMAT)
		return err_set(rd->err, ERR_REFUSED,
		    "it is of format %lld; this Steward reads %d", (long long)format,
		    RELEASE_FORMAT);
	r->name = text_of(rd, top, "name");
	r->version = text_of(rd, top, "version");
	r->description = text_of(rd, top, "description");
	if (release_check_name(r->name, r->version, rd->err) < 0 ||
	    read_when(rd, top, "created", &r->created) < 0)
		return -1;
	return read_when(rd, top, "expires", &r->expires);
}

/* What no single entry shows: each directory is one, each module there and named. */
static int
check_whole(struct reader *rd)
{
	const struct release *r = rd->r;
	uint32_t modules = 0;
	for (uint32_t i = 0; i < r->nfiles; i++) {
		const char *path = r->file[i].path;
		modules += path_is_module(path) && r->file[i].link == NULL;
		if (release_has_directory(r, path))
			return err_set(rd->err, ERR_REFUSED,
			    "files[%u]: '%s' is a file and a directory", i, path);
	}
	if (release_find(r, PATH_TREE) == NULL)
		return err_set(rd->err, ERR_REFUSED, "it has no " PATH_TREE);
	for (uint32_t i = 0; i < r->nmodules; i++)
		if (release_find(r, r->module[i].file) == NULL ||
		    release_find(r, r->module[i].file)->link != NULL)
			return err_set(rd->err, ERR_REFUSED,
			    "modules[%u]: there is no file '%s'", i, r->module[i].file);
	if (modules != r->nmodules)
		return err_set(rd->err, ERR_REFUSED,
		    "lib/ holds %u modules, but 'modules' names %u", modules,
		    r->nmodules);
	return 0;
}

static int
read_all(struct reader *rd, struct json *top)
{
	static const struct schema schema = SCHEMA(top_fields);
	struct release *r = rd->r;
	if (schema_check(top, &schema, "", rd->err) < 0 || read_head(rd, top) < 0)
		return -1;
	r->app = room(rd, top, "applications", sizeof *r->app, &r->napps);
	r->module = room(rd, top, "modules", sizeof *r->module, &r->nmodules);
	r->file = room(rd, top, "files", sizeof *r->file, &r->nfiles);
	if (r->napps > 1000 || r->nmodules > 1000 || r->nfiles > policy_usual.entries)
		return err_set(rd->err, ERR_REFUSED,
		    "it names more than 1000 applications or modules, or %llu files",
		    (unsigned long long)policy_usual.entries);
	if (read_array(rd, top, "applications", read_app) < 0 ||
	    read_array(rd, top, "modules", read_module) < 0 ||
	    read_array(rd, top, "files", read_file) < 0 || check_whole(rd) < 0)
		return -1;
	r->upgrade = json_take(top, "upgrade");
	return r->upgrade == NULL ? 0 : relup_check(r->upgrade, rd->err);
}

int
release_read(const char *text, size_t len, struct release *ret, struct err *err)
{
	static const struct json_limits limits = {RELEASE_BYTES, 16};
	struct release r = {.name = NULL};
	struct reader rd = {.r = &r, .err = err};
	struct json *top = json_parse(text, len, &limits, err);
	int rc = top != NULL ? read_all(&rd, top) : -1;
	json_free(&top);
	if (rc < 0) {
		release_free(&r);
		if (err != NULL)
			err->kind = ERR_REFUSED;
		return err_wrap(err, PATH_MANIFEST);
	}
	*ret = r;
	return 0;
}
