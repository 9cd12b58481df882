/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* statmount: ask statmount(2), and convert its replies. */

#include "statmount.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "../base/buf.h"

enum {
	REPLY_SIZE = 16 << 10, /* holds two maps of a hundred extents; doubled on EOVERFLOW */
	REPLY_SIZE_MAX = 1 << 20,
};

static const uint64_t maps =
	SYS_STATMOUNT_SUPPORTED_MASK | SYS_STATMOUNT_MNT_UIDMAP | SYS_STATMOUNT_MNT_GIDMAP;
static const uint64_t basic =
	SYS_STATMOUNT_SB_BASIC | SYS_STATMOUNT_MNT_BASIC | SYS_STATMOUNT_FS_TYPE;
static const uint64_t strings = SYS_STATMOUNT_SB_SOURCE | SYS_STATMOUNT_MNT_ROOT |
	SYS_STATMOUNT_MNT_OPTS | SYS_STATMOUNT_MNT_POINT;

static const char *string_at(const struct statmount_reply *r, uint64_t field, uint32_t off)
{
	size_t start = offsetof(struct sys_statmount, str) + off,
	       end = r->sm->size < r->size ? r->sm->size : r->size;

	if (!(r->sm->mask & field))
		return "";
	/* The offsets come from the kernel, but a check is cheap. */
	return start < end && memchr((const char *)r->sm + start, 0, end - start) ?
		(const char *)r->sm + start :
		"";
}

/* Convert n consecutive strings to lines. */
static void join_lines(
	const struct statmount_reply *r, uint64_t field, uint32_t off, uint32_t n, struct buf *b)
{
	while (n--) {
		const char *s = string_at(r, field, off);

		buf_str(b, s);
		buf_char(b, '\n');
		off += (uint32_t)strlen(s) + 1;
	}
}

/*
 * The kernel counts extents that our user namespace cannot express, but does not list them: then
 * the map is unknown.
 */
static void read_map(const struct statmount_reply *r, struct mount_info *i)
{
	scoped_buf struct buf uid = BUF_INIT, gid = BUF_INIT;
	const struct sys_statmount *sm = r->sm;

	i->mapped = sm->mask & (SYS_STATMOUNT_MNT_UIDMAP | SYS_STATMOUNT_MNT_GIDMAP);
	if (!i->mapped || !sm->mnt_uidmap_num || !sm->mnt_gidmap_num)
		return;
	join_lines(r, SYS_STATMOUNT_MNT_UIDMAP, sm->mnt_uidmap, sm->mnt_uidmap_num, &uid);
	join_lines(r, SYS_STATMOUNT_MNT_GIDMAP, sm->mnt_gidmap, sm->mnt_gidmap_num, &gid);
	if (buf_get(&uid) && buf_get(&gid))
		i->map_known = idmap_parse_kernel(buf_get(&uid), buf_get(&gid), &i->map, NULL) == 0;
}

static int call(uint64_t ns, uint64_t id, uint64_t mask, struct statmount_reply *r)
{
	for (;;) {
		if (!r->sm) {
			r->size = r->size ? r->size : REPLY_SIZE;
			r->sm = malloc(r->size);
			if (!r->sm)
				return -ENOMEM;
		}
		if (sys_statmount(ns, id, mask, r->sm, r->size) == 0)
			return 0;
		if (errno != EOVERFLOW)
			return -errno;
		if (r->size >= REPLY_SIZE_MAX)
			return -EOVERFLOW;
		free(r->sm);
		r->sm = NULL;
		r->size *= 2;
	}
}

/*
 * The owner of a user namespace can make strings of any length: paths are not limited, and blanks
 * are escaped with four bytes. Strings that do not fit are unknown: the other interface, libmount
 * and mountinfo, could be overloaded with them.
 */
int statmount_ask(uint64_t ns, uint64_t id, struct statmount_reply *r)
{
	int n = call(ns, id, maps | basic | strings, r);

	r->too_large = n == -EOVERFLOW;
	if (n == -EOVERFLOW)
		n = call(ns, id, maps | basic | SYS_STATMOUNT_MNT_POINT, r);
	return n == -EOVERFLOW ? call(ns, id, maps | basic, r) : n;
}

bool statmount_has_maps(const struct statmount_reply *r)
{
	return r->sm->mask & SYS_STATMOUNT_SUPPORTED_MASK &&
		r->sm->supported_mask & SYS_STATMOUNT_MNT_UIDMAP;
}

int statmount_fill(const struct statmount_reply *r, struct mount_info *i)
{
	const struct sys_statmount *sm = r->sm;

	i->id = (int)sm->mnt_id_old;
	i->unique = sm->mnt_id;
	i->dev = makedev(sm->sb_dev_major, sm->sb_dev_minor);
	i->parent = (int)sm->mnt_parent_id_old;
	i->propagation = sm->mnt_propagation;
	i->too_large = r->too_large;
	(void)snprintf(i->type, sizeof(i->type), "%s",
		string_at(r, SYS_STATMOUNT_FS_TYPE, sm->fs_type)); /* long names are truncated */
	i->source = strdup(string_at(r, SYS_STATMOUNT_SB_SOURCE, sm->sb_source));
	i->root = strdup(string_at(r, SYS_STATMOUNT_MNT_ROOT, sm->mnt_root));
	i->options = strdup(string_at(r, SYS_STATMOUNT_MNT_OPTS, sm->mnt_opts));
	i->target = strdup(string_at(r, SYS_STATMOUNT_MNT_POINT, sm->mnt_point));
	if (!i->source || !i->root || !i->options || !i->target)
		return -ENOMEM;
	read_map(r, i);
	return 0;
}
