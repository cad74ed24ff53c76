/*
 * doc - a configuration as sections and keys, all known and of the right type.
 *
 * doc_read reads the main file and what it includes, and reports unknown sections, keys
 * and values, duplicates and missing keys.  The getters give the value, or the default
 * where nothing (or nothing valid) is written, so that one mistake is reported once.
 */
#ifndef CONF_DOC_H
#define CONF_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "conf/diag.h"
#include "conf/keys.h"

struct conf_entry {
	const struct conf_key *key;
	const char *text;
	struct place at;
	uint64_t num;
	bool bad; /* said already */
};

struct conf_sec {
	enum conf_section kind;
	const char *name; /* "" of [node] */
	struct place at;
	const struct conf_doc *doc; /* borrowed */
	struct conf_entry *entry;
	uint32_t n, cap;
};

struct conf_doc {
	struct arena *arena; /* borrowed, as is diag */
	struct diag *diag;
	struct conf_sec **sec; /* in the order of the files */
	uint32_t n, cap;
	struct map by_title;
	uint32_t nfiles;
	struct conf_sec *now; /* while reading; null: skip its entries */
	uint64_t default_num[CONF_KEY_MAX];
};

/* 0, or -1 when the main file itself cannot be read (in diag, too). */
int doc_read(
    struct conf_doc *doc, const char *path, struct arena *arena, struct diag *diag);
/* A section that nobody wrote. */
struct conf_sec *doc_add(
    struct conf_doc *doc, enum conf_section kind, const char *name);
/* The one section of this kind and name, or null. */
struct conf_sec *doc_find(
    const struct conf_doc *doc, enum conf_section kind, const char *name);

/* What is written, bad or not; null: nothing. */
const struct conf_entry *doc_entry(const struct conf_sec *sec, enum conf_key_id id);
/* A written and valid value? */
bool doc_has(const struct conf_sec *sec, enum conf_key_id id);
uint64_t doc_num(const struct conf_sec *sec, enum conf_key_id id);
/* Text; the default, or "" without one. */
const char *doc_text(const struct conf_sec *sec, enum conf_key_id id);
/* Where the key stands, else its section. */
struct place doc_place(const struct conf_sec *sec, enum conf_key_id id);

#endif
