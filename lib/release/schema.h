/*
 * schema - are the members of a JSON object those of a table?
 *
 * For manifests: an object may hold what its table names, each once, of its type, and must
 * hold what is required.  What is wrong is said with where it stands.  Pure.
 */
#ifndef RELEASE_SCHEMA_H
#define RELEASE_SCHEMA_H

#include <stddef.h>

#include "base/err.h"
#include "json/json.h"

struct schema_field {
	const char *name;
	enum json_type type;
	int required;
};

struct schema {
	const struct schema_field *field;
	size_t n;
};

/* where: "", or "modules[2]: " and the like, which begins the sentence. */
int schema_check(const struct json *object, const struct schema *schema,
    const char *where, struct err *err);

#endif
