#include "release/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/text.h"
#include "release/when.h"

void
release_free(struct release *r)
{
	json_free(&r->upgrade);
	arena_free(&r->arena);
	*r = (struct release){.name = NULL};
}

int
release_check_time(const struct release *r, int64_t now, struct err *err)
{
	char text[WHEN_TEXT];
	if (r->expires != 0 && now >= r->expires)
		return err_set(err, ERR_REFUSED, "release %s %s has expired on %s",
		    r->name, r->version, when_print(r->expires, text));
	return 0;
}

/* --- files by name --------------------------------------------------------------------- */

/* The first file that is not before the path. */
static uint32_t
lower_bound(const struct release *r, const char *path)
{
	uint32_t low = 0, high = r->nfiles;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (strcmp(r->file[mid].path, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct release_file *
release_find(const struct release *r, const char *path)
{
	uint32_t i = lower_bound(r, path);
	return i < r->nfiles && strcmp(r->file[i].path, path) == 0 ? &r->file[i] : NULL;
}

int
release_has_directory(const struct release *r, const char *path)
{
	char prefix[PATH_BYTES + 2];
	int n = snprintf(prefix, sizeof prefix, "%s/", path);
	if (n < 0 || (size_t)n >= sizeof prefix)
		return 0;
	uint32_t i = lower_bound(r, prefix);
	return i < r->nfiles && str_starts(r->file[i].path, prefix);
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct release_file *)a)->path,
	    ((const struct release_file *)b)->path);
}

static int
by_file(const void *a, const void *b)
{
	return strcmp(((const struct release_module *)a)->file,
	    ((const struct release_module *)b)->file);
}

void
release_sort(struct release *r)
{
	if (r->nfiles > 0)
		qsort(r->file, r->nfiles, sizeof *r->file, by_path);
	if (r->nmodules > 0)
		qsort(r->module, r->nmodules, sizeof *r->module, by_file);
}

/* --- writing --------------------------------------------------------------------------- */

static struct json *
print_modules(const struct release *r)
{
	struct json *list = json_array();
	for (uint32_t i = 0; i < r->nmodules; i++) {
		const struct release_module *m = &r->module[i];
		struct json *o = json_object();
		json_set_str(o, "file", m->file);
		json_set_str(o, "name", m->name);
		json_set_str(o, "version", m->version);
		json_set_u64(o, "abi", m->abi);
		json_set_u64(o, "state_version", m->state_version);
		if (m->build_id[0] != '\0')
			json_set_str(o, "build_id", m->build_id);
		json_push(list, o);
	}
	return list;
}

static struct json *
print_file(const struct release_file *f)
{
	char hex[2 * sizeof f->sha256 + 1];
	struct json *o = json_object();
	json_set_str(o, "path", f->path);
	if (f->link != NULL) {
		json_set_str(o, "link", f->link);
		return o;
	}
	text_hex(f->sha256, sizeof f->sha256, hex);
	json_set_u64(o, "size", f->size);
	json_set_str(o, "mode", f->mode == 0555 ? "0555" : "0444");
	json_set_str(o, "sha256", hex);
	return o;
}

static void
print_head(const struct release *r, struct json *top)
{
	char when[WHEN_TEXT];
	json_set_u64(top, "format", RELEASE_FORMAT);
	json_set_str(top, "name", r->name);
	json_set_str(top, "version", r->version);
	if (r->description != NULL && r->description[0] != '\0')
		json_set_str(top, "description", r->description);
	json_set_str(top, "created", when_print(r->created, when));
	if (r->expires != 0)
		json_set_str(top, "expires", when_print(r->expires, when));
}

char *
release_print(const struct release *r)
{
	struct json *top = json_object(), *apps = json_array(), *files = json_array();
	print_head(r, top);
	for (uint32_t i = 0; i < r->napps; i++) {
		struct json *o = json_object();
		json_set_str(o, "name", r->app[i].name);
		json_set_str(o, "version", r->app[i].version);
		json_push(apps, o);
	}
	for (uint32_t i = 0; i < r->nfiles; i++)
		json_push(files, print_file(&r->file[i]));
	json_set(top, "applications", apps);
	json_set(top, "modules", print_modules(r));
	if (r->upgrade != NULL)
		json_set(top, "upgrade", json_copy(r->upgrade));
	json_set(top, "files", files);
	char *text = json_print_pretty(top), *line = NULL;
	json_free(&top);
	must(asprintf(&line, "%s\n", text) > 0);
	free(text);
	return line;
}
