#include "conf/words.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "conf/envfile.h"
#include "conf/slurp.h"
#include "rows/rows.h"

enum { SHOWN = 80, FILES_FROM = 1 << 20 /* behind all configuration files */ };

void
words_init(struct words_reader *w, struct conf_doc *doc, const char *main_file)
{
	const char *slash = strrchr(main_file, '/');
	*w = (struct words_reader){
	    .arena = doc->arena, .diag = doc->diag, .nfiles = FILES_FROM};
	w->dir = slash == NULL ? "."
		 : slash == main_file
		     ? "/"
		     : arena_copy(doc->arena, main_file, (size_t)(slash - main_file));
	map_init(&w->files, w->arena);
}

static void
append(struct words_reader *w, struct words *out, const char *text)
{
	out->text =
	    arena_more(w->arena, out->text, out->n, &out->cap, sizeof(const char *));
	out->text[out->n++] = text;
}

/* Replaces %n and %% in place. */
static int
expand(char *word, bool instances, struct err *err)
{
	char *out = word;
	for (const char *p = word; *p != '\0'; p++) {
		if (*p != '%') {
			*out++ = *p;
			continue;
		}
		p++;
		if (*p == '%')
			*out++ = '%';
		else if (*p == 'n' && instances)
			*out++ = (char)WORDS_INSTANCE;
		else if (*p == 'n')
			return err_set(err, ERR_CONFIG,
			    "%%n is the number of an instance, but this has no instances; write %%%% for a percent sign");
		else
			return err_set(err, ERR_CONFIG,
			    "after %% only n (number of the instance) or another %% may stand; write %%%% for a percent sign");
	}
	*out = '\0';
	return 0;
}

void
words_split(struct words_reader *w, const struct conf_sec *sec, enum conf_key_id id,
    bool instances, struct words *out)
{
	struct err err;
	if (!doc_has(sec, id))
		return;
	const char *text = doc_text(sec, id);
	char *words = arena_alloc(w->arena, strlen(text) + 2);
	int64_t n = str_words(text, words, NULL);
	for (; n > 0; n--) {
		char *word = words;
		words += strlen(words) + 1;
		if (expand(word, instances, &err) < 0) {
			diag_error(w->diag, doc_place(sec, id), "%s: %s",
			    conf_keys[id].name, err.msg);
			return;
		}
		append(w, out, word);
	}
}

/* The first program of this name in the fixed PATH, else what exec shall complain about. */
static const char *
look_up(struct words_reader *w, const char *name, bool *found)
{
	static const char *const dirs[] = {"/usr/local/sbin", "/usr/local/bin",
	    "/usr/sbin", "/usr/bin", "/sbin", "/bin"};
	struct stat st;
	*found = true;
	for (size_t i = 0; i < COUNT(dirs); i++) {
		const char *path = arena_print(w->arena, "%s/%s", dirs[i], name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    (st.st_mode & 0111) != 0)
			return path;
	}
	*found = false;
	return arena_print(w->arena, "/usr/bin/%s", name);
}

void
words_command(struct words_reader *w, const struct conf_sec *sec, enum conf_key_id id,
    bool instances, struct words *out)
{
	char shown[SHOWN];
	struct place at = doc_place(sec, id);
	const char *key = conf_keys[id].name;
	uint32_t errors = w->diag->errors;
	bool found;
	words_split(w, sec, id, instances, out);
	if (!doc_has(sec, id) || w->diag->errors > errors)
		return;
	if (out->n == 0 || out->text[0][0] == '\0') {
		diag_error(w->diag, at, "%s: the program is missing", key);
		return;
	}
	const char *program = out->text[0];
	str_printable(program, shown, sizeof shown);
	if (program[0] == '/')
		return;
	if (strchr(program, '/') != NULL) {
		diag_error(w->diag, at,
		    "%s: '%s' is relative; write an absolute path, or a name without a slash to look up in PATH",
		    key, shown);
		return;
	}
	out->text[0] = look_up(w, program, &found);
	if (!found)
		diag_warn(
		    w->diag, at, "%s: there is no program '%s' in PATH", key, shown);
}

void
words_set(struct words_reader *w, struct words *env, const char *variable)
{
	size_t name = strcspn(variable, "=") + 1;
	for (uint32_t i = 0; i < env->n; i++)
		if (strncmp(env->text[i], variable, name) == 0) {
			env->text[i] = variable;
			return;
		}
	append(w, env, variable);
}

/* What the master sets itself, whatever is written. */
static bool
is_reserved(const char *variable)
{
	return str_starts(variable, "STEWARD_") ||
	       str_starts(variable, "NOTIFY_SOCKET=") ||
	       str_starts(variable, "LISTEN_FDS=") ||
	       str_starts(variable, "LISTEN_PID=") ||
	       str_starts(variable, "LISTEN_FDNAMES=") ||
	       str_starts(variable, "WATCHDOG_USEC=") ||
	       str_starts(variable, "WATCHDOG_PID=");
}

static void
warn_reserved(struct words_reader *w, struct place at, const char *variable)
{
	if (is_reserved(variable))
		diag_warn(w->diag, at, "the node sets %.*s itself; this value is lost",
		    (int)strcspn(variable, "="), variable);
}

struct found {
	struct words_reader *w;
	struct words *list;
};

static void
on_variable(void *ctx, struct place at, const char *variable)
{
	struct found *f = ctx;
	if (f->list->n > ROW_ARGV_MAX)
		return;
	if (f->list->n == ROW_ARGV_MAX) {
		diag_error(f->w->diag, at, "more than %d variables", ROW_ARGV_MAX);
		append(f->w, f->list, variable); /* said once */
		return;
	}
	warn_reserved(f->w, at, variable);
	words_set(f->w, f->list, variable);
}

/* The variables of one file, read once however many workers name it. */
static const struct words *
read_env_file(
    struct words_reader *w, struct place at, const char *key, const char *word)
{
	bool may_miss = word[0] == '-';
	const char *path = word + may_miss;
	struct conf_file *file = arena_alloc(w->arena, sizeof *file);
	struct found found = {.w = w};
	struct err err = {0};
	size_t len;
	if (path[0] != '/')
		path = arena_print(w->arena, "%s/%s", w->dir, path);
	uint32_t i = map_put_text(&w->files, path, w->nlists);
	if (i != MAP_NONE)
		return &w->lists[i];
	w->lists = arena_more(w->arena, w->lists, w->nlists, &w->cap, sizeof *w->lists);
	struct words list = {0};
	*file = (struct conf_file){path, ++w->nfiles};
	const char *text = slurp(w->arena, path, false, &len, &err);
	found.list = &list;
	if (text != NULL)
		envfile_parse(w->arena, file, text, len, on_variable, &found, w->diag);
	else if (!may_miss || err.kind != ERR_SYS || err.code != ENOENT)
		diag_error(w->diag, at, "%s: '%s': %s", key, path, err.msg);
	w->lists[w->nlists] = list;
	return &w->lists[w->nlists++];
}

void
words_env_files(struct words_reader *w, const struct conf_sec *sec, enum conf_key_id id,
    struct words *env)
{
	struct words paths = {0};
	words_split(w, sec, id, false, &paths);
	for (uint32_t i = 0; i < paths.n; i++) {
		const struct words *list = read_env_file(
		    w, doc_place(sec, id), conf_keys[id].name, paths.text[i]);
		for (uint32_t k = 0; k < list->n; k++)
			words_set(w, env, list->text[k]);
	}
}

void
words_environment(struct words_reader *w, const struct conf_sec *sec,
    enum conf_key_id id, bool instances, struct words *env)
{
	char shown[SHOWN];
	struct words words = {0};
	struct place at = doc_place(sec, id);
	words_split(w, sec, id, instances, &words);
	for (uint32_t i = 0; i < words.n; i++) {
		const char *word = words.text[i];
		size_t len = strcspn(word, "=");
		str_printable(word, shown, sizeof shown);
		if (word[len] == '\0')
			diag_error(w->diag, at,
			    "%s: '%s' is not NAME=value; quote values that have blanks: 'NAME=two words'",
			    conf_keys[id].name, shown);
		else if (!envfile_is_name(word, len))
			diag_error(w->diag, at,
			    "%s: '%s' has no name of a variable before its '='",
			    conf_keys[id].name, shown);
		else {
			warn_reserved(w, at, word);
			words_set(w, env, word);
		}
	}
}
