/*
 * rpc - the JSON-RPC errors a node answers with, one table for both sides.
 *
 * supervisord-control makes them, relctl turns them into sentences and exit codes, and
 * steward-control(7) lists them from here.  -32700 … -32600 are JSON-RPC's own; ours
 * begin at -32001, and each enum answer of the master has its row.
 */
#ifndef JSON_RPC_H
#define JSON_RPC_H

#include "base/err.h"

enum { RPC_LINE_MAX = 64 * 1024, RPC_DEPTH_MAX = 32, RPC_BATCH_MAX = 64 };

enum rpc_error {
	RPC_PARSE,
	RPC_INVALID_REQUEST,
	RPC_NO_METHOD,
	RPC_INVALID_PARAMS,
	RPC_INTERNAL,
	/* an enum answer each */
	RPC_FAILED,
	RPC_UNKNOWN,
	RPC_ALREADY,
	RPC_RUNNING,
	RPC_RESTARTING,
	RPC_NOT_RUNNING,
	RPC_POOL,
	RPC_NOT_POOL,
	RPC_BUSY,
	RPC_CONFIG,
	RPC_STALE,
	RPC_NEEDS,
	RPC_STOPPING,
	RPC_UNSUPPORTED,
	RPC_UNDONE,
	/* of control itself */
	RPC_FORBIDDEN,
	RPC_TIMEOUT,
	RPC_TOO_LARGE,
	RPC_TOO_MANY_CLIENTS,
	RPC_AMBIGUOUS,
	RPC_ERROR_MAX
};

struct rpc_error_row {
	const char *name;   /* error.data.name */
	int code;	    /* error.code */
	enum err_kind kind; /* decides relctl's exit code */
	const char *help;   /* one sentence for the manual */
};
extern const struct rpc_error_row rpc_errors[RPC_ERROR_MAX];

/* The row of a code that came over the wire, or null. */
const struct rpc_error_row *rpc_error_of_code(long long code);

#endif
