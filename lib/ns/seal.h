/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_SEAL_H
#define NS_SEAL_H

/*
 * Go on as a copy of this program in memory that nobody can change (memfd_create(2), sealed), if
 * the caller could change the program's file. For who runs something hostile with the caller's ids:
 * it may execute, by way of /proc/self/exe, the very file that the caller executes next time, and
 * from there get hold of it.
 *
 * Returns when that is so already or not needed, or, with a verbose message, when it cannot be
 * done; else the program begins again with the same words, environment and descriptors.
 */
void seal_self(void);

#endif
