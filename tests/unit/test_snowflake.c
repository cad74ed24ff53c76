/* The demo's two versions side by side, as an upgrade loads them: code_change up and down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <dlfcn.h>

#include "base/util.h"
#include "steward/handler.h"

enum { TEXT_MAX = 4096 };

/* What a module may ask of its worker, as far as these do. */
struct steward_worker {
	uint64_t tag;
	unsigned status;
	char headers[TEXT_MAX], body[TEXT_MAX], log[TEXT_MAX];
};

struct steward_out {
	char text[TEXT_MAX];
};

int
steward_http_serve(struct steward_worker *w, const char *socket, uint64_t tag)
{
	w->tag = tag;
	return strcmp(socket, "http") == 0 ? 0 : -1;
}

int
steward_http_reply(struct steward_worker *w, uint64_t id, unsigned status,
    const char *const *headers, const struct steward_data *body)
{
	assert_int_equal(id, 7);
	w->status = status;
	w->headers[0] = w->body[0] = '\0';
	for (size_t len = 0; headers != NULL && *headers != NULL; headers++)
		len += (size_t)snprintf(
		    w->headers + len, sizeof w->headers - len, "%s\n", *headers);
	if (body != NULL)
		(void)snprintf(w->body, sizeof w->body, "%.*s", (int)body->len,
		    (const char *)body->bytes);
	return 0;
}

void
steward_log(struct steward_worker *w, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(w->log, sizeof w->log, format, ap);
	va_end(ap);
}

void
steward_print(struct steward_out *out, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(out->text, sizeof out->text, format, ap);
	va_end(ap);
}

struct steward_data
steward_json(const char *text)
{
	return (struct steward_data){text, strlen(text), STEWARD_JSON};
}

struct steward_data
steward_bytes(const void *bytes, size_t len)
{
	return (struct steward_data){bytes, len, STEWARD_BYTES};
}

static const struct steward_handler *v1, *v2;
static struct steward_worker worker;

/* build/X/unit/test_snowflake -> build/X/releases/snowflake/N/lib/snowflake.so */
static const struct steward_handler *
load(const char *version)
{
	char self[TEXT_MAX], path[TEXT_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	assert_true(n > 0);
	self[n] = '\0';
	for (int i = 0; i < 2; i++)
		*strrchr(self, '/') = '\0';
	(void)snprintf(path, sizeof path, "%s/releases/snowflake/%s/lib/snowflake.so",
	    self, version);
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL)
		fail_msg("%s", dlerror());
	return dlsym(handle, "steward_handler");
}

static int
load_both(void **state)
{
	(void)state;
	v1 = load("1");
	v2 = load("2");
	return v1 == NULL || v2 == NULL;
}

static void *
start(const struct steward_handler *h)
{
	void *state = NULL;
	worker = (struct steward_worker){0};
	assert_int_equal(h->init(&worker, &(struct steward_args){0}, &state), 0);
	return state;
}

static unsigned
ask_body(const struct steward_handler *h, void *state, const char *method,
    const char *path, struct steward_data body)
{
	struct steward_http http = {.id = 7,
	    .method = method,
	    .path = path,
	    .query = "",
	    .type = "application/x-www-form-urlencoded",
	    .accept = "",
	    .peer = "",
	    .body = body};
	struct steward_info info = {
	    .kind = STEWARD_HTTP, .tag = worker.tag, .http = &http};
	worker.status = 0;
	assert_int_equal(h->handle_info(&worker, &info, state), STEWARD_OK);
	return worker.status;
}

static unsigned
ask(const struct steward_handler *h, void *state, const char *method, const char *path)
{
	return ask_body(h, state, method, path, steward_bytes("", 0));
}

static unsigned
put(const struct steward_handler *h, void *state, const char *id, const char *form)
{
	char path[128];
	(void)snprintf(path, sizeof path, "/users/%s", id);
	return ask_body(h, state, "PUT", path, steward_bytes(form, strlen(form)));
}

static void
shows(const struct steward_handler *h, const void *state, const char *text)
{
	static struct steward_out out;
	h->inspect(&worker, state, &out);
	assert_string_equal(out.text, text);
}

static void *
changed(void *old, uint32_t from, uint32_t to)
{
	struct steward_change change = {
	    .direction = to > from ? STEWARD_UPGRADE : STEWARD_DOWNGRADE,
	    .old_version = from,
	    .new_version = to,
	    .extra = ""};
	void *new = NULL;
	assert_int_equal(v2->code_change(&worker, &change, old, &new), 0);
	return new;
}

static void
descriptors(void **state)
{
	(void)state;
	assert_int_equal(v1->state_version, 1);
	assert_int_equal(v2->state_version, 2);
	assert_string_equal(v1->name, v2->name);
	assert_null(v1->code_change); /* the newer one knows the way, up and down */
}

static void
documents(void **state)
{
	static const struct {
		const char *form, *v1, *v2;
	} row[] = {
	    {"password=pass", "{\"password\": \"pass\", \"user_id\": \"u\"}",
		"{\"password\": \"pass\", \"userId\": \"u\"}"},
	    {"a=b&password=p+a%26%22%5C%0a&c=d",
		"{\"password\": \"p a&\\\"\\\\\\u000a\", \"user_id\": \"u\"}",
		"{\"password\": \"p a&\\\"\\\\\\u000a\", \"userId\": \"u\"}"},
	    {"password=", "{\"password\": \"\", \"user_id\": \"u\"}",
		"{\"password\": \"\", \"userId\": \"u\"}"},
	    {"password=%C3%A4", "{\"password\": \"\xc3\xa4\", \"user_id\": \"u\"}",
		"{\"password\": \"\xc3\xa4\", \"userId\": \"u\"}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++)
		for (int v = 1; v <= 2; v++) {
			const struct steward_handler *h = v == 1 ? v1 : v2;
			void *s = start(h);
			assert_int_equal(put(h, s, "u", row[i].form), 201);
			assert_string_equal(worker.headers, "Location: /users/u\n");
			assert_int_equal(ask(h, s, "GET", "/users/u"), 200);
			assert_string_equal(
			    worker.body, v == 1 ? row[i].v1 : row[i].v2);
			h->discard(s, h->state_version);
		}
}

static void
refusals(void **state)
{
	static const char *const forms[] = {"", "password", "passwor=x", "password=%",
	    "password=%4", "password=%zz", "password=%00", "password=%ff",
	    "password=%c0%80", "password=%ed%a0%80", "&&&"};
	static const char *const paths[] = {"/", "", "*", "/users", "/users/",
	    "/users/a/b", "/users/\n", "/users/a b", "/Users/a", "/users/ü",
	    "/users/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const char *const methods[] = {"POST", "PATCH", "OPTIONS", "get", ""};
	(void)state;
	for (int v = 1; v <= 2; v++) {
		const struct steward_handler *h = v == 1 ? v1 : v2;
		void *s = start(h);
		for (size_t i = 0; i < COUNT(forms); i++)
			assert_int_equal(put(h, s, "u", forms[i]), 400);
		for (size_t i = 0; i < COUNT(paths); i++)
			assert_int_equal(ask(h, s, "GET", paths[i]), 404);
		for (size_t i = 0; i < COUNT(methods); i++) {
			assert_int_equal(ask(h, s, methods[i], "/users/u"), 405);
			assert_non_null(
			    strstr(worker.headers, "Allow: GET, HEAD, PUT, DELETE\n"));
		}
		assert_int_equal(ask(h, s, "DELETE", "/users/u"), 404);
		shows(h, s, v == 1 ? "0 users" : "0 users, 0 created");
		h->discard(s, h->state_version);
	}
}

/* Up, and the old state is as it was; down, and the order they came in is kept. */
static void
up_and_down(void **state)
{
	static const char *const ids[] = {"mo", "zoe", "al", "kim", "bo"};
	char form[64], want[128];
	(void)state;
	void *old = start(v1);
	for (size_t i = 0; i < COUNT(ids); i++) {
		(void)snprintf(form, sizeof form, "password=p%zu", i);
		assert_int_equal(put(v1, old, ids[i], form), 201);
	}
	void *new = changed(old, 1, 2);
	shows(v1, old, "5 users");
	shows(v2, new, "5 users, 5 created");
	assert_int_equal(ask(v1, old, "GET", "/users/al"), 200);
	for (size_t i = 0; i < COUNT(ids); i++) {
		(void)snprintf(form, sizeof form, "/users/%s", ids[i]);
		(void)snprintf(want, sizeof want,
		    "{\"password\": \"p%zu\", \"userId\": \"%s\"}", i, ids[i]);
		assert_int_equal(ask(v2, new, "GET", form), 200);
		assert_string_equal(worker.body, want);
	}
	v2->discard(old, 1); /* committed: the new module frees the old one's state */
	assert_int_equal(ask(v2, new, "DELETE", "/users/zoe"), 204);
	assert_int_equal(put(v2, new, "zoe", "password=again"), 201);
	shows(v2, new, "5 users, 6 created");
	void *down = changed(new, 2, 1);
	shows(v2, new, "5 users, 6 created");
	shows(v1, down, "5 users");
	assert_int_equal(ask(v1, down, "GET", "/users/zoe"), 200);
	assert_string_equal(
	    worker.body, "{\"password\": \"again\", \"user_id\": \"zoe\"}");
	v2->discard(new, 2);
	void *up = changed(down, 1, 2);
	shows(v2, up, "5 users, 5 created");
	v1->discard(down, 1);
	v2->discard(up, 2);
}

/* An upgrade that is undone: the new state goes, the old one serves on. */
static void
undone(void **state)
{
	(void)state;
	void *old = start(v1);
	assert_int_equal(put(v1, old, "u", "password=x"), 201);
	for (int i = 0; i < 3; i++)
		v2->discard(changed(old, 1, 2), 2);
	assert_int_equal(put(v1, old, "u", "password=y"), 200);
	assert_string_equal(worker.body, "{\"password\": \"y\", \"user_id\": \"u\"}");
	v1->discard(old, 1);
	void *empty = start(v2);
	void *down = changed(empty, 2, 1);
	shows(v1, down, "0 users");
	v2->discard(empty, 2);
	v2->discard(down, 1);
}

static void
unknown_versions(void **state)
{
	static const uint32_t ways[][2] = {{0, 2}, {1, 3}, {3, 2}, {2, 2}, {1, 1}};
	(void)state;
	void *old = start(v1);
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct steward_change change = {
		    .old_version = ways[i][0], .new_version = ways[i][1]};
		void *new = NULL;
		assert_int_equal(v2->code_change(&worker, &change, old, &new), -1);
		assert_null(new);
		assert_non_null(strstr(worker.log, "no way from state version"));
	}
	v1->discard(old, 1);
}

static void
many(void **state)
{
	enum { N = 3000 };

	char id[32], form[64];
	(void)state;
	void *s = start(v1);
	for (unsigned i = 0; i < N; i++) {
		(void)snprintf(id, sizeof id, "u%u", i * 7919 % N);
		(void)snprintf(form, sizeof form, "password=p%u", i);
		assert_int_equal(put(v1, s, id, form), 201);
	}
	for (int i = 0; i < 4; i++) {
		void *new = changed(s, i % 2 == 0 ? 1 : 2, i % 2 == 0 ? 2 : 1);
		v2->discard(s, i % 2 == 0 ? 1 : 2);
		s = new;
	}
	shows(v1, s, "3000 users");
	for (unsigned i = 0; i < N; i += 97) {
		(void)snprintf(form, sizeof form, "/users/u%u", i * 7919 % N);
		(void)snprintf(id, sizeof id, "\"p%u\"", i);
		assert_int_equal(ask(v1, s, "GET", form), 200);
		assert_non_null(strstr(worker.body, id));
	}
	v1->discard(s, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(descriptors),
	    cmocka_unit_test(documents),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(up_and_down),
	    cmocka_unit_test(undone),
	    cmocka_unit_test(unknown_versions),
	    cmocka_unit_test(many),
	};
	return cmocka_run_group_tests(tests, load_both, NULL);
}
