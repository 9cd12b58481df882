/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* env: access to the environment. */

#include "env.h"

#include <stdlib.h>

const char *env_get(const char *name)
{
	return getenv(name);
}

void env_forget(void)
{
	(void)clearenv(); /* cannot fail: it only frees memory */
}
