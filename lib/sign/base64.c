#include "sign/base64.h"

#include <stdint.h>
#include <string.h>

#include "base/util.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_write(const void *data, size_t len, char *text)
{
	const unsigned char *p = data;
	for (size_t i = 0; i < len; i += 3, text += 4) {
		uint32_t v = (uint32_t)p[i] << 16;
		if (i + 1 < len)
			v |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < len)
			v |= p[i + 2];
		text[0] = digits[v >> 18];
		text[1] = digits[v >> 12 & 63];
		text[2] = digits[v >> 6 & 63];
		text[3] = digits[v & 63];
		if (i + 1 >= len)
			text[2] = '=';
		if (i + 2 >= len)
			text[3] = '=';
	}
	*text = '\0';
}

/* 24 bits of four digits; -1 when one is none.  '=' counts as 0, the caller compares. */
static int32_t
quad(const char *text)
{
	int32_t v = 0;
	for (int i = 0; i < 4; i++) {
		const char *d = text[i] == '=' ? digits : strchr(digits, text[i]);
		if (text[i] == '\0' || d == NULL)
			return -1;
		v = v << 6 | (int32_t)(d - digits);
	}
	return v;
}

int
base64_read(const char *text, size_t text_len, void *data, size_t len)
{
	unsigned char *out = data;
	char again[5];
	if (text_len != BASE64_CAP(len) - 1)
		return -1;
	for (size_t i = 0; i < len; i += 3, text += 4) {
		int32_t v = quad(text);
		size_t n = MIN(len - i, (size_t)3);
		if (v < 0)
			return -1;
		for (size_t k = 0; k < n; k++)
			out[i + k] = (unsigned char)(v >> (16 - 8 * k));
		/* one text for one value: padding and unused bits as we would write */
		base64_write(out + i, n, again);
		if (memcmp(again, text, 4) != 0)
			return -1;
	}
	return 0;
}
