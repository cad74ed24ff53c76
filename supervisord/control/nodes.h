/*
 * nodes - one point of the tree as JSON: the shape that tree.list, tree.get and the
 * answers of mutations share.  steward-control(7) lists its members.
 */
#ifndef CONTROL_NODES_H
#define CONTROL_NODES_H

#include "control/view.h"
#include "json/json.h"

/* {"reason": "{exit,3}", "words": "exited with status 3"} */
struct json *nodes_reason(const struct reason *re);
/* The short form.  `i` is the slot's number. */
struct json *nodes_json(
    const struct view *v, uint32_t i, const struct slot *s, uint64_t now_ms);
/* Adds what stands in the configuration. */
void nodes_config(const struct view *v, const struct slot *s, struct json *node);
/* A time in ms; "infinity" where it is. */
void nodes_set_ms(struct json *object, const char *key, uint64_t ms);
/* Is it a child that OTP would count as alive? */
int nodes_active(const struct slot *s);

#endif
