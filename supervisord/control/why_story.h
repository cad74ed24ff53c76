/*
 * why_story - what is known of one point of the tree while it is being explained.
 *
 * why.c gathers it and puts it into JSON; why_words.c makes the sentences of it.
 */
#ifndef CONTROL_WHY_STORY_H
#define CONTROL_WHY_STORY_H

#include "control/view.h"
#include "json/json.h"

struct story {
	const struct view *v;
	uint32_t i, sup_i, by_i, cause_i;
	struct slot s, sup;    /* itself, and the supervisor whose window counts */
	struct slot by, cause; /* who restarted it last, and because of whom */
	int has_sup, has_cause;
	uint64_t now_ms, wall_ms;
	char id[ROW_ID_MAX];
};

static inline uint64_t
why_ago(uint64_t then_ms, uint64_t now_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

/* A list of sentences, the most important first. */
struct json *why_sentences(const struct story *st);

#endif
