/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmd.h"
int gen_main(const char *kind, const char *name, const char *file, struct err *e)
{
	(void)kind; (void)name; (void)file;
	return err_usage(e, "not there yet");
}
