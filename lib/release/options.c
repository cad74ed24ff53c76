#include "release/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

enum option_key {
	ARCHIVE_FD = 1,
	RELEASES_FD,
	RELEASES,
	KEYS_FD,
	KEYS,
	RESULT_FD,
	TEMP,
	CONFINE,
	MAX_BYTES,
	NOW,
	HELP,
	SHOW_VERSION
};

static const struct option options[] = {
    {"archive-fd", required_argument, NULL, ARCHIVE_FD},
    {"releases-fd", required_argument, NULL, RELEASES_FD},
    {"releases", required_argument, NULL, RELEASES},
    {"keys-fd", required_argument, NULL, KEYS_FD},
    {"keys", required_argument, NULL, KEYS},
    {"result-fd", required_argument, NULL, RESULT_FD},
    {"temp", required_argument, NULL, TEMP},
    {"confine", required_argument, NULL, CONFINE},
    {"max-bytes", required_argument, NULL, MAX_BYTES},
    {"now", required_argument, NULL, NOW},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, SHOW_VERSION},
    {0},
};

static int64_t
number(const char *text, uint64_t most)
{
	struct err err;
	uint64_t v;
	if (str_number(text, 0, most, &v, &err) < 0)
		fatal("%s", err.msg);
	return (int64_t)v;
}

static int
open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fatal("cannot open the directory %s: %s", path, strerrordesc_np(errno));
	return fd;
}

static void
take_words(struct place_options *o, int key, const char *usage)
{
	struct err err;
	switch (key) {
	case TEMP:
		if (!str_starts(optarg, ".tmp-") || strchr(optarg, '/') != NULL)
			fatal("--temp is a name such as .tmp-1");
		o->temp = optarg;
		break;
	case CONFINE:
		o->confine = optarg;
		break;
	case MAX_BYTES:
		if (str_size(optarg, &o->max_bytes, &err) < 0)
			fatal("--max-bytes: %s", err.msg);
		break;
	case NOW:
		o->now = number(optarg, INT64_MAX);
		break;
	case HELP:
		exit(fputs(usage, stdout) >= 0 ? 0 : 1);
	case SHOW_VERSION:
		exit(printf("%s %s\n", o->program, VERSION) > 0 ? 0 : 1);
	default:
		(void)fputs(usage, stderr);
		exit(2);
	}
}

void
place_options_read(struct place_options *o, int argc, char **argv, const char *usage)
{
	o->archive_fd = o->releases_fd = o->keys_fd = o->result_fd = -1;
	o->now = -1;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
		switch (c) {
		case ARCHIVE_FD:
			o->archive_fd = (int)number(optarg, INT32_MAX);
			break;
		case RELEASES_FD:
			o->releases_fd = (int)number(optarg, INT32_MAX);
			break;
		case RELEASES:
			o->releases_fd = open_directory(optarg);
			break;
		case KEYS_FD:
			o->keys_fd = (int)number(optarg, INT32_MAX);
			break;
		case KEYS:
			o->keys_fd = open_directory(optarg);
			break;
		case RESULT_FD:
			o->result_fd = (int)number(optarg, INT32_MAX);
			break;
		default:
			take_words(o, c, usage);
		}
	if (optind != argc || o->releases_fd < 0 || o->result_fd < 0 ||
	    o->temp == NULL) {
		(void)fputs(usage, stderr);
		exit(2);
	}
}
