#include "mail/frame.h"

#include <string.h>

struct head {
	uint32_t len; /* of the data, without its NUL */
	uint16_t name_len;
	uint8_t kind, type;
	uint32_t status, left_ms;
	uint64_t ref, gen;
	uint32_t magic, unused;
};

_Static_assert(sizeof(struct head) == FRAME_HEAD_SIZE, "the head has no holes");

enum { MAGIC = 0x57455453, TYPES = 3 }; /* "STEW" */

static const uint8_t senders[] = {
    [FRAME_NONE] = 0,
    [FRAME_HELLO] = FRAME_BY_CLIENT,
    [FRAME_WELCOME] = FRAME_BY_SERVER,
    [FRAME_CALL] = FRAME_BY_CLIENT,
    [FRAME_CAST] = FRAME_BY_CLIENT,
    [FRAME_REPLY] = FRAME_BY_SERVER,
    [FRAME_MONITOR] = FRAME_BY_CLIENT,
    [FRAME_DEMONITOR] = FRAME_BY_CLIENT,
    [FRAME_SYS] = FRAME_BY_CLIENT,
    [FRAME_SYS_REPLY] = FRAME_BY_SERVER,
};
_Static_assert(sizeof senders == FRAME_KIND_MAX, "who sends each kind");

uint32_t
frame_senders(uint32_t kind)
{
	return kind < FRAME_KIND_MAX ? senders[kind] : 0;
}

size_t
frame_size(const struct frame *f)
{
	return sizeof(struct head) + strlen(f->name) + 1 + f->len + 1;
}

size_t
frame_put_head(void *buf, const struct frame *f)
{
	size_t name_len = strlen(f->name);
	struct head h = {.len = f->len,
	    .name_len = (uint16_t)name_len,
	    .kind = (uint8_t)f->kind,
	    .type = (uint8_t)f->type,
	    .status = f->status,
	    .left_ms = f->left_ms,
	    .ref = f->ref,
	    .gen = f->gen,
	    .magic = MAGIC};
	memcpy(buf, &h, sizeof h);
	memcpy((char *)buf + sizeof h, f->name, name_len + 1);
	return sizeof h + name_len + 1;
}

static int
head_is_sane(const struct head *h)
{
	int has_data = h->kind == FRAME_CALL || h->kind == FRAME_CAST ||
		       h->kind == FRAME_REPLY || h->kind == FRAME_SYS ||
		       h->kind == FRAME_SYS_REPLY;
	return h->magic == MAGIC && h->unused == 0 &&
	       h->len <= (has_data ? (uint32_t)FRAME_DATA_MAX : 0) &&
	       h->name_len <= FRAME_NAME_MAX && h->type < TYPES &&
	       frame_senders(h->kind) != 0;
}

int
frame_parse(const void *buf, size_t have, struct frame *f, size_t *size)
{
	struct head h;
	*size = sizeof h;
	if (have < sizeof h)
		return 0;
	memcpy(&h, buf, sizeof h);
	if (!head_is_sane(&h))
		return -1;
	const char *name = (const char *)buf + sizeof h, *data = name + h.name_len + 1;
	*size = sizeof h + h.name_len + 1 + h.len + 1;
	if (have < *size)
		return 0;
	if (strnlen(name, (size_t)h.name_len + 1) != h.name_len || data[h.len] != '\0')
		return -1;
	*f = (struct frame){.kind = h.kind,
	    .type = h.type,
	    .status = h.status,
	    .left_ms = h.left_ms,
	    .ref = h.ref,
	    .gen = h.gen,
	    .name = name,
	    .data = data,
	    .len = h.len};
	return 1;
}
