/*
 * manual - prints relctl(1) from the table of verbs.
 */
#ifndef RELCTL_MANUAL_H
#define RELCTL_MANUAL_H

#include <stdio.h>

void manual_print(FILE *out);

#endif
