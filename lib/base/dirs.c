#include "base/dirs.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"

static int
join(char *buf, const char *dir, const char *name, struct err *err)
{
	int n = snprintf(buf, DIRS_PATH, "%s%s", dir, name);
	if (n < 0 || n >= DIRS_PATH)
		return err_set(err, ERR_USAGE, "the path %.80s… is too long", dir);
	return 0;
}

static int
absolute(char *buf, const char *path, struct err *err)
{
	char cwd[DIRS_PATH];
	if (path[0] == '/')
		return join(buf, path, "", err);
	if (getcwd(cwd, sizeof cwd) == NULL)
		return err_sys(err, "cannot tell the working directory");
	if (strlen(cwd) + strlen(path) + 2 > DIRS_PATH)
		return err_set(err, ERR_USAGE, "the path %.80s… is too long", path);
	(void)snprintf(buf, DIRS_PATH, "%.500s/%.500s", cwd, path);
	return 0;
}

int
dirs_set(struct dirs *d, const char *root, const char *config, struct err *err)
{
	memset(d, 0, sizeof *d);
	d->user_mode = root != NULL || geteuid() != 0;
	if (root == NULL && d->user_mode)
		return err_set(err, ERR_USAGE,
		    "not root: name a directory of your own with --root DIR");
	if (root == NULL) {
		(void)join(d->run, "/run/steward", "", NULL);
		(void)join(d->log, "/var/log/steward", "", NULL);
		(void)join(d->lib, "/var/lib/steward", "", NULL);
		return absolute(d->config,
		    config != NULL ? config : "/etc/steward/supervisord.conf", err);
	}
	if (absolute(d->root, root, err) < 0 ||
	    join(d->run, d->root, "/run", err) < 0 ||
	    join(d->log, d->root, "/log", err) < 0 ||
	    join(d->lib, d->root, "/lib", err) < 0)
		return -1;
	return config != NULL ? absolute(d->config, config, err)
			      : join(d->config, d->root, "/supervisord.conf", err);
}

int
dirs_make(const struct dirs *d, struct err *err)
{
	char mailbox[DIRS_PATH + sizeof "/mailbox"];
	(void)snprintf(mailbox, sizeof mailbox, "%s/mailbox", d->run);
	if (fd_mkdirs(d->run, 0755, err) < 0 || fd_mkdirs(mailbox, 0755, err) < 0 ||
	    fd_mkdirs(d->log, 0755, err) < 0)
		return -1;
	return fd_mkdirs(d->lib, 0755, err);
}

int
dirs_program(const char *name, char *buf, unsigned cap, struct err *err)
{
	char self[DIRS_PATH];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n > 0) {
		self[n] = '\0';
		char *slash = strrchr(self, '/');
		if (slash != NULL) {
			slash[1] = '\0';
			int k = snprintf(buf, cap, "%s%s", self, name);
			if (k > 0 && (unsigned)k < cap && access(buf, X_OK) == 0)
				return 0;
		}
	}
	int k = snprintf(buf, cap, "%s/%s", LIBEXECDIR, name);
	if (k > 0 && (unsigned)k < cap && access(buf, X_OK) == 0)
		return 0;
	return err_set(err, ERR_FAILED, "%s is neither beside this program nor in %s",
	    name, LIBEXECDIR);
}

/* An argument that nobody writes to. */
static char *
fixed(const char *text)
{
	return unconst(text);
}

/* How the keeper tells the master the directories. */
static const struct {
	const char *option;
	size_t place;
} master_args[] = {
    {"--run", offsetof(struct dirs, run)},
    {"--log", offsetof(struct dirs, log)},
    {"--lib", offsetof(struct dirs, lib)},
    {"--root", offsetof(struct dirs, root)},
    {"--config", offsetof(struct dirs, config)},
};

void
dirs_master_args(struct dirs *d, int init, char *argv[DIRS_ARGS])
{
	*argv++ = fixed("supervisord-master");
	for (size_t i = 0; i < COUNT(master_args); i++) {
		*argv++ = fixed(master_args[i].option);
		*argv++ = (char *)d + master_args[i].place;
	}
	*argv++ = init ? fixed("--init") : NULL;
	*argv = NULL;
}

static int
not_by_keeper(struct err *err)
{
	return err_set(err, ERR_USAGE, "this program is started by supervisord");
}

int
dirs_master_read(
    struct dirs *d, char *const *argv, int *init, int *check, struct err *err)
{
	memset(d, 0, sizeof *d);
	while (*++argv != NULL) {
		size_t i = 0;
		while (
		    i < COUNT(master_args) && strcmp(*argv, master_args[i].option) != 0)
			i++;
		if (strcmp(*argv, "--init") == 0)
			*init = 1;
		else if (strcmp(*argv, "--check-state") == 0)
			*check = 1;
		else if (i == COUNT(master_args) || argv[1] == NULL)
			return not_by_keeper(err);
		else if (join((char *)d + master_args[i].place, *++argv, "", err) < 0)
			return -1;
	}
	d->user_mode = d->root[0] != '\0' || geteuid() != 0;
	return d->run[0] != '\0' ? 0 : not_by_keeper(err);
}

void
dirs_keeper_args(struct dirs *d, int init, char *inherit, char *argv[DIRS_ARGS])
{
	char *const all[] = {fixed("supervisord"), fixed("--inherit"), inherit,
	    fixed("--config"), d->config, fixed(init ? "--init" : "--no-init"),
	    d->root[0] != '\0' ? fixed("--root") : NULL, d->root, NULL};
	memcpy(argv, all, sizeof all);
}
