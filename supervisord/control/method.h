/*
 * method - the table of methods: the source of dispatch, checks and steward-control(7).
 */
#ifndef CONTROL_METHOD_H
#define CONTROL_METHOD_H

#include <stddef.h>

#include "control/caller.h"
#include "control/fault.h"
#include "proto/proto.h"
#include "json/json.h"

enum { METHOD_PARAMS = 5 };

enum param_type {
	PARAM_NONE, /* ends a list */
	PARAM_ID,   /* of a point of the tree, see find.h */
	PARAM_APP,  /* id of an application */
	PARAM_TEXT,
	PARAM_NUMBER, /* whole, not negative */
	PARAM_BOOL,
	PARAM_TEXTS,  /* array of strings */
	PARAM_SIGNAL, /* "HUP", "SIGHUP" or a number */
	PARAM_TYPE_MAX
};

extern const char *const param_type_words[PARAM_TYPE_MAX];

struct param {
	const char *name;
	enum param_type type;
	int required;
	const char *help;
};

struct call;

/* What a method's function returns. */
enum { METHOD_DONE = 0, METHOD_FAULT = -1, METHOD_WAITS = 1 };

struct method {
	const char *name;
	enum caller_role role; /* the least that may call it */
	enum verb verb;	       /* of the request it becomes; VERB_NONE: answered here */
	struct param params[METHOD_PARAMS];
	const char *help;   /* what it does */
	const char *result; /* what the answer holds */
	/* Fills the empty object `result`, or *f, or leaves a request under way. */
	int (*run)(struct call *call, struct json *result, struct fault *f);
};

extern const struct method methods[];
extern const size_t methods_n;
/* Every mutation takes this one too. */
extern const struct param method_timeout;

/* The row, or null with RPC_NO_METHOD. */
const struct method *method_find(const char *name, struct fault *f);
/* Is everything in params known, there if required, and of its type? */
int method_check(const struct method *m, const struct json *params, struct fault *f);
/* The number of a signal parameter, 0 if it is none. */
int method_signal(const struct json *value);

#endif
