/*
 * util - the few macros everybody needs.  Nothing here touches the system.
 */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stddef.h>
#include <stdint.h>

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)   ((a) < (b) ? (a) : (b))
#define MAX(a, b)   ((a) > (b) ? (a) : (b))
#define UNUSED	    __attribute__((unused))
#define NORETURN    __attribute__((noreturn))
#define MUST_CHECK  __attribute__((warn_unused_result))
#define FALLTHROUGH __attribute__((fallthrough))
#define MS_INFINITY UINT64_MAX /* a time that never comes */
#define EXIT_CONFIG 78

/* A pointer without its const, for interfaces that take none but do not write to it. */
static inline void *
unconst(const void *p)
{
	union {
		const void *in;
		void *out;
	} u = {.in = p};

	return u.out;
}

#endif
