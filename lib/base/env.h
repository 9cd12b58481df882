/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_ENV_H
#define BASE_ENV_H

/* The only way to the environment: NULL when the variable is not set, or after env_forget(). */
const char *env_get(const char *name);

/*
 * Empty the environment, which its caller must not choose (AT_SECURE, privilege.h): for this
 * program, its libraries, and what it executes. Before any thread is started.
 */
void env_forget(void);

#endif
