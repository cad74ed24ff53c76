/*
 * storm-worker - the worker of the storms: small, and it counts what it has written.
 *
 *   storm-worker plain                sleeps
 *   storm-worker notify               READY=1, again each second
 *   storm-worker write DIR [US]       a numbered line each US microseconds (2000)
 *
 * A writer counts its lines in DIR/PID, a mapped file, after each write: what it counts
 * has been written, even if it is killed.  On SIGRTMIN+N each of them exits with status N.
 *
 * READY is said again, since a message that is on its way when keeper and master die at
 * once reaches nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void
on_signal(int sig)
{
	_exit(sig - SIGRTMIN);
}

static int
say_ready(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	if (path == NULL || strlen(path) >= sizeof sa.sun_path)
		return -1;
	size_t len = strlen(path);
	memcpy(sa.sun_path, path, len);
	if (sa.sun_path[0] == '@')
		sa.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t salen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	ssize_t n = sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&sa, salen);
	close(fd);
	return n == 7 ? 0 : -1;
}

static void
keep_saying_ready(void)
{
	for (;;) {
		struct timespec ts = {.tv_sec = 1};
		if (say_ready() < 0) /* the next node opens the socket again */
			ts = (struct timespec){.tv_nsec = 10000000};
		(void)nanosleep(&ts, NULL);
	}
}

static volatile uint64_t *
counter_open(const char *dir)
{
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/%d", dir, (int)getpid());
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, sizeof(uint64_t)) < 0)
		return NULL;
	void *m = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return m == MAP_FAILED ? NULL : m;
}

static int
write_lines(const char *dir, long pause_us)
{
	char line[64];
	struct timespec ts = {
	    .tv_sec = pause_us / 1000000, .tv_nsec = pause_us % 1000000 * 1000};
	volatile uint64_t *count = counter_open(dir);
	if (count == NULL)
		return 3;
	for (uint64_t n = 1;; n++) {
		int len = snprintf(line, sizeof line, "line %d %llu\n", (int)getpid(),
		    (unsigned long long)n);
		while (write(1, line, (size_t)len) != len)
			if (errno != EINTR)
				return 4;
		*count = n;
		(void)nanosleep(&ts, NULL);
	}
}

int
main(int argc, char **argv)
{
	for (int n = 0; n < 30; n++)
		(void)signal(SIGRTMIN + n, on_signal);
	if (argc > 2 && strcmp(argv[1], "write") == 0)
		return write_lines(
		    argv[2], argc > 3 ? strtol(argv[3], NULL, 10) : 2000);
	if (argc > 1 && strcmp(argv[1], "notify") == 0)
		keep_saying_ready();
	for (;;)
		(void)pause();
}
