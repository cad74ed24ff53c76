/*
 * fuzz_adopt - a hostile run/state, followed by the next master.
 *
 * The input is a list of changes to the state of a node that runs: where and what.  What
 * state_fault lets through is recovered, gets every input there is, and must not lead
 * outside of its arrays or round in a circle.
 */
#include "master/state_sane.h"
#include "master/tree.h"
#include "tests/unit/test_control_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NSLOTS = 24 };

struct change {
	uint8_t slot, len;
	uint16_t at;
	uint8_t value[4];
};

static struct tree tree;
static struct rows rows;
static uint32_t slot_of_row[ROWS_MAX];
static struct state_head good_head;
static struct slot good[NSLOTS];

static void *
zeroed(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(p != MAP_FAILED);
	return p;
}

static void
give(enum input_type type, uint32_t slot, enum reason_type reason)
{
	tree.now_ms += 100;
	tree_step(&tree,
	    &(struct input){
		.type = type, .slot = slot, .reason = {.type = (uint8_t)reason}});
	for (uint32_t i = 0; i < tree.nact; i++)
		if (tree.act[i].type == ACT_SPAWN)
			tree.st->slot[tree.act[i].slot].pid = 1000;
	tree.nact = 0;
}

static void
give_all(enum input_type type, enum reason_type reason)
{
	for (uint32_t i = 0; i < tree.st->head.core.slots_used && i < NSLOTS; i++)
		give(type, i, reason);
}

static void
start(void)
{
	tree.st = zeroed(sizeof *tree.st);
	tree.act = zeroed(ACTIONS_CAP * sizeof *tree.act);
	tree.slot_of_row = slot_of_row;
	must(rows_map(fake_rows(0), &rows, NULL) == 0);
	tree.rows = tree.old = &rows;
	tree.now_ms = 1000;
	tree_init(&tree, 1);
	tree.nact = 0;
	give(IN_NODE_START, ROOT, RE_NONE);
	for (int k = 0; k < 8; k++)
		give_all(IN_EXECED, RE_NONE);
	must(tree.st->head.core.slots_used < NSLOTS);
	good_head = tree.st->head;
	memcpy(good, tree.st->slot, sizeof good);
}

/* Slots from 0, the undo log from 64, the head at 255. */
static void
change(const struct change *c)
{
	char *base = (char *)&tree.st->head.undo_n;
	size_t cap =
	    offsetof(struct state_head, role) - offsetof(struct state_head, undo_n);
	if (c->slot < 64) {
		base = (char *)&tree.st->slot[c->slot % NSLOTS];
		cap = sizeof(struct slot);
	} else if (c->slot < 128) {
		base = (char *)&tree.st->undo[c->slot % NSLOTS];
		cap = sizeof(struct undo_entry);
	}
	size_t len = c->len % 4 + 1U, at = c->at % (cap - 4);
	memcpy(base + at, c->value, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct change c;
	if (tree.st == NULL)
		start();
	tree.st->head = good_head;
	memset(tree.st->slot, 0, 4UL * NSLOTS * sizeof good[0]);
	memcpy(tree.st->slot, good, sizeof good);
	memset(tree.st->undo, 0, NSLOTS * sizeof tree.st->undo[0]);
	for (; size >= sizeof c; data += sizeof c, size -= sizeof c) {
		memcpy(&c, data, sizeof c);
		change(&c);
	}
	tree_roll_back(&tree);
	if (state_fault(tree.st, &rows, &rows) != NULL)
		return 0;
	tree_recover(&tree);
	tree.nact = 0;
	give_all(IN_EXITED, RE_SIGNAL);
	give_all(IN_SWEPT, RE_NONE);
	give_all(IN_EXECED, RE_NONE);
	give_all(IN_TIMER, RE_NONE);
	give_all(IN_READY, RE_NONE);
	give(IN_NODE_STOP, ROOT, RE_NONE);
	give_all(IN_EXITED, RE_SHUTDOWN);
	give_all(IN_SWEPT, RE_NONE);
	return 0;
}
