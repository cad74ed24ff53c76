#include "archive/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "base/str.h"

enum { BLOCK = 64 * 1024 };

static const char *
reason(struct archive *a, char *buf, size_t cap)
{
	const char *text = archive_error_string(a);
	return str_printable(text != NULL ? text : "unknown reason", buf, cap);
}

static int
damaged(struct archive *a, struct err *err)
{
	char why[200];
	return err_set(err, ERR_REFUSED,
	    "this is no whole tar archive packed by zstd or gzip: %s",
	    reason(a, why, sizeof why));
}

static enum policy_kind
kind_of(struct archive_entry *e)
{
	if (archive_entry_hardlink(e) != NULL)
		return POLICY_HARD_LINK;
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		return POLICY_FILE;
	case AE_IFDIR:
		return POLICY_DIRECTORY;
	case AE_IFLNK:
		return POLICY_LINK;
	case AE_IFCHR:
		return POLICY_CHARACTER_DEVICE;
	case AE_IFBLK:
		return POLICY_BLOCK_DEVICE;
	case AE_IFIFO:
		return POLICY_FIFO;
	case AE_IFSOCK:
		return POLICY_SOCKET;
	default:
		return POLICY_OTHER;
	}
}

/* The data comes in blocks with offsets; a gap would be a sparse file. */
static int
walk_data(struct archive *a, struct policy *policy, const struct unpack_sink *sink,
    struct err *err)
{
	const void *bytes;
	size_t len;
	la_int64_t offset, at = 0;
	for (;;) {
		int rc = archive_read_data_block(a, &bytes, &len, &offset);
		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc != ARCHIVE_OK)
			return damaged(a, err);
		if (offset != at)
			return err_set(err, ERR_REFUSED, "a file in it has holes");
		at += (la_int64_t)len;
		if (policy_data(
			policy, len, (uint64_t)archive_filter_bytes(a, -1), err) < 0 ||
		    sink->data(sink->ctx, bytes, len, err) < 0)
			return -1;
	}
}

static int
walk_entry(struct archive *a, struct archive_entry *e, struct policy *policy,
    const struct unpack_sink *sink, struct err *err)
{
	const struct policy_entry entry = {.kind = kind_of(e),
	    .path = archive_entry_pathname(e),
	    .target = archive_entry_symlink(e),
	    .size = archive_entry_size_is_set(e) && archive_entry_size(e) > 0
			? (uint64_t)archive_entry_size(e)
			: 0,
	    .mode = archive_entry_perm(e)};
	const char *path;
	if (policy_enter(policy, &entry, &path, err) < 0 ||
	    sink->enter(sink->ctx, path, &entry, err) < 0)
		return -1;
	if (entry.kind == POLICY_FILE && walk_data(a, policy, sink, err) < 0)
		return err_wrap(err, "%s", path);
	if (policy_leave(policy, err) < 0)
		return err_wrap(err, "%s", path);
	return sink->leave(sink->ctx, err);
}

static int
walk(struct archive *a, struct policy *policy, const struct unpack_sink *sink,
    struct err *err)
{
	struct archive_entry *e;
	for (;;) {
		int rc = archive_read_next_header(a, &e);
		if (rc == ARCHIVE_EOF)
			return policy_end(policy, err);
		/* also a warning: something in the header was not understood */
		if (rc != ARCHIVE_OK)
			return damaged(a, err);
		if (walk_entry(a, e, policy, sink, err) < 0)
			return -1;
	}
}

int
unpack_walk(
    int fd, struct policy *policy, const struct unpack_sink *sink, struct err *err)
{
	struct archive *a = archive_read_new();
	int rc;
	if (a == NULL)
		return err_set(err, ERR_FAILED, "out of memory");
	if (archive_read_support_format_tar(a) != ARCHIVE_OK ||
	    archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(a) != ARCHIVE_OK)
		rc = err_set(err, ERR_FAILED,
		    "this libarchive reads no tar, or neither zstd nor gzip");
	else if (archive_read_open_fd(a, fd, BLOCK) != ARCHIVE_OK)
		rc = damaged(a, err);
	else
		rc = walk(a, policy, sink, err);
	(void)archive_read_free(a);
	return rc;
}
