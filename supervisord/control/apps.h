/*
 * apps - methods about applications that are answered from the view.
 */
#ifndef CONTROL_APPS_H
#define CONTROL_APPS_H

#include "control/call.h"

int apps_list(struct call *call, struct json *result, struct fault *f);
int apps_info(struct call *call, struct json *result, struct fault *f);
int apps_env(struct call *call, struct json *result, struct fault *f);

#endif
