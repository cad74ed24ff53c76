#include "release/when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Two or four digits. */
static int
digits(const char *text, unsigned n)
{
	int v = 0;
	for (unsigned i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		v = v * 10 + (text[i] - '0');
	}
	return v;
}

const char *
when_print(int64_t when, char text[WHEN_TEXT])
{
	time_t t = (time_t)when;
	struct tm tm;
	text[0] = '\0';
	if (gmtime_r(&t, &tm) != NULL)
		(void)strftime(text, WHEN_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

int
when_read(const char *text, int64_t *ret)
{
	char again[WHEN_TEXT];
	struct tm tm = {.tm_isdst = 0};
	if (strlen(text) != strlen("2026-11-21T11:00:00Z"))
		return -1;
	tm.tm_year = digits(text, 4) - 1900;
	tm.tm_mon = digits(text + 5, 2) - 1;
	tm.tm_mday = digits(text + 8, 2);
	tm.tm_hour = digits(text + 11, 2);
	tm.tm_min = digits(text + 14, 2);
	tm.tm_sec = digits(text + 17, 2);
	int64_t when = (int64_t)timegm(&tm);
	/* 31 February and what stands between the digits show here */
	if (when < 0 || strcmp(when_print(when, again), text) != 0)
		return -1;
	*ret = when;
	return 0;
}
