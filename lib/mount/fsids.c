/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fsids: create files with another owner. */

#include "fsids.h"

#include <errno.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

#include "../base/sys.h"

int fsids_enter(struct fsids *f, uint32_t uid, uint32_t gid, struct err *e)
{
	int bits = prctl(PR_GET_SECUREBITS);

	if (bits < 0 ||
		prctl(PR_SET_SECUREBITS, (unsigned long)bits | SECBIT_NO_SETUID_FIXUP) < 0) {
		int r = err_set(e, errno, NULL,
			"cannot keep the capabilities while creating files as %u:%u", uid, gid);

		err_op(e, "securebits");
		return r;
	}
	f->securebits = bits;
	f->gid = (uint32_t)sys_setfsgid(gid);
	f->uid = (uint32_t)sys_setfsuid(uid);

	/*
	 * The calls do not report errors, but return the previous id; an invalid id changes
	 * nothing.
	 */
	if ((uint32_t)sys_setfsgid(UINT32_MAX) == gid && (uint32_t)sys_setfsuid(UINT32_MAX) == uid)
		return 0;
	fsids_leave(f);
	(void)err_say(e, EPERM, NULL, "cannot create files as %u:%u", uid, gid);
	err_op(e, "setfsuid");
	err_why(e,
		"these ids are not mapped in this user namespace, or CAP_SETUID or CAP_SETGID is "
		"missing");
	return -EPERM;
}

void fsids_leave(struct fsids *f)
{
	if (f->securebits < 0)
		return;
	(void)sys_setfsuid(f->uid);
	(void)sys_setfsgid(f->gid);
	(void)prctl(
		PR_SET_SECUREBITS, (unsigned long)f->securebits); /* allowed: setting them was */
	f->securebits = -1;
}
