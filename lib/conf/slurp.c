#include "conf/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"

static char *
read_all(struct arena *arena, int fd, size_t *len, struct err *err)
{
	size_t cap = 16384, n = 0;
	char *text = arena_alloc(arena, cap + 1);
	for (;;) {
		ssize_t k = read(fd, text + n, cap - n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			(void)err_sys(err, "cannot read it");
			return NULL;
		}
		if (k == 0)
			break;
		n += (size_t)k;
		if (n > SLURP_MAX) {
			(void)err_set(err, ERR_CONFIG, "it is longer than %d MB",
			    SLURP_MAX >> 20);
			return NULL;
		}
		if (n == cap) {
			char *larger = arena_alloc(arena, cap * 2 + 1);
			memcpy(larger, text, n);
			text = larger;
			cap *= 2;
		}
	}
	text[n] = '\0';
	*len = n;
	return text;
}

char *
slurp(struct arena *arena, const char *path, bool pipe, size_t *len, struct err *err)
{
	struct stat st;
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (pipe ? 0 : O_NONBLOCK);
	int fd = open(path, flags);
	char *text = NULL;
	if (fd < 0) {
		(void)err_sys(err, "cannot open it");
		return NULL;
	}
	if (fstat(fd, &st) < 0)
		(void)err_sys(err, "cannot look at it");
	else if (S_ISDIR(st.st_mode) || (!pipe && !S_ISREG(st.st_mode)))
		(void)err_set(err, ERR_CONFIG, "it is not a regular file");
	else
		text = read_all(arena, fd, len, err);
	fd_close(&fd);
	return text;
}
