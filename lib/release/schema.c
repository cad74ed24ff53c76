#include "release/schema.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

enum { FIELDS_MAX = 32 };

static const struct schema_field *
find(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->n; i++)
		if (strcmp(schema->field[i].name, name) == 0)
			return &schema->field[i];
	return NULL;
}

static int
unknown(
    const struct schema *schema, const char *name, const char *where, struct err *err)
{
	const char *names[FIELDS_MAX];
	char shown[80];
	size_t n = MIN(schema->n, (size_t)FIELDS_MAX);
	for (size_t i = 0; i < n; i++)
		names[i] = schema->field[i].name;
	const char *near = str_nearest(name, names, n);
	(void)str_printable(name, shown, sizeof shown);
	if (near != NULL)
		return err_set(err, ERR_REFUSED,
		    "%sunknown member '%s'; did you mean '%s'?", where, shown, near);
	return err_set(err, ERR_REFUSED, "%sunknown member '%s'", where, shown);
}

static int
check_member(const struct json *m, const struct schema *schema, const char *where,
    struct err *err)
{
	const struct schema_field *f = find(schema, json_key(m));
	if (f == NULL)
		return unknown(schema, json_key(m), where, err);
	if (!json_is(m, f->type))
		return err_set(err, ERR_REFUSED, "%s'%s' is %s, but has to be %s",
		    where, f->name, json_type_names[json_type(m)],
		    json_type_names[f->type]);
	return 0;
}

int
schema_check(const struct json *object, const struct schema *schema, const char *where,
    struct err *err)
{
	if (!json_is(object, JSON_OBJECT))
		return err_set(err, ERR_REFUSED, "%sthis has to be an object", where);
	for (const struct json *m = json_first(object); m != NULL; m = json_next(m)) {
		if (check_member(m, schema, where, err) < 0)
			return -1;
		if (json_get(object, json_key(m)) != m)
			return err_set(err, ERR_REFUSED, "%s'%s' stands there twice",
			    where, json_key(m));
	}
	for (size_t i = 0; i < schema->n; i++)
		if (schema->field[i].required &&
		    json_get(object, schema->field[i].name) == NULL)
			return err_set(err, ERR_REFUSED, "%s'%s' is missing", where,
			    schema->field[i].name);
	return 0;
}
