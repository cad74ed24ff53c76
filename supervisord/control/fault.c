#include "control/fault.h"

#include <stdarg.h>
#include <stdio.h>

int
fault_set(struct fault *f, enum rpc_error error, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	f->error = error;
	(void)vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
	return -1;
}

void
fault_data(struct fault *f, const char *key, struct json *value)
{
	if (f->data == NULL)
		f->data = json_object();
	json_set(f->data, key, value);
}

struct json *
fault_json(struct fault *f)
{
	const struct rpc_error_row *row = &rpc_errors[f->error];
	struct json *error = json_object();
	json_set_i64(error, "code", row->code);
	json_set_str(error, "message", f->text[0] != '\0' ? f->text : row->help);
	struct json *data = f->data != NULL ? f->data : json_object();
	f->data = NULL;
	json_set_str(data, "name", row->name);
	json_set(error, "data", data);
	return error;
}
