/*
 * One that uses others, for tests; calls, answered when the thing is done:
 *   "call NAME TEXT"	the reply, or the status's number as {"status":N}
 *   "storm NAME N"	N calls "add 1", one after the other; the last reply
 *   "flood NAME N"	N calls "never" at once; how many came back busy
 *   "monitor NAME"	{"down":REASON}, when it comes
 *   "cast NAME TEXT"	"after MS NAME TEXT"  "cancel"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <steward/handler.h>

enum tag { TAG_CALL = 1, TAG_STORM, TAG_FLOOD, TAG_DOWN, TAG_AFTER };

struct driver {
	struct steward_ref asker;
	char name[STEWARD_NAME_MAX];
	long left, busy;
};

static int
init(struct steward_worker *w, const struct steward_args *args, void **state)
{
	(void)w;
	(void)args;
	*state = calloc(1, sizeof(struct driver));
	return *state != NULL ? 0 : -1;
}

static void
answer(struct steward_worker *w, const struct driver *d, const char *text)
{
	struct steward_data data = steward_json(text);
	(void)steward_reply(w, &d->asker, &data);
}

static void
add_one(struct steward_worker *w, const struct driver *d)
{
	struct steward_data data = steward_json("\"add 1\"");
	(void)steward_call(w, d->name, &data, 60000, TAG_STORM);
}

static void
flood(struct steward_worker *w, struct driver *d)
{
	struct steward_data data = steward_json("\"never\"");
	d->busy = 0;
	for (long i = 0; i < d->left; i++)
		(void)steward_call(w, d->name, &data, 300, TAG_FLOOD);
}

static enum steward_next
handle_call(struct steward_worker *w, const struct steward_request *r, void *state)
{
	struct driver *d = state;
	char text[512], rest[256] = "";
	long ms = 0;
	(void)snprintf(text, sizeof text, "%s",
	    (const char *)r->data.bytes + (*(const char *)r->data.bytes == '"'));
	text[strcspn(text, "\"")] = '\0';
	d->asker = r->from;
	struct steward_data data;
	if (sscanf(text, "call %67s %255[^\n]", d->name, rest) == 2) {
		(void)snprintf(text, sizeof text, "\"%s\"", rest);
		data = steward_json(text);
		if (steward_call(w, d->name, &data, 2000, TAG_CALL) == 0)
			return STEWARD_OK;
	} else if (sscanf(text, "storm %67s %ld", d->name, &d->left) == 2) {
		add_one(w, d);
		return STEWARD_OK;
	} else if (sscanf(text, "flood %67s %ld", d->name, &d->left) == 2) {
		flood(w, d);
		return STEWARD_OK;
	} else if (sscanf(text, "monitor %67s", d->name) == 1) {
		(void)steward_monitor(w, d->name, TAG_DOWN);
		return STEWARD_OK;
	} else if (sscanf(text, "after %ld %67s %255[^\n]", &ms, d->name, rest) == 3) {
		data = steward_json(rest);
		(void)steward_cast_after(w, (uint64_t)ms, d->name, &data, TAG_AFTER);
	} else if (strcmp(text, "cancel") == 0) {
		answer(w, d, steward_timer_cancel(w, TAG_AFTER) ? "true" : "false");
		return STEWARD_OK;
	} else if (strcmp(text, "demonitor") == 0) {
		answer(w, d, steward_demonitor(w, TAG_DOWN) ? "true" : "false");
		return STEWARD_OK;
	} else if (sscanf(text, "cast %67s %255[^\n]", d->name, rest) == 2) {
		data = steward_json(rest);
		(void)steward_cast(w, d->name, &data);
	}
	answer(w, d, "null");
	return STEWARD_OK;
}

static enum steward_next
handle_info(struct steward_worker *w, const struct steward_info *info, void *state)
{
	struct driver *d = state;
	char text[256];
	if (info->kind == STEWARD_DOWN) {
		(void)snprintf(text, sizeof text, "{\"down\":\"%s\",\"name\":\"%s\"}",
		    info->reason, info->name);
		answer(w, d, text);
	} else if (info->kind == STEWARD_REPLY && info->tag == TAG_FLOOD) {
		d->busy += info->status == STEWARD_BUSY;
		(void)snprintf(text, sizeof text, "%ld", d->busy);
		if (--d->left == 0)
			answer(w, d, text);
	} else if (info->kind == STEWARD_REPLY && info->status != STEWARD_DONE) {
		(void)snprintf(text, sizeof text, "{\"status\":%u}", info->status);
		answer(w, d, text);
	} else if (info->kind == STEWARD_REPLY && info->tag == TAG_STORM &&
		   --d->left > 0) {
		add_one(w, d);
	} else if (info->kind == STEWARD_REPLY) {
		(void)steward_reply(w, &d->asker, &info->data);
	}
	return STEWARD_OK;
}

STEWARD_HANDLER("driver", "1", 1, .init = init, .handle_call = handle_call,
    .handle_info = handle_info);
