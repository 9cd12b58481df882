/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* info_all: the mounts of all mount namespaces that the caller may inspect. */

#include "info_all.h"

#include <errno.h>
#include <string.h>

#include "../base/log.h"

struct all_namespaces {
	int (*fn)(const struct mount_info *i, const struct mntns *ns, void *arg);
	void *arg;
	const struct mntns *ns;
	int answer; /* what fn returned */
	struct err *e;
};

static int pass_on(const struct mount_info *i, void *arg)
{
	struct all_namespaces *s = arg;

	s->answer = s->fn(i, s->ns, s->arg);
	return s->answer;
}

static bool is_refusal(int r)
{
	return r == -EACCES || r == -EPERM || r == -ENOENT;
}

/* statmount(2) requires privileges over the namespace, mountinfo over the process. */
static int look_into(const struct mntns *n, void *arg)
{
	struct all_namespaces *s = arg;
	struct mntns by_file = *n;
	struct err e = ERR_INIT;
	int r;

	by_file.id = 0;
	s->ns = n;
	r = mount_info_each(n, pass_on, s, &e);
	if (n->id && s->answer == 0 && is_refusal(r)) {
		log_verbose("the mounts of process %d are read from its mountinfo: %s: %s",
			(int)n->pid, e.what, strerrordesc_np(-r));
		r = mount_info_each(&by_file, pass_on, s, &e);
	}
	if (s->answer == 0 && r < 0) {
		if (!n->id && mntns_has_left(n))
			return -ESTALE;
		return is_refusal(r) ? 0 : s->fn(NULL, n, s->arg);
	}
	if (r < 0 && s->e && !s->e->set)
		*s->e = e;
	return r;
}

int mount_info_all_namespaces(
	int (*fn)(const struct mount_info *i, const struct mntns *ns, void *arg), void *arg,
	struct err *e)
{
	struct all_namespaces s = { .fn = fn, .arg = arg, .e = e };
	scoped_mntns struct mntns own = MNTNS_INIT;
	size_t closed = 0; /* not reported: processes that the caller may not inspect */
	int r = mntns_own(&own, e);

	s.ns = &own;
	if (r == 0)
		r = mount_info_each(&own, pass_on, &s, e);
	return r == 0 ? mntns_each(true, look_into, &s, &closed, e) : r;
}
