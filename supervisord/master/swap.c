#include "master/swap.h"

void
swap_start(struct swap_core *s, uint8_t *due, uint32_t n)
{
	*s =
	    (struct swap_core){.phase = SW_PREPARING, .n = n, .waiting = n, .due = due};
	for (uint32_t i = 0; i < n; i++)
		due[i] = DUE_ANSWER;
}

/* The next round: all that are there owe an answer again.  0: nobody is there. */
static int
round_begin(struct swap_core *s, enum swap_phase phase)
{
	s->phase = phase;
	s->waiting = 0;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->due[i] != DUE_GONE) {
			s->due[i] = DUE_ANSWER;
			s->waiting++;
		}
	return s->waiting > 0;
}

static enum swap_action
end(struct swap_core *s, enum swap_action how)
{
	s->phase = SW_IDLE;
	return how;
}

static enum swap_action
undo(struct swap_core *s)
{
	return round_begin(s, SW_UNDOING) ? SWA_UNDO : end(s, SWA_UNDONE);
}

static enum swap_action
round_over(struct swap_core *s)
{
	switch (s->phase) {
	case SW_PREPARING:
		(void)round_begin(s, SW_CHANGING);
		return SWA_CHANGE;
	case SW_CHANGING:
		return SWA_FORCE;
	case SW_COMMITTING:
		return end(s, SWA_DONE);
	case SW_UNDOING:
		return end(s, SWA_UNDONE);
	case SW_IDLE:
	case SW_MAX:
		break;
	}
	return SWA_WAIT;
}

/* It owes nothing any more. */
static enum swap_action
settled(struct swap_core *s, uint32_t part, enum swap_due now)
{
	int owed = s->due[part] == DUE_ANSWER;
	s->due[part] = (uint8_t)now;
	if (owed && --s->waiting == 0)
		return round_over(s);
	return SWA_WAIT;
}

enum swap_action
swap_step(struct swap_core *s, enum swap_event event, uint32_t part)
{
	int before = s->phase == SW_PREPARING || s->phase == SW_CHANGING;
	if (s->phase == SW_IDLE)
		return SWA_WAIT;
	switch (event) {
	case SWE_DONE:
		return settled(s, part, DUE_NOTHING);
	case SWE_FAILED:
		return before ? undo(s) : settled(s, part, DUE_NOTHING);
	case SWE_GONE:
		if (!before)
			return settled(s, part, DUE_GONE);
		s->due[part] = DUE_GONE;
		return undo(s);
	case SWE_LATE:
		return before ? undo(s) : round_over(s);
	case SWE_FORCED:
		return round_begin(s, SW_COMMITTING) ? SWA_COMMIT : end(s, SWA_DONE);
	case SWE_REFUSED:
		return undo(s);
	}
	return SWA_WAIT;
}
