#include "elf/note.h"

#include <elf.h>
#include <string.h>

#include "base/util.h"

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#else
#error "which machine is this for ELF?"
#endif

enum { NOTE_TYPE = 1, NOTE_VERSION = 1, GNU_BUILD_ID = 3 };

struct desc {
	uint32_t note_version, abi, state_version;
	char name[ELF_NOTE_TEXT], version[ELF_NOTE_TEXT];
};

struct bytes {
	const unsigned char *p;
	size_t size;
};

static int
within(struct bytes b, uint64_t off, uint64_t len)
{
	return off <= b.size && len <= b.size - off;
}

static int
is_text(const char *s)
{
	size_t n = strnlen(s, ELF_NOTE_TEXT);
	if (n == 0 || n == ELF_NOTE_TEXT)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return 0;
	return 1;
}

static int
take_desc(const unsigned char *p, size_t len, struct elf_note *note, struct err *err)
{
	struct desc d;
	if (len != sizeof d)
		return err_set(err, ERR_CONFIG, "its note has %zu bytes instead of %zu",
		    len, sizeof d);
	memcpy(&d, p, sizeof d);
	if (d.note_version != NOTE_VERSION || !is_text(d.name) || !is_text(d.version))
		return err_set(err, ERR_CONFIG, "its note is of another kind, or torn");
	note->abi = d.abi;
	note->state_version = d.state_version;
	memcpy(note->name, d.name, sizeof note->name);
	memcpy(note->version, d.version, sizeof note->version);
	return 1;
}

/* The notes of one segment.  1: ours was among them, -1: it is wrong. */
static int
segment(struct bytes b, size_t align, struct elf_note *note, struct err *err)
{
	size_t pad = align == 8 ? 7 : 3, at = 0;
	int found = 0;
	while (within(b, at, sizeof(Elf64_Nhdr))) {
		Elf64_Nhdr h;
		memcpy(&h, b.p + at, sizeof h);
		uint64_t name = at + sizeof h;
		uint64_t desc = (name + h.n_namesz + pad) & ~(uint64_t)pad;
		if (!within(b, name, h.n_namesz) || !within(b, desc, h.n_descsz))
			return err_set(err, ERR_CONFIG, "its notes are torn");
		if (h.n_namesz == 8 && h.n_type == NOTE_TYPE &&
		    memcmp(b.p + name, "steward", 8) == 0)
			found = take_desc(b.p + desc, h.n_descsz, note, err);
		else if (h.n_namesz == 4 && h.n_type == GNU_BUILD_ID &&
			 memcmp(b.p + name, "GNU", 4) == 0) {
			note->build_id_len =
			    MIN(h.n_descsz, (uint32_t)ELF_BUILD_ID_MAX);
			memcpy(note->build_id, b.p + desc, note->build_id_len);
		}
		if (found < 0)
			return -1;
		at = (size_t)((desc + h.n_descsz + pad) & ~(uint64_t)pad);
	}
	return found;
}

static int
head_fits(struct bytes b, Elf64_Ehdr *h, struct err *err)
{
	if (b.size < sizeof *h || memcmp(b.p, ELFMAG, SELFMAG) != 0)
		return err_set(err, ERR_CONFIG, "it is no ELF object");
	memcpy(h, b.p, sizeof *h);
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
	    h->e_machine != MACHINE)
		return err_set(err, ERR_CONFIG, "it is for another machine");
	if (h->e_type != ET_DYN)
		return err_set(err, ERR_CONFIG, "it is no shared object");
	if (h->e_phentsize != sizeof(Elf64_Phdr) ||
	    !within(b, h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr)))
		return err_set(err, ERR_CONFIG, "it is truncated");
	return 0;
}

int
elf_note_read(const void *file, size_t size, struct elf_note *note, struct err *err)
{
	struct bytes b = {file, size};
	Elf64_Ehdr h = {0};
	int found = 0;
	*note = (struct elf_note){0};
	if (head_fits(b, &h, err) < 0)
		return -1;
	for (uint32_t i = 0; i < h.e_phnum; i++) {
		Elf64_Phdr ph;
		memcpy(&ph, b.p + h.e_phoff + (size_t)i * sizeof ph, sizeof ph);
		/* the loader would end us with SIGBUS */
		if (!within(b, ph.p_offset, ph.p_filesz))
			return err_set(err, ERR_CONFIG, "it is truncated");
		if (ph.p_type != PT_NOTE)
			continue;
		int got = segment((struct bytes){b.p + ph.p_offset, ph.p_filesz},
		    ph.p_align, note, err);
		if (got < 0)
			return -1;
		found |= got;
	}
	if (!found)
		return err_set(err, ERR_CONFIG,
		    "it has no note of a handler: is it made with STEWARD_HANDLER?");
	return 0;
}
