#include "confine/sandbox.h"

#include "base/log.h"
#include "base/util.h"
#include "confine/filter.h"
#include "confine/reach.h"

/*
 * What is on no row is out of reach.  Sockets and pipes come as descriptors, or by a name
 * in a directory that is open, which Landlock does not look at.
 */
static const struct reach_rules rows[] = {
    [ROLE_MASTER] = {0}, /* never enters one */
    /* Its socket is bound before, all it answers with is in maps: no file at all. */
    [ROLE_CONTROL] = {0},
    /* Writes below the log directory; executes zstd and sync, which need the libc. */
    [ROLE_LOGGER] = {.in_own = REACH_KEEP,
	.paths = {{"/dev/null", REACH_READ | REACH_WRITE},
	    {"/usr/bin/zstd", REACH_READ | REACH_RUN},
	    {"/bin/sync", REACH_READ | REACH_RUN},
	    {"/lib64/ld-linux-x86-64.so.2", REACH_READ | REACH_RUN},
	    {"/lib/ld-linux-aarch64.so.1", REACH_READ | REACH_RUN},
	    {"/etc/ld.so.cache", REACH_READ}, {"/lib", REACH_READ},
	    {"/lib64", REACH_READ}, {"/usr/lib", REACH_READ},
	    {"/usr/lib64", REACH_READ}}},
    /* Its sockets are the master's; it knocks at TCP ports and opens no file. */
    [ROLE_PROBE] = {.may = REACH_CONNECT},
    /* Includes and files of environments may be anywhere, and so may users be listed. */
    [ROLE_LOAD] = {.paths = {{"/", REACH_READ}}},
};
_Static_assert(COUNT(rows) == ROLE_MAX, "one row a role");

int
sandbox_enter(enum role role, int own, struct err *err)
{
	char lacks[REACH_LACKS];
	if (reach_enter(&rows[role], own, lacks, err) < 0)
		return -1;
	enum filter_ret filter = filter_enter(role, err);
	if (filter == FILTER_FAILED)
		return -1;
	if (filter == FILTER_UNKNOWN || lacks[0] != '\0')
		log_warn(
		    "the sandbox of %s has holes, this kernel cannot filter: %s%s%s",
		    role_names[role], filter == FILTER_UNKNOWN ? "system calls" : "",
		    filter == FILTER_UNKNOWN && lacks[0] != '\0' ? ", " : "", lacks);
	return 0;
}
