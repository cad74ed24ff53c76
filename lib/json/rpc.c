#include "json/rpc.h"

#include <stddef.h>

#include "base/util.h"

const struct rpc_error_row rpc_errors[RPC_ERROR_MAX] = {
    [RPC_PARSE] = {"parse", -32700, ERR_PROTO,
	"The line is not strict JSON, or is nested deeper than 32."},
    [RPC_INVALID_REQUEST] = {"invalid_request", -32600, ERR_PROTO,
	"It is JSON, but not a JSON-RPC 2.0 request or a batch of them."},
    [RPC_NO_METHOD] = {"no_method", -32601, ERR_USAGE, "There is no such method."},
    [RPC_INVALID_PARAMS] = {"invalid_params", -32602, ERR_USAGE,
	"A parameter is missing, unknown or of the wrong type; the message names it."},
    [RPC_INTERNAL] = {"internal", -32603, ERR_FAILED,
	"The node cannot answer at this moment, for instance while its master starts."},
    [RPC_FAILED] = {"failed", -32001, ERR_FAILED,
	"It was tried and did not work; the message says why."},
    [RPC_UNKNOWN] = {"unknown", -32002, ERR_UNKNOWN_NAME,
	"Nothing has this id; data.suggestions has similar ones."},
    [RPC_ALREADY] = {"already", -32003, ERR_REFUSED,
	"It is there, started or loaded already."},
    [RPC_RUNNING] = {"running", -32004, ERR_REFUSED,
	"It runs, and what was asked needs it stopped."},
    [RPC_RESTARTING] = {"restarting", -32005, ERR_REFUSED,
	"Its supervisor is restarting it at this moment."},
    [RPC_NOT_RUNNING] = {"not_running", -32006, ERR_NOT_RUNNING,
	"It does not run, and what was asked needs it running."},
    [RPC_POOL] = {"pool", -32007, ERR_REFUSED,
	"Not possible for a simple_one_for_one supervisor."},
    [RPC_NOT_POOL] = {"not_pool", -32008, ERR_REFUSED,
	"Only possible for a simple_one_for_one supervisor."},
    [RPC_BUSY] = {"busy", -32009, ERR_BUSY,
	"Too many requests wait, or there is no room for more workers; try later."},
    [RPC_CONFIG] = {"config", -32010, ERR_CONFIG,
	"The configuration has errors; data.text has all of them."},
    [RPC_STALE] = {"stale", -32011, ERR_BUSY,
	"The configuration was replaced at this very moment; ask again."},
    [RPC_NEEDS] = {"needs", -32012, ERR_REFUSED,
	"An application it needs is not loaded; the message names it."},
    [RPC_STOPPING] = {"stopping", -32013, ERR_REFUSED, "The node is on its way down."},
    [RPC_UNSUPPORTED] = {"unsupported", -32014, ERR_REFUSED,
	"This node cannot do that."},
    [RPC_UNDONE] = {"undone", -32015, ERR_UNDONE,
	"It failed on the way, and all is as it was before; the message says why."},
    [RPC_FORBIDDEN] = {"forbidden", -32020, ERR_REFUSED,
	"Your role does not allow it; the message says which role does."},
    [RPC_TIMEOUT] = {"timeout", -32021, ERR_FAILED,
	"It was not done within timeout_ms.  It goes on nevertheless."},
    [RPC_TOO_LARGE] = {"too_large", -32022, ERR_PROTO,
	"The request is longer than 65536 bytes, or the answers of a batch are too long "
	"together."},
    [RPC_TOO_MANY_CLIENTS] = {"too_many_clients", -32023, ERR_BUSY,
	"256 clients are connected already; the connection is closed."},
    [RPC_AMBIGUOUS] = {"ambiguous", -32024, ERR_UNKNOWN_NAME,
	"Several have this short name; data.suggestions has their whole ids."},
};
_Static_assert(COUNT(rpc_errors) == RPC_ERROR_MAX, "one row an error");

const struct rpc_error_row *
rpc_error_of_code(long long code)
{
	for (size_t i = 0; i < COUNT(rpc_errors); i++)
		if (rpc_errors[i].code == code)
			return &rpc_errors[i];
	return NULL;
}
