/*
 * tree_int - what the files of the pure core share, and nobody else includes.
 *
 * Reading goes through look(), writing through edit(), which saves the slot to the undo
 * log before its first change in a step.  The two directions of the tree's talk:
 *
 *   down: child_start, child_stop, child_kill (each says at once what is known)
 *   up:   up_started, up_failed, up_stopped, up_exited (what became of it later)
 */
#ifndef MASTER_TREE_INT_H
#define MASTER_TREE_INT_H

#include "master/tree.h"

/* What a start or stop has come to when the call returns. */
enum progress { PR_WAIT, PR_OK };

/* How a supervisor's start treats a child that does not start. */
enum start_mode { MODE_INIT, MODE_GROUP };

#define REASON(t) ((struct reason){.type = (t)})

static inline const struct slot *
look(const struct tree *t, uint32_t i)
{
	return &t->st->slot[i];
}

/* The block that a slot's row is in. */
static inline const struct rows *
rows_of(const struct tree *t, uint32_t i)
{
	return (look(t, i)->flags & SF_OLD_ROW) != 0 ? t->old : t->rows;
}

static inline const struct row *
row_of(const struct tree *t, uint32_t i)
{
	return &rows_of(t, i)->row[look(t, i)->row];
}

/* tree.c */
void tree_begin(struct tree *t);
void tree_commit(struct tree *t);
struct slot *edit(struct tree *t, uint32_t i);
void act(struct tree *t, enum action_type type, uint32_t slot, uint64_t value);
void set_timer(struct tree *t, uint32_t i, uint64_t at_ms);
void set_watchdog(struct tree *t, uint32_t i, uint64_t at_ms);
struct event *tell(struct tree *t, enum event_type type, uint32_t slot);
void tell_reason(struct tree *t, enum event_type type, uint32_t slot, struct reason re);
void tell_value(struct tree *t, enum event_type type, uint32_t slot, uint64_t value);
uint32_t slot_new(struct tree *t, enum slot_kind kind, uint32_t row, uint32_t parent);
void slot_free(struct tree *t, uint32_t i);
void slot_unlink(struct tree *t, uint32_t i);
void slot_append(struct tree *t, uint32_t parent, uint32_t i);
uint32_t tree_random(struct tree *t, uint32_t below);
void set_phase(struct tree *t, uint32_t i, enum phase phase);

/* tree_worker.c */
enum progress worker_start(struct tree *t, uint32_t i);
enum progress worker_stop(struct tree *t, uint32_t i);
void worker_kill(struct tree *t, uint32_t i);
void worker_launch(struct tree *t, uint32_t i);
void worker_backoff(struct tree *t, uint32_t i, uint64_t delay_ms);
void worker_input(struct tree *t, const struct input *in);
void worker_recover(struct tree *t, uint32_t i);
int reason_is_resources(struct reason re);

/* tree_sup.c */
enum progress sup_start(struct tree *t, uint32_t i, int boot);
enum progress sup_stop(struct tree *t, uint32_t i);
void sup_kill(struct tree *t, uint32_t i);
void sup_end_self(struct tree *t, uint32_t i, struct reason re);
void sup_next(struct tree *t, uint32_t i);
void sup_build(struct tree *t, uint32_t i);
uint32_t sup_instance_new(struct tree *t, uint32_t i);
void sup_timer(struct tree *t, uint32_t i);
enum progress child_start(struct tree *t, uint32_t c);
enum progress child_stop(struct tree *t, uint32_t c);
void pool_scale(struct tree *t, uint32_t i, uint32_t target);
void pend_add(struct tree *t, uint32_t c, unsigned why);
void pend_drop(struct tree *t, uint32_t c);
int child_skipped(const struct tree *t, uint32_t c);
int child_has_life(const struct tree *t, uint32_t c);
void up_started(struct tree *t, uint32_t c);
void up_failed(struct tree *t, uint32_t c, struct reason re);
void up_stopped(struct tree *t, uint32_t c);
void up_exited(struct tree *t, uint32_t c, struct reason re);
void one_start(struct tree *t, uint32_t i, uint32_t c, enum sup_then then);
void one_stop(struct tree *t, uint32_t i, uint32_t c, enum sup_then then);
void subtree_free(struct tree *t, uint32_t i);

/* tree_child.c, for its neighbours */
int is_pool(const struct tree *t, uint32_t i);
int is_sup(const struct tree *t, uint32_t c);
void child_gone(struct tree *t, uint32_t c);
void child_retire(struct tree *t, uint32_t c);
enum sup_then then_of(const struct tree *t, uint32_t c);

/* tree_queue.c, for its neighbours */
void pend_forget(struct tree *t, uint32_t c, unsigned why);
void retry_never_up(struct tree *t, uint32_t c);

/* tree_sup.c, for its neighbours */
void start_failed(struct tree *t, uint32_t i, uint32_t c, struct reason re);
enum progress sup_is_up(struct tree *t, uint32_t i);
enum progress sup_advance(struct tree *t, uint32_t i);
enum progress sup_stopped_all(struct tree *t, uint32_t i);
void sup_report_end(struct tree *t, uint32_t i);
enum progress sup_sweep_children(struct tree *t, uint32_t i);

/* tree_after.c */
int after_blocked(const struct tree *t, uint32_t i);
void after_wait(struct tree *t, uint32_t i);
void after_forget(struct tree *t, uint32_t i);
void after_wake(struct tree *t);

/* tree_app.c */
void app_load_all(struct tree *t);
uint32_t app_load(struct tree *t, uint32_t row);
void app_boot(struct tree *t);
enum progress app_start(struct tree *t, uint32_t i, int boot);
void app_up(struct tree *t, uint32_t i);
void app_ended(struct tree *t, uint32_t i, struct reason re);
void app_check_node_up(struct tree *t);
void node_stop(struct tree *t, int status);
void node_stopped(struct tree *t);

/* tree_req.c */
void req_take(struct tree *t, const struct msg_request *m);
int req_next(struct tree *t, uint32_t sup, uint32_t before_ticket);
uint32_t req_first_ticket(const struct tree *t, uint32_t sup, uint32_t *found);
void req_done(struct tree *t, uint32_t c, enum answer answer, struct reason re);
void req_follow(struct tree *t, const uint32_t *old_row);
void req_drop_child(struct tree *t, uint32_t c);
void req_drop_sup(struct tree *t, uint32_t sup);

/* tree_reload.c */
void children_sort(struct tree *t, uint32_t i);

/* tree_window.c */
int window_add(struct tree *t, uint32_t i); /* 0, or -1: the intensity is exceeded */
uint32_t window_count(const struct tree *t, uint32_t i);
void window_clear(struct tree *t, uint32_t i);
void window_take(struct tree *t, uint32_t i);
void window_release(struct tree *t, uint32_t i);

#endif
