/*
 * fuzz_proto - any packet from anybody to anybody through proto_check; what passes is
 * read as its receiver would.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every byte that a receiver may look at is looked at. */
static unsigned
touch(const void *packet)
{
	struct msg m;
	memcpy(&m, packet, sizeof m);
	if (m.type == MSG_REQUEST) {
		const struct msg_request *r = packet;
		return r->text_len > 0 ? (unsigned)strlen(r->text) : r->verb;
	}
	if (m.type == MSG_REPLY)
		return (unsigned)strlen(((const struct msg_reply *)packet)->text);
	if (m.type == MSG_FACT)
		return (unsigned)strlen(((const struct msg_fact *)packet)->text);
	if (m.type == MSG_LOG_ADD)
		return (unsigned)strlen(((const struct msg_log_add *)packet)->id);
	if (m.type == MSG_LOG_HAVE)
		return (unsigned)strlen(((const struct msg_log_have *)packet)->id);
	return m.type;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(16) unsigned char packet[4096];
	struct err err;
	if (size < 3 || size - 3 > sizeof packet)
		return 0;
	memcpy(packet, data + 3, size - 3);
	enum role from = (enum role)(data[0] % ROLE_MAX),
		  to = (enum role)(data[1] % ROLE_MAX);
	if (proto_check(packet, size - 3, data[2], from, to, &err) == 0 &&
	    touch(packet) == UINT32_MAX)
		return 1;
	return 0;
}
