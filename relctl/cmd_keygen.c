/*
 * relctl keygen - makes a pair of keys for signing releases, in minisign's files.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cmd.h"
#include "keyfile.h"
#include "sign/crypt.h"

enum { OPTION_NO_PASSWORD };

/* A new file; one that is there stays. */
static int
put(const char *path, unsigned mode, const char *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(err, "cannot make %s", path);
	int rc = 0;
	if (fd_write_all(fd, text, strlen(text)) < 0 || fsync(fd) < 0) {
		rc = err_sys(err, "cannot write %s", path);
		(void)unlink(path);
	}
	fd_close(&fd);
	return rc;
}

static int
save(const char *name, const struct key_secret *secret, const char *password,
    struct err *err)
{
	char path[1024], text[KEY_FILE_MAX];
	const struct key_public public_key = key_public_of(secret);
	if (strlen(name) + 5 > sizeof path)
		return err_set(err, ERR_USAGE, "the name is too long");
	if (key_secret_print(secret, password, &key_cost_usual, text, err) < 0)
		return -1;
	(void)snprintf(path, sizeof path, "%s.key", name);
	int rc = put(path, 0600, text, err);
	crypt_forget(text, sizeof text);
	if (rc < 0)
		return -1;
	key_public_print(&public_key, text);
	(void)snprintf(path, sizeof path, "%s.pub", name);
	return put(path, 0644, text, err);
}

static void
say(const struct cmd *cmd, const char *name, const struct key_secret *secret)
{
	char id[KEY_ID_TEXT];
	(void)key_id_text(secret->id, id);
	cmd_say(cmd, "key %s: %s.key is secret, %s.pub goes into the nodes' keys/", id,
	    name, name);
	if (!cmd->json)
		return;
	struct json *json = json_object();
	json_set_str(json, "key", id);
	cmd_print_json(json);
	json_free(&json);
}

static int
run(struct cmd *cmd)
{
	const char *name = cmd->words[0];
	char password[KEYFILE_PASSWORD];
	struct key_secret secret;
	int open_key = cmd->option[OPTION_NO_PASSWORD] != NULL;
	if (!open_key &&
	    keyfile_password("a new password for the key", 1, password, &cmd->err) < 0)
		return cmd_fail(cmd);
	int rc = key_make(&secret, &cmd->err);
	if (rc == 0)
		rc = save(name, &secret, open_key ? NULL : password, &cmd->err);
	crypt_forget(password, sizeof password);
	if (rc == 0)
		say(cmd, name, &secret);
	key_forget(&secret);
	return rc < 0 ? cmd_fail(cmd) : 0;
}

const struct cmd_entry cmd_keygen_entry = {.name = "keygen",
    .args = "NAME",
    .help = "make a pair of keys for signing releases",
    .more =
	"Writes NAME.key, which is secret, and NAME.pub, which nodes trust when it lies "
	"in /etc/steward/keys (or DIR/keys with --root).  Both are files of minisign(1).  "
	"The password is asked for, or read from stdin as a line.",
    .role = "",
    .min = 1,
    .max = 1,
    .words = WORDS_FILES,
    .options = {[OPTION_NO_PASSWORD] = {"no-password", 'W', NULL,
		    "leave the secret key unencrypted"}},
    .run = run};
