#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "proto/proto.h"

/* Any message, aligned as its readers want it. */
union packet {
	struct msg m;
	struct msg_request request;
	struct msg_reply reply;
	struct msg_fact fact;
	struct msg_probe probe;
	struct msg_log_add log_add;
	struct msg_log_have log_have;
	unsigned char bytes[2048];
};

static enum role
sender_of(unsigned type)
{
	return proto_rows[type].from == ROLE_MAX ? ROLE_PROBE : proto_rows[type].from;
}

static void
fill(union packet *p, unsigned type)
{
	memset(p, 0, sizeof *p);
	p->m.type = type;
	if (type == MSG_REQUEST)
		p->request.verb = VERB_START;
}

static int
check(const union packet *p, size_t len, unsigned nfds, enum role from, enum role to)
{
	struct err err = {ERR_NONE, 0, ""};
	int ret = proto_check(p, len, nfds, from, to, &err);
	if (ret < 0) {
		assert_int_equal(err.kind, ERR_PROTO);
		assert_true(err.msg[0] != '\0');
	}
	return ret;
}

static void
each_message_passes_from_its_sender_only(void **unused)
{
	(void)unused;
	for (unsigned t = 1; t < MSG_MAX; t++) {
		const struct proto_row *row = &proto_rows[t];
		union packet p;
		fill(&p, t);
		assert_non_null(row->name);
		for (unsigned f = 0; f < ROLE_MAX; f++)
			for (unsigned to = 0; to < ROLE_MAX; to++) {
				int ok = (row->from == f || row->from == ROLE_MAX) &&
					 row->to == to;
				assert_int_equal(
				    check(&p, row->size, row->min_fds, f, to),
				    ok ? 0 : -1);
			}
	}
}

static void
wrong_lengths_and_descriptors_are_refused(void **unused)
{
	(void)unused;
	for (unsigned t = 1; t < MSG_MAX; t++) {
		const struct proto_row *row = &proto_rows[t];
		union packet p;
		fill(&p, t);
		enum role from = sender_of(t), to = row->to;
		for (size_t len = 0; len < sizeof p; len++)
			if (len != row->size)
				assert_int_equal(
				    check(&p, len, row->min_fds, from, to), -1);
		assert_int_equal(check(&p, row->size, row->max_fds, from, to), 0);
		assert_int_equal(check(&p, row->size, row->max_fds + 1u, from, to), -1);
		if (row->min_fds > 0)
			assert_int_equal(
			    check(&p, row->size, row->min_fds - 1u, from, to), -1);
	}
}

static void
unknown_types_are_refused(void **unused)
{
	(void)unused;
	union packet p;
	fill(&p, MSG_NONE);
	assert_int_equal(check(&p, sizeof p.m, 0, ROLE_CONTROL, ROLE_MASTER), -1);
	fill(&p, MSG_MAX);
	assert_int_equal(check(&p, sizeof p.m, 0, ROLE_CONTROL, ROLE_MASTER), -1);
	fill(&p, UINT32_MAX);
	assert_int_equal(check(&p, sizeof p.m, 0, ROLE_CONTROL, ROLE_MASTER), -1);
}

static void
texts_need_their_end(void **unused)
{
	(void)unused;
	union packet p;
	fill(&p, MSG_REQUEST);
	p.request.text_len = 3;
	memcpy(p.request.text, "ab", 3);
	assert_int_equal(check(&p, sizeof p.request, 0, ROLE_CONTROL, ROLE_MASTER), 0);
	p.request.text[2] = 'c';
	assert_int_equal(check(&p, sizeof p.request, 0, ROLE_CONTROL, ROLE_MASTER), -1);
	p.request.text_len = MSG_TEXT + 1;
	assert_int_equal(check(&p, sizeof p.request, 0, ROLE_CONTROL, ROLE_MASTER), -1);
	fill(&p, MSG_REPLY);
	memset(p.reply.text, 'x', sizeof p.reply.text);
	assert_int_equal(check(&p, sizeof p.reply, 0, ROLE_MASTER, ROLE_CONTROL), -1);
	fill(&p, MSG_FACT);
	memset(p.fact.text, 'x', sizeof p.fact.text);
	assert_int_equal(check(&p, sizeof p.fact, 0, ROLE_PROBE, ROLE_MASTER), -1);
	fill(&p, MSG_LOG_ADD);
	memset(p.log_add.id, 'x', sizeof p.log_add.id);
	assert_int_equal(check(&p, sizeof p.log_add, 1, ROLE_MASTER, ROLE_LOGGER), -1);
	fill(&p, MSG_LOG_HAVE);
	memset(p.log_have.id, 'x', sizeof p.log_have.id);
	assert_int_equal(check(&p, sizeof p.log_have, 1, ROLE_LOGGER, ROLE_MASTER), -1);
}

static void
numbers_stay_in_their_tables(void **unused)
{
	(void)unused;
	union packet p;
	fill(&p, MSG_REQUEST);
	p.request.verb = VERB_MAX;
	assert_int_equal(check(&p, sizeof p.request, 0, ROLE_CONTROL, ROLE_MASTER), -1);
	p.request.verb = VERB_NONE;
	assert_int_equal(check(&p, sizeof p.request, 0, ROLE_CONTROL, ROLE_MASTER), -1);
	fill(&p, MSG_REPLY);
	p.reply.answer = ANSWER_MAX;
	assert_int_equal(check(&p, sizeof p.reply, 0, ROLE_MASTER, ROLE_CONTROL), -1);
	fill(&p, MSG_FACT);
	p.fact.fact = FACT_MAX;
	assert_int_equal(check(&p, sizeof p.fact, 0, ROLE_PROBE, ROLE_MASTER), -1);
	fill(&p, MSG_PROBE_TCP);
	p.probe.addr_len = 29;
	assert_int_equal(check(&p, sizeof p.probe, 0, ROLE_MASTER, ROLE_PROBE), -1);
}

static void
names_are_complete(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < ROLE_MAX; i++)
		assert_non_null(role_names[i]);
	for (unsigned i = 0; i < ANSWER_MAX; i++)
		assert_non_null(answer_names[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_message_passes_from_its_sender_only),
	    cmocka_unit_test(wrong_lengths_and_descriptors_are_refused),
	    cmocka_unit_test(unknown_types_are_refused),
	    cmocka_unit_test(texts_need_their_end),
	    cmocka_unit_test(numbers_stay_in_their_tables),
	    cmocka_unit_test(names_are_complete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
