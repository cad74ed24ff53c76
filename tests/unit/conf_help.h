/* conf_help - configurations as texts, for the tests of lib/conf. */
#ifndef TESTS_CONF_HELP_H
#define TESTS_CONF_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "conf/conf.h"

struct loaded {
	struct conf conf;
	struct rows rows;
	char *said; /* all messages; owned */
	size_t said_len;
	int fd;
};

static const struct conf_options as_root = {.uid = 0, .gid = 0};

static inline int
load_bytes(
    struct loaded *l, const char *text, size_t len, const struct conf_options *opt)
{
	char path[64];
	memset(l, 0, sizeof *l);
	l->fd = memfd_create("conf", MFD_CLOEXEC);
	assert_int_equal(write(l->fd, text, len), (ssize_t)len);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", l->fd);
	int rc = conf_load(path, opt, &l->conf);
	FILE *out = open_memstream(&l->said, &l->said_len);
	assert_non_null(out);
	diag_print(&l->conf.diag, out);
	assert_int_equal(fclose(out), 0);
	if (rc == 0)
		assert_int_equal(
		    rows_check(l->conf.block, l->conf.size, &l->rows, NULL), 0);
	return rc;
}

static inline void
load_done(struct loaded *l)
{
	conf_free(&l->conf);
	free(l->said);
	close(l->fd);
}

/* Loads a text that must be fine. */
static inline void
load_good(struct loaded *l, const char *text)
{
	if (load_bytes(l, text, strlen(text), &as_root) != 0)
		fail_msg("%s", l->said);
}

/* The text must be refused with these words. */
static inline void
refused_as(const char *text, const char *words, const struct conf_options *opt)
{
	struct loaded l;
	if (load_bytes(&l, text, strlen(text), opt) == 0)
		fail_msg("accepted: %s", text);
	if (strstr(l.said, words) == NULL)
		fail_msg("'%s' is not in: %s", words, l.said);
	load_done(&l);
}

static inline void
refused(const char *text, const char *words)
{
	refused_as(text, words, &as_root);
}

static inline const struct row *
row_named(const struct loaded *l, const char *id, unsigned kind)
{
	for (uint32_t i = 0; i < l->rows.head->nrows; i++)
		if (l->rows.row[i].kind == kind &&
		    strcmp(rows_string(&l->rows, l->rows.row[i].id), id) == 0)
			return &l->rows.row[i];
	fail_msg("no row '%s'", id);
	return NULL;
}

static inline const struct row_exec *
exec_of(const struct loaded *l, const char *id)
{
	return &l->rows.exec[row_named(l, id, ROW_WORKER)->exec];
}

static inline const char *
arg_of(const struct loaded *l, const struct row_exec *e, uint32_t i)
{
	assert_true(i < e->argc);
	return rows_list_string(&l->rows, e->argv, i);
}

/* The value of a variable, or null. */
static inline const char *
variable_of(const struct loaded *l, const struct row_exec *e, const char *name)
{
	for (uint32_t i = 0; i < e->nenv; i++) {
		const char *s = rows_list_string(&l->rows, e->env, i);
		if (strncmp(s, name, strlen(name)) == 0 && s[strlen(name)] == '=')
			return s + strlen(name) + 1;
	}
	return NULL;
}

#endif
