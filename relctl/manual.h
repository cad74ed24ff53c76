/*
 * manual - prints relctl(1) from the table of verbs, and steward-release(5) from those of
 * releases.
 */
#ifndef RELCTL_MANUAL_H
#define RELCTL_MANUAL_H

#include <stdio.h>

void manual_print(FILE *out);
void manual_print_release(FILE *out);

#endif
