/*
 * A counter for tests: calls "add N", "get", "later MS" (answers after a time), "never", "twice",
 * "stop REASON" (answers, then ends), "crash", "sleep MS"; casts "add N"; `args`: the number
 * it begins with, or "fail".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <steward/handler.h>

struct counter {
	long n;
	struct steward_ref later;
};

static int
init(struct steward_worker *w, const struct steward_args *args, void **state)
{
	if (args->argc > 0 && strcmp(args->argv[0], "fail") == 0) {
		steward_log(w, "told to fail");
		return -1;
	}
	struct counter *c = calloc(1, sizeof *c);
	c->n = args->argc > 0 ? atol(args->argv[0]) : 0;
	*state = c;
	return 0;
}

static void
answer(struct steward_worker *w, const struct steward_ref *to, long n)
{
	char text[32];
	(void)snprintf(text, sizeof text, "%ld", n);
	struct steward_data data = steward_json(text);
	(void)steward_reply(w, to, &data);
}

static enum steward_next
handle_call(struct steward_worker *w, const struct steward_request *r, void *state)
{
	struct counter *c = state;
	const char *text = r->data.bytes;
	if (*text == '"')
		text++;
	if (strncmp(text, "never", 5) == 0)
		return STEWARD_OK;
	if (strncmp(text, "crash", 5) == 0)
		abort();
	if (strncmp(text, "sleep ", 6) == 0)
		(void)usleep((useconds_t)atol(text + 6) * 1000);
	if (strncmp(text, "twice", 5) == 0) {
		struct steward_data data = steward_json("100");
		(void)steward_reply(w, &r->from, &data);
		if (steward_reply(w, &r->from, &data) < 0)
			steward_log(w, "the second reply: %s", strerror(errno));
		return STEWARD_OK;
	}
	if (strncmp(text, "later ", 6) == 0) {
		c->later = r->from;
		return steward_timer(w, strtoul(text + 6, NULL, 10), 7) == 0
			   ? STEWARD_OK
			   : STEWARD_STOP;
	}
	if (strncmp(text, "add ", 4) == 0)
		c->n += atol(text + 4);
	answer(w, &r->from, c->n);
	if (strncmp(text, "stop ", 5) == 0) {
		char reason[64];
		(void)snprintf(reason, sizeof reason, "%.*s",
		    (int)strcspn(text + 5, "\""), text + 5);
		steward_stop(w, reason);
		return STEWARD_STOP;
	}
	return STEWARD_OK;
}

static enum steward_next
handle_cast(struct steward_worker *w, const struct steward_cast *cast, void *state)
{
	struct counter *c = state;
	const char *text = cast->data.bytes;
	(void)w;
	if (strncmp(text + (*text == '"'), "add ", 4) == 0)
		c->n += atol(text + (*text == '"') + 4);
	return STEWARD_OK;
}

static enum steward_next
handle_info(struct steward_worker *w, const struct steward_info *info, void *state)
{
	struct counter *c = state;
	if (info->kind == STEWARD_TIMER && info->tag == 7)
		answer(w, &c->later, c->n);
	return STEWARD_OK;
}

static void
terminate(struct steward_worker *w, const char *reason, void *state)
{
	struct counter *c = state;
	steward_log(w, "terminate %s at %ld", reason, c->n);
	free(c);
}

static void
discard(void *state, uint32_t version)
{
	(void)version;
	free(state);
}

static void
inspect(struct steward_worker *w, const void *state, struct steward_out *out)
{
	const struct counter *c = state;
	(void)w;
	steward_print(out, "counter at %ld", c->n);
}

STEWARD_HANDLER("counter", "1", 1, .init = init, .handle_call = handle_call,
    .handle_cast = handle_cast, .handle_info = handle_info, .terminate = terminate,
    .discard = discard, .inspect = inspect);
