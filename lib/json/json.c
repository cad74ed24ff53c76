#include "json/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

const char *const json_type_names[JSON_TYPE_MAX] = {
    [JSON_NULL] = "null",
    [JSON_BOOL] = "a boolean",
    [JSON_NUMBER] = "a number",
    [JSON_STRING] = "a string",
    [JSON_ARRAY] = "an array",
    [JSON_OBJECT] = "an object",
};
_Static_assert(COUNT(json_type_names) == JSON_TYPE_MAX, "one name a type");

/* Integers above this are not exact in a double. */
#define EXACT_MAX 9007199254740992.0

static struct json *
own(cJSON *c)
{
	must(c != NULL); /* out of memory */
	return (struct json *)c;
}

static cJSON *
raw(struct json *json)
{
	return (cJSON *)json;
}

/* cJSON's getters take const; its structs say the rest. */
static const cJSON *
see(const struct json *json)
{
	return (const cJSON *)json;
}

struct json *
json_parse(
    const char *text, size_t len, const struct json_limits *limits, struct err *err)
{
	if (json_check(text, len, limits, err) < 0)
		return NULL;
	cJSON *c = cJSON_ParseWithLength(text, len);
	if (c == NULL)
		err_set(err, ERR_PROTO, "this JSON could not be read");
	return (struct json *)c;
}

void
json_free(struct json **json)
{
	cJSON_Delete(raw(*json));
	*json = NULL;
}

struct json *
json_object(void)
{
	return own(cJSON_CreateObject());
}

struct json *
json_array(void)
{
	return own(cJSON_CreateArray());
}

struct json *
json_null(void)
{
	return own(cJSON_CreateNull());
}

/* A copy with '?' for what is not UTF-8; free() it. */
static char *
cleaned(const char *text)
{
	char *copy = strdup(text);
	must(copy != NULL);
	size_t len = strlen(copy), i = 0;
	while (i < len) {
		size_t n = json_utf8((unsigned char *)copy + i, len - i);
		if (n == 0)
			copy[i] = '?';
		i += n == 0 ? 1 : n;
	}
	return copy;
}

struct json *
json_string(const char *text)
{
	char *copy = cleaned(text);
	struct json *json = own(cJSON_CreateString(copy));
	free(copy);
	return json;
}

/*
 * Whole numbers are kept as their digits: cJSON would print each through a double and
 * read it back to see whether it survived.
 */
struct json *
json_integer(int64_t value)
{
	char text[32];
	(void)snprintf(text, sizeof text, "%lld", (long long)value);
	return own(cJSON_CreateRaw(text));
}

struct json *
json_copy(const struct json *json)
{
	return own(cJSON_Duplicate(see(json), 1));
}

void
json_set(struct json *object, const char *key, struct json *value)
{
	must(cJSON_AddItemToObject(raw(object), key, raw(value)));
}

void
json_set_str(struct json *object, const char *key, const char *value)
{
	json_set(object, key, json_string(value));
}

void
json_set_u64(struct json *object, const char *key, uint64_t value)
{
	char text[32];
	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	json_set(object, key, own(cJSON_CreateRaw(text)));
}

void
json_set_i64(struct json *object, const char *key, int64_t value)
{
	json_set(object, key, json_integer(value));
}

void
json_set_bool(struct json *object, const char *key, int value)
{
	json_set(object, key, own(cJSON_CreateBool(value)));
}

void
json_set_null(struct json *object, const char *key)
{
	json_set(object, key, json_null());
}

void
json_push(struct json *array, struct json *value)
{
	must(cJSON_AddItemToArray(raw(array), raw(value)));
}

void
json_push_str(struct json *array, const char *value)
{
	json_push(array, json_string(value));
}

enum json_type
json_type(const struct json *json)
{
	const cJSON *c = see(json);
	if (cJSON_IsBool(c))
		return JSON_BOOL;
	if (cJSON_IsNumber(c) || cJSON_IsRaw(c))
		return JSON_NUMBER;
	if (cJSON_IsString(c))
		return JSON_STRING;
	if (cJSON_IsArray(c))
		return JSON_ARRAY;
	return cJSON_IsObject(c) ? JSON_OBJECT : JSON_NULL;
}

int
json_is(const struct json *json, enum json_type type)
{
	return json != NULL && json_type(json) == type;
}

const struct json *
json_get(const struct json *object, const char *key)
{
	return (struct json *)cJSON_GetObjectItemCaseSensitive(see(object), key);
}

struct json *
json_take(struct json *object, const char *key)
{
	return (struct json *)cJSON_DetachItemFromObjectCaseSensitive(raw(object), key);
}

const char *
json_str(const struct json *json)
{
	return cJSON_GetStringValue(see(json));
}

const char *
json_get_str(const struct json *object, const char *key, const char *otherwise)
{
	const char *s = json_str(json_get(object, key));
	return s != NULL ? s : otherwise;
}

int
json_int(const struct json *json, int64_t *ret)
{
	if (!json_is(json, JSON_NUMBER))
		return -1;
	double d = cJSON_IsRaw(see(json)) ? strtod(see(json)->valuestring, NULL)
					  : see(json)->valuedouble;
	if (!(d > -EXACT_MAX && d < EXACT_MAX) || islessgreater(d, (double)(int64_t)d))
		return -1;
	*ret = (int64_t)d;
	return 0;
}

int64_t
json_get_int(const struct json *object, const char *key, int64_t otherwise)
{
	int64_t v = otherwise;
	return json_int(json_get(object, key), &v) < 0 ? otherwise : v;
}

int
json_true(const struct json *json)
{
	return cJSON_IsTrue(see(json));
}

int
json_get_bool(const struct json *object, const char *key)
{
	return json_true(json_get(object, key));
}

const struct json *
json_first(const struct json *json)
{
	return json == NULL ? NULL : (struct json *)see(json)->child;
}

const struct json *
json_next(const struct json *member)
{
	return (struct json *)see(member)->next;
}

const char *
json_key(const struct json *member)
{
	return see(member)->string;
}

size_t
json_count(const struct json *json)
{
	return json == NULL ? 0 : (size_t)cJSON_GetArraySize(see(json));
}

char *
json_print(const struct json *json)
{
	char *text = cJSON_PrintUnformatted(see(json));
	must(text != NULL);
	return text;
}

char *
json_print_pretty(const struct json *json)
{
	char *text = cJSON_Print(see(json));
	must(text != NULL);
	return text;
}
