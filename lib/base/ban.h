/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_BAN_H
#define BASE_BAN_H

/*
 * Functions nobody may call here, because each has lost data or a race somewhere. Every .c file of
 * lib/ and cmd/ gets this header through the Makefile (-include), after the system headers it
 * needs, so that a use is a compile error and not a review comment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#undef strtok
#pragma GCC poison sprintf vsprintf strcpy strcat strtok atoi atol atoll sscanf gets tmpnam mktemp
#pragma GCC poison chown fchown lchown fchownat setfsuid_r alloca

#endif
