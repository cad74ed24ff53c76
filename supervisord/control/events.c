#include "control/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/str.h"
#include "control/master.h"
#include "control/nodes.h"

struct events_sub {
	uint64_t next; /* number of the event to be sent next */
	struct events_filter filter;
};

static void
set_time(struct json *json, uint64_t real_ms)
{
	char text[40], day[24];
	time_t sec = (time_t)(real_ms / 1000);
	struct tm tm;
	if (gmtime_r(&sec, &tm) == NULL)
		return;
	(void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text, sizeof text, "%s.%03uZ", day, (unsigned)(real_ms % 1000));
	json_set_str(json, "time", text);
}

struct json *
events_json(const struct event *e)
{
	struct json *json = json_object();
	json_set_u64(json, "n", e->n);
	set_time(json, e->real_ms);
	json_set_u64(json, "time_ms", e->real_ms);
	json_set_str(json, "type", event_names[e->type]);
	json_set_str(json, "id", e->id);
	if (e->gen != 0)
		json_set_u64(json, "gen", e->gen);
	if (e->pid != 0)
		json_set_i64(json, "pid", e->pid);
	if (e->reason.type != RE_NONE)
		json_set(json, "reason", nodes_reason(&e->reason));
	if (e->value != 0)
		json_set_u64(json, "value", e->value);
	return json;
}

int
events_wanted(const struct events_filter *filter, const struct event *e)
{
	size_t len = strlen(filter->under);
	if (len == 0)
		return 1;
	if (strncmp(e->id, filter->under, len) != 0)
		return 0;
	return e->id[len] == '\0' || e->id[len] == '/' || e->id[len] == '#';
}

static void
notify(struct client *cl, const char *method, struct json *params)
{
	struct json *json = json_object();
	json_set_str(json, "jsonrpc", "2.0");
	json_set_str(json, "method", method);
	json_set(json, "params", params);
	char *line = json_print(json);
	client_send(cl, line);
	free(line);
	json_free(&json);
}

/* Tells how many were overwritten before this client came to them. */
static void
send_gap(struct control *c, struct client *cl, struct events_sub *sub)
{
	uint64_t oldest = view_oldest(&c->view);
	if (sub->next >= oldest)
		return;
	struct json *params = json_object();
	json_set_u64(params, "missed", oldest - sub->next);
	c->gap_events += oldest - sub->next;
	sub->next = oldest;
	notify(cl, "gap", params);
}

void
events_pump(struct control *c, struct client *cl)
{
	struct events_sub *sub = *client_sub(cl);
	struct event e;
	if (sub == NULL)
		return;
	while (client_unsent(cl) < CLIENT_OUT_SOFT) {
		send_gap(c, cl, sub);
		if (sub->next > view_newest(&c->view))
			return;
		if (view_event(&c->view, sub->next, &e) < 0) {
			/* Overwritten this instant; or never written whole. */
			if (sub->next >= view_oldest(&c->view))
				sub->next++;
			continue;
		}
		sub->next++;
		if (events_wanted(&sub->filter, &e))
			notify(cl, "event", events_json(&e));
	}
}

static void
ask_for_wakes(struct control *c)
{
	const struct msg m = {.type = MSG_SUBSCRIBE, .slot = SLOT_NONE, .value = 1};
	(void)master_send(c->master, &m, sizeof m);
}

void
events_subscribe(struct control *c, struct client *cl, uint64_t from,
    const struct events_filter *filter)
{
	struct events_sub **sub = client_sub(cl);
	if (*sub == NULL) {
		*sub = calloc(1, sizeof **sub);
		must(*sub != NULL);
		if (c->nsubs++ == 0)
			ask_for_wakes(c);
	}
	(*sub)->filter = *filter;
	(*sub)->next = from == 0 ? view_newest(&c->view) + 1 : from;
}

void
events_unsubscribe(struct control *c, struct client *cl)
{
	struct events_sub **sub = client_sub(cl);
	const struct msg m = {.type = MSG_SUBSCRIBE, .slot = SLOT_NONE, .value = 0};
	if (*sub == NULL)
		return;
	free(*sub);
	*sub = NULL;
	if (--c->nsubs == 0)
		(void)master_send(c->master, &m, sizeof m);
}

void
events_wake(struct control *c)
{
	clients_each_sub(c->clients, events_pump);
}
