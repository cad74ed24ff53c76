#include "base/chan.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"

int
chan_pair(int pair[2], struct err *err)
{
	int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
	if (socketpair(AF_UNIX, type, 0, pair) < 0)
		return err_sys(err, "cannot make a channel");
	return 0;
}

int
chan_send(int sock, const void *msg, size_t len, const int *fds, unsigned nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * CHAN_FDS)];
	} ctl;
	struct iovec iov = {.iov_base = unconst(msg), .iov_len = len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	if (nfds > CHAN_FDS) {
		errno = EINVAL;
		return -1;
	}
	if (nfds > 0) {
		memset(&ctl, 0, sizeof ctl);
		mh.msg_control = ctl.bytes;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
		if (c == NULL)
			return -1; /* there is room for one: see above */
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	ssize_t n;
	do
		n = sendmsg(sock, &mh, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

static unsigned
take_fds(struct msghdr *mh, int *fds)
{
	unsigned n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		unsigned k = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds + n, CMSG_DATA(c), k * sizeof(int));
		n += k;
	}
	return n;
}

ssize_t
chan_recv(int sock, void *msg, size_t cap, int *fds, unsigned *nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * CHAN_FDS)];
	} ctl;

	int got[CHAN_FDS];
	struct iovec iov = {.iov_base = msg, .iov_len = cap};
	struct msghdr mh = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = ctl.bytes,
	    .msg_controllen = sizeof ctl.bytes};
	ssize_t n;
	do
		n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*nfds = 0;
	if (n < 0)
		return -1;
	unsigned k = take_fds(&mh, got);
	if ((mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		for (unsigned i = 0; i < k; i++)
			close(got[i]);
		errno = EMSGSIZE;
		return -1;
	}
	memcpy(fds, got, k * sizeof(int));
	*nfds = k;
	return n;
}
