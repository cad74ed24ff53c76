#include "archive/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"

struct pack {
	struct archive *a; /* owned */
	int64_t when;
};

static int
failed(struct pack *p, struct err *err)
{
	const char *text = archive_error_string(p->a);
	return err_set(err, ERR_FAILED, "cannot write the archive: %s",
	    text != NULL ? text : "unknown reason");
}

/* gzip would keep the time of day. */
static int
set_up(struct archive *a, enum pack_filter filter)
{
	if (archive_write_set_format_pax_restricted(a) != ARCHIVE_OK)
		return -1;
	if (filter == PACK_ZSTD)
		return archive_write_add_filter_zstd(a) == ARCHIVE_OK ? 0 : -1;
	if (archive_write_add_filter_gzip(a) != ARCHIVE_OK)
		return -1;
	return archive_write_set_filter_option(a, "gzip", "timestamp", NULL) ==
		       ARCHIVE_OK
		   ? 0
		   : -1;
}

struct pack *
pack_open(int fd, enum pack_filter filter, int64_t when, struct err *err)
{
	struct pack *p = calloc(1, sizeof *p);
	must(p != NULL);
	p->when = when;
	p->a = archive_write_new();
	must(p->a != NULL);
	if (set_up(p->a, filter) < 0 || archive_write_open_fd(p->a, fd) != ARCHIVE_OK) {
		(void)failed(p, err);
		pack_drop(&p);
	}
	return p;
}

static int
put_header(struct pack *p, struct archive_entry *e, const char *path, struct err *err)
{
	archive_entry_set_pathname(e, path);
	archive_entry_set_mtime(e, (time_t)p->when, 0);
	archive_entry_set_uid(e, 0);
	archive_entry_set_gid(e, 0);
	archive_entry_set_uname(e, "root");
	archive_entry_set_gname(e, "root");
	int rc = archive_write_header(p->a, e) == ARCHIVE_OK ? 0 : failed(p, err);
	archive_entry_free(e);
	return rc;
}

int
pack_file(
    struct pack *p, const char *path, unsigned mode, uint64_t size, struct err *err)
{
	struct archive_entry *e = archive_entry_new();
	must(e != NULL);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, mode);
	archive_entry_set_size(e, (la_int64_t)size);
	return put_header(p, e, path, err);
}

int
pack_data(struct pack *p, const void *bytes, size_t len, struct err *err)
{
	if (archive_write_data(p->a, bytes, len) != (la_ssize_t)len)
		return failed(p, err);
	return 0;
}

int
pack_link(struct pack *p, const char *path, const char *target, struct err *err)
{
	struct archive_entry *e = archive_entry_new();
	must(e != NULL);
	archive_entry_set_filetype(e, AE_IFLNK);
	archive_entry_set_perm(e, 0777);
	archive_entry_set_symlink(e, target);
	return put_header(p, e, path, err);
}

int
pack_close(struct pack **p, struct err *err)
{
	int rc = archive_write_close((*p)->a) == ARCHIVE_OK ? 0 : failed(*p, err);
	pack_drop(p);
	return rc;
}

void
pack_drop(struct pack **p)
{
	if (*p == NULL)
		return;
	(void)archive_write_free((*p)->a);
	free(*p);
	*p = NULL;
}
