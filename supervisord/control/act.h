/*
 * act - methods that the master carries out.
 *
 * Each function turns names into slots and rows and leaves a request under way; the
 * master's answer becomes the result, or an error, in act_answer.
 */
#ifndef CONTROL_ACT_H
#define CONTROL_ACT_H

#include "control/call.h"

int act_on_id(struct call *call, struct json *result, struct fault *f);
int act_signal(struct call *call, struct json *result, struct fault *f);
int act_scale(struct call *call, struct json *result, struct fault *f);
int act_start_child(struct call *call, struct json *result, struct fault *f);
int act_app(struct call *call, struct json *result, struct fault *f);
int act_setenv(struct call *call, struct json *result, struct fault *f);
int act_reload(struct call *call, struct json *result, struct fault *f);
int act_shutdown(struct call *call, struct json *result, struct fault *f);
int act_reexec(struct call *call, struct json *result, struct fault *f);
int act_plain(struct call *call, struct json *result, struct fault *f);

/* Fills result, or *f and returns -1.  *fd, if there is one, may be taken (then -1). */
int act_answer(struct call *call, const struct msg_reply *reply, int *fd,
    struct json *result, struct fault *f);

#endif
