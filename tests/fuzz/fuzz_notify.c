/*
 * fuzz_notify - any datagram: no crash, and what is taken keeps its promises.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probe/notify_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct notify got = {0};
	struct err err = {0};
	if (notify_parse((const char *)data, size, &got, &err) < 0) {
		if (err.kind != ERR_PROTO || err.msg[0] == '\0' || got.has != 0)
			abort();
		return 0;
	}
	if (size == 0 || size > NOTIFY_MAX_BYTES + 1 || got.has >= 1u << FACT_MAX)
		abort();
	if (memchr(got.status, '\0', sizeof got.status) == NULL)
		abort();
	for (const char *p = got.status; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			abort();
	if ((got.has & 1u << FACT_MAINPID) != 0 &&
	    (got.value[FACT_MAINPID] == 0 || got.value[FACT_MAINPID] > INT32_MAX))
		abort();
	/* A status that was taken once is taken unchanged again. */
	char again[STATUS_FACT_TEXT];
	notify_status(got.status, strlen(got.status), again);
	if (strcmp(again, got.status) != 0)
		abort();
	return 0;
}
