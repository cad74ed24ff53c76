/*
 * err - a failure as a sentence.
 *
 * Functions that may fail return 0 or -1 and fill a `struct err` the caller
 * owns.  `kind` decides (exit code, JSON-RPC code, whether to retry), `msg`
 * explains.  Context is added in front on the way up (err_wrap); the message is
 * shown or logged once, at the edge.  No function here logs, allocates or exits.
 * A null `struct err *` is allowed everywhere: the caller does not care why.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err_kind {
	ERR_NONE,
	ERR_FAILED,	  /* general; exit 1 */
	ERR_USAGE,	  /* the caller's words; exit 2 */
	ERR_NOT_RUNNING,  /* exit 3 */
	ERR_UNKNOWN_NAME, /* exit 4 */
	ERR_REFUSED,	  /* by role or state; exit 5 */
	ERR_UNDONE,	  /* failed and rolled back; exit 6 */
	ERR_UNREACHABLE,  /* no node answers; exit 69 */
	ERR_BUSY,	  /* locked or queue full, try later; exit 75 */
	ERR_CONFIG,	  /* exit 78 */
	ERR_PROTO,	  /* a peer's garbage: close the channel; exit 1 */
	ERR_SYS,	  /* a system call; code is errno; exit 1 */
	ERR_MAX
};

struct err {
	enum err_kind kind;
	int code;      /* errno for ERR_SYS, else free for the module */
	char msg[512]; /* one sentence, no newline */
};

#define PRINTF(a, b) __attribute__((format(printf, a, b)))

/* Each returns -1, so that `return err_set(...)` reads well. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF(3, 4);
/* As err_set with kind ERR_SYS, code errno, and ": strerror" behind the text. */
int err_sys(struct err *err, const char *fmt, ...) PRINTF(2, 3);
/* Puts "text: " in front of the message that is there. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF(2, 3);
/* The exit code of a tool that ends with this error (0 for ERR_NONE). */
int err_exit_code(const struct err *err);

#endif
