#include "release/report.h"

#include <string.h>

#include "base/str.h"
#include "release/name.h"

void
place_report_init(struct place_report *r, enum place_kind kind)
{
	*r = (struct place_report){
	    .magic = PLACE_MAGIC, .size = sizeof *r, .kind = (uint32_t)kind};
}

void
place_report_refuse(struct place_report *r, const struct err *err)
{
	r->refused = 1;
	(void)str_printable(err->msg, r->why, sizeof r->why);
}

static int
ends(const char *text, size_t cap)
{
	return memchr(text, '\0', cap) != NULL;
}

int
place_report_check(const void *data, size_t len, enum place_kind kind,
    struct place_report *ret, struct err *err)
{
	struct place_report r;
	if (len != sizeof r)
		return err_set(err, ERR_PROTO, "a report of %zu bytes came", len);
	memcpy(&r, data, sizeof r);
	if (r.magic != PLACE_MAGIC || r.size != sizeof r || r.kind != (uint32_t)kind ||
	    !ends(r.name, sizeof r.name) || !ends(r.version, sizeof r.version) ||
	    !ends(r.key, sizeof r.key) || !ends(r.why, sizeof r.why))
		return err_set(err, ERR_PROTO, "a damaged report came");
	if (r.refused == 0 && kind == PLACE_VERIFIED &&
	    release_check_name(r.name, r.version, err) < 0)
		return -1;
	*ret = r;
	return 0;
}
