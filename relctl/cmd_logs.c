/*
 * relctl logs - what workers wrote.
 */
#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "client.h"
#include "logfile.h"
#include "logtext.h"
#include "nodes.h"
#include "rows/rows.h"
#include "table.h"

enum { O_FOLLOW, O_LINES, O_SINCE };

enum { LINES_DEFAULT = 50, LOOK_AGAIN_MS = 1000 };

/* How lines are shown. */
struct show {
	int json, colours;
	size_t width; /* of the longest id; 0: no names */
};

/* A colour by name, so that a worker keeps its own. */
static unsigned
colour_of(const char *id)
{
	static const unsigned colours[] = {36, 33, 32, 35, 34, 96, 93, 92, 95, 94};
	unsigned h = 0;
	for (; *id != '\0'; id++)
		h = h * 31 + (unsigned char)*id;
	return colours[h % COUNT(colours)];
}

static void
print_json_line(const char *id, const char *text, size_t len)
{
	struct json *json = json_object();
	uint64_t ms = logtext_time_ms(text, len);
	size_t skip = ms > 0 ? MIN(len, (size_t)28) : 0;
	char *line = strndup(text + skip, len - skip);
	char time[28];
	must(line != NULL);
	json_set_str(json, "id", id);
	if (ms > 0) {
		memcpy(time, text, 27);
		time[27] = '\0';
		json_set_str(json, "time", time);
	}
	json_set_str(json, "line", line);
	cmd_print_json(json);
	free(line);
	json_free(&json);
}

/* A terminal is not handed control characters that a worker wrote, but tab and colour. */
static void
print_text(const char *text, size_t len, int on_terminal)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		int odd = (c < ' ' && c != '\t') || c == 127;
		if (odd && on_terminal)
			(void)printf("^%c", c == 127 ? '?' : c + '@');
		else
			(void)putchar(c);
	}
	(void)putchar('\n');
}

static void
on_line(void *arg, const char *id, const char *text, size_t len)
{
	const struct show *show = arg;
	if (show->json) {
		print_json_line(id, text, len);
		return;
	}
	if (show->width > 0 && show->colours)
		(void)printf(
		    "\033[%um%-*s\033[0m | ", colour_of(id), (int)show->width, id);
	else if (show->width > 0)
		(void)printf("%-*s | ", (int)show->width, id);
	print_text(text, len, isatty(STDOUT_FILENO));
}

/* "5m" is five minutes ago; a date or time as the lines have it is taken as well. */
static int
parse_since(struct cmd *cmd, uint64_t *since_ms)
{
	const char *text = cmd->option[O_SINCE];
	char full[32];
	uint64_t ago_ms = 0;
	*since_ms = 0;
	if (text == NULL)
		return 0;
	if (str_time_ms(text, &ago_ms, NULL) == 0) {
		uint64_t now_ms = (uint64_t)time(NULL) * 1000;
		*since_ms = ago_ms < now_ms ? now_ms - ago_ms : 0;
		return 0;
	}
	/* 2026-11-21, 2026-11-21T11:00, 2026-11-21T11:00:00 */
	static const char rest[] = "0000-01-01T00:00:00.000000Z";
	size_t len = strlen(text);
	if (len >= 10 && len < sizeof rest) {
		len -= text[len - 1] == 'Z';
		(void)snprintf(full, sizeof full, "%.*s%s", (int)len, text, rest + len);
		full[10] = 'T';
		*since_ms = logtext_time_ms(full, strlen(full));
	}
	if (*since_ms != 0)
		return 0;
	err_set(&cmd->err, ERR_USAGE,
	    "--since '%s' is no time; write 5m, 2h or 2026-11-21T11:00:00 (UTC)", text);
	return -1;
}

/* The directory the node writes to; without a node the usual one. */
static void
ask_log_dir(struct cmd *cmd)
{
	struct json *info = cmd_call(cmd, "node.info", NULL);
	const char *dir = json_get_str(json_get(info, "dirs"), "log", NULL);
	if (dir != NULL)
		(void)snprintf(cmd->log_dir, sizeof cmd->log_dir, "%s", dir);
	json_free(&info);
}

/*
 * Without a node the names of files tell: a word with a slash or `node` stands for itself,
 * another for every LOGDIR/APP/WORD.log and its instances.
 */
static void
find_files(const struct cmd *cmd, const char *word, struct ids *ids)
{
	size_t before = ids->n, skip = strlen(cmd->log_dir) + 1;
	for (size_t i = 0; i < 2 && strchr(word, '/') == NULL; i++) {
		char pattern[1024], id[ROW_ID_MAX];
		glob_t found = {.gl_pathc = 0};
		if (i == 0)
			(void)snprintf(
			    pattern, sizeof pattern, "%s/*/%s.log", cmd->log_dir, word);
		else
			(void)snprintf(pattern, sizeof pattern, "%s/*/%s#*.log",
			    cmd->log_dir, word);
		if (glob(pattern, 0, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++) {
			const char *path = found.gl_pathv[k] + skip;
			(void)snprintf(id, sizeof id, "%.*s",
			    (int)MIN(strlen(path) - 4, sizeof id - 1), path);
			ids_add(ids, id);
		}
		globfree(&found);
	}
	if (ids->n == before)
		ids_add(ids, word);
}

/* What has left the tree may still have a log; cmd->err stays if it has none. */
static int
without_node(struct cmd *cmd, const char *id, struct ids *ids)
{
	struct logfile *f = logfile_open(cmd->log_dir, id, NULL);
	if (f == NULL)
		return 0;
	logfile_close(&f);
	ids_add(ids, id);
	cmd->err.kind = ERR_NONE;
	return 1;
}

/* Ids as the node knows them, pools unfolded. */
static int
find_ids(struct cmd *cmd, struct ids *ids)
{
	struct ids words;
	if (cmd->client == NULL) {
		cmd->err.kind = ERR_NONE;
		*ids = (struct ids){NULL, 0};
		for (unsigned i = 0; i < cmd->nwords; i++)
			find_files(cmd, cmd->words[i], ids);
		return 0;
	}
	if (ids_expand(cmd, 0, 0, &words) < 0)
		return -1;
	*ids = (struct ids){NULL, 0};
	for (size_t i = 0; i < words.n; i++) {
		struct nodes nodes;
		if (strcmp(words.id[i], "node") == 0) {
			ids_add(ids, "node");
			continue;
		}
		if (nodes_fetch(cmd, words.id[i], 0, &nodes) < 0) {
			if (without_node(cmd, words.id[i], ids))
				continue;
			ids_clear(&words);
			ids_clear(ids);
			return -1;
		}
		for (size_t k = 0; k < nodes.n; k++)
			if (node_is_worker(&nodes.node[k]))
				ids_add(ids, nodes.node[k].id);
		nodes_clear(&nodes);
	}
	ids_clear(&words);
	return 0;
}

/* Watches the directories of all files; -1 if that is not possible here. */
static int
watch_dirs(struct logfile **files, size_t n)
{
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (size_t i = 0; i < n && watch >= 0; i++) {
		char dir[1024];
		(void)snprintf(dir, sizeof dir, "%s", logfile_path(files[i]));
		char *slash = strrchr(dir, '/');
		if (slash != NULL)
			*slash = '\0';
		if (inotify_add_watch(watch, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) <
		    0) {
			close(watch);
			watch = -1;
		}
	}
	return watch;
}

static int
follow(struct cmd *cmd, struct logfile **files, size_t n, struct show *show)
{
	const struct logfile_sink sink = {on_line, show};
	char junk[4096] __attribute__((aligned(8)));
	int watch = watch_dirs(files, n);
	/* The second entry tells when nobody reads us any more. */
	struct pollfd p[2] = {{.fd = watch, .events = POLLIN}, {.fd = STDOUT_FILENO}};
	for (;;) {
		for (size_t i = 0; i < n; i++)
			if (logfile_more(files[i], &sink, &cmd->err) < 0)
				return cmd_fail(cmd);
		if (fflush(stdout) != 0)
			return 0;
		if (poll(p, 2, watch < 0 ? LOOK_AGAIN_MS : -1) < 0 && errno != EINTR)
			return 0;
		if ((p[1].revents & (POLLERR | POLLNVAL)) != 0)
			return 0;
		while (watch >= 0 && read(watch, junk, sizeof junk) > 0)
			;
	}
}

/* What the node knows may write later; with -f it is waited for. */
static struct logfile *
await(struct cmd *cmd, const char *id)
{
	struct nodes nodes;
	struct err err = cmd->err;
	if (cmd->option[O_FOLLOW] == NULL || cmd->client == NULL)
		return NULL;
	if (strcmp(id, "node") != 0) {
		if (nodes_fetch(cmd, id, 0, &nodes) < 0) {
			cmd->err = err;
			return NULL;
		}
		nodes_clear(&nodes);
	}
	return logfile_await(cmd->log_dir, id);
}

/* Opens all files; those that are not there are complained of. */
static size_t
open_all(
    struct cmd *cmd, const struct ids *ids, struct logfile **files, struct show *show)
{
	size_t n = 0;
	for (size_t i = 0; i < ids->n; i++) {
		struct err err;
		files[n] = logfile_open(cmd->log_dir, ids->id[i], &err);
		if (files[n] == NULL && err.kind == ERR_UNKNOWN_NAME)
			files[n] = await(cmd, ids->id[i]);
		if (files[n] == NULL && ids->n > 1)
			cmd_complain("%s", err.msg);
		if (files[n] == NULL) {
			cmd->err = err;
			continue;
		}
		if (ids->n > 1)
			show->width = MAX(show->width, strlen(ids->id[i]));
		n++;
	}
	if (n > 0)
		cmd->err.kind = ERR_NONE;
	return n;
}

static int
show_all(struct cmd *cmd, const struct ids *ids, size_t lines, uint64_t since_ms)
{
	struct show show = {.json = cmd->json, .colours = table_colours()};
	const struct logfile_sink sink = {on_line, &show};
	struct logfile **files = calloc(ids->n + 1, sizeof(struct logfile *));
	must(files != NULL);
	size_t n = open_all(cmd, ids, files, &show);
	int code = n > 0 || ids->n == 0 ? 0 : cmd_fail(cmd);
	for (size_t i = 0; i < n && code == 0; i++)
		if (logfile_last(files[i], lines, since_ms, &cmd->err) < 0)
			code = cmd_fail(cmd);
	if (code == 0)
		logfile_give(files, n, &sink);
	if (code == 0 && n > 0 && cmd->option[O_FOLLOW] != NULL)
		code = follow(cmd, files, n, &show);
	for (size_t i = 0; i < n; i++) {
		if (cmd->option[O_FOLLOW] == NULL)
			logfile_rest(files[i], &sink);
		logfile_close(&files[i]);
	}
	free(files);
	return code;
}

static int
run(struct cmd *cmd)
{
	uint64_t n = LINES_DEFAULT, since_ms = 0;
	struct ids ids;
	if (cmd->option[O_SINCE] != NULL)
		n = SIZE_MAX;
	if (cmd->option[O_LINES] != NULL && strcmp(cmd->option[O_LINES], "all") == 0)
		n = SIZE_MAX;
	else if (cmd->option[O_LINES] != NULL &&
		 str_number(cmd->option[O_LINES], 0, 1000000000, &n, &cmd->err) < 0) {
		err_wrap(&cmd->err, "-n");
		cmd->err.kind = ERR_USAGE;
		return cmd_fail(cmd);
	}
	if (parse_since(cmd, &since_ms) < 0)
		return cmd_fail(cmd);
	ask_log_dir(cmd);
	if (find_ids(cmd, &ids) < 0)
		return cmd_fail(cmd);
	int code = show_all(cmd, &ids, n, since_ms);
	ids_clear(&ids);
	return code;
}

const struct cmd_entry cmd_logs_entry = {.name = "logs",
    .args = "[-f] [-n N] [--since TIME] ID...",
    .help = "show what workers wrote",
    .more =
	"The ID `node` is the log of the node itself.  Of a supervisor or pool all "
	"workers are shown, merged by time, each line with its name in front.  Works without a node "
	"too, if the files can be read.",
    .role = "read",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .options = {[O_FOLLOW] = {"follow", 'f', NULL,
		    "go on with what is written from now"},
	[O_LINES] = {"lines", 'n', "N", "the last N lines of each (50), or `all`"},
	[O_SINCE] = {"since", 0, "TIME",
	    "only lines from then on: 5m (ago) or 2026-11-21T11:00:00 (UTC)"}},
    .run = run};
