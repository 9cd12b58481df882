/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_ENV_H
#define BASE_ENV_H

/* Return the value of an environment variable. NULL: it is not set, or env_forget() was called. */
const char *env_get(const char *name);

/*
 * Clear the environment, for this program, its libraries and the programs that it executes: under
 * AT_SECURE the caller must not choose it (privilege.h). Call it before starting threads.
 */
void env_forget(void);

#endif
