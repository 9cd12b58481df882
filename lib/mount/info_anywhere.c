/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* info_anywhere: get a mount that may be in another mount namespace. */

#include "info_anywhere.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "info_priv.h"
#include "via_libmount.h"

/*
 * --- in one namespace ----------------------------------------------------------------------------
 */

struct line_search {
	uint64_t id; /* the one of mountinfo, which is unique among all namespaces */
	struct mount_info *ret;
};

static int take_line(const struct lm_mount *m, void *arg)
{
	struct line_search *s = arg;

	if ((uint64_t)m->id != s->id)
		return 0;
	return mount_info_from_line(m, s->ret) < 0 ? -ENOMEM : 1;
}

int mount_info_there(const struct mntns *ns, int fd, struct mount_info *ret)
{
	struct mount_info i = { .id = -1 };
	struct line_search s = { .ret = &i };
	struct err ignored = ERR_INIT;
	struct statx stx;
	int r = mount_info_in(ns, fd, ret);

	/* Root gets an answer for each namespace. For other users, -ENOENT may be a refusal. */
	if (r == 0 || r == -ENOMEM || (r == -ENOENT && geteuid() == 0))
		return r;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) < 0)
		return -errno;
	s.id = stx.stx_mnt_id;
	r = lm_mountinfo_of(ns->proc, ns->inode, take_line, &s, &ignored);
	if (r == 1) {
		*ret = i;
		return 0;
	}
	mount_info_done(&i);
	return r < 0 ? r : -ENOENT;
}

/*
 * --- in all namespaces ---------------------------------------------------------------------------
 */

struct place_search {
	int fd;
	struct mount_info *ret;
	struct mntns *ret_ns;
};

/* Returns 1 if the namespace has the mount. A namespace that cannot be read does not. */
static int visit(const struct mntns *n, void *arg)
{
	struct place_search *s = arg;
	int r = mount_info_there(n, s->fd, s->ret);

	if (r == 0)
		return mntns_copy(n, s->ret_ns) < 0 ? -EMFILE : 1;
	return r == -ENOMEM || r == -ESTALE ? r : 0;
}

static int search(struct place_search *s, struct err *e)
{
	size_t closed = 0; /* not reported: processes that the caller may not inspect */
	int r = mntns_each(false, visit, s, &closed, e);

	if (r == 1)
		return 0;
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r == -EMFILE)
		return err_set(e, EMFILE, NULL, "cannot keep a mount namespace open");
	return r < 0 ? r : -ENOENT;
}

int mount_info_anywhere(int fd, struct mount_info *ret, struct mntns *ret_ns, struct err *e)
{
	struct mount_info i = { .id = -1 };
	struct mntns ns = MNTNS_INIT;
	struct err own = ERR_INIT;
	int r = mount_info_get(fd, &i, &own);

	if (r == -ENOENT)
		r = search(&(struct place_search){ fd, &i, &ns }, e);
	if (r < 0) {
		mount_info_done(&i);
		if (e && !e->set)
			*e = own;
		return r;
	}
	*ret = i;
	*ret_ns = ns;
	return 0;
}
