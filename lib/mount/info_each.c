/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* info_each: iterate over the mounts of a namespace. */

#include "info.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "info_priv.h"
#include "mntns.h"
#include "statmount.h"
#include "via_libmount.h"

enum {
	LIST_AT_ONCE = 512,
	READ_MAX = 128 << 20, /* of another namespace, whose owner can make 100,000 mounts with
	                         names of any length */
};

struct each {
	uint64_t ns; /* 0: ours */
	size_t read;
	int (*fn)(const struct mount_info *i, void *arg);
	void *arg;
	struct err *e;
};

static int each_line(const struct lm_mount *m, void *arg)
{
	struct each *x = arg;
	struct mount_info i = { .id = -1 };
	int r = mount_info_from_line(m, &i);

	r = r < 0 ? err_nomem(x->e) : x->fn(&i, x->arg);
	mount_info_done(&i);
	return r;
}

static int each_id(uint64_t id, struct each *x, struct statmount_reply *reply)
{
	struct mount_info i = { .id = -1 };
	int r = statmount_ask(x->ns, id, reply);

	if (r == -ENOENT)
		return 0; /* it was unmounted since it was listed */
	if (r < 0)
		return err_set(x->e, -r, NULL, "cannot get a mount (statmount)");
	x->read += reply->too_large ? reply->size : reply->sm->size;
	if (x->ns && x->read > READ_MAX)
		return err_say(x->e, EFBIG, NULL,
			"the kernel reports more than %d MiB about its mounts", READ_MAX >> 20);
	r = statmount_fill(reply, &i);
	r = r < 0 ? err_nomem(x->e) : x->fn(&i, x->arg);
	mount_info_done(&i);
	return r;
}

bool mount_info_has_maps(void)
{
	scoped_statmount struct statmount_reply reply = { 0 };
	struct statx stx;

	return statx(AT_FDCWD, "/", 0, SYS_STATX_MNT_ID_UNIQUE, &stx) == 0 &&
		stx.stx_mask & SYS_STATX_MNT_ID_UNIQUE &&
		statmount_ask(0, stx.stx_mnt_id, &reply) == 0 && statmount_has_maps(&reply);
}

static int list_ids(uint64_t of, struct each *x)
{
	scoped_statmount struct statmount_reply reply = { 0 };
	uint64_t ids[LIST_AT_ONCE], last = 0;
	ssize_t n;
	int r = 0;

	do {
		n = sys_listmount(x->ns, of, last, ids, LIST_AT_ONCE);
		if (n < 0)
			return err_set(x->e, errno, NULL, "cannot list the mounts (listmount)");
		for (ssize_t k = 0; k < n && r == 0; k++)
			r = each_id(last = ids[k], x, &reply);
	} while (n == LIST_AT_ONCE && r == 0);
	return r;
}

int mount_info_each(const struct mntns *ns, int (*fn)(const struct mount_info *i, void *arg),
	void *arg, struct err *e)
{
	bool ours = !ns || ns->ours;
	struct each x = { .ns = ours ? 0 : ns->id, .fn = fn, .arg = arg, .e = e };

	if (x.ns || (ours && mount_info_has_maps()))
		return list_ids(SYS_LSMT_ROOT, &x);
	return ours ? lm_mountinfo(each_line, &x, e) :
		      lm_mountinfo_of(ns->proc, ns->inode, each_line, &x, e);
}

int mount_info_below(
	int fd, int (*fn)(const struct mount_info *i, void *arg), void *arg, struct err *e)
{
	struct each x = { .fn = fn, .arg = arg, .e = e };
	struct statx stx;

	if (!mount_info_has_maps())
		return lm_mountinfo(each_line, &x, e);
	if (statx(fd, "", AT_EMPTY_PATH, SYS_STATX_MNT_ID_UNIQUE, &stx) < 0)
		return err_set(e, errno, NULL, "cannot get the id of the mount");
	return list_ids(stx.stx_mnt_id, &x);
}
