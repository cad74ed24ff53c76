#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static const int exit_codes[] = {
    [ERR_NONE] = 0,
    [ERR_FAILED] = 1,
    [ERR_USAGE] = 2,
    [ERR_NOT_RUNNING] = 3,
    [ERR_UNKNOWN_NAME] = 4,
    [ERR_REFUSED] = 5,
    [ERR_UNDONE] = 6,
    [ERR_UNREACHABLE] = 69,
    [ERR_BUSY] = 75,
    [ERR_CONFIG] = 78,
    [ERR_PROTO] = 1,
    [ERR_SYS] = 1,
};
_Static_assert(COUNT(exit_codes) == ERR_MAX, "one exit code a kind");

int
err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	if (err == NULL)
		return -1;
	va_list ap;
	va_start(ap, fmt);
	err->kind = kind;
	err->code = 0;
	(void)vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_sys(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	if (err == NULL)
		return -1;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof err->msg)
		(void)snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s",
		    strerrordesc_np(saved) ? strerrordesc_np(saved) : "unknown error");
	err->kind = ERR_SYS;
	err->code = saved;
	errno = saved;
	return -1;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	if (err == NULL)
		return -1;
	char inner[sizeof err->msg];
	memcpy(inner, err->msg, sizeof inner);
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof err->msg)
		(void)snprintf(
		    err->msg + n, sizeof err->msg - (size_t)n, ": %s", inner);
	return -1;
}

int
err_exit_code(const struct err *err)
{
	return (unsigned)err->kind < ERR_MAX ? exit_codes[err->kind] : 1;
}
