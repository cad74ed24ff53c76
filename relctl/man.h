/*
 * man - prints relctl(1) from the table of verbs.
 */
#ifndef RELCTL_MAN_H
#define RELCTL_MAN_H

#include <stdio.h>

void man_print(FILE *out);

#endif
