/*
 * when - a time as manifests write it: "2026-11-21T11:00:00Z".  Pure.
 */
#ifndef RELEASE_WHEN_H
#define RELEASE_WHEN_H

#include <stdint.h>

enum { WHEN_TEXT = 32 };

/* Seconds since 1970.  0, or -1 when it is no such text. */
int when_read(const char *text, int64_t *ret);
/* text is returned. */
const char *when_print(int64_t when, char text[WHEN_TEXT]);

#endif
