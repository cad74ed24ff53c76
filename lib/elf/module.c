#include "elf/module.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "elf/elf.h"
#include "elf/note.h"

struct check {
	const struct elf *elf;
	const struct elf_module_sink *sink;
	unsigned n;
};

PRINTF(2, 3)

static void
breach(struct check *c, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->sink->breach(c->sink->ctx, text);
	c->n++;
}

/* --- the dynamic section ------------------------------------------------------------- */

/* A text of the dynamic string table. */
static const char *
dynamic_text(const struct elf *elf, uint64_t offset)
{
	uint64_t address, size, at;
	if (!elf_dynamic_of(elf, DT_STRTAB, &address) ||
	    !elf_dynamic_of(elf, DT_STRSZ, &size) || !elf_offset_of(elf, address, &at))
		return NULL;
	return elf_text(elf_at(elf, at, size), offset);
}

static const char *const libraries[] = {"libc.so.6", "libm.so.6", "libcjson.so.1",
    "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"};

static void
check_needed(struct check *c)
{
	char shown[100];
	Elf64_Dyn d;
	for (unsigned i = 0; elf_dynamic(c->elf, i, &d); i++) {
		if (d.d_tag != DT_NEEDED)
			continue;
		const char *name = dynamic_text(c->elf, d.d_un.d_val);
		bool known = false;
		for (size_t k = 0; name != NULL && k < COUNT(libraries); k++)
			known |= strcmp(name, libraries[k]) == 0;
		if (!known)
			breach(c,
			    "it needs %s; a module may need libc, libm and libcjson only "
			    "(link others statically into it)",
			    name != NULL ? str_printable(name, shown, sizeof shown)
					 : "a library whose name is damaged");
	}
}

static bool
has_flag(const struct elf *elf, int64_t tag, uint64_t flag)
{
	uint64_t flags;
	return elf_dynamic_of(elf, tag, &flags) && (flags & flag) != 0;
}

static bool
has_tag(const struct elf *elf, int64_t tag)
{
	uint64_t value;
	return elf_dynamic_of(elf, tag, &value);
}

static void
check_flags(struct check *c)
{
	const struct elf *elf = c->elf;
	if (!has_flag(elf, DT_FLAGS, DF_BIND_NOW) &&
	    !has_flag(elf, DT_FLAGS_1, DF_1_NOW) && !has_tag(elf, DT_BIND_NOW))
		breach(c, "its symbols are bound late; link it with -Wl,-z,now");
	if (has_tag(elf, DT_TEXTREL) || has_flag(elf, DT_FLAGS, DF_TEXTREL))
		breach(c, "it has text relocations; compile it with -fPIC");
	if (has_flag(elf, DT_FLAGS, DF_STATIC_TLS))
		breach(c,
		    "it has thread-local data that must be there from the start; compile "
		    "it with -ftls-model=global-dynamic");
	if (has_tag(elf, DT_RPATH) || has_tag(elf, DT_RUNPATH))
		breach(c, "it brings a search path for libraries (RPATH)");
	if (has_flag(elf, DT_FLAGS_1, DF_1_NODELETE))
		breach(c, "it cannot be unloaded; link it without -z nodelete");
	if (has_flag(elf, DT_FLAGS_1, DF_1_INITFIRST | DF_1_GLOBAL | DF_1_INTERPOSE))
		breach(c, "it wants to stand before other libraries (-z initfirst, "
			  "interpose or global)");
}

static void
check_segments(struct check *c)
{
	Elf64_Phdr p;
	if (!elf_segment_of(c->elf, PT_DYNAMIC, &p))
		breach(c, "it has no dynamic section");
	if (elf_segment_of(c->elf, PT_GNU_STACK, &p) && (p.p_flags & PF_X) != 0)
		breach(c, "it wants an executable stack; link it with -z noexecstack");
	for (unsigned i = 0; elf_segment(c->elf, i, &p); i++)
		if (p.p_type == PT_LOAD && (p.p_flags & PF_W) != 0 &&
		    (p.p_flags & PF_X) != 0)
			breach(c, "a part of it is writable and executable at once");
}

/* --- what runs by itself ---------------------------------------------------------------- */

/*
 * gcc's and clang's start files put one function into each array (frame_dummy and
 * __do_global_dtors_aux, which do nothing here) and code of these lengths into .init and
 * .fini.  What is more than that is the module's own.
 */
struct stub {
	const char *what, *section;
	int64_t array_size, function;
	uint64_t most; /* bytes of the section */
};
static const struct stub stubs[] = {
#if defined(__x86_64__)
    {"constructors", ".init", DT_INIT_ARRAYSZ, DT_INIT, 0x1b},
    {"destructors", ".fini", DT_FINI_ARRAYSZ, DT_FINI, 0x0d},
#else
    {"constructors", ".init", DT_INIT_ARRAYSZ, DT_INIT, 0x18},
    {"destructors", ".fini", DT_FINI_ARRAYSZ, DT_FINI, 0x14},
#endif
};

static void
check_stub(struct check *c, const struct stub *s)
{
	uint64_t size = 0;
	Elf64_Shdr section;
	/* with the start files there is one of each, without them there is none */
	uint64_t most = has_tag(c->elf, s->function) ? sizeof(Elf64_Addr) : 0;
	(void)elf_dynamic_of(c->elf, s->array_size, &size);
	if (size > most || (elf_section_named(c->elf, s->section, &section) &&
			       section.sh_size > s->most))
		breach(c,
		    "it has %s (%s); nothing of a module may run but its callbacks",
		    s->what,
		    s->function == DT_INIT ? "__attribute__((constructor)), or C++ "
					     "statics"
					   : "__attribute__((destructor))");
}

#if defined(__x86_64__)
enum { RUNS_AT_LOAD = R_X86_64_IRELATIVE };
#else
enum { RUNS_AT_LOAD = R_AARCH64_IRELATIVE };
#endif

static void
check_relocations(struct check *c)
{
	Elf64_Shdr s;
	Elf64_Rela r;
	for (unsigned i = 0; elf_section(c->elf, i, &s); i++) {
		if (s.sh_type != SHT_RELA)
			continue;
		struct elf_bytes b = elf_at(c->elf, s.sh_offset, s.sh_size);
		for (size_t at = 0; at + sizeof r <= b.len; at += sizeof r) {
			memcpy(&r, b.data + at, sizeof r);
			if (ELF64_R_TYPE(r.r_info) == (unsigned)RUNS_AT_LOAD) {
				breach(c, "it chooses functions while it is loaded "
					  "(ifunc)");
				return;
			}
		}
	}
}

static void
check_start(struct check *c)
{
	for (size_t i = 0; i < COUNT(stubs); i++)
		check_stub(c, &stubs[i]);
	if (has_tag(c->elf, DT_PREINIT_ARRAY))
		breach(c, "it has code to run before everything else (preinit_array)");
	check_relocations(c);
}

/* --- symbols ------------------------------------------------------------------------------ */

static const struct {
	const char *name, *why;
} banned[] = {
    {"atexit", "would be called when the module is gone"},
    {"__cxa_atexit", "would be called when the module is gone"},
    {"on_exit", "would be called when the module is gone"},
    {"at_quick_exit", "would be called when the module is gone"},
    {"__cxa_at_quick_exit", "would be called when the module is gone"},
    {"__cxa_thread_atexit", "keeps the module loaded for ever"},
    {"__cxa_thread_atexit_impl", "keeps the module loaded for ever"},
    {"pthread_key_create", "its destructor would be called when the module is gone"},
    {"tss_create", "its destructor would be called when the module is gone"},
    {"pthread_create", "its thread would run on in a module that is gone"},
    {"thrd_create", "its thread would run on in a module that is gone"},
    {"pthread_atfork", "would be called when the module is gone"},
    {"__register_atfork", "would be called when the module is gone"},
    {"signal", "signals come to handle_info; a handler would outlive the module"},
    {"sigaction", "signals come to handle_info; a handler would outlive the module"},
};

static void
check_undefined(struct check *c, const char *name)
{
	for (size_t i = 0; i < COUNT(banned); i++)
		if (strcmp(name, banned[i].name) == 0)
			breach(c, "it uses %s: %s", name, banned[i].why);
}

/* 1 when this is the export that must be there. */
static int
check_defined(struct check *c, const char *name, const Elf64_Sym *sym)
{
	char shown[100];
	unsigned seen = ELF64_ST_VISIBILITY(sym->st_other);
	if (ELF64_ST_BIND(sym->st_info) == STB_GNU_UNIQUE)
		breach(c,
		    "%s is a unique symbol, which keeps the module loaded for ever; "
		    "compile it with -fno-gnu-unique",
		    str_printable(name, shown, sizeof shown));
	if (ELF64_ST_BIND(sym->st_info) == STB_LOCAL || seen == STV_HIDDEN ||
	    seen == STV_INTERNAL || ELF64_ST_TYPE(sym->st_info) == STT_SECTION)
		return 0;
	if (strcmp(name, ELF_MODULE_EXPORT) != 0) {
		breach(c,
		    "it exports %s; only " ELF_MODULE_EXPORT
		    " may be seen (compile it with -fvisibility=hidden)",
		    str_printable(name, shown, sizeof shown));
		return 0;
	}
	if (ELF64_ST_TYPE(sym->st_info) != STT_OBJECT)
		breach(c, ELF_MODULE_EXPORT " is no object");
	return 1;
}

static void
check_symbols(struct check *c)
{
	Elf64_Shdr s;
	Elf64_Sym sym;
	int exported = 0;
	if (!elf_section_of(c->elf, SHT_DYNSYM, &s)) {
		breach(c, "its table of symbols was stripped");
		return;
	}
	struct elf_bytes b = elf_at(c->elf, s.sh_offset, s.sh_size);
	struct elf_bytes texts = elf_linked_texts(c->elf, &s);
	for (size_t at = sizeof sym; at + sizeof sym <= b.len; at += sizeof sym) {
		memcpy(&sym, b.data + at, sizeof sym);
		const char *name = elf_text(texts, sym.st_name);
		if (name == NULL) {
			breach(c, "its table of symbols is damaged");
			return;
		}
		if (sym.st_shndx == SHN_UNDEF)
			check_undefined(c, name);
		else
			exported |= check_defined(c, name, &sym);
	}
	if (!exported)
		breach(c, "it does not export " ELF_MODULE_EXPORT);
}

unsigned
elf_module_check(const void *data, size_t len, const struct elf_module_sink *sink)
{
	struct err err = {.kind = ERR_NONE};
	struct elf_note note;
	struct elf elf;
	struct check c = {.elf = &elf, .sink = sink};
	if (elf_open(data, len, &elf, &err) < 0) {
		breach(&c, "%s", err.msg);
		return c.n;
	}
	if (elf_note_read(data, len, &note, &err) < 0)
		breach(&c, "%s", err.msg);
	check_segments(&c);
	check_flags(&c);
	check_needed(&c);
	check_start(&c);
	check_symbols(&c);
	return c.n;
}
