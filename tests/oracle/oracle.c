/*
 * oracle FIRST COUNT CASES TRACES: writes the cases of the seeds FIRST.. as Erlang terms,
 * and what the pure core makes of each, a line a case.
 */
#include <stdlib.h>
#include <string.h>

#include "case.h"

/* Instances have no order: neighbouring stops of one pool are written by number. */
static int
same_pool_stops(const char *a, const char *b)
{
	const char *dot = strchr(a, '.');
	return dot != NULL && a[0] == 'x' && strncmp(a, b, (size_t)(dot - a) + 1) == 0;
}

/* The supervisor whose child the word is about, -1 for all that is no s, f or x. */
static int
place_of(const struct ocase *c, const char *word)
{
	char *end;
	if (strchr("sfx", word[0]) == NULL)
		return -1;
	unsigned long row = strtoul(word + 1, &end, 10);
	return end == word + 1 ? -1 : (int)c->plan.node[row].row.parent;
}

/* Where something dies in the middle of a start or stop, two supervisors may be at work
 * at the same time: then each supervisor's own order counts, event by event. */
static void
by_supervisor(const struct ocase *c, char **word, size_t n)
{
	for (size_t k = 1; k < n; k++) {
		char *p = word[k];
		size_t j = k;
		for (; p[0] != '|' && j > 0 && word[j - 1][0] != '|' &&
		       place_of(c, p) < place_of(c, word[j - 1]);
		     j--)
			word[j] = word[j - 1];
		word[j] = p;
	}
}

static void
sort_pools(char **word, size_t n)
{
	for (size_t k = 1; k < n; k++) {
		char *p = word[k];
		size_t j = k;
		for (; j > 0 && same_pool_stops(p, word[j - 1]) &&
		       strtoul(strchr(p, '.') + 1, NULL, 10) <
			   strtoul(strchr(word[j - 1], '.') + 1, NULL, 10);
		     j--)
			word[j] = word[j - 1];
		word[j] = p;
	}
}

static void
write_trace(const struct ocase *c, const char *trace, FILE *out)
{
	static char text[TRACE_MAX];
	static char *word[TRACE_MAX / 2];
	size_t n = 0;
	(void)snprintf(text, sizeof text, "%s", trace);
	for (char *save, *p = strtok_r(text, " ", &save); p != NULL;
	     p = strtok_r(NULL, " ", &save))
		word[n++] = p;
	if (c->nhooks > 0)
		by_supervisor(c, word, n);
	sort_pools(word, n);
	for (size_t k = 0; k < n; k++)
		(void)fprintf(out, k > 0 ? " %s" : "%s", word[k]);
	(void)fputc('\n', out);
}

int
main(int argc, char **argv)
{
	if (argc != 5) {
		(void)fprintf(stderr, "usage: oracle FIRST COUNT CASES TRACES\n");
		return 2;
	}
	uint64_t first = strtoull(argv[1], NULL, 10);
	uint32_t count = (uint32_t)strtoul(argv[2], NULL, 10);
	FILE *cases = fopen(argv[3], "w"), *traces = fopen(argv[4], "w");
	if (cases == NULL || traces == NULL) {
		perror("oracle: cannot write");
		return 1;
	}
	static struct ocase c;
	struct world *w = world_new();
	for (uint32_t k = 0; k < count; k++) {
		case_make(&c, first + k);
		case_write(&c, k, cases);
		write_trace(&c, case_run(w, &c), traces);
	}
	world_free(&w);
	int bad = fclose(cases) != 0;
	bad |= fclose(traces) != 0;
	return bad;
}
