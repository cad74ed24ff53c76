#include "release/policy.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

const struct policy_limits policy_usual = {
    .bytes = 1ULL << 30, .entries = 10000, .ratio = 200, .small = 1 << 20};

static const char *const refused[POLICY_KIND_MAX] = {
    [POLICY_FILE] = NULL,
    [POLICY_DIRECTORY] = NULL,
    [POLICY_LINK] = NULL,
    [POLICY_HARD_LINK] = "a hard link",
    [POLICY_CHARACTER_DEVICE] = "a character device",
    [POLICY_BLOCK_DEVICE] = "a block device",
    [POLICY_FIFO] = "a FIFO",
    [POLICY_SOCKET] = "a socket",
    [POLICY_OTHER] = "of a kind nobody knows",
};
_Static_assert(COUNT(refused) == POLICY_KIND_MAX, "one row a kind");

void
policy_begin(struct policy *p, const struct policy_limits *limits)
{
	*p = (struct policy){.limits = limits != NULL ? *limits : policy_usual};
	map_init(&p->kinds, &p->arena);
}

void
policy_free(struct policy *p)
{
	arena_free(&p->arena);
	*p = (struct policy){.last = NULL};
}

static const char *
show(const char *path)
{
	static char buf[2 * PATH_BYTES];
	return str_printable(path, buf, sizeof buf);
}

/* The first two entries have fixed names. */
static int
check_order(const struct policy *p, const char *path, struct err *err)
{
	int is_signature = strcmp(path, PATH_SIGNATURE) == 0;
	if (p->entries == 0 && strcmp(path, PATH_MANIFEST) != 0)
		return err_set(err, ERR_REFUSED,
		    "the first entry of a release is " PATH_MANIFEST ", not '%s'",
		    show(path));
	if (p->entries == 1 && !is_signature && !p->unsigned_too)
		return err_set(err, ERR_REFUSED,
		    "the release is not signed: its second entry is not " PATH_SIGNATURE
		    " (relctl sign)");
	if (p->entries == 0 || (p->entries == 1 && is_signature))
		return 0;
	if (is_signature || strcmp(path, PATH_MANIFEST) == 0 ||
	    (p->last != NULL && strcmp(path, p->last) == 0))
		return err_set(err, ERR_REFUSED, "'%s' appears twice", show(path));
	if (p->last != NULL && strcmp(path, p->last) < 0)
		return err_set(err, ERR_REFUSED,
		    "'%s' is out of order: the files of a release are sorted by name, "
		    "each once",
		    show(path));
	return 0;
}

/* Everything above a name is a directory, not a link or file of the archive. */
static int
check_parents(const struct policy *p, const char *path, struct err *err)
{
	for (const char *slash = strchr(path, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		uint32_t kind = map_get(&p->kinds, path, (size_t)(slash - path));
		if (kind != MAP_NONE && kind != POLICY_DIRECTORY)
			return err_set(err, ERR_REFUSED,
			    "'%s' would be written through '%.*s', which is no directory",
			    show(path), (int)(slash - path), path);
	}
	return 0;
}

static int
check_size(const struct policy *p, const struct policy_entry *e, struct err *err)
{
	uint64_t most = p->limits.bytes - p->promised;
	if (p->entries == 0)
		most = MIN(most, (uint64_t)POLICY_MANIFEST_MAX);
	else if (p->entries == 1 && strcmp(e->path, PATH_SIGNATURE) == 0)
		most = POLICY_SIGNATURE_MAX;
	if (e->size > most)
		return err_set(err, ERR_REFUSED,
		    "'%s' has %llu bytes; %llu are the most that are left for it",
		    show(e->path), (unsigned long long)e->size,
		    (unsigned long long)most);
	return 0;
}

static int
check_kind(const struct policy *p, const struct policy_entry *e, const char *path,
    struct err *err)
{
	if ((unsigned)e->kind >= POLICY_KIND_MAX || refused[e->kind] != NULL)
		return err_set(err, ERR_REFUSED,
		    "'%s' is %s; a release has files, directories and links only",
		    show(path),
		    refused[MIN((unsigned)e->kind, (unsigned)POLICY_OTHER)]);
	if (p->entries < 2 && e->kind != POLICY_FILE)
		return err_set(err, ERR_REFUSED, "'%s' is no file", show(path));
	if ((e->mode & 07000) != 0)
		return err_set(err, ERR_REFUSED,
		    "'%s' has mode %04o; a release has no setuid, setgid or sticky files",
		    show(path), e->mode & 07777);
	if (e->kind == POLICY_LINK)
		return path_check_link(path, e->target != NULL ? e->target : "", err);
	return e->kind == POLICY_FILE ? check_size(p, e, err) : 0;
}

/* A directory may be written with a slash at its end. */
static const char *
plain_path(struct policy *p, const struct policy_entry *e)
{
	size_t len = strlen(e->path);
	if (e->kind == POLICY_DIRECTORY && len > 1 && e->path[len - 1] == '/')
		len--;
	return arena_copy(&p->arena, e->path, len);
}

int
policy_enter(struct policy *p, const struct policy_entry *entry, const char **ret,
    struct err *err)
{
	if (entry->path == NULL)
		return err_set(err, ERR_REFUSED, "an entry has no name");
	if (p->entries >= p->limits.entries)
		return err_set(err, ERR_REFUSED, "it has more than %llu entries",
		    (unsigned long long)p->limits.entries);
	/* too long to be copied for nothing */
	if (strlen(entry->path) > PATH_BYTES + 1)
		return path_check(entry->path, err);
	const char *path = plain_path(p, entry);
	if (path_check(path, err) < 0 || check_order(p, path, err) < 0 ||
	    check_parents(p, path, err) < 0 || check_kind(p, entry, path, err) < 0)
		return -1;
	(void)map_put_text(&p->kinds, path, entry->kind);
	if (p->entries > 1 || (p->entries == 1 && strcmp(path, PATH_SIGNATURE) != 0))
		p->last = path;
	p->entries++;
	p->left = entry->kind == POLICY_FILE ? entry->size : 0;
	p->promised += p->left;
	*ret = path;
	return 0;
}

int
policy_data(struct policy *p, uint64_t len, uint64_t packed, struct err *err)
{
	if (len > p->left)
		return err_set(
		    err, ERR_REFUSED, "an entry has more bytes than it says");
	p->left -= len;
	p->bytes += len;
	if (p->bytes > p->limits.small && p->bytes / p->limits.ratio > packed)
		return err_set(err, ERR_REFUSED,
		    "%llu bytes came out of %llu: more than %llu times as many, as of an "
		    "archive that is made to fill disks",
		    (unsigned long long)p->bytes, (unsigned long long)packed,
		    (unsigned long long)p->limits.ratio);
	return 0;
}

int
policy_leave(const struct policy *p, struct err *err)
{
	if (p->left > 0)
		return err_set(err, ERR_REFUSED, "an entry is cut off");
	return 0;
}

int
policy_end(const struct policy *p, struct err *err)
{
	if (p->entries == 0)
		return err_set(err, ERR_REFUSED, "the archive is empty");
	if (p->entries == 1 && !p->unsigned_too)
		return err_set(err, ERR_REFUSED,
		    "the release is not signed: " PATH_SIGNATURE " is missing");
	return 0;
}
