/*
 * relctl verify - is this a release that a trusted key has signed?
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "cmd.h"
#include "keyfile.h"
#include "release/verify.h"

enum { OPTION_PUBKEY };

static void
say(const struct cmd *cmd, const struct verdict *v)
{
	char id[KEY_ID_TEXT], hex[SHA256_HEX];
	const struct release *r = &v->release;
	(void)key_id_text(v->signature.id, id);
	cmd_say(cmd,
	    "%s: release %s %s, signed by key %s, %llu files, %llu bytes, fine",
	    cmd->words[0], r->name, r->version, id, (unsigned long long)v->files,
	    (unsigned long long)v->bytes);
	if (!cmd->json)
		return;
	struct json *json = json_object();
	text_hex(v->manifest, sizeof v->manifest, hex);
	json_set_str(json, "name", r->name);
	json_set_str(json, "version", r->version);
	json_set_str(json, "key", id);
	json_set_str(json, "comment", v->signature.comment);
	json_set_str(json, "manifest_sha256", hex);
	json_set_u64(json, "files", v->files);
	json_set_u64(json, "bytes", v->bytes);
	cmd_print_json(json);
	json_free(&json);
}

static int
verify(struct cmd *cmd, const struct keyring *ring, struct verdict *v)
{
	struct stat st;
	int fd = open(cmd->words[0], O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int unknown = errno == ENOENT;
		(void)err_sys(&cmd->err, "cannot open %s", cmd->words[0]);
		if (unknown)
			cmd->err.kind = ERR_UNKNOWN_NAME;
		fd_close(&fd);
		return -1;
	}
	int rc = S_ISDIR(st.st_mode)
		     ? verify_dir(fd, ring, time(NULL), v, &cmd->err)
		     : verify_archive(fd, ring, time(NULL), v, &cmd->err);
	fd_close(&fd);
	return rc < 0 ? err_wrap(&cmd->err, "%s", cmd->words[0]) : 0;
}

static int
run(struct cmd *cmd)
{
	struct keyring ring;
	struct verdict v;
	if (keyfile_trusted(cmd, cmd->option[OPTION_PUBKEY], &ring) < 0 ||
	    verify(cmd, &ring, &v) < 0)
		return cmd_fail(cmd);
	say(cmd, &v);
	verdict_free(&v);
	return 0;
}

const struct cmd_entry cmd_verify_entry = {.name = "verify",
    .args = "FILE|DIR",
    .help = "check a release: its signature and every file",
    .more =
	"FILE is a packed release, DIR an unpacked one.  Its manifest must be signed by a "
	"trusted key and not have expired, and its files must be exactly those of the "
	"manifest.  What is refused exits with 5.  Nothing is written.",
    .role = "",
    .min = 1,
    .max = 1,
    .words = WORDS_FILES,
    .options = {[OPTION_PUBKEY] = {"pubkey", 'p', "KEY",
		    "trust this public key, or those of a directory, instead of "
		    "/etc/steward/keys"}},
    .run = run};
