/* The operator's requests: inspect, suspend, resume; see worker.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "worker/worker.h"

enum { SHOWN_MAX = 64 << 10 };

static void
sys_answer(
    struct caller *c, uint64_t ref, uint32_t status, const char *text, size_t len)
{
	struct frame f = {.kind = FRAME_SYS_REPLY,
	    .ref = ref,
	    .status = status,
	    .name = "",
	    .data = text,
	    .len = (uint32_t)len};
	(void)caller_send(c, &f);
}

/* `text` as a JSON string; what does not fit is left out. */
static void
print_string(struct steward_out *out, const char *text)
{
	size_t cap = strlen(text) * 6 + 1;
	char *quoted = malloc(cap);
	if (quoted != NULL && str_json(text, quoted, cap) == 0)
		steward_print(out, "\"%s\"", quoted);
	else
		steward_print(out, "\"\"");
	free(quoted);
}

static void
print_callers(struct steward_worker *w, struct steward_out *out)
{
	const char *comma = "";
	for (const struct caller *c = w->callers; c != NULL; c = c->next) {
		if (c->sys || !c->hello)
			continue;
		steward_print(out, "%s{\"id\":", comma);
		print_string(out, c->name);
		steward_print(out, ",\"uid\":%u,\"calls\":%u,\"monitors\":%u}", c->uid,
		    c->open, c->monitors);
		comma = ",";
	}
}

/* Frames that were read but not handed on; what is still in the kernel is not known. */
static uint32_t
queued(const struct steward_worker *w)
{
	uint32_t n = 0;
	for (const struct caller *c = w->callers; c != NULL; c = c->next) {
		struct conn_buf b = c->conn.in;
		struct frame f;
		for (size_t size; b.from < b.to; b.from += size, n++)
			if (frame_parse(b.bytes + b.from, b.to - b.from, &f, &size) !=
			    1)
				break;
	}
	return n;
}

static void
sys_inspect(struct caller *c, const struct frame *f)
{
	struct steward_worker *w = c->w;
	struct steward_out out = {0}, text = {0};
	if (w->module.h->inspect != NULL)
		w->module.h->inspect(w, w->state, &text);
	if (text.len > SHOWN_MAX)
		text.bytes[SHOWN_MAX] = '\0';
	steward_print(&out,
	    "{\"module\":\"%s\",\"version\":\"%s\",\"state_version\":%u,\"suspended\":%s,",
	    w->module.name, w->module.version, w->module.state_version,
	    w->suspended ? "true" : "false");
	steward_print(&out,
	    "\"queue\":%u,\"open_calls\":%u,\"calls\":%llu,\"casts\":%llu,\"infos\":%llu,"
	    "\"replies\":%llu,\"busy\":%llu,\"callers\":[",
	    queued(w), w->open_calls, (unsigned long long)w->count.calls,
	    (unsigned long long)w->count.casts, (unsigned long long)w->count.infos,
	    (unsigned long long)w->count.replies, (unsigned long long)w->count.busy);
	print_callers(w, &out);
	steward_print(&out, "],\"state\":");
	print_string(&out, text.len > 0 && !text.failed ? text.bytes : "");
	steward_print(&out, "}");
	if (out.failed)
		sys_answer(c, f->ref, STEWARD_BUSY, "no memory", 9);
	else
		sys_answer(c, f->ref, STEWARD_DONE, out.bytes, out.len);
	free(out.bytes);
	free(text.bytes);
}

static void
sys_pause(struct caller *c, const struct frame *f, int paused)
{
	struct steward_worker *w = c->w;
	if (w->swap.stage == SWAP_BETWEEN)
		w->swap.was_suspended = paused; /* carried out when it goes on */
	else if (w->suspended != paused)
		run_pause(w, paused);
	sys_answer(c, f->ref, STEWARD_DONE, "{}", 2);
}

static void
sys_suspend(struct caller *c, const struct frame *f)
{
	sys_pause(c, f, 1);
}

static void
sys_resume(struct caller *c, const struct frame *f)
{
	sys_pause(c, f, 0);
}

void
sys_request(struct caller *c, const struct frame *f)
{
	static const struct {
		const char *name;
		void (*carry_out)(struct caller *c, const struct frame *f);
	} verbs[] = {
	    {"inspect", sys_inspect},
	    {"suspend", sys_suspend},
	    {"resume", sys_resume},
	};

	static const char refusal[] =
	    "only root and the worker's own user may inspect, suspend and resume it";
	if (c->uid != 0 && c->uid != geteuid()) {
		sys_answer(c, f->ref, STEWARD_REFUSED, refusal, sizeof refusal - 1);
		return;
	}
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strcmp(f->name, verbs[i].name) == 0) {
			verbs[i].carry_out(c, f);
			return;
		}
	sys_answer(c, f->ref, STEWARD_REFUSED, "no such request", 15);
}
