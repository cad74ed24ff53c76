/*
 * read - methods answered from the view alone: the node, the tree, events.
 */
#ifndef CONTROL_READ_H
#define CONTROL_READ_H

#include "control/call.h"

int read_node_info(struct call *call, struct json *result, struct fault *f);
int read_tree_list(struct call *call, struct json *result, struct fault *f);
int read_tree_get(struct call *call, struct json *result, struct fault *f);
int read_which_children(struct call *call, struct json *result, struct fault *f);
int read_count_children(struct call *call, struct json *result, struct fault *f);
int read_events_list(struct call *call, struct json *result, struct fault *f);
int read_events_subscribe(struct call *call, struct json *result, struct fault *f);
int read_events_unsubscribe(struct call *call, struct json *result, struct fault *f);

#endif
