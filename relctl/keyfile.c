#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "sign/crypt.h"

/* One line, byte by byte, so that nothing behind it is taken. */
static int
read_line(char *buf, size_t cap)
{
	size_t n = 0;
	char c = 0;
	ssize_t k;
	while ((k = read(STDIN_FILENO, &c, 1)) != 0) {
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 || c == '\n')
			break;
		if (n + 1 >= cap)
			return -1;
		buf[n++] = c;
	}
	buf[n] = '\0';
	return k <= 0 && n == 0 ? -1 : 0;
}

static int
ask(const char *question, char *buf, struct err *err)
{
	struct termios before, quiet;
	int terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	if (terminal) {
		(void)fprintf(stderr, "%s: ", question);
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	int rc = read_line(buf, KEYFILE_PASSWORD);
	if (terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		(void)fputc('\n', stderr);
	}
	if (rc < 0)
		return err_set(err, ERR_USAGE,
		    "a password is needed: type it, or give it as a line of stdin");
	return 0;
}

int
keyfile_password(
    const char *question, int twice, char password[KEYFILE_PASSWORD], struct err *err)
{
	char again[KEYFILE_PASSWORD];
	if (ask(question, password, err) < 0)
		return -1;
	if (!twice || !isatty(STDIN_FILENO))
		return 0;
	int rc = ask("the same again", again, err);
	if (rc == 0 && strcmp(again, password) != 0)
		rc = err_set(err, ERR_USAGE, "the two passwords differ");
	crypt_forget(again, sizeof again);
	return rc;
}

int
keyfile_secret(const char *path, struct key_secret *ret, struct err *err)
{
	char text[KEY_FILE_MAX], password[KEYFILE_PASSWORD];
	ssize_t n = fd_read_file(AT_FDCWD, path, text, sizeof text);
	int rc = 0;
	if (n < 0)
		return err_sys(err, "cannot read the secret key %s", path);
	int locked = key_secret_is_locked(text, (size_t)n);
	if (locked)
		rc = keyfile_password("password of the key", 0, password, err);
	if (rc == 0)
		rc = key_secret_read(
		    text, (size_t)n, locked ? password : NULL, ret, err);
	crypt_forget(text, sizeof text);
	crypt_forget(password, sizeof password);
	return rc < 0 ? err_wrap(err, "%s", path) : 0;
}

int
keyfile_trusted(struct cmd *cmd, const char *given, struct keyring *ret)
{
	char own[1024];
	struct stat st;
	int n = snprintf(
	    own, sizeof own, "%s/keys", cmd->root != NULL ? cmd->root : "/etc/steward");
	const char *path = given != NULL ? given : own;
	if (n < 0 || (size_t)n >= sizeof own)
		return err_set(&cmd->err, ERR_USAGE, "--root is too long");
	*ret = (struct keyring){.n = 0};
	if (stat(path, &st) < 0)
		return err_set(&cmd->err, ERR_REFUSED,
		    "no key is trusted: %s: %s; put the public key there or name it with "
		    "--pubkey",
		    path, strerrordesc_np(errno));
	if (!S_ISDIR(st.st_mode))
		return keyring_add_file(ret, AT_FDCWD, path, &cmd->err);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(&cmd->err, "cannot open %s", path);
	int rc = keyring_read(ret, fd, &cmd->err);
	fd_close(&fd);
	if (rc == 0 && ret->n == 0)
		rc = err_set(&cmd->err, ERR_REFUSED,
		    "no key is trusted: there is no *.pub in %s", path);
	return rc;
}
