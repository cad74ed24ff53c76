#include "release/path.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_';
}

static const char *
show(const char *path)
{
	static char buf[2 * PATH_BYTES];
	return str_printable(path, buf, sizeof buf);
}

static int
check_part(const char *whole, const char *part, size_t len, struct err *err)
{
	if (len == 0)
		return err_set(err, ERR_REFUSED,
		    "the name '%s' has an empty part; names are relative, with single "
		    "slashes",
		    show(whole));
	if (len > PATH_PART)
		return err_set(err, ERR_REFUSED,
		    "the name '%s' has a part of more than %d bytes", show(whole),
		    PATH_PART);
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(part[i]) &&
		    (i == 0 || strchr("._+~@=-", part[i]) == NULL))
			return err_set(err, ERR_REFUSED,
			    "the name '%s' has a part that does not match "
			    "[0-9A-Za-z_][0-9A-Za-z._+~@=-]*",
			    show(whole));
	return 0;
}

int
path_check(const char *path, struct err *err)
{
	unsigned depth = 0;
	if (strlen(path) > PATH_BYTES)
		return err_set(err, ERR_REFUSED,
		    "the name '%.60s...' has more than %d "
		    "bytes",
		    show(path), PATH_BYTES);
	for (const char *part = path;; part++) {
		size_t len = strcspn(part, "/");
		if (check_part(path, part, len, err) < 0)
			return -1;
		if (++depth > PATH_DEPTH)
			return err_set(err, ERR_REFUSED,
			    "the name '%s' lies more than %d directories deep",
			    show(path), PATH_DEPTH);
		part += len;
		if (*part == '\0')
			return 0;
	}
}

/*
 * Only leading "../": a ".." behind a name could go up from where another link led.
 */
int
path_check_link(const char *path, const char *target, struct err *err)
{
	unsigned depth = 0, up = 0;
	const char *rest = target;
	char shown[2 * PATH_BYTES];
	for (const char *p = path; *p != '\0'; p++)
		depth += *p == '/';
	for (; str_starts(rest, "../"); rest += 3)
		up++;
	(void)str_printable(target, shown, sizeof shown);
	if (target[0] == '/' || up > depth || path_check(rest, NULL) < 0)
		return err_set(err, ERR_REFUSED,
		    "the link '%s' points to '%s'; links are relative and stay inside the "
		    "release",
		    show(path), shown);
	return 0;
}

int
path_is_module(const char *path)
{
	size_t len = strlen(path);
	return str_starts(path, "lib/") && strchr(path + 4, '/') == NULL && len > 7 &&
	       strcmp(path + len - 3, ".so") == 0;
}

unsigned
path_mode(const char *path)
{
	return str_starts(path, "bin/") ? 0555 : 0444;
}
