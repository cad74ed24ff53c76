/*
 * why - why is it as it is?  The last end in words, whose end caused it, the restart
 * window, who was stopped with it, what it waits for.
 */
#ifndef CONTROL_WHY_H
#define CONTROL_WHY_H

#include "control/call.h"

int why(struct call *call, struct json *result, struct fault *f);

#endif
