#include "master/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * What control asks for.  The tree answers most of it; what is about processes, files and
 * the node itself is answered here.
 */

void
control_reply(struct node *n, uint32_t ref, enum answer an, uint32_t slot,
    const char *text, int fd)
{
	struct msg_reply m = {
	    .m = {.type = MSG_REPLY, .ref = ref, .slot = slot}, .answer = an};
	size_t len = strlen(text);
	len = MIN(len, sizeof m.text - 1);
	memcpy(m.text, text, len);
	if (slot < n->st->head.core.slots_used) {
		m.pid = (uint32_t)n->st->slot[slot].pid;
		m.m.gen = n->st->slot[slot].gen;
	}
	(void)role_send(n, ROLE_CONTROL, &m, sizeof m, &fd, fd >= 0 ? 1 : 0);
}

/* The tree's own answer, with its reason in words. */
void
reply_reason(struct node *n, const struct action *a)
{
	char text[MSG_TEXT] = "";
	if (a->reason.type != RE_NONE)
		(void)reason_words(&a->reason, text, sizeof text);
	control_reply(n, a->ref, (enum answer)a->value, a->slot, text, -1);
}

void
control_maps(struct node *n)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", n->state_fd);
	int ro = open(path, O_RDONLY | O_CLOEXEC);
	if (ro < 0)
		return;
	const int fds[3] = {ro, n->rows_fd, n->old_rows_fd};
	struct msg m = {
	    .type = MSG_MAPS, .slot = SLOT_NONE, .value = n->st->head.core.rows_seq};
	(void)role_send(
	    n, ROLE_CONTROL, &m, sizeof m, fds, n->old_rows_fd >= 0 ? 3 : 2);
	fd_close(&ro);
}

void
control_hello(struct node *n)
{
	control_maps(n);
}

static void
request_signal(struct node *n, const struct msg_request *m)
{
	uint32_t slot = m->m.slot;
	enum answer an = AN_OK;
	if (slot >= n->st->head.core.slots_used ||
	    slot_at(n, slot)->kind != SLOT_WORKER ||
	    m->rows_seq != n->st->head.core.rows_seq)
		an = AN_UNKNOWN;
	else if (slot_at(n, slot)->pid <= 0)
		an = AN_NOT_RUNNING;
	else if (m->m.value == 0 || m->m.value > 64)
		an = AN_UNSUPPORTED;
	else
		kill_main(n, slot, (int)m->m.value);
	control_reply(n, m->m.ref, an, slot, "", -1);
}

/* NAME=value for the children an application starts from now on; NAME alone forgets. */
static enum answer
set_env(struct node *n, uint32_t app, const char *text)
{
	struct state_head *h = &n->st->head;
	size_t name = strcspn(text, "=");
	uint32_t k = 0;
	if (name == 0 || strlen(text) >= ENV_TEXT)
		return AN_UNSUPPORTED;
	while (k < h->nenvs &&
	       (h->env[k].app != app || strncmp(h->env[k].text, text, name) != 0 ||
		   h->env[k].text[name] != '='))
		k++;
	if (text[name] == '\0') {
		if (k < h->nenvs)
			h->env[k] = h->env[--h->nenvs];
		return AN_OK;
	}
	if (k == ENVS_MAX)
		return AN_BUSY;
	h->env[k].app = app;
	memcpy(h->env[k].text, text, strlen(text) + 1);
	if (k == h->nenvs)
		h->nenvs++;
	return AN_OK;
}

static void
request_setenv(struct node *n, const struct msg_request *m)
{
	uint32_t slot =
	    m->row < n->rows.head->nrows ? n->slot_of_row[m->row] : (uint32_t)SLOT_NONE;
	enum answer an = AN_UNKNOWN;
	if (m->rows_seq != n->st->head.core.rows_seq)
		an = AN_STALE;
	else if (slot != SLOT_NONE && n->st->slot[slot].kind == SLOT_APP)
		an = set_env(n, slot, m->text);
	control_reply(n, m->m.ref, an, slot, "", -1);
}

static void
request_reload(struct node *n, const struct msg_request *m)
{
	if (n->reloading || n->reload_next || links_busy() ||
	    tree_leavers(&n->tree) > 0) {
		control_reply(n, m->m.ref, AN_BUSY, SLOT_NONE,
		    "a reload is still being carried out", -1);
		return;
	}
	n->reload_asked = 1;
	n->reload_check = m->m.value == 1;
	n->reload_ref = m->m.ref;
	load_start(n);
}

/* Room in the state file before the tree makes slots. */
static int
room_for(struct node *n, const struct msg_request *m)
{
	struct err err;
	uint64_t more = m->verb == VERB_SCALE ? m->m.value : 1;
	if (m->verb != VERB_SCALE && m->verb != VERB_START_CHILD &&
	    m->verb != VERB_APP_LOAD && m->verb != VERB_APP_START)
		return 1;
	if (m->verb == VERB_APP_LOAD || m->verb == VERB_APP_START)
		more = n->rows.head->nrows;
	if (more > SLOT_MAX ||
	    state_reserve(n, n->st->head.core.slots_used + (uint32_t)more + 64, &err) <
		0) {
		control_reply(n, m->m.ref, AN_BUSY, m->m.slot,
		    more > SLOT_MAX ? "more than a node can hold" : err.msg, -1);
		return 0;
	}
	return 1;
}

void
control_request(struct node *n, const struct msg_request *m)
{
	switch ((enum verb)m->verb) {
	case VERB_SIGNAL:
		request_signal(n, m);
		return;
	case VERB_APP_SETENV:
		request_setenv(n, m);
		return;
	case VERB_RELOAD:
		request_reload(n, m);
		return;
	case VERB_SHUTDOWN:
		control_reply(n, m->m.ref, AN_OK, SLOT_NONE, "", -1);
		feed(n,
		    &(struct input){.type = IN_NODE_STOP, .value = m->m.value & 255});
		return;
	case VERB_REEXEC:
		reexec_request(n, m);
		return;
	case VERB_LOG_REOPEN: {
		struct msg reopen = {.type = MSG_LOG_REOPEN, .slot = SLOT_NONE};
		int ok =
		    role_send(n, ROLE_LOGGER, &reopen, sizeof reopen, NULL, 0) == 0;
		control_reply(n, m->m.ref, ok ? AN_OK : AN_BUSY, SLOT_NONE, "", -1);
		return;
	}
	case VERB_NONE:
	case VERB_MAX:
		control_reply(n, m->m.ref, AN_UNSUPPORTED, m->m.slot, "", -1);
		return;
	case VERB_START:
	case VERB_STOP:
	case VERB_RESTART:
	case VERB_ENABLE:
	case VERB_DISABLE:
	case VERB_SCALE:
	case VERB_START_CHILD:
	case VERB_TERMINATE_CHILD:
	case VERB_RESTART_CHILD:
	case VERB_DELETE_CHILD:
	case VERB_APP_LOAD:
	case VERB_APP_UNLOAD:
	case VERB_APP_START:
	case VERB_APP_STOP:
		break;
	}
	if (!room_for(n, m))
		return;
	feed(n, &(struct input){.type = IN_REQUEST, .req = m});
	if (m->verb == VERB_ENABLE || m->verb == VERB_DISABLE)
		disabled_save(n);
}
