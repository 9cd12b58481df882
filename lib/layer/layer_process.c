/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_process: prepare the process for creating files with other owners. */

#include "layer_process.h"

#include <errno.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/stat.h>

int layer_process_prepare(struct err *e)
{
	int bits = prctl(PR_GET_SECUREBITS);

	(void)umask(0); /* cannot fail */
	if (bits < 0)
		return err_set(e, errno, NULL, "cannot read the process's secure bits");
	if (bits & SECBIT_NO_SETUID_FIXUP)
		return 0;
	if (prctl(PR_SET_SECUREBITS, (unsigned long)bits | SECBIT_NO_SETUID_FIXUP) < 0) {
		(void)err_set(e, errno, NULL, "cannot create files with their owners");
		err_op(e, "securebits");
		err_why(e,
			"keeping capabilities while creating files as another user needs "
			"CAP_SETPCAP: run it as root, or in a user namespace");
		return e ? -e->num : -EPERM;
	}
	return 0;
}
