#include "elf/note.h"

#include <string.h>

#include "base/str.h"
#include "base/text.h"
#include "elf/elf.h"

struct found {
	const char *owner; /* borrowed */
	size_t owner_len;
	uint32_t type;
	struct elf_bytes body;
};

static size_t
padded(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* The note at *at, which moves behind it: 1, or 0 when there is no further one. */
static int
next_note(struct elf_bytes all, size_t align, size_t *at, struct found *ret)
{
	Elf64_Nhdr n;
	if (*at > all.len || all.len - *at < sizeof n)
		return 0;
	memcpy(&n, all.data + *at, sizeof n);
	size_t owner = *at + sizeof n, body = owner + padded(n.n_namesz, align);
	if (n.n_namesz > all.len - owner || body > all.len ||
	    n.n_descsz > all.len - body)
		return 0;
	ret->owner = (const char *)all.data + owner;
	ret->owner_len = n.n_namesz;
	ret->type = n.n_type;
	ret->body = (struct elf_bytes){all.data + body, n.n_descsz};
	*at = body + padded(n.n_descsz, align);
	return 1;
}

static int
is_of(const struct found *f, const char *owner, uint32_t type)
{
	return f->type == type && f->owner_len == strlen(owner) + 1 &&
	       memcmp(f->owner, owner, f->owner_len) == 0;
}

static uint32_t
get32(const unsigned char *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

/* One of the two names; *at moves behind its NUL. */
static int
take_name(struct elf_bytes body, size_t *at, char ret[ELF_NOTE_NAME])
{
	const char *text = elf_text(body, *at);
	size_t len = text != NULL ? strlen(text) : 0;
	if (text == NULL || len >= ELF_NOTE_NAME)
		return -1;
	memcpy(ret, text, len + 1);
	*at += len + 1;
	return 0;
}

static int
take_steward(struct elf_bytes body, struct elf_note *ret, struct err *err)
{
	size_t at = 3 * sizeof(uint32_t);
	if (body.len < at)
		return err_set(err, ERR_REFUSED, "its note of Steward is cut off");
	uint32_t version = get32(body.data);
	if (version != ELF_NOTE_VERSION)
		return err_set(err, ERR_REFUSED,
		    "its note of Steward is of version %u; this one knows %d", version,
		    ELF_NOTE_VERSION);
	ret->abi = get32(body.data + 4);
	ret->state_version = get32(body.data + 8);
	if (take_name(body, &at, ret->name) < 0 ||
	    !str_is_id_part(ret->name, strlen(ret->name)))
		return err_set(err, ERR_REFUSED,
		    "the module's name in its note must match [a-z0-9_-]{1,32}");
	if (take_name(body, &at, ret->version) < 0 || !text_is_version(ret->version))
		return err_set(err, ERR_REFUSED,
		    "the module's version in its note must match "
		    "[0-9A-Za-z][0-9A-Za-z.+~-]{0,31}, without '..'");
	return 0;
}

static void
take_build_id(struct elf_bytes body, struct elf_note *ret)
{
	size_t n = body.len;
	if (n == 0 || n > (ELF_NOTE_BUILD_ID - 1) / 2)
		return;
	text_hex(body.data, n, ret->build_id);
}

/* The notes of one segment: 1 when ours was among them, 0, or -1 with err. */
static int
read_segment(
    const struct elf *elf, const Elf64_Phdr *p, struct elf_note *ret, struct err *err)
{
	struct elf_bytes all = elf_at(elf, p->p_offset, p->p_filesz);
	struct found f;
	size_t at = 0;
	int ours = 0;
	while (all.data != NULL && next_note(all, p->p_align == 8 ? 8 : 4, &at, &f)) {
		if (is_of(&f, "GNU", NT_GNU_BUILD_ID))
			take_build_id(f.body, ret);
		if (!is_of(&f, ELF_NOTE_OWNER, ELF_NOTE_TYPE))
			continue;
		if (ours)
			return err_set(err, ERR_REFUSED, "it has two notes of Steward");
		if (take_steward(f.body, ret, err) < 0)
			return -1;
		ours = 1;
	}
	return ours;
}

int
elf_note_read(const void *data, size_t len, struct elf_note *ret, struct err *err)
{
	struct elf elf;
	struct elf_note note = {.abi = 0};
	Elf64_Phdr p;
	int ours = 0;
	if (elf_open(data, len, &elf, err) < 0)
		return -1;
	for (unsigned i = 0; elf_segment(&elf, i, &p); i++) {
		if (p.p_type != PT_NOTE)
			continue;
		int found = read_segment(&elf, &p, &note, err);
		if (found < 0)
			return -1;
		ours += found;
	}
	if (ours != 1)
		return err_set(err, ERR_REFUSED,
		    ours == 0 ? "it has no note of Steward: it is no handler module"
			      : "it has two notes of Steward");
	*ret = note;
	return 0;
}
