/* A module is checked, loaded, unloaded; see worker.h. */
#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"
#include "elf/note.h"
#include "worker/worker.h"

static int
note_of(int fd, struct elf_note *note, struct err *err)
{
	struct stat sb;
	if (fstat(fd, &sb) < 0)
		return err_sys(err, "cannot look at it");
	if (!S_ISREG(sb.st_mode) || sb.st_size == 0)
		return err_set(err, ERR_CONFIG, "it is no file, or empty");
	size_t size = (size_t)sb.st_size;
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return err_sys(err, "cannot read it");
	int r = elf_note_read(map, size, note, err);
	(void)munmap(map, size);
	return r;
}

/* The loaded descriptor must be what the note promised. */
static int
descriptor_fits(
    const struct steward_handler *h, const struct elf_note *note, struct err *err)
{
	if (h == NULL)
		return err_set(err, ERR_CONFIG, "it has no symbol 'steward_handler'");
	if (h->abi != STEWARD_ABI || h->size != sizeof *h ||
	    h->state_version != note->state_version ||
	    strcmp(h->name, note->name) != 0 || strcmp(h->version, note->version) != 0)
		return err_set(
		    err, ERR_CONFIG, "its descriptor is not what its note says");
	if (h->init == NULL)
		return err_set(err, ERR_CONFIG, "it has no init");
	return 0;
}

static int
load(struct module *m, const char *path, int fd, struct err *err)
{
	struct elf_note note = {0};
	if (note_of(fd, &note, err) < 0)
		return -1;
	if (note.abi != STEWARD_ABI)
		return err_set(err, ERR_CONFIG,
		    "it is made for version %u of <steward/handler.h>, and this worker is of version %u",
		    note.abi, STEWARD_ABI);
	m->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (m->handle == NULL)
		return err_set(err, ERR_CONFIG, "%s", dlerror());
	m->h = dlsym(m->handle, "steward_handler");
	if (descriptor_fits(m->h, &note, err) < 0) {
		module_unload(m);
		return -1;
	}
	memcpy(m->name, note.name, sizeof m->name);
	memcpy(m->version, note.version, sizeof m->version);
	m->state_version = note.state_version;
	return 0;
}

int
module_load(struct module *m, const char *path, struct err *err)
{
	*m = (struct module){0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? err_sys(err, "cannot open it") : load(m, path, fd, err);
	fd_close(&fd);
	return r < 0 ? err_wrap(err, "module %s", path) : 0;
}

void
module_unload(struct module *m)
{
	if (m->handle != NULL)
		(void)dlclose(m->handle);
	*m = (struct module){0};
}
