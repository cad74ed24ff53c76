/*
 * text - what comes as a form and goes as JSON.  Pure; nothing here allocates.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/* The value of a name in "a=b&c=d", decoded.  -1: it is not there, does not fit, or is no
 * UTF-8 without NULs. */
int text_form_value(
    const char *form, size_t len, const char *name, char *value, size_t cap);
/* A JSON string without its quotes; six bytes for one of `text` are always enough. */
void text_json(const char *text, char *json);

#endif
