#include "await.h"

#include "base/clock.h"
#include "client.h"

uint64_t
await_until(const struct cmd *cmd)
{
	return cmd->timeout_ms > 0 ? clock_ms(CLOCK_MONOTONIC) + cmd->timeout_ms
				   : MS_INFINITY;
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
		    clock_ms(CLOCK_MONOTONIC) >= until_ms)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
}

int
await_event(struct cmd *cmd, uint64_t until_ms)
{
	struct json *event = NULL;
	uint64_t now = clock_ms(CLOCK_MONOTONIC);
	uint64_t left =
	    until_ms == MS_INFINITY ? until_ms : until_ms - MIN(now, until_ms);
	int n = client_next(cmd->client, left, &event, &cmd->err);
	json_free(&event);
	return n;
}
