#include "await.h"

#include <time.h>

#include "client.h"

static uint64_t
now_ms(void)
{
	struct timespec ts;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
await_until(const struct cmd *cmd)
{
	return cmd->timeout_ms > 0 ? now_ms() + cmd->timeout_ms : MS_INFINITY;
}

int
await_subscribe(struct cmd *cmd, uint64_t until_ms)
{
	const struct timespec pause = {.tv_nsec = 50000000};
	for (;;) {
		struct json *result = cmd_call(cmd, "events.subscribe", NULL);
		if (result != NULL) {
			json_free(&result);
			return 0;
		}
		if (cmd->err.kind != ERR_UNREACHABLE || until_ms == MS_INFINITY ||
		    now_ms() >= until_ms)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
}

int
await_event(struct cmd *cmd, uint64_t until_ms)
{
	struct json *event = NULL;
	uint64_t now = now_ms();
	uint64_t left =
	    until_ms == MS_INFINITY ? until_ms : until_ms - MIN(now, until_ms);
	int n = client_next(cmd->client, left, &event, &cmd->err);
	json_free(&event);
	return n;
}
