/* A case as an Erlang term. */
#include "base/util.h"
#include "case.h"

static const char *const why_words[] = {
    [WHY_NORMAL] = "normal", [WHY_SHUTDOWN] = "shutdown", [WHY_CRASH] = "crash"};
static const char *const script_words[] = {
    [DO_FAIL] = "fail",
    [DO_DIE] = "die",
    [DO_START_CHILD] = "start_child",
    [DO_TERMINATE] = "terminate_child",
    [DO_RESTART] = "restart_child",
    [DO_DELETE] = "delete_child",
};
static const char *const auto_words[] = {
    [AUTO_NEVER] = "never",
    [AUTO_ANY_SIGNIFICANT] = "any_significant",
    [AUTO_ALL_SIGNIFICANT] = "all_significant",
};
_Static_assert(COUNT(why_words) == WHY_MAX, "a word for each reason");
_Static_assert(COUNT(script_words) == SCRIPT_MAX, "a word for each event");
_Static_assert(COUNT(auto_words) == AUTO_MAX, "a word for each auto_shutdown");

static void
write_key(struct key k, FILE *out)
{
	if (k.tag == NO_TAG)
		(void)fprintf(out, "%u", k.row);
	else
		(void)fprintf(out, "{%u,%u}", k.row, k.tag);
}

static void
write_victims(const struct victim *v, uint32_t n, FILE *out)
{
	(void)fputc('[', out);
	for (uint32_t k = 0; k < n; k++) {
		(void)fputs(k > 0 ? ",{" : "{", out);
		write_key(v[k].key, out);
		(void)fprintf(out, ",%s}", why_words[v[k].why]);
	}
	(void)fputc(']', out);
}

static void
write_shutdown(uint64_t stop_ms, FILE *out)
{
	if (stop_ms == 0)
		(void)fputs("brutal_kill", out);
	else if (stop_ms == MS_INFINITY)
		(void)fputs("infinity", out);
	else
		(void)fprintf(out, "%lu", (unsigned long)stop_ms);
}

/* {Id, Parent, Kind, Strategy, Intensity, Auto, Restart, Shutdown, Significant, Dynamic} */
static void
write_node(const struct row *r, uint32_t k, FILE *out)
{
	static const char *const kinds[] = {"app", "sup", "worker", "template"};
	static const char *const strategies[] = {
	    "one_for_one", "one_for_all", "rest_for_one", "simple_one_for_one"};
	static const char *const restarts[] = {"permanent", "transient", "temporary"};
	(void)fprintf(out, "%s{%u,%d,%s,%s,%u,%s,%s,", k > 0 ? ",\n  " : "", k,
	    r->parent == ROW_NONE ? -1 : (int)r->parent, kinds[r->kind],
	    strategies[r->strategy], r->intensity, auto_words[r->auto_shutdown],
	    restarts[r->restart]);
	write_shutdown(r->stop_ms, out);
	(void)fprintf(out, ",%s,%s}", r->flags & ROWF_SIGNIFICANT ? "true" : "false",
	    r->flags & ROWF_DYNAMIC ? "true" : "false");
}

static void
write_event(const struct script *e, uint32_t k, FILE *out)
{
	(void)fprintf(out, "%s{%s,", k > 0 ? "," : "", script_words[e->type]);
	if (e->type == DO_DIE) {
		write_victims(e->victim, e->nvictims, out);
	} else {
		write_key(e->key, out);
		if (e->type == DO_FAIL)
			(void)fprintf(out, ",%u", e->count);
	}
	(void)fputc('}', out);
}

void
case_write(const struct ocase *c, uint32_t number, FILE *out)
{
	(void)fprintf(out, "{%u,\n [", number);
	for (uint32_t k = 0; k < c->plan.n; k++)
		write_node(&c->plan.node[k].row, k, out);
	(void)fputs("],\n [", out);
	for (uint32_t k = 0, n = 0; k < c->plan.n; k++)
		if (c->fails[k] > 0)
			(void)fprintf(
			    out, "%s{%u,%u}", n++ > 0 ? "," : "", k, c->fails[k]);
	(void)fputs("],\n [", out);
	for (uint32_t k = 0; k < c->nhooks; k++) {
		const struct hook *h = &c->hook[k];
		(void)fprintf(out, "%s{%s,%u,%u,", k > 0 ? "," : "",
		    h->at_stop ? "stop" : "start", h->row, h->nth);
		write_victims(&h->victim, 1, out);
		(void)fputc('}', out);
	}
	(void)fputs("],\n [", out);
	for (uint32_t k = 0; k < c->nevents; k++)
		write_event(&c->event[k], k, out);
	(void)fputs("]}.\n", out);
}
