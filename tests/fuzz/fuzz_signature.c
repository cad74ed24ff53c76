/* Any bytes as keys and signatures: none is good but the one that was made. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sign/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* minisign's own, of "hi\n" */
static const char public_file[] =
    "RWTe/yW00fJPgVqbfiAEYS0T9udgonFkhkUvc+OlXDTHWecd9Cx/M36Y\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct signature_claim claim = {(const char *)data, size, "no", 2};
	struct keyring ring = {.n = 1};
	struct signature s;
	struct key_public key;
	struct key_secret secret;
	char text[KEY_FILE_MAX];
	if (key_public_read(public_file, strlen(public_file), &ring.key[0], NULL) < 0)
		abort();
	if (signature_check(&claim, &ring, &s, NULL) == 0)
		abort();
	if (key_public_read((const char *)data, size, &key, NULL) == 0) {
		key_public_print(&key, text);
		if (key_public_read(text, strlen(text), &ring.key[0], NULL) < 0 ||
		    memcmp(&ring.key[0], &key, sizeof key) != 0)
			abort();
	}
	/* without a password: scrypt takes its time */
	if (!key_secret_is_locked((const char *)data, size))
		(void)key_secret_read((const char *)data, size, NULL, &secret, NULL);
	return 0;
}
