/*
 * base64 - RFC 4648 with padding, for keys and signatures: short and of a known length.
 */
#ifndef SIGN_BASE64_H
#define SIGN_BASE64_H

#include <stddef.h>

/* Bytes of text, NUL included, for len bytes. */
#define BASE64_CAP(len) (((len) + 2) / 3 * 4 + 1)

void base64_write(const void *data, size_t len, char *text);
/* Exactly len bytes in exactly the text they make; 0 or -1. */
int base64_read(const char *text, size_t text_len, void *data, size_t len);

#endif
