/* The part of build.h that looks into a handler module. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "elf/module.h"
#include "elf/note.h"
#include "release/build.h"

struct breaches {
	struct diag *diag;
	const char *path;
};

static void
breach(void *ctx, const char *sentence)
{
	const struct breaches *b = ctx;
	diag_error(b->diag, (struct place){NULL, 0}, "%s: %s", b->path, sentence);
}

static int
judge(const void *data, size_t len, const char *path, struct elf_note *note,
    struct diag *diag)
{
	struct breaches ctx = {diag, path};
	const struct elf_module_sink sink = {breach, &ctx};
	if (elf_module_check(data, len, &sink) > 0)
		return -1;
	return elf_note_read(data, len, note, NULL);
}

int
build_module(int dirfd, const char *path, struct release_module *ret,
    struct arena *arena, struct diag *diag)
{
	struct elf_note note;
	struct stat st;
	int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	void *data = MAP_FAILED;
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	fd_close(&fd);
	if (data == MAP_FAILED) {
		diag_error(diag, (struct place){NULL, 0},
		    "%s: it is empty or cannot be read", path);
		return -1;
	}
	int rc = judge(data, (size_t)st.st_size, path, &note, diag);
	(void)munmap(data, (size_t)st.st_size);
	if (rc < 0)
		return -1;
	*ret = (struct release_module){.file = arena_text(arena, path),
	    .name = arena_text(arena, note.name),
	    .version = arena_text(arena, note.version),
	    .build_id = arena_text(arena, note.build_id),
	    .abi = note.abi,
	    .state_version = note.state_version};
	return 0;
}
