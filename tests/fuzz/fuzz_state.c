/*
 * fuzz_state - bytes of a hostile or torn state file, read by every method that reads.
 *
 * The input overwrites slots, then the head, of an otherwise good state.
 */
#include "tests/unit/test_control_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake fake;
static struct slot good[FS_MAX];
static struct state_head good_head;

static const char *const lines[] = {
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"node.info\"}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tree.list\"}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"app.list\"}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"app.env\",\"params\":{\"app\":\"api\"}}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.list\"}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"why\",\"params\":{\"id\":\"api/web\"}}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"why\",\"params\":{\"id\":\"back\"}}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"which_children\",\"params\":{\"id\":\"api\"}}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"count_children\",\"params\":{\"id\":\"api\"}}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tree.get\",\"params\":{\"id\":\"shop\"}}"};

static void
start(void)
{
	fake_open(&fake);
	for (int i = 0; i < 5; i++)
		fake_event(&fake, EV_STOPPED, FS_SHOP, "api/shop");
	memcpy(good, fake.st->slot, sizeof good);
	good_head = fake.st->head;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2];
	static char drain[1 << 18];
	if (fake.st == NULL)
		start();
	memcpy(fake.st->slot, good, sizeof good);
	fake.st->head = good_head;
	memcpy(&fake.st->slot[1], data, MIN(size, sizeof good - sizeof good[0]));
	if (size > sizeof good)
		memcpy((char *)&fake.st->head + offsetof(struct state_head, core),
		    data + sizeof good,
		    MIN(size - sizeof good,
			sizeof good_head - offsetof(struct state_head, core)));
	fake.st->head.core.rows_seq = fake.c.view.rows_seq;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) ==
	     0);
	struct client *cl = client_new(fake.c.clients, pair[1]);
	must(cl != NULL);
	for (size_t i = 0; i < COUNT(lines); i++) {
		call_line(&fake.c, cl, lines[i], strlen(lines[i]));
		fake_turn(&fake);
		while (recv(pair[0], drain, sizeof drain, 0) > 0)
			fake_turn(&fake);
	}
	close(pair[0]);
	fake_turn(&fake);
	return 0;
}
