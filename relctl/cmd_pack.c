/*
 * relctl pack - makes a release from a directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "cmd.h"
#include "keyfile.h"
#include "outfile.h"
#include "release/build.h"

enum { OPTION_OUTPUT, OPTION_KEY };

static enum pack_filter
filter_of(const char *path)
{
	size_t n = strlen(path);
	int gzip = (n > 3 && strcmp(path + n - 3, ".gz") == 0) ||
		   (n > 4 && strcmp(path + n - 4, ".tgz") == 0);
	return gzip ? PACK_GZIP : PACK_ZSTD;
}

static void
say(const struct cmd *cmd, const struct release *r, const char *path, int signed_too)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < r->nfiles; i++)
		bytes += r->file[i].size;
	cmd_say(cmd, "%s: release %s %s, %u file%s, %u module%s%s", path, r->name,
	    r->version, r->nfiles, r->nfiles == 1 ? "" : "s", r->nmodules,
	    r->nmodules == 1 ? "" : "s",
	    signed_too ? "" : "; not signed (relctl sign)");
	if (!cmd->json)
		return;
	struct json *json = json_object();
	json_set_str(json, "file", path);
	json_set_str(json, "name", r->name);
	json_set_str(json, "version", r->version);
	json_set_u64(json, "files", r->nfiles);
	json_set_u64(json, "modules", r->nmodules);
	json_set_u64(json, "bytes", bytes);
	json_set_bool(json, "signed", signed_too);
	cmd_print_json(json);
	json_free(&json);
}

static int
write_release(struct cmd *cmd, int dirfd, const struct release *r)
{
	char path[1024];
	const char *key = cmd->option[OPTION_KEY];
	struct key_secret secret;
	struct outfile out;
	(void)snprintf(path, sizeof path, "%s-%s.tar.zst", r->name, r->version);
	const char *name =
	    cmd->option[OPTION_OUTPUT] != NULL ? cmd->option[OPTION_OUTPUT] : path;
	if (key != NULL && keyfile_secret(key, &secret, &cmd->err) < 0)
		return -1;
	int rc = outfile_open(&out, name, &cmd->err);
	if (rc == 0) {
		const struct build_output to = {
		    out.fd, filter_of(name), key != NULL ? &secret : NULL};
		rc = build_write(dirfd, r, &to, &cmd->err);
		rc = outfile_end(&out, rc, &cmd->err);
	}
	if (key != NULL)
		key_forget(&secret);
	if (rc == 0)
		say(cmd, r, name, key != NULL);
	return rc;
}

/* All that is wrong, as a compiler would say it. */
static int
complain(struct cmd *cmd, struct diag *diag)
{
	unsigned n = diag->errors;
	diag_print(diag, stderr);
	err_set(&cmd->err, ERR_CONFIG, "%s: %u error%s, nothing was packed",
	    cmd->words[0], n, n == 1 ? "" : "s");
	return cmd_fail(cmd);
}

static int
run(struct cmd *cmd)
{
	struct diag diag = {.errors = 0};
	struct release r;
	int code = 0;
	int fd = open(cmd->words[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err_sys(&cmd->err, "cannot open the directory %s", cmd->words[0]);
		return cmd_fail(cmd);
	}
	if (build_read(fd, cmd->words[0], &r, &diag) < 0) {
		code = complain(cmd, &diag);
	} else {
		if (write_release(cmd, fd, &r) < 0)
			code = cmd_fail(cmd);
		release_free(&r);
	}
	diag_free(&diag);
	fd_close(&fd);
	return code;
}

const struct cmd_entry cmd_pack_entry = {.name = "pack",
    .args = "DIR",
    .help = "make a release from a directory",
    .more =
	"DIR holds release.ini, tree.ini, handler modules in lib/, programs in bin/ and "
	"what else the release ships, see steward-release(5).  Every module is checked: "
	"all that would keep a worker from loading or unloading it is said, and then "
	"nothing is packed (exit 78).  The same files make the same archive, with the "
	"time of SOURCE_DATE_EPOCH or else of the newest file.  Packed by zstd, or by gzip "
	"where FILE ends in .gz or .tgz.",
    .role = "",
    .min = 1,
    .max = 1,
    .words = WORDS_FILES,
    .options = {[OPTION_OUTPUT] = {"output", 'o', "FILE",
		    "instead of NAME-VERSION.tar.zst in this directory"},
	[OPTION_KEY] = {"key", 'k', "KEY", "sign it with this secret key"}},
    .run = run};
