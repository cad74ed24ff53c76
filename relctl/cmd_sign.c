/*
 * relctl sign - signs a packed release, or signs it anew.
 *
 * The archive is written anew with the signature at its place.  What its files are is not
 * looked at but for the policy of archives: the signature is the signer's word.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/unpack.h"
#include "base/fd.h"
#include "base/log.h"
#include "cmd.h"
#include "keyfile.h"
#include "outfile.h"
#include "release/build.h"
#include "sign/signature.h"

enum { OPTION_KEY, OPTION_OUTPUT };

struct copying {
	const struct key_secret *key;
	enum pack_filter filter;
	int fd;
	struct pack *pack; /* owned; null until the manifest was read */
	char *manifest;	   /* owned */
	size_t used;
	struct release release; /* once it was read */
	int in_manifest, skip;
};

/* The manifest decides the times of all entries, so it comes first. */
static int
begin(struct copying *c, struct err *err)
{
	char signature[SIGNATURE_MAX];
	c->in_manifest = 0;
	c->manifest[c->used] = '\0';
	if (release_read(c->manifest, c->used, &c->release, err) < 0 ||
	    build_sign(&c->release, c->manifest, c->key, signature, err) < 0)
		return -1;
	c->pack = pack_open(c->fd, c->filter, c->release.created, err);
	if (c->pack == NULL ||
	    pack_file(c->pack, PATH_MANIFEST, 0444, c->used, err) < 0 ||
	    pack_data(c->pack, c->manifest, c->used, err) < 0)
		return -1;
	size_t len = strlen(signature);
	if (pack_file(c->pack, PATH_SIGNATURE, 0444, len, err) < 0)
		return -1;
	return pack_data(c->pack, signature, len, err);
}

static int
enter(void *ctx, const char *path, const struct policy_entry *entry, struct err *err)
{
	struct copying *c = ctx;
	c->skip = strcmp(path, PATH_SIGNATURE) == 0 || entry->kind == POLICY_DIRECTORY;
	if (c->skip)
		return 0;
	if (strcmp(path, PATH_MANIFEST) == 0) {
		c->in_manifest = 1;
		c->manifest = malloc(entry->size + 1);
		must(c->manifest != NULL);
		return 0;
	}
	if (entry->kind == POLICY_LINK)
		return pack_link(c->pack, path, entry->target, err);
	return pack_file(c->pack, path, path_mode(path), entry->size, err);
}

static int
data(void *ctx, const void *bytes, size_t len, struct err *err)
{
	struct copying *c = ctx;
	if (c->skip)
		return 0;
	if (!c->in_manifest)
		return pack_data(c->pack, bytes, len, err);
	memcpy(c->manifest + c->used, bytes, len); /* the policy sees to the size */
	c->used += len;
	return 0;
}

static int
leave(void *ctx, struct err *err)
{
	struct copying *c = ctx;
	return c->in_manifest ? begin(c, err) : 0;
}

static int
copy(int from, struct copying *c, struct err *err)
{
	const struct unpack_sink sink = {
	    .ctx = c, .enter = enter, .data = data, .leave = leave};
	struct policy policy;
	policy_begin(&policy, NULL);
	policy.unsigned_too = 1;
	int rc = unpack_walk(from, &policy, &sink, err);
	policy_free(&policy);
	if (rc == 0)
		return pack_close(&c->pack, err);
	pack_drop(&c->pack);
	return -1;
}

/* gzip begins with 1f 8b. */
static enum pack_filter
filter_of(int fd)
{
	unsigned char magic[2] = {0, 0};
	return pread(fd, magic, sizeof magic, 0) == 2 && magic[0] == 0x1f &&
		       magic[1] == 0x8b
		   ? PACK_GZIP
		   : PACK_ZSTD;
}

static void
say(const struct cmd *cmd, const struct copying *c, const char *to)
{
	char id[KEY_ID_TEXT];
	const struct release *r = &c->release;
	(void)key_id_text(c->key->id, id);
	cmd_say(
	    cmd, "%s: release %s %s, signed by key %s", to, r->name, r->version, id);
	if (!cmd->json)
		return;
	struct json *json = json_object();
	json_set_str(json, "file", to);
	json_set_str(json, "name", r->name);
	json_set_str(json, "version", r->version);
	json_set_str(json, "key", id);
	cmd_print_json(json);
	json_free(&json);
}

static int
sign(struct cmd *cmd, int from, const struct key_secret *key)
{
	const char *to = cmd->option[OPTION_OUTPUT] != NULL ? cmd->option[OPTION_OUTPUT]
							    : cmd->words[0];
	struct copying c = {.key = key, .filter = filter_of(from)};
	struct outfile out;
	if (outfile_open(&out, to, &cmd->err) < 0)
		return -1;
	c.fd = out.fd;
	int rc = copy(from, &c, &cmd->err);
	if (rc < 0)
		(void)err_wrap(&cmd->err, "%s", cmd->words[0]);
	rc = outfile_end(&out, rc, &cmd->err);
	if (rc == 0)
		say(cmd, &c, to);
	release_free(&c.release);
	free(c.manifest);
	return rc;
}

static int
run(struct cmd *cmd)
{
	struct key_secret secret;
	if (cmd->option[OPTION_KEY] == NULL) {
		err_set(&cmd->err, ERR_USAGE, "'sign' needs the secret key: --key KEY");
		return cmd_fail(cmd);
	}
	int fd = open(cmd->words[0], O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		int unknown = errno == ENOENT;
		(void)err_sys(&cmd->err, "cannot open %s", cmd->words[0]);
		if (unknown)
			cmd->err.kind = ERR_UNKNOWN_NAME;
		return cmd_fail(cmd);
	}
	int rc = keyfile_secret(cmd->option[OPTION_KEY], &secret, &cmd->err);
	if (rc == 0) {
		rc = sign(cmd, fd, &secret);
		key_forget(&secret);
	}
	fd_close(&fd);
	return rc < 0 ? cmd_fail(cmd) : 0;
}

const struct cmd_entry cmd_sign_entry = {.name = "sign",
    .args = "FILE",
    .help = "sign a packed release",
    .more =
	"Puts the signature into the archive, in place of one that is there.  minisign(1) "
	"verifies it, too, once release.json and release.json.minisig are extracted.",
    .role = "",
    .min = 1,
    .max = 1,
    .words = WORDS_FILES,
    .options = {[OPTION_KEY] = {"key", 'k', "KEY", "the secret key"},
	[OPTION_OUTPUT] = {"output", 'o', "FILE",
	    "leave the archive as it is, write here"}},
    .run = run};
