#include "release/build.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/text.h"
#include "base/util.h"
#include "conf/ini.h"
#include "release/dir.h"
#include "release/relup.h"
#include "release/when.h"
#include "sign/sha256.h"

enum { TEXT_CAP = 1 << 20 };

const struct build_key build_keys[BUILD_KEY_MAX] = {
    [BUILD_NAME] = {"name", "The name of the release, [a-z0-9_-]{1,32}.", 1},
    [BUILD_VERSION] = {"version",
	"Its version, [0-9A-Za-z][0-9A-Za-z.+~-]{0,31} without '..'.", 1},
    [BUILD_DESCRIPTION] = {"description", "One line for people.", 0},
    [BUILD_EXPIRES] = {"expires",
	"From then on no node takes it, such as 2027-11-21T11:00:00Z.", 0},
};
_Static_assert(COUNT(build_keys) == BUILD_KEY_MAX, "one row a key");

struct build {
	struct release *r;
	struct diag *diag;
	int dirfd;
	uint32_t cap_files, cap_modules, cap_apps;
	int64_t newest;
	int section_known; /* of the file being read */
	struct place got[BUILD_KEY_MAX];
};

static const struct place nowhere = {NULL, 0};

/* --- release.ini and tree.ini --------------------------------------------------------- */

static char *
slurp_text(struct build *b, const char *name, size_t *len)
{
	char *buf = arena_alloc(&b->r->arena, TEXT_CAP);
	ssize_t n = fd_read_file(b->dirfd, name, buf, TEXT_CAP);
	if (n < 0) {
		struct err err;
		(void)err_sys(&err, "%s: cannot read it", name);
		diag_error(b->diag, nowhere, "%s", err.msg);
		return NULL;
	}
	*len = (size_t)n;
	return buf;
}

static void
read_ini(struct build *b, const char *name, const struct ini_sink *sink)
{
	struct conf_file *file = arena_alloc(&b->diag->arena, sizeof *file);
	size_t len;
	char *text = slurp_text(b, name, &len);
	*file = (struct conf_file){arena_text(&b->diag->arena, name), 1};
	if (text != NULL)
		ini_read(&b->r->arena, file, text, len, sink, b->diag);
}

static void
release_section(void *ctx, struct place at, const char *name)
{
	struct build *b = ctx;
	if (strcmp(name, "release") != 0)
		diag_error(b->diag, at, "only [release] stands here");
}

static void
take_key(struct build *b, struct place at, unsigned key, const char *value)
{
	struct release *r = b->r;
	switch (key) {
	case BUILD_NAME:
		r->name = value;
		break;
	case BUILD_VERSION:
		r->version = value;
		break;
	case BUILD_DESCRIPTION:
		r->description = value;
		break;
	default:
		if (when_read(value, &r->expires) < 0)
			diag_error(b->diag, at,
			    "'expires' has to be a time such as 2027-11-21T11:00:00Z");
	}
}

static void
release_entry(void *ctx, struct place at, const char *key, const char *value)
{
	struct build *b = ctx;
	const char *names[BUILD_KEY_MAX];
	for (unsigned i = 0; i < BUILD_KEY_MAX; i++) {
		names[i] = build_keys[i].name;
		if (strcmp(key, names[i]) != 0)
			continue;
		if (b->got[i].file != NULL)
			diag_error(b->diag, at, "'%s' is set twice", key);
		b->got[i] = at;
		take_key(b, at, i, value);
		return;
	}
	const char *near = str_nearest(key, names, COUNT(names));
	if (near != NULL)
		diag_error(
		    b->diag, at, "unknown key '%s'; did you mean '%s'?", key, near);
	else
		diag_error(b->diag, at, "unknown key '%s'", key);
}

static void
read_release_ini(struct build *b)
{
	const struct ini_sink sink = {b, release_section, release_entry};
	struct err err;
	read_ini(b, BUILD_INI, &sink);
	for (unsigned i = 0; i < BUILD_KEY_MAX && b->diag->errors == 0; i++)
		if (build_keys[i].required && b->got[i].file == NULL)
			diag_error(b->diag, nowhere, BUILD_INI ": '%s' is missing",
			    build_keys[i].name);
	if (b->diag->errors == 0 &&
	    release_check_name(b->r->name, b->r->version, &err) < 0)
		diag_error(b->diag, b->got[BUILD_NAME], "%s", err.msg);
}

static void
tree_section(void *ctx, struct place at, const char *name)
{
	struct build *b = ctx;
	struct release *r = b->r;
	(void)at;
	b->section_known = str_starts(name, "application ");
	if (!b->section_known)
		return;
	r->app = arena_more(&r->arena, r->app, r->napps, &b->cap_apps, sizeof *r->app);
	r->app[r->napps++] = (struct release_app){
	    .name = name + strlen("application "), .version = r->version};
}

static void
tree_entry(void *ctx, struct place at, const char *key, const char *value)
{
	struct build *b = ctx;
	(void)at;
	if (b->section_known && strcmp(key, "version") == 0)
		b->r->app[b->r->napps - 1].version = value;
}

/* --- files ------------------------------------------------------------------------------- */

static void
add_module(struct build *b, const char *path)
{
	struct release *r = b->r;
	struct release_module m;
	if (build_module(b->dirfd, path, &m, &r->arena, b->diag) < 0)
		return;
	r->module = arena_more(
	    &r->arena, r->module, r->nmodules, &b->cap_modules, sizeof *r->module);
	r->module[r->nmodules++] = m;
}

static int
hash_file(int dirfd, const char *name, struct release_file *f, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open it");
	int rc = sha256_fd(fd, f->sha256, &f->size, err);
	fd_close(&fd);
	return rc;
}

static int
take_link(struct build *b, int dirfd, const char *name, struct release_file *f,
    struct err *err)
{
	char target[PATH_BYTES + 2];
	ssize_t n = readlinkat(dirfd, name, target, sizeof target - 1);
	if (n < 0)
		return err_sys(err, "cannot read the link");
	target[n] = '\0';
	f->link = arena_text(&b->r->arena, target);
	return path_check_link(f->path, f->link, err);
}

static void
add_file(struct build *b, int dirfd, const char *name, const char *path,
    const struct stat *st)
{
	struct release *r = b->r;
	struct err err = {.kind = ERR_NONE};
	struct release_file f = {
	    .path = arena_text(&r->arena, path), .mode = path_mode(path)};
	int rc = 0;
	if (path_check(path, &err) < 0)
		rc = -1;
	else if (S_ISLNK(st->st_mode))
		rc = take_link(b, dirfd, name, &f, &err);
	else if (S_ISREG(st->st_mode))
		rc = hash_file(dirfd, name, &f, &err);
	else
		rc = err_set(&err, ERR_CONFIG, "it is neither file nor link");
	if (rc < 0) {
		diag_error(b->diag, nowhere, "%s: %s", path, err.msg);
		return;
	}
	r->file =
	    arena_more(&r->arena, r->file, r->nfiles, &b->cap_files, sizeof *r->file);
	r->file[r->nfiles++] = f;
	if (path_is_module(path) && f.link == NULL)
		add_module(b, path);
	else if (str_starts(path, "lib/") && f.link == NULL)
		diag_error(b->diag, nowhere,
		    "%s: lib/ holds handler modules only, lib/NAME.so", path);
}

static int
seen(void *ctx, const char *path, int dirfd, const char *name, const struct stat *st,
    struct err *err)
{
	struct build *b = ctx;
	(void)err;
	b->newest = MAX(b->newest, (int64_t)st->st_mtime);
	if (S_ISDIR(st->st_mode) || strcmp(path, BUILD_INI) == 0 ||
	    strcmp(path, BUILD_UPGRADE) == 0)
		return 0;
	if (strcmp(path, PATH_MANIFEST) == 0 || strcmp(path, PATH_SIGNATURE) == 0)
		diag_error(b->diag, nowhere,
		    "%s: pack makes it itself; remove it, or is this directory an "
		    "unpacked release?",
		    path);
	else
		add_file(b, dirfd, name, path, st);
	return 0;
}

/* --- the rest ----------------------------------------------------------------------------- */

static void
read_upgrade(struct build *b)
{
	static const struct json_limits limits = {TEXT_CAP, 8};
	struct err err;
	size_t len;
	if (faccessat(b->dirfd, BUILD_UPGRADE, F_OK, 0) < 0)
		return;
	const char *text = slurp_text(b, BUILD_UPGRADE, &len);
	if (text == NULL)
		return;
	b->r->upgrade = json_parse(text, len, &limits, &err);
	if (b->r->upgrade == NULL || relup_check(b->r->upgrade, &err) < 0)
		diag_error(b->diag, nowhere, BUILD_UPGRADE ": %s", err.msg);
}

/*
 * The same release from the same files: its time is the one the builder gives, as other
 * builds take it, else that of the newest file.
 */
static void
set_created(struct build *b)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t v = 0;
	struct err err;
	b->r->created = b->newest;
	if (epoch == NULL || epoch[0] == '\0')
		return;
	if (str_number(epoch, 0, 253402300799ULL, &v, &err) < 0)
		diag_error(b->diag, nowhere, "SOURCE_DATE_EPOCH: %s", err.msg);
	b->r->created = (int64_t)v;
}

/* The manifest is read back: what no node would take is not packed. */
static void
check_whole(struct build *b, const char *dir)
{
	struct release again;
	struct err err;
	char *text = release_print(b->r);
	if (release_read(text, strlen(text), &again, &err) < 0)
		diag_error(b->diag, nowhere, "%s: %s", dir, err.msg);
	else
		release_free(&again);
	free(text);
}

int
build_read(int dirfd, const char *dir, struct release *ret, struct diag *diag)
{
	struct release r = {.description = ""};
	struct build b = {.r = &r, .diag = diag, .dirfd = dirfd};
	const struct dir_sink files = {&b, seen};
	const struct ini_sink tree = {&b, tree_section, tree_entry};
	struct err err;
	read_release_ini(&b);
	read_ini(&b, PATH_TREE, &tree);
	read_upgrade(&b);
	if (dir_walk(dirfd, &files, &err) < 0)
		diag_error(diag, nowhere, "%s: %s", dir, err.msg);
	set_created(&b);
	release_sort(&r);
	if (diag->errors == 0)
		check_whole(&b, dir);
	if (diag->errors > 0) {
		release_free(&r);
		return -1;
	}
	*ret = r;
	return 0;
}
