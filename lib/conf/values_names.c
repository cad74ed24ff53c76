/* The part of values.h that knows names of signals, capabilities and addresses. */
#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/str.h"
#include "base/util.h"
#include "conf/values.h"
#include "rows/rows.h"

enum { SHOWN = 80, FD_MAX = 1023 };

static const char *const cap_names[] = {
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
};
_Static_assert(COUNT(cap_names) == CAP_CHECKPOINT_RESTORE + 1, "names by number");

/* "RTMIN+3", "RTMAX-1" and the like. */
static int
real_time_signal(const char *name)
{
	uint64_t n = 0;
	bool min = str_starts(name, "RTMIN"), max = str_starts(name, "RTMAX");
	if (!min && !max)
		return -1;
	if (name[5] != '\0' &&
	    (name[5] != (min ? '+' : '-') || str_number(name + 6, 0, 30, &n, NULL) < 0))
		return -1;
	return min ? SIGRTMIN + (int)n : SIGRTMAX - (int)n;
}

static const char *
nearest_signal(const char *name)
{
	const char *names[NSIG] = {0};
	for (int i = 1; i < 32; i++)
		names[i] = sigabbrev_np(i);
	return str_nearest(name, names, 32);
}

int
value_signal(const char *text, int *signal, struct err *err)
{
	char shown[SHOWN];
	uint64_t n;
	const char *name = str_starts(text, "SIG") ? text + 3 : text;
	int sig = real_time_signal(name);
	if (str_number(text, 1, (uint64_t)SIGRTMAX, &n, NULL) == 0)
		sig = (int)n;
	for (int i = 1; i < 32 && sig < 0; i++)
		if (sigabbrev_np(i) != NULL && strcmp(sigabbrev_np(i), name) == 0)
			sig = i;
	if (sig > 0) {
		*signal = sig;
		return 0;
	}
	const char *nearest = nearest_signal(name);
	return err_set(err, ERR_CONFIG, "'%s' is not a signal%s%s%s",
	    str_printable(text, shown, sizeof shown),
	    nearest != NULL ? "; did you mean '" : ", such as TERM, HUP or RTMIN+3",
	    nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

/* Makes "CAP_SYS_nice" the name of the table. */
static int
find_cap(const char *text, size_t len, struct err *err)
{
	char name[32] = "", shown[SHOWN];
	if (len > 4 && strncasecmp(text, "CAP_", 4) == 0) {
		text += 4;
		len -= 4;
	}
	for (size_t i = 0; i < len && i < sizeof name - 1; i++)
		name[i] =
		    (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	for (size_t i = 0; i < COUNT(cap_names); i++)
		if (strlen(cap_names[i]) == len && strcmp(cap_names[i], name) == 0)
			return (int)i;
	const char *nearest = str_nearest(name, cap_names, COUNT(cap_names));
	str_printable(name, shown, sizeof shown);
	if (nearest == NULL)
		return err_set(err, ERR_CONFIG,
		    "'%s' is not a capability, such as CAP_NET_BIND_SERVICE", shown);
	return err_set(err, ERR_CONFIG, "'%s' is not a capability; did you mean '%s'?",
	    shown, nearest);
}

int
value_caps(const char *text, uint64_t *caps, struct err *err)
{
	uint64_t got = 0;
	for (size_t len; (len = value_next(&text)) > 0; text += len) {
		int cap = find_cap(text, len, err);
		if (cap < 0)
			return -1;
		got |= 1ULL << cap;
	}
	*caps = got;
	return 0;
}

static int
put_v4(const char *host, uint16_t port, struct value_address *a)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
	const char *number = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
	if (strcmp(host, "*") != 0 && inet_pton(AF_INET, number, &sa.sin_addr) != 1)
		return -1;
	memcpy(a->bytes, &sa, sizeof sa);
	a->len = sizeof sa;
	return 0;
}

static int
put_v6(const char *host, uint16_t port, struct value_address *a)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	if (inet_pton(AF_INET6, host, &sa.sin6_addr) != 1)
		return -1;
	memcpy(a->bytes, &sa, sizeof sa);
	a->len = sizeof sa;
	return 0;
}

/* "127.0.0.1:80", "[::1]:80", "*:80", "localhost:80". */
static int
take_address(const char *text, struct value_address *address, struct err *err)
{
	char host[64], shown[SHOWN];
	struct value_address a = {0};
	uint64_t port;
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	str_printable(text, shown, sizeof shown);
	if (len == 0 || len >= sizeof host ||
	    str_number(colon + 1, 1, 65535, &port, NULL) < 0)
		return err_set(err, ERR_CONFIG,
		    "'%s' is not ADDRESS:PORT with a port from 1 to 65535", shown);
	size_t six = text[0] == '[' && text[len - 1] == ']';
	memcpy(host, text + six, len - 2 * six);
	host[len - 2 * six] = '\0';
	a.port = (uint16_t)port;
	if ((six ? put_v6(host, a.port, &a) : put_v4(host, a.port, &a)) < 0)
		return err_set(err, ERR_CONFIG,
		    "'%s' is not a numeric address; write 127.0.0.1:PORT, [::1]:PORT or *:PORT",
		    shown);
	*address = a;
	return 0;
}

int
value_ready(const char *text, struct value_ready *ready, struct err *err)
{
	struct value_ready got = {0};
	char shown[SHOWN];
	uint64_t fd = 0;
	if (strcmp(text, "none") == 0) {
		got.kind = READY_NONE;
	} else if (strcmp(text, "notify") == 0) {
		got.kind = READY_NOTIFY;
	} else if (str_starts(text, "tcp:")) {
		got.kind = READY_TCP;
		if (take_address(text + 4, &got.address, err) < 0)
			return -1;
	} else if (str_starts(text, "fd:")) {
		got.kind = READY_FD;
		if (str_number(text + 3, 3, FD_MAX, &fd, err) < 0)
			return err_wrap(err, "descriptor");
		got.fd = (int)fd;
	} else {
		return err_set(err, ERR_CONFIG,
		    "'%s' is not known; it can be none, notify, tcp:ADDRESS:PORT or fd:NUMBER",
		    str_printable(text, shown, sizeof shown));
	}
	*ready = got;
	return 0;
}

int
value_listen(const char *text, struct value_listen *listen, struct err *err)
{
	static const struct {
		const char *prefix;
		int type;
		bool is_path;
	} kinds[] = {
	    {"tcp:", SOCK_STREAM, false},
	    {"udp:", SOCK_DGRAM, false},
	    {"unix:", SOCK_STREAM, true},
	    {"unix-dgram:", SOCK_DGRAM, true},
	    {"unix-seqpacket:", SOCK_SEQPACKET, true},
	};

	char shown[SHOWN];
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (!str_starts(text, kinds[i].prefix))
			continue;
		struct value_listen got = {.type = kinds[i].type};
		const char *rest = text + strlen(kinds[i].prefix);
		if (kinds[i].is_path)
			got.path = rest;
		else if (take_address(rest, &got.address, err) < 0)
			return -1;
		if (kinds[i].is_path && rest[0] == '\0')
			return err_set(err, ERR_CONFIG, "the path is missing");
		*listen = got;
		return 0;
	}
	return err_set(err, ERR_CONFIG,
	    "'%s' is not known; begin with tcp:, udp:, unix:, unix-dgram: or unix-seqpacket:",
	    str_printable(text, shown, sizeof shown));
}
