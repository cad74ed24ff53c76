/*
 * fuzz_control - lines of a client, through the parser, the dispatcher and all methods of
 * a control process whose master answers at random.
 *
 * The first byte says how the master answers; the rest is what the client sends.
 */
#include "tests/unit/test_control_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake fake;

static void
play_master(uint8_t how)
{
	struct msg_request got;
	while (fake_master_got(&fake, MSG_REQUEST, &got) == 0) {
		unsigned answer = how % ANSWER_MAX;
		int fd = answer == AN_OK && got.verb == VERB_RELOAD ? fake_rows(1) : -1;
		uint32_t slot = got.m.slot < FS_MAX ? got.m.slot : (uint32_t)SLOT_NONE;
		fake_reply(
		    &fake, &got, answer, slot, (how & 64) != 0 ? "\xff words" : "", fd);
		fd_close(&fd);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2];
	static char drain[1 << 16];
	if (fake.st == NULL)
		fake_open(&fake);
	if (size < 2 || size > 2 * RPC_LINE_MAX)
		return 0;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) ==
	     0);
	if (client_new(fake.c.clients, pair[1]) == NULL)
		return 0;
	(void)send(pair[0], data + 1, size - 1, MSG_NOSIGNAL);
	(void)send(pair[0], "\n", 1, MSG_NOSIGNAL);
	for (int i = 0; i < 4; i++) {
		fake_turn(&fake);
		play_master(data[0]);
		while (recv(pair[0], drain, sizeof drain, 0) > 0)
			;
	}
	close(pair[0]);
	fake_turn(&fake);
	return 0;
}
