/*
 * json - JSON values, by cJSON.  The one room that includes its header.
 *
 * A tree is owned by who made or parsed it and ends with json_free; json_set and
 * json_push take what they are given.  Everything json_get and friends return is
 * borrowed from the tree.  Text that is not UTF-8 (a worker's own words) is put in
 * with '?' for each bad byte, so what is printed is always valid JSON.  Out of
 * memory ends the process: only roles and tools use this.
 *
 * The bytes of a parsed text went through json_check before cJSON saw them.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "json/json_check.h"

struct json; /* a value; never defined */

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
	JSON_TYPE_MAX
};

extern const char *const json_type_names[JSON_TYPE_MAX];

/* The tree, or null with ERR_PROTO. */
struct json *json_parse(
    const char *text, size_t len, const struct json_limits *limits, struct err *err);
void json_free(struct json **json);

struct json *json_object(void);
struct json *json_array(void);
struct json *json_null(void);
struct json *json_string(const char *text);
struct json *json_integer(int64_t value);
struct json *json_copy(const struct json *json);

/* Put a member in; the first takes ownership of value. */
void json_set(struct json *object, const char *key, struct json *value);
void json_set_str(struct json *object, const char *key, const char *value);
void json_set_u64(struct json *object, const char *key, uint64_t value);
void json_set_i64(struct json *object, const char *key, int64_t value);
void json_set_bool(struct json *object, const char *key, int value);
void json_set_null(struct json *object, const char *key);
void json_push(struct json *array, struct json *value);
void json_push_str(struct json *array, const char *value);

enum json_type json_type(const struct json *json);
int json_is(const struct json *json, enum json_type type); /* false for null pointer */
/* The member of an object, or null (also when json is null or no object). */
const struct json *json_get(const struct json *object, const char *key);
/* Takes a member out; the caller owns it.  Null if there is none. */
struct json *json_take(struct json *object, const char *key);
/* The text of a string, else null. */
const char *json_str(const struct json *json);
/* A member's text, or `otherwise`. */
const char *json_get_str(
    const struct json *object, const char *key, const char *otherwise);
/* A whole number in the range of a double's exact integers.  0 or -1. */
int json_int(const struct json *json, int64_t *ret);
/* A member's number, or `otherwise`. */
int64_t json_get_int(const struct json *object, const char *key, int64_t otherwise);
int json_true(const struct json *json); /* is it the value true? */
int json_get_bool(const struct json *object, const char *key);
/* Members in order. */
const struct json *json_first(const struct json *json);
const struct json *json_next(const struct json *member);
const char *json_key(const struct json *member); /* null in an array */
size_t json_count(const struct json *json);

/* Text of one line, or indented; free() it. */
char *json_print(const struct json *json);
char *json_print_pretty(const struct json *json);

#endif
