#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/fd.h"
#include "base/util.h"
#include "sign/base64.h"
#include "sign/blake2b.h"
#include "sign/crypt.h"
#include "sign/keyring.h"
#include "sign/sha256.h"
#include "sign/signature.h"

/* Made by minisign 0.11; they sign "hi\n". */
static const char public_file[] =
    "untrusted comment: minisign public key 814FF2D1B425FFDE\n"
    "RWTe/yW00fJPgVqbfiAEYS0T9udgonFkhkUvc+OlXDTHWecd9Cx/M36Y\n";
static const char secret_file[] =
    "untrusted comment: minisign encrypted secret key\n"
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3v8ltNHy"
    "T4Hf39+qUPL+LsPBRfKyTf/JtrAN2yPSD7ACAdLupTbTp1qbfiAEYS0T9udgonFkhkUvc+OlXDTHWecd"
    "9Cx/M36YAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char signature_file[] =
    "untrusted comment: signature from minisign secret key\n"
    "RUTe/yW00fJPgewm9jlGbICfNKJ1DqGDsNtylv+7LpSwxQJUQ5AHC17Ssi1ylCvGTrCV/"
    "8s48e0VW+6pXXC60t4J7mUTYAjxSwY=\n"
    "trusted comment: timestamp:1795272906\tfile:f\thashed\n"
    "DUmZge8gIc+kQwlZZ/v0CQ7bnULUsU5MU8+zOJx/"
    "XZgdZBneYljWYFzTwIEjLhr6o23ACm+iGFKB6thW6WITCw==\n";
static const char legacy_file[] =
    "untrusted comment: signature from minisign secret key\n"
    "RWTe/yW00fJPgXnnIvoMV7vr4/+RDucdSbP8AWjpMUk1JPM8Bm4joFK73jdXWVv3q9o6TR7vF5jiYWdYg0sT5ciMdgOtibK/7gY=\n"
    "trusted comment: an old one\n"
    "ogGzWvzsUSJZ4cyMVmv+fPLcRJE2hVsTtYG7lJqu6gISkUedVvTOQH/asQne0AXlH7lJO71OT7FtYs2Ja9e8AA==\n";
static const struct key_cost cheap = {.ops = 32768, .mem = 1 << 20};

static struct err err;

static int
check(const char *text, size_t text_len, const void *data, size_t len,
    const struct keyring *ring, struct signature *s)
{
	const struct signature_claim claim = {text, text_len, data, len};
	return signature_check(&claim, ring, s, &err);
}

static void
blake2b_is_that_of_openssl(void **state)
{
	unsigned char data[1000], ours[64], theirs[64];
	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 7);
	for (size_t len = 0; len <= sizeof data; len += len < 300 ? 1 : 77) {
		struct blake2b h;
		blake2b_init(&h, sizeof ours);
		blake2b_add(&h, data, len / 3);
		blake2b_add(&h, data + len / 3, len - len / 3);
		blake2b_end(&h, ours);
		assert_int_equal(
		    EVP_Digest(data, len, theirs, NULL, EVP_blake2b512(), NULL), 1);
		assert_memory_equal(ours, theirs, sizeof ours);
	}
}

static void
base64_has_one_text_for_one_value(void **state)
{
	static const char *const bad[] = {
	    "YWJ=", "YWI", "YWI=A", "YW=I", "=WI=", "YW I=", "YW\nI", "Y\x80I="};
	char text[BASE64_CAP(5)], back[5];
	(void)state;
	base64_write("abcde", 5, text);
	assert_string_equal(text, "YWJjZGU=");
	assert_int_equal(base64_read(text, strlen(text), back, 5), 0);
	assert_memory_equal(back, "abcde", 5);
	assert_int_equal(base64_read("YWI=", 4, back, 2), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(base64_read(bad[i], strlen(bad[i]), back, 2), -1);
}

static void
sha256_of_a_descriptor(void **state)
{
	unsigned char out[SHA256_LEN];
	uint64_t size = 0;
	int pair[2];
	(void)state;
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	assert_int_equal(fd_write_all(pair[1], "abc", 3), 0);
	fd_close(&pair[1]);
	assert_int_equal(sha256_fd(pair[0], out, &size, &err), 0);
	assert_int_equal(size, 3);
	assert_memory_equal(out, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);
	fd_close(&pair[0]);
	assert_int_equal(sha256_fd(-1, out, &size, &err), -1);
}

static struct keyring
stock_ring(void)
{
	struct keyring ring = {.n = 1};
	assert_int_equal(
	    key_public_read(public_file, strlen(public_file), &ring.key[0], &err), 0);
	return ring;
}

static void
keys_and_signatures_of_minisign_are_read(void **state)
{
	struct keyring ring = stock_ring();
	struct signature s;
	struct key_secret secret;
	char id[KEY_ID_TEXT];
	(void)state;
	assert_string_equal(key_id_text(ring.key[0].id, id), "814FF2D1B425FFDE");
	assert_int_equal(key_secret_is_locked(secret_file, strlen(secret_file)), 0);
	assert_int_equal(
	    key_secret_read(secret_file, strlen(secret_file), NULL, &secret, &err), 0);
	struct key_public public_key = key_public_of(&secret);
	assert_memory_equal(&public_key, &ring.key[0], sizeof public_key);
	assert_int_equal(
	    check(signature_file, strlen(signature_file), "hi\n", 3, &ring, &s), 0);
	assert_non_null(strstr(s.comment, "timestamp:1795272906"));
	assert_int_equal(
	    check(legacy_file, strlen(legacy_file), "hi\n", 3, &ring, &s), 0);
	assert_string_equal(s.comment, "an old one");
}

static void
a_password_locks_a_key(void **state)
{
	struct key_secret secret, back;
	char text[KEY_FILE_MAX];
	(void)state;
	assert_int_equal(key_make(&secret, &err), 0);
	assert_int_equal(key_secret_print(&secret, "open", &cheap, text, &err), 0);
	assert_int_equal(key_secret_is_locked(text, strlen(text)), 1);
	assert_int_equal(key_secret_read(text, strlen(text), NULL, &back, &err), -1);
	assert_int_equal(key_secret_read(text, strlen(text), "Open", &back, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_int_equal(key_secret_read(text, strlen(text), "open", &back, &err), 0);
	assert_memory_equal(&secret, &back, sizeof back);
	assert_int_equal(key_secret_print(&secret, NULL, NULL, text, &err), 0);
	assert_int_equal(key_secret_read(text, strlen(text), NULL, &back, &err), 0);
	assert_memory_equal(&secret, &back, sizeof back);
}

static void
a_hostile_key_takes_no_memory(void **state)
{
	struct key_secret secret, back;
	const struct key_cost greedy = {.ops = 33554432, .mem = 1ULL << 40};
	char text[KEY_FILE_MAX] = "no key, and more than twenty bytes";
	(void)state;
	assert_int_equal(key_make(&secret, &err), 0);
	assert_int_equal(key_secret_print(&secret, "x", &greedy, text, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_int_equal(key_secret_read("", 0, NULL, &back, &err), -1);
	assert_int_equal(key_secret_read(text, 20, NULL, &back, &err), -1);
	assert_int_equal(
	    key_secret_read(public_file, strlen(public_file), NULL, &back, &err), -1);
}

static void
a_signature_belongs_to_its_bytes(void **state)
{
	struct key_secret secret;
	struct keyring ring = {.n = 1};
	struct signature s;
	char text[SIGNATURE_MAX], data[] = "release";
	(void)state;
	assert_int_equal(key_make(&secret, &err), 0);
	ring.key[0] = key_public_of(&secret);
	assert_int_equal(signature_make(&secret, data, 7, "of\tus", text, &err), 0);
	assert_int_equal(check(text, strlen(text), data, 7, &ring, &s), 0);
	assert_string_equal(s.comment, "of us");
	data[3] ^= 1;
	assert_int_equal(check(text, strlen(text), data, 7, &ring, &s), -1);
	assert_non_null(strstr(err.msg, "changed after"));
	data[3] ^= 1;
	*strstr(text, "of\t") = 'O';
	assert_int_equal(check(text, strlen(text), data, 7, &ring, &s), -1);
	assert_non_null(strstr(err.msg, "trusted comment"));
	assert_int_equal(signature_make(&secret, data, 7, "a\nb", text, &err), -1);
}

/* Any byte of a signature file but those of the untrusted comment decides. */
static void
each_byte_of_a_signature_counts(void **state)
{
	struct keyring ring = stock_ring();
	struct signature s;
	char text[sizeof signature_file];
	size_t from = (size_t)(strchr(signature_file, '\n') - signature_file);
	(void)state;
	for (size_t i = from; i < sizeof text - 2; i++) {
		memcpy(text, signature_file, sizeof text);
		text[i] ^= 1;
		if (check(text, strlen(text), "hi\n", 3, &ring, &s) == 0)
			fail_msg("byte %zu does not count", i);
		assert_int_equal(check(signature_file, i, "hi\n", 3, &ring, &s), -1);
	}
	ring.n = 0;
	assert_int_equal(
	    check(signature_file, strlen(signature_file), "hi\n", 3, &ring, &s), -1);
	assert_non_null(strstr(err.msg, "not trusted"));
}

static void
put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	fd_close(&fd);
}

static void
the_ring_is_the_pub_files_of_a_directory(void **state)
{
	char path[] = "/tmp/steward-ring-XXXXXX", other[sizeof public_file];
	struct keyring ring = {.n = 0};
	(void)state;
	assert_non_null(mkdtemp(path));
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	put(dir, "a.pub", public_file);
	put(dir, "same.pub", public_file);
	put(dir, "README", "no key");
	assert_int_equal(keyring_read(&ring, dir, &err), 0);
	assert_int_equal(ring.n, 1);
	memcpy(other, public_file, sizeof other);
	other[sizeof other - 4] ^= 2; /* same id, other key */
	put(dir, "other.pub", other);
	assert_int_equal(keyring_read(&ring, dir, &err), -1);
	assert_non_null(strstr(err.msg, "same id"));
	put(dir, "other.pub", "no key");
	assert_int_equal(keyring_read(&ring, dir, &err), -1);
	assert_int_equal(keyring_read(&ring, -1, &err), -1);
	static const char *const names[] = {"a.pub", "same.pub", "README", "other.pub"};
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(unlinkat(dir, names[i], 0), 0);
	fd_close(&dir);
	assert_int_equal(rmdir(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blake2b_is_that_of_openssl),
	    cmocka_unit_test(base64_has_one_text_for_one_value),
	    cmocka_unit_test(sha256_of_a_descriptor),
	    cmocka_unit_test(keys_and_signatures_of_minisign_are_read),
	    cmocka_unit_test(a_password_locks_a_key),
	    cmocka_unit_test(a_hostile_key_takes_no_memory),
	    cmocka_unit_test(a_signature_belongs_to_its_bytes),
	    cmocka_unit_test(each_byte_of_a_signature_counts),
	    cmocka_unit_test(the_ring_is_the_pub_files_of_a_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
