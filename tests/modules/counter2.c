/*
 * The counter's second version, for tests: its state has another shape.  MODE, from the
 * compiler's command line, makes code_change misbehave:
 *   1 refuses   2 crashes   3 hangs   4 refuses outside of the rehearsal only
 *   5 crashes there only    6 hangs there only
 *   7 refuses there where the count is 13
 *   8 takes two seconds in the rehearsal
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <steward/handler.h>

#ifndef MODE
#define MODE 0
#endif
#ifndef NUMBER
#define NUMBER "2"
#endif

/* As counter.c has it. */
struct counter {
	long n;
	struct steward_ref later;
};

struct counter2 {
	char digits[24];
	struct steward_ref later;
};

static int
init(struct steward_worker *w, const struct steward_args *args, void **state)
{
	struct counter2 *c = calloc(1, sizeof *c);
	(void)w;
	(void)snprintf(c->digits, sizeof c->digits, "%ld",
	    args->argc > 0 ? atol(args->argv[0]) : 0);
	*state = c;
	return 0;
}

static void
answer(struct steward_worker *w, const struct steward_ref *to, const struct counter2 *c)
{
	char text[64];
	(void)snprintf(text, sizeof text, "{\"count\":%s}", c->digits);
	struct steward_data data = steward_json(text);
	(void)steward_reply(w, to, &data);
}

static enum steward_next
handle_call(struct steward_worker *w, const struct steward_request *r, void *state)
{
	struct counter2 *c = state;
	const char *text =
	    (const char *)r->data.bytes + (*(const char *)r->data.bytes == '"');
	if (strncmp(text, "add ", 4) == 0)
		(void)snprintf(c->digits, sizeof c->digits, "%ld",
		    atol(c->digits) + atol(text + 4));
	answer(w, &r->from, c);
	return STEWARD_OK;
}

static enum steward_next
handle_info(struct steward_worker *w, const struct steward_info *info, void *state)
{
	struct counter2 *c = state;
	if (info->kind == STEWARD_TIMER && info->tag == 7)
		answer(w, &c->later, c);
	return STEWARD_OK;
}

static int
misbehave(const struct steward_change *change, const void *old)
{
	if (MODE == 8 && change->rehearsal)
		(void)sleep(1);
	if (MODE == 8)
		return 0;
	if (MODE == 7)
		return !change->rehearsal && ((const struct counter *)old)->n == 13 ? -1
										    : 0;
	int mode = MODE > 3 ? (change->rehearsal ? 0 : MODE - 3) : MODE;
	if (mode == 2)
		abort();
	while (mode == 3)
		(void)pause();
	return mode == 1 ? -1 : 0;
}

static int
code_change(struct steward_worker *w, const struct steward_change *change, void *old,
    void **new)
{
	(void)w;
	if (misbehave(change, old) < 0)
		return -1;
	if (change->direction == STEWARD_UPGRADE) {
		const struct counter *from = old;
		struct counter2 *to = calloc(1, sizeof *to);
		(void)snprintf(to->digits, sizeof to->digits, "%ld", from->n);
		to->later = from->later;
		*new = to;
	} else {
		const struct counter2 *from = old;
		struct counter *to = calloc(1, sizeof *to);
		to->n = atol(from->digits);
		to->later = from->later;
		*new = to;
	}
	return 0;
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
	const struct counter2 *c = state;
	(void)w;
	steward_print(out, "counter with the digits %s", c->digits);
}

STEWARD_HANDLER("counter", NUMBER, 2, .init = init, .handle_call = handle_call,
    .handle_info = handle_info, .code_change = code_change, .discard = discard,
    .inspect = inspect);
