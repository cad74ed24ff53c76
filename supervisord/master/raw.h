/*
 * raw - system calls that leave errno alone.
 *
 * A child made with CLONE_VM shares its parent's memory, errno included, until it execs.
 * Between clone and exec it uses nothing but these.  Results are the kernel's: a negative
 * number is -errno.
 */
#ifndef MASTER_RAW_H
#define MASTER_RAW_H

#include <sys/syscall.h>

/* Seven parameters are what a system call has. */
/* NOLINTBEGIN(readability-function-size) */
static inline long
raw6(long nr, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#else
#error "raw system calls are written for x86-64 and arm64"
#endif
}

/* NOLINTEND(readability-function-size) */

#define raw(nr, a, b, c, d) raw6((nr), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

#endif
