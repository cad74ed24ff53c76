/*
 * events - the ring of events as JSON, and who wants to hear of new ones.
 *
 * The ring in run/state is the only buffer.  A subscriber has a position in it and is
 * given what lies between that and the newest as long as he reads; what was overwritten
 * before he came to it is one `gap` notification with the number missed.  So a slow
 * subscriber costs nobody anything.
 */
#ifndef CONTROL_EVENTS_H
#define CONTROL_EVENTS_H

#include "control/client.h"
#include "json/json.h"

struct events_filter {
	char under[ROW_ID_MAX]; /* "" all; an id and all that lies below it */
};

struct json *events_json(const struct event *e);
int events_wanted(const struct events_filter *filter, const struct event *e);
/* From event number `from` on (0: only new ones). */
void events_subscribe(struct control *c, struct client *cl, uint64_t from,
    const struct events_filter *filter);
void events_unsubscribe(struct control *c, struct client *cl);
/* Sends this client what it may have now. */
void events_pump(struct control *c, struct client *cl);
/* The master says that there are new ones. */
void events_wake(struct control *c);

#endif
