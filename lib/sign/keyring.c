#include "sign/keyring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

int
keyring_add_file(struct keyring *ring, int dirfd, const char *name, struct err *err)
{
	char text[KEY_FILE_MAX], shown[128];
	struct key_public key;
	ssize_t n = fd_read_file(dirfd, name, text, sizeof text);
	(void)str_printable(name, shown, sizeof shown);
	if (n < 0)
		return err_sys(err, "cannot read the public key %s", shown);
	if (key_public_read(text, (size_t)n, &key, err) < 0)
		return err_wrap(err, "%s", shown);
	const struct key_public *other = keyring_find(ring, key.id);
	if (other != NULL && memcmp(other->key, key.key, sizeof key.key) == 0)
		return 0;
	if (other != NULL)
		return err_set(err, ERR_CONFIG,
		    "%s: another trusted key has the same id; remove one of the two",
		    shown);
	if (ring->n == KEYRING_MAX)
		return err_set(err, ERR_CONFIG, "more than %d public keys are trusted",
		    KEYRING_MAX);
	ring->key[ring->n++] = key;
	return 0;
}

static int
is_key_name(const char *name)
{
	size_t n = strlen(name);
	return name[0] != '.' && n > 4 && strcmp(name + n - 4, ".pub") == 0;
}

int
keyring_read(struct keyring *ring, int dirfd, struct err *err)
{
	const struct dirent *e;
	int rc = 0;
	/* a descriptor of its own: reading moves the directory's offset */
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		rc = err_sys(err, "cannot read the directory of trusted keys");
		fd_close(&fd);
		return rc;
	}
	while (rc == 0) {
		errno = 0;
		e = readdir(dir);
		if (e == NULL && errno != 0)
			rc = err_sys(err, "cannot read the directory of trusted keys");
		if (e == NULL)
			break;
		if (is_key_name(e->d_name))
			rc = keyring_add_file(ring, dirfd, e->d_name, err);
	}
	(void)closedir(dir);
	return rc;
}

const struct key_public *
keyring_find(const struct keyring *ring, const unsigned char id[KEY_ID])
{
	for (size_t i = 0; i < ring->n; i++)
		if (memcmp(ring->key[i].id, id, KEY_ID) == 0)
			return &ring->key[i];
	return NULL;
}
