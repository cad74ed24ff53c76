#include "release/match.h"

#include <string.h>

#include "base/str.h"

void
match_begin(struct match *m, const struct release *release)
{
	*m = (struct match){.release = release};
	m->seen = arena_alloc(&m->arena, release->nfiles + (size_t)1);
}

void
match_free(struct match *m)
{
	arena_free(&m->arena);
	*m = (struct match){.release = NULL};
}

static const char *
show(const char *path)
{
	static char buf[2 * PATH_BYTES];
	return str_printable(path, buf, sizeof buf);
}

static int
match_directory(const struct match *m, const struct policy_entry *e, struct err *err)
{
	if (!release_has_directory(m->release, e->path))
		return err_set(err, ERR_REFUSED,
		    "the directory '%s' is there, but " PATH_MANIFEST
		    " knows no file in it",
		    show(e->path));
	return 0;
}

static int
match_file(const struct policy_entry *e, const struct release_file *f, struct err *err)
{
	if (e->kind == POLICY_LINK && f->link != NULL) {
		if (e->target == NULL || strcmp(e->target, f->link) != 0)
			return err_set(err, ERR_REFUSED,
			    "the link '%s' points elsewhere than " PATH_MANIFEST
			    " says",
			    show(e->path));
		return 0;
	}
	if (e->kind != POLICY_FILE || f->link != NULL)
		return err_set(err, ERR_REFUSED,
		    "'%s' is of another kind than " PATH_MANIFEST " says",
		    show(e->path));
	if (e->size != f->size)
		return err_set(err, ERR_REFUSED,
		    "'%s' has %llu bytes, but " PATH_MANIFEST " says %llu",
		    show(e->path), (unsigned long long)e->size,
		    (unsigned long long)f->size);
	if (e->mode != f->mode)
		return err_set(err, ERR_REFUSED,
		    "'%s' has mode %04o, but " PATH_MANIFEST " says %04o",
		    show(e->path), e->mode, f->mode);
	return 0;
}

int
match_entry(struct match *m, const struct policy_entry *entry,
    const struct release_file **file, struct err *err)
{
	*file = NULL;
	if (entry->kind == POLICY_DIRECTORY)
		return match_directory(m, entry, err);
	const struct release_file *f = release_find(m->release, entry->path);
	if (f == NULL)
		return err_set(err, ERR_REFUSED,
		    "'%s' is there, but not in " PATH_MANIFEST, show(entry->path));
	if (match_file(entry, f, err) < 0)
		return -1;
	bool *seen = &m->seen[f - m->release->file];
	if (*seen)
		return err_set(
		    err, ERR_REFUSED, "'%s' appears twice", show(entry->path));
	*seen = true;
	m->files++;
	m->bytes += f->size;
	if (f->link == NULL)
		*file = f;
	return 0;
}

int
match_hash(
    const struct release_file *file, const unsigned char sha256[32], struct err *err)
{
	if (memcmp(file->sha256, sha256, sizeof file->sha256) != 0)
		return err_set(err, ERR_REFUSED,
		    "'%s' was changed: its sha256 is not that of " PATH_MANIFEST,
		    show(file->path));
	return 0;
}

int
match_end(const struct match *m, struct err *err)
{
	for (uint32_t i = 0; i < m->release->nfiles; i++)
		if (!m->seen[i])
			return err_set(err, ERR_REFUSED,
			    "'%s' is in " PATH_MANIFEST ", but not there",
			    show(m->release->file[i].path));
	return 0;
}
