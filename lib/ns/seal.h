/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_SEAL_H
#define NS_SEAL_H

/*
 * Re-execute this program from a sealed memfd (memfd_create(2)) if the user could write to the
 * program's file. This prevents CVE-2019-5736: a hostile command that runs with the user's ids
 * opens /proc/self/exe for writing and replaces the program that the user runs next time.
 *
 * Returns if the program is sealed already or not writable, or, with a verbose message, if the copy
 * cannot be executed. Otherwise the program restarts with the same arguments, environment and
 * descriptors.
 */
void seal_self(void);

#endif
