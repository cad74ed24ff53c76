/* Timers, descriptors and signals: registered by tag, told by tag; see worker.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "worker/worker.h"

static void
watch_active(struct watch *x, int on)
{
	struct ev_loop *loop = x->w->loop;
	switch ((enum watch_kind)x->kind) {
	case WATCH_TIMER:
	case WATCH_CAST:
		(on ? ev_timer_start : ev_timer_stop)(loop, &x->ev.timer);
		return;
	case WATCH_FD:
		(on ? ev_io_start : ev_io_stop)(loop, &x->ev.io);
		return;
	case WATCH_SIGNAL:
		(on ? ev_signal_start : ev_signal_stop)(loop, &x->ev.signal);
		return;
	}
}

static struct watch *
watch_new(struct steward_worker *w, uint32_t kind, uint64_t tag)
{
	struct watch *x = calloc(1, sizeof *x);
	if (x == NULL)
		return NULL;
	x->w = w;
	x->kind = kind;
	x->tag = tag;
	x->next = w->watches;
	if (x->next != NULL)
		x->next->prev = x;
	w->watches = x;
	return x;
}

static void
watch_free(struct steward_worker *w, struct watch *x)
{
	watch_active(x, 0);
	if (w->watches == x)
		w->watches = x->next;
	else
		x->prev->next = x->next;
	if (x->next != NULL)
		x->next->prev = x->prev;
	free(unconst(x->data.bytes));
	free(x);
}

/* Of a timer or a later cast. */
static struct watch *
watch_find_time(struct steward_worker *w, uint64_t tag)
{
	struct watch *x = w->watches;
	while (x != NULL && (x->kind > WATCH_CAST || x->tag != tag))
		x = x->next;
	return x;
}

static struct watch *
watch_find_number(struct steward_worker *w, uint32_t kind, int number)
{
	struct watch *x = w->watches;
	while (x != NULL && (x->kind != kind || x->number != number))
		x = x->next;
	return x;
}

static void
time_is_up(struct watch *x)
{
	struct steward_worker *w = x->w;
	struct steward_info info = {.kind = STEWARD_TIMER, .tag = x->tag};
	if (x->kind == WATCH_CAST)
		(void)steward_cast(w, x->to, &x->data);
	int tell = x->kind == WATCH_TIMER;
	watch_free(w, x);
	if (tell)
		run_info(w, &info);
}

static void
on_timer(struct ev_loop *loop, ev_timer *t, int events)
{
	struct watch *x = t->data;
	(void)loop;
	(void)events;
	if (x->w->suspended)
		x->late = 1;
	else
		time_is_up(x);
}

static void
on_fd(struct ev_loop *loop, ev_io *io, int events)
{
	struct watch *x = io->data;
	(void)loop;
	if (x->w->suspended) {
		ev_io_stop(x->w->loop, io);
		return;
	}
	int told = ((events & EV_READ) != 0 ? STEWARD_READ : 0) |
		   ((events & EV_WRITE) != 0 ? STEWARD_WRITE : 0);
	run_info(x->w,
	    &(struct steward_info){
		.kind = STEWARD_FD, .tag = x->tag, .fd = x->number, .events = told});
}

static void
on_signal(struct ev_loop *loop, ev_signal *s, int events)
{
	struct watch *x = s->data;
	(void)loop;
	(void)events;
	if (x->w->suspended)
		x->late = 1;
	else
		run_info(x->w,
		    &(struct steward_info){
			.kind = STEWARD_SIGNAL, .tag = x->tag, .number = x->number});
}

static struct watch *
timer_new(struct steward_worker *w, uint32_t kind, uint64_t ms, uint64_t tag)
{
	struct watch *old = watch_find_time(w, tag);
	struct watch *x = watch_new(w, kind, tag);
	if (x == NULL)
		return NULL;
	if (old != NULL)
		watch_free(w, old);
	ev_now_update(w->loop); /* the callback may have taken its time */
	ev_timer_init(&x->ev.timer, on_timer, (double)ms / 1000, 0);
	x->ev.timer.data = x;
	watch_active(x, 1);
	return x;
}

int
steward_timer(struct steward_worker *w, uint64_t ms, uint64_t tag)
{
	return timer_new(w, WATCH_TIMER, ms, tag) != NULL ? 0 : -1;
}

int
steward_timer_cancel(struct steward_worker *w, uint64_t tag)
{
	struct watch *x = watch_find_time(w, tag);
	if (x == NULL)
		return 0;
	watch_free(w, x);
	return 1;
}

int
steward_cast_after(struct steward_worker *w, uint64_t ms, const char *to,
    const struct steward_data *data, uint64_t tag)
{
	char file[FRAME_NAME_MAX + 1];
	errno = data->len > STEWARD_DATA_MAX ? EMSGSIZE : EINVAL;
	if (data->len > STEWARD_DATA_MAX || data->type > STEWARD_TEXT ||
	    conn_file_name(to, file, sizeof file) < 0)
		return -1;
	char *copy = malloc(data->len + 1);
	struct watch *x = copy != NULL ? timer_new(w, WATCH_CAST, ms, tag) : NULL;
	if (x == NULL) {
		free(copy);
		return -1;
	}
	memcpy(copy, data->bytes, data->len);
	copy[data->len] = '\0';
	x->data.bytes = copy;
	x->data.len = data->len;
	x->data.type = data->type;
	memcpy(x->to, to, strlen(to) + 1);
	return 0;
}

int
steward_fd_watch(struct steward_worker *w, int fd, int events, uint64_t tag)
{
	struct watch *x = watch_find_number(w, WATCH_FD, fd);
	errno = EBADF;
	if (fd < 0)
		return -1;
	int wanted = ((events & STEWARD_READ) != 0 ? EV_READ : 0) |
		     ((events & STEWARD_WRITE) != 0 ? EV_WRITE : 0);
	if (x != NULL)
		watch_active(x, 0); /* other events or another tag */
	else if ((x = watch_new(w, WATCH_FD, tag)) == NULL)
		return -1;
	x->number = fd;
	x->tag = tag;
	ev_io_init(&x->ev.io, on_fd, fd, wanted);
	x->ev.io.data = x;
	watch_active(x, wanted != 0);
	return 0;
}

int
steward_fd_forget(struct steward_worker *w, int fd)
{
	struct watch *x = watch_find_number(w, WATCH_FD, fd);
	errno = ENOENT;
	if (x == NULL)
		return -1;
	watch_free(w, x);
	return 0;
}

int
steward_signal_watch(struct steward_worker *w, int number, uint64_t tag)
{
	struct watch *x = watch_find_number(w, WATCH_SIGNAL, number);
	errno = EINVAL;
	if (number <= 0 || number >= NSIG || number == SIGTERM)
		return -1;
	if (x != NULL)
		watch_free(w, x);
	x = watch_new(w, WATCH_SIGNAL, tag);
	if (x == NULL)
		return -1;
	x->number = number;
	ev_signal_init(&x->ev.signal, on_signal, number);
	x->ev.signal.data = x;
	watch_active(x, 1);
	return 0;
}

/* What came due while nothing was handled comes now. */
void
watch_resume(struct steward_worker *w)
{
	for (struct watch *x = w->watches; x != NULL; x = x->next) {
		if (x->kind == WATCH_FD)
			watch_active(x, 1);
		else if (x->late)
			ev_feed_event(w->loop, &x->ev, EV_CUSTOM);
		x->late = 0;
	}
}

void
watch_stop(struct steward_worker *w)
{
	for (struct watch *x = w->watches, *next; x != NULL; x = next) {
		next = x->next;
		watch_free(w, x);
	}
}
