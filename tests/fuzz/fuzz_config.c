/* Any bytes as a configuration: a sentence or good rows, nothing else. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	const struct conf_options options = {.uid = size % 2 == 0 ? 0 : 65534,
	    .gid = 0,
	    .root = size % 3 == 0 ? "/n" : ""};
	char path[64], *text = NULL;
	size_t len = 0;
	struct conf conf;
	/* Others' files are none of this input; they would only make it slow. */
	if (memmem(data, size, "include", 7) != NULL ||
	    memmem(data, size, "env_file", 8) != NULL)
		return 0;
	if (fd < 0)
		fd = memfd_create("config", MFD_CLOEXEC);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int rc = conf_load(path, &options, &conf);
	FILE *out = open_memstream(&text, &len);
	if (out == NULL)
		abort();
	diag_print(&conf.diag, out);
	diag_print_json(&conf.diag, out);
	if (fclose(out) != 0 || (rc != 0) != (conf.diag.errors > 0) ||
	    (rc == 0) != (conf.block != NULL))
		abort();
	free(text);
	conf_free(&conf);
	return 0;
}
