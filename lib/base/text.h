/*
 * text - versions and hexadecimal, as releases, modules and keys write them.
 *
 * Pure.  A version is [0-9A-Za-z][0-9A-Za-z.+~-]{0,31} without "..", so that it may stand in
 * a path; what it means is only how it compares.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { TEXT_VERSION = 33 }; /* with its NUL */

bool text_is_version(const char *text);
/*
 * <0, 0, >0, as dpkg compares: runs of digits by value, letters before other signs, '~'
 * before everything, the end too.  "1.0~rc1" < "1.0" < "1.0.1" < "1.10".
 */
int text_version_cmp(const char *a, const char *b);
/* 2 * len lower case digits and a NUL. */
void text_hex(const void *data, size_t len, char *hex);
/* Exactly 2 * len of them; 0 or -1. */
int text_unhex(const char *hex, void *data, size_t len);

#endif
