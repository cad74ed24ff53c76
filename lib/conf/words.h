/*
 * words - commands and environments of workers as lists of texts.
 *
 * %n becomes WORDS_INSTANCE, which the master replaces by the number of the instance, and
 * %% a percent sign; nothing else is expanded.
 */
#ifndef CONF_WORDS_H
#define CONF_WORDS_H

#include "conf/doc.h"

enum { WORDS_INSTANCE = 0x01 };

struct words {
	const char **text;
	uint32_t n, cap;
};

struct words_reader {
	struct arena *arena;
	struct diag *diag;
	const char *dir;  /* relative env files lie here */
	struct map files; /* env files that were read: index into lists */
	struct words *lists;
	uint32_t nlists, cap;
	uint32_t nfiles; /* numbers of files for the diag */
};

void words_init(struct words_reader *w, struct conf_doc *doc, const char *main_file);
/* The words of a value; `instances`: %n has a meaning. */
void words_split(struct words_reader *w, const struct conf_sec *sec,
    enum conf_key_id id, bool instances, struct words *out);
/* A command: words whose first is an absolute path. */
void words_command(struct words_reader *w, const struct conf_sec *sec,
    enum conf_key_id id, bool instances, struct words *out);
/* Sets "NAME=value" in the list: replaces an earlier value of the name. */
void words_set(struct words_reader *w, struct words *env, const char *variable);
/* Sets all variables of an `env_file` key. */
void words_env_files(struct words_reader *w, const struct conf_sec *sec,
    enum conf_key_id id, struct words *env);
/* Sets all variables of an `environment` key. */
void words_environment(struct words_reader *w, const struct conf_sec *sec,
    enum conf_key_id id, bool instances, struct words *env);

#endif
