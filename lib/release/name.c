#include "release/name.h"

#include <string.h>

#include "base/str.h"
#include "base/text.h"

int
release_check_name(const char *name, const char *version, struct err *err)
{
	char shown[100];
	if (!str_is_id_part(name, strlen(name)))
		return err_set(err, ERR_REFUSED,
		    "the name '%s' of a release has to match [a-z0-9_-]{1,32}",
		    str_printable(name, shown, sizeof shown));
	if (!text_is_version(version))
		return err_set(err, ERR_REFUSED,
		    "the version '%s' of a release has to match "
		    "[0-9A-Za-z][0-9A-Za-z.+~-]{0,31}, without '..'",
		    str_printable(version, shown, sizeof shown));
	return 0;
}
