#include "base/text.h"

#include <string.h>

#include "base/str.h"

bool
text_is_version(const char *text)
{
	size_t len = strlen(text);
	if (len == 0 || len >= TEXT_VERSION || strstr(text, "..") != NULL ||
	    !(str_is_digit(text[0]) || str_is_letter(text[0])))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!str_is_digit(text[i]) && !str_is_letter(text[i]) &&
		    strchr(".+~-", text[i]) == NULL)
			return false;
	return true;
}

/* Where a sign stands among others: '~', the end or a digit, letters, the rest. */
static int
weight(char c)
{
	if (c == '~')
		return -1;
	if (c == '\0' || str_is_digit(c))
		return 0;
	return str_is_letter(c) ? c : c + 256;
}

/* Two runs of digits by value; both move behind them. */
static int
compare_numbers(const char **a, const char **b)
{
	int first = 0;
	while (**a == '0')
		++*a;
	while (**b == '0')
		++*b;
	for (; str_is_digit(**a) && str_is_digit(**b); ++*a, ++*b)
		if (first == 0)
			first = **a - **b;
	if (str_is_digit(**a))
		return 1;
	return str_is_digit(**b) ? -1 : first;
}

int
text_version_cmp(const char *a, const char *b)
{
	while (*a != '\0' || *b != '\0') {
		while ((*a != '\0' && !str_is_digit(*a)) ||
		       (*b != '\0' && !str_is_digit(*b))) {
			int d = weight(*a) - weight(*b);
			if (d != 0)
				return d;
			a++;
			b++;
		}
		int d = compare_numbers(&a, &b);
		if (d != 0)
			return d;
	}
	return 0;
}

void
text_hex(const void *data, size_t len, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;
	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[p[i] >> 4];
		hex[2 * i + 1] = digits[p[i] & 15];
	}
	hex[2 * len] = '\0';
}

static int
nibble(char c)
{
	if (str_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
text_unhex(const char *hex, void *data, size_t len)
{
	unsigned char *p = data;
	if (strlen(hex) != 2 * len)
		return -1;
	for (size_t i = 0; i < len; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return -1;
		p[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}
