#include "conf/conf.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "conf/emit.h"
#include "conf/handler.h"
#include "conf/slurp.h"

/* The ids of --disabled; a missing file has none. */
static void
read_disabled(struct conf *conf, const char *path, struct map *ids)
{
	struct err err = {0};
	size_t len;
	map_init(ids, &conf->arena);
	if (path == NULL)
		return;
	char *text = slurp(&conf->arena, path, false, &len, &err);
	if (text == NULL) {
		if (err.kind != ERR_SYS || err.code != ENOENT)
			diag_warn(&conf->diag, (struct place){0},
			    "the list of disabled workers %s: %s", path, err.msg);
		return;
	}
	for (char *line = text, *end; line < text + len; line = end + 1) {
		end = line + strcspn(line, "\n");
		*end = '\0';
		(void)map_put_text(ids, line, 1);
	}
}

static int
node_oom_score(void)
{
	char text[16];
	int64_t score;
	ssize_t n = fd_read_file(-1, "/proc/self/oom_score_adj", text, sizeof text);
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	return n > 0 && str_integer(text, -1000, 1000, &score, NULL) == 0 ? (int)score
									  : INT_MAX;
}

static void
load(struct conf *conf, struct conf_doc *doc, const char *path,
    const struct conf_options *options)
{
	struct tree tree;
	struct words_reader words;
	struct users users;
	struct err err;
	words_init(&words, doc, path);
	users_init(&users, &conf->arena, options->uid, options->gid);
	tree_build(&tree, doc);
	tree_order(&tree);
	struct emitter em = {.tree = &tree,
	    .exec = {.build = conf->build,
		.words = &words,
		.users = &users,
		.diag = &conf->diag,
		.arena = &conf->arena,
		.tree = &tree,
		.root = options->root != NULL ? options->root : "",
		.node_oom_score = node_oom_score()}};
	em.init = options->init;
	read_disabled(conf, options->disabled, &em.disabled);
	emit_sockets(&em);
	conf->sockets = em.exec.nsockets;
	handler_mailboxes(&em);
	emit_node(&em);
	emit_tree(&em);
	conf->applications = tree.napps;
	conf->supervisors = em.sups - tree.napps;
	conf->workers = em.workers;

	if (conf->diag.errors == 0 &&
	    rows_build_finish(conf->build, &conf->block, &conf->size, &err) < 0)
		diag_error(&conf->diag, (struct place){0}, "%s", err.msg);
}

int
conf_load(const char *path, const struct conf_options *options, struct conf *conf)
{
	struct conf_doc doc;
	*conf = (struct conf){.build = rows_build_new()};
	if (doc_read(&doc, path, &conf->arena, &conf->diag) == 0)
		load(conf, &doc, path, options);
	return conf->diag.errors == 0 ? 0 : -1;
}

void
conf_free(struct conf *conf)
{
	rows_build_free(&conf->build);
	diag_free(&conf->diag);
	arena_free(&conf->arena);
	*conf = (struct conf){0};
}
