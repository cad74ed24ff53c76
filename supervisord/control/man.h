/*
 * man - prints steward-control(7) from the table of methods and of errors.
 */
#ifndef CONTROL_MAN_H
#define CONTROL_MAN_H

#include <stdio.h>

void man_print(FILE *out);

#endif
