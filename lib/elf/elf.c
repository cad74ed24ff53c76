#include "elf/elf.h"

#include <string.h>

#if defined(__x86_64__)
#define MACHINE	     EM_X86_64
#define MACHINE_NAME "x86-64"
#elif defined(__aarch64__)
#define MACHINE	     EM_AARCH64
#define MACHINE_NAME "arm64"
#else
#error "no machine that Steward knows"
#endif

/* Are both tables of headers, and all that will be mapped, in the file?  What is mapped
 * but not there is SIGBUS when it is touched. */
static int
is_whole(const struct elf *elf)
{
	const Elf64_Ehdr *h = &elf->head;
	Elf64_Phdr p;
	if (h->e_phnum == 0 || h->e_phentsize != sizeof p ||
	    elf_at(elf, h->e_phoff, h->e_phnum * sizeof p).data == NULL)
		return 0;
	if (h->e_shnum > 0 &&
	    (h->e_shentsize != sizeof(Elf64_Shdr) ||
		elf_at(elf, h->e_shoff, h->e_shnum * sizeof(Elf64_Shdr)).data == NULL))
		return 0;
	for (unsigned i = 0; elf_segment(elf, i, &p); i++)
		if (p.p_type == PT_LOAD &&
		    elf_at(elf, p.p_offset, p.p_filesz).data == NULL)
			return 0;
	return 1;
}

int
elf_open(const void *data, size_t len, struct elf *ret, struct err *err)
{
	struct elf elf = {.data = data, .len = len};
	const unsigned char *id = elf.head.e_ident;
	if (len < sizeof elf.head)
		return err_set(err, ERR_REFUSED, "it is too short for an ELF file");
	memcpy(&elf.head, data, sizeof elf.head);
	if (memcmp(id, ELFMAG, SELFMAG) != 0)
		return err_set(err, ERR_REFUSED, "it is no ELF file");
	if (id[EI_CLASS] != ELFCLASS64 || id[EI_DATA] != ELFDATA2LSB ||
	    id[EI_VERSION] != EV_CURRENT || elf.head.e_machine != MACHINE)
		return err_set(
		    err, ERR_REFUSED, "it was not built for 64-bit %s", MACHINE_NAME);
	if (elf.head.e_type != ET_DYN)
		return err_set(
		    err, ERR_REFUSED, "it is no shared object; link it with -shared");
	if (!is_whole(&elf))
		return err_set(
		    err, ERR_REFUSED, "it is cut off, or its ELF headers are damaged");
	*ret = elf;
	return 0;
}

struct elf_bytes
elf_at(const struct elf *elf, uint64_t offset, uint64_t len)
{
	struct elf_bytes none = {NULL, 0};
	if (offset > elf->len || len > elf->len - offset)
		return none;
	return (struct elf_bytes){elf->data + offset, (size_t)len};
}

/* Entry i of a table of entries of `size` that begins at `offset`, copied to ret. */
static int
entry(const struct elf *elf, uint64_t offset, uint64_t i, size_t size, void *ret)
{
	if (offset > elf->len)
		return 0;
	struct elf_bytes b = elf_at(elf, offset + i * size, size);
	if (b.data == NULL)
		return 0;
	memcpy(ret, b.data, size);
	return 1;
}

int
elf_segment(const struct elf *elf, unsigned i, Elf64_Phdr *ret)
{
	return i < elf->head.e_phnum &&
	       entry(elf, elf->head.e_phoff, i, sizeof *ret, ret);
}

int
elf_section(const struct elf *elf, unsigned i, Elf64_Shdr *ret)
{
	return i < elf->head.e_shnum &&
	       entry(elf, elf->head.e_shoff, i, sizeof *ret, ret);
}

int
elf_segment_of(const struct elf *elf, uint32_t type, Elf64_Phdr *ret)
{
	Elf64_Phdr p;
	for (unsigned i = 0; elf_segment(elf, i, &p); i++)
		if (p.p_type == type) {
			*ret = p;
			return 1;
		}
	return 0;
}

int
elf_section_of(const struct elf *elf, uint32_t type, Elf64_Shdr *ret)
{
	Elf64_Shdr s;
	for (unsigned i = 0; elf_section(elf, i, &s); i++)
		if (s.sh_type == type) {
			*ret = s;
			return 1;
		}
	return 0;
}

int
elf_section_named(const struct elf *elf, const char *name, Elf64_Shdr *ret)
{
	Elf64_Shdr s, names;
	if (!elf_section(elf, elf->head.e_shstrndx, &names))
		return 0;
	struct elf_bytes texts = elf_at(elf, names.sh_offset, names.sh_size);
	for (unsigned i = 0; elf_section(elf, i, &s); i++) {
		const char *text = elf_text(texts, s.sh_name);
		if (text != NULL && strcmp(text, name) == 0) {
			*ret = s;
			return 1;
		}
	}
	return 0;
}

const char *
elf_text(struct elf_bytes table, uint64_t offset)
{
	if (table.data == NULL || offset >= table.len ||
	    memchr(table.data + offset, '\0', table.len - (size_t)offset) == NULL)
		return NULL;
	return (const char *)table.data + offset;
}

struct elf_bytes
elf_linked_texts(const struct elf *elf, const Elf64_Shdr *section)
{
	Elf64_Shdr texts;
	if (!elf_section(elf, section->sh_link, &texts) || texts.sh_type != SHT_STRTAB)
		return (struct elf_bytes){NULL, 0};
	return elf_at(elf, texts.sh_offset, texts.sh_size);
}

int
elf_dynamic(const struct elf *elf, unsigned i, Elf64_Dyn *ret)
{
	Elf64_Phdr p;
	Elf64_Dyn d;
	if (!elf_segment_of(elf, PT_DYNAMIC, &p) || i >= p.p_filesz / sizeof d ||
	    !entry(elf, p.p_offset, i, sizeof d, &d) || d.d_tag == DT_NULL)
		return 0;
	*ret = d;
	return 1;
}

int
elf_dynamic_of(const struct elf *elf, int64_t tag, uint64_t *value)
{
	Elf64_Dyn d;
	for (unsigned i = 0; elf_dynamic(elf, i, &d); i++)
		if (d.d_tag == tag) {
			*value = d.d_un.d_val;
			return 1;
		}
	return 0;
}

int
elf_offset_of(const struct elf *elf, uint64_t address, uint64_t *offset)
{
	Elf64_Phdr p;
	for (unsigned i = 0; elf_segment(elf, i, &p); i++)
		if (p.p_type == PT_LOAD && address >= p.p_vaddr &&
		    address - p.p_vaddr < p.p_filesz) {
			*offset = p.p_offset + (address - p.p_vaddr);
			return 1;
		}
	return 0;
}
