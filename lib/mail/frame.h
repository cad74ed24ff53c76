/*
 * frame - what goes over a mailbox's connection, as bytes and back.
 *
 * A connection is a Unix stream.  The client says HELLO with its own id, the server
 * answers WELCOME with its id, its generation and how many calls it takes at once; then
 * frames go both ways.  A frame is a fixed head, a name and data; behind the data stands
 * a NUL that its length does not count.  Numbers are the machine's own: a mailbox never
 * leaves it.
 *
 * Pure: nothing here allocates or touches the system.  Both sides distrust each other, so
 * frame_parse checks all of it; who may send which kind is in the table.
 */
#ifndef MAIL_FRAME_H
#define MAIL_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum {
	FRAME_DATA_MAX = 64 << 20,
	FRAME_NAME_MAX = 67, /* "app/worker#4294967295" and registered names */
	FRAME_HEAD_SIZE = 40
};

enum frame_kind {
	FRAME_NONE,
	FRAME_HELLO,	 /* client: name; status 1: for the operator's requests only */
	FRAME_WELCOME,	 /* server: name, gen; ref: calls it takes at once */
	FRAME_CALL,	 /* client: ref, left_ms, data */
	FRAME_CAST,	 /* client: data */
	FRAME_REPLY,	 /* server: ref, status, data */
	FRAME_MONITOR,	 /* client: ref; the end of the connection is the DOWN */
	FRAME_DEMONITOR, /* client: ref */
	FRAME_SYS,	 /* client: ref, name: the verb, data */
	FRAME_SYS_REPLY, /* server: ref, status, data */
	FRAME_KIND_MAX
};

struct frame {
	uint32_t kind;	  /* enum frame_kind */
	uint32_t type;	  /* of the data: enum steward_type */
	uint32_t status;  /* enum steward_status */
	uint32_t left_ms; /* until the caller gives up; UINT32_MAX never */
	uint64_t ref, gen;
	const char *name; /* with its NUL; "" when there is none */
	const void *data; /* with a NUL behind it */
	uint32_t len;	  /* of the data */
};

/* Who sends it: bit 0 the client, bit 1 the server. */
enum { FRAME_BY_CLIENT = 1, FRAME_BY_SERVER = 2 };

uint32_t frame_senders(uint32_t kind);

/* Bytes that the frame takes. */
size_t frame_size(const struct frame *f);
/* Writes all but the data and its NUL: the head and the name.  The number of bytes. */
size_t frame_put_head(void *buf, const struct frame *f);
/*
 * Looks at `have` bytes.  1: *f is the first frame and borrows from buf, *size its bytes.
 * 0: more is needed; *size says how many bytes in all, as far as is known.  -1: garbage.
 */
int frame_parse(const void *buf, size_t have, struct frame *f, size_t *size);

#endif
