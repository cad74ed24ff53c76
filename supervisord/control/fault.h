/*
 * fault - why a request is answered with an error.
 *
 * A method that cannot answer fills one and returns -1; call.c makes the JSON-RPC error
 * of it.  `data` (owned, may be null) becomes members of error.data beside the name.
 */
#ifndef CONTROL_FAULT_H
#define CONTROL_FAULT_H

#include "base/err.h"
#include "json/json.h"
#include "json/rpc.h"

struct fault {
	enum rpc_error error;
	struct json *data;
	char text[512];
};

/* Returns -1, so that `return fault_set(...)` reads well. */
int fault_set(struct fault *f, enum rpc_error error, const char *fmt, ...) PRINTF(3, 4);
/* A member of error.data; takes value. */
void fault_data(struct fault *f, const char *key, struct json *value);
/* The error object of a response; the fault's data moves into it. */
struct json *fault_json(struct fault *f);

#endif
