/* A client's connection and the request on it; see http.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "worker/http/http.h"

enum { PEER_MAX = 64 };

static struct link *
link_new(struct server *s, struct MHD_Connection *mhd)
{
	struct http *h = s->http;
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct link *k = h->nfree > 0 && info != NULL ? calloc(1, sizeof *k) : NULL;
	if (k == NULL)
		return NULL; /* link_request closes it */
	k->server = s;
	k->mhd = mhd;
	k->fd = info->connect_fd;
	k->since = ev_now(h->host->loop);
	k->slot = h->free[--h->nfree];
	h->slot[k->slot] = k;
	sweep_links_changed(h);
	return k;
}

static void
request_end(struct link *k)
{
	struct http *h = k->server->http;
	body_free(k);
	free(k->path);
	if (k->response != NULL)
		MHD_destroy_response(k->response);
	*k = (struct link){.server = k->server,
	    .mhd = k->mhd,
	    .fd = k->fd,
	    .slot = k->slot,
	    .since = ev_now(h->host->loop)};
}

static void
link_free(struct link *k)
{
	struct http *h = k->server->http;
	request_end(k);
	h->slot[k->slot] = NULL;
	h->free[h->nfree++] = (uint16_t)k->slot;
	h->closed = 1;
	free(k);
	sweep_links_changed(h);
}

void
link_notify(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = link_new(cls, mhd);
	} else if (*context != NULL) {
		link_free(*context);
		*context = NULL;
	}
}

/* The first thing that is known of a request. */
void *
link_target(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct link *k = info != NULL ? info->socket_context : NULL;
	(void)cls;
	if (k == NULL)
		return NULL;
	k->phase = LINK_HEAD;
	k->since = ev_now(k->server->http->host->loop);
	k->refused = target_split(uri, &k->path, &k->query);
	return k;
}

void
link_completed(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_RequestTerminationCode code)
{
	(void)cls;
	(void)mhd;
	(void)code;
	if (*context != NULL)
		request_end(*context);
	*context = NULL;
}

static const char *
header(const struct link *k, const char *name)
{
	const char *value = MHD_lookup_connection_value(k->mhd, MHD_HEADER_KIND, name);
	return value != NULL ? value : "";
}

static enum MHD_Result
count_framing(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	(void)value;
	*(int *)cls += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
		       strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
	return MHD_YES;
}

/* Two of these: a proxy before us may see another end of the body than we do. */
static int
is_framed_twice(const struct link *k)
{
	int n = 0;
	(void)MHD_get_connection_values(k->mhd, MHD_HEADER_KIND, count_framing, &n);
	return n > 1;
}

static enum MHD_Result
refuse_now(struct link *k, unsigned status)
{
	answer_by_room(k, status);
	return answer_queue(k);
}

/* One that asks first is told at once that its body is too long; the others are read to
 * the end, because one that still writes does not see the answer. */
static enum MHD_Result
take_head(struct link *k, const char *method)
{
	unsigned long long len =
	    strtoull(header(k, MHD_HTTP_HEADER_CONTENT_LENGTH), NULL, 10);
	k->phase = LINK_BODY;
	k->method = method;
	if (is_framed_twice(k))
		return refuse_now(k, MHD_HTTP_BAD_REQUEST);
	if (len <= STEWARD_HTTP_BODY_MAX)
		return MHD_YES;
	k->refused = MHD_HTTP_CONTENT_TOO_LARGE;
	if (len <= DRAINED_MAX && *header(k, MHD_HTTP_HEADER_EXPECT) == '\0')
		return MHD_YES;
	return refuse_now(k, k->refused);
}

static void
peer_text(const struct link *k, char *text, size_t cap)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(k->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = info != NULL ? info->client_addr : NULL;
	char host[INET6_ADDRSTRLEN] = "";
	(void)snprintf(text, cap, "unix");
	if (sa != NULL && sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;
		(void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
		(void)snprintf(text, cap, "%s:%u", host, ntohs(in->sin_port));
	} else if (sa != NULL && sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;
		(void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
		(void)snprintf(text, cap, "[%s]:%u", host, ntohs(in6->sin6_port));
	}
}

static uint32_t
type_of(const char *content_type)
{
	if (strncasecmp(content_type, "application/json", 16) == 0)
		return STEWARD_JSON;
	return strncasecmp(content_type, "text/", 5) == 0 ? STEWARD_TEXT
							  : STEWARD_BYTES;
}

enum room_told
link_tell(struct link *k)
{
	struct http *h = k->server->http;
	char peer[PEER_MAX];
	const char *type = header(k, MHD_HTTP_HEADER_CONTENT_TYPE);
	peer_text(k, peer, sizeof peer);
	struct steward_http http = {.id = k->id,
	    .method = k->method,
	    .path = k->path,
	    .query = k->query,
	    .type = type,
	    .accept = header(k, MHD_HTTP_HEADER_ACCEPT),
	    .peer = peer,
	    .body = {k->body != NULL ? k->body : "", k->body_len, type_of(type)}};
	struct steward_info info = {
	    .kind = STEWARD_HTTP, .tag = k->server->tag, .http = &http};
	k->phase = LINK_TOLD; /* the module may answer before it returns */
	k->since = ev_now(h->host->loop);
	enum room_told told = h->host->tell(h->host->w, &info);
	if (told == ROOM_LATER) {
		k->phase = LINK_WAITING;
		h->paused = 1; /* a room opened during a pause was not told of it */
	} else if (told == ROOM_NOBODY) {
		answer_by_room(k, MHD_HTTP_SERVICE_UNAVAILABLE);
	}
	return told;
}

static void
request_whole(struct link *k)
{
	struct http *h = k->server->http;
	if (k->refused != 0) {
		answer_by_room(k, k->refused);
		return;
	}
	k->id = ++h->serial << LINK_BITS | k->slot;
	/* an earlier one that still waits comes first */
	k->phase = LINK_WAITING;
	if (h->nwaiting == 0 && link_tell(k) != ROOM_LATER)
		return;
	if (h->nwaiting < LINKS_MAX)
		h->waiting[h->nwaiting++] = k->id;
	else
		answer_by_room(k, MHD_HTTP_SERVICE_UNAVAILABLE);
}

/* NOLINTBEGIN(readability-function-size): libmicrohttpd's signature */
enum MHD_Result
link_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
    const char *version, const char *data, size_t *size, void **context)
{
	struct link *k = *context;
	(void)cls;
	(void)url;
	(void)version;
	if (k == NULL)
		return MHD_NO;
	if (k->phase == LINK_HEAD)
		return take_head(k, method);
	if (*size > 0) {
		size_t len = *size;
		*size = 0;
		return body_take(k, data, len);
	}
	if (k->phase == LINK_BODY)
		request_whole(k);
	if (k->phase == LINK_ANSWERED)
		return answer_queue(k);
	k->suspended = 1;
	MHD_suspend_connection(mhd);
	return MHD_YES;
}

/* NOLINTEND(readability-function-size) */

struct link *
link_find(struct http *h, uint64_t id)
{
	struct link *k = h->slot[id & (LINKS_MAX - 1)];
	return k != NULL && k->id == id && k->phase == LINK_TOLD ? k : NULL;
}
