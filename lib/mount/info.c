/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* info: what the kernel says of a mount. */

#include "info.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../base/buf.h"
#include "../base/sys.h"
#include "lm.h"

enum {
	STATMOUNT_SIZE = 16 << 10,      /* holds two maps of a hundred extents; doubled on EOVERFLOW */
	STATMOUNT_SIZE_MAX = 1 << 20,
	LIST_AT_ONCE = 512,
};

static const char *string_at(const struct sys_statmount *sm, size_t size, uint32_t off)
{
	size_t start = offsetof(struct sys_statmount, str) + off;

	/* The kernel's answer, but a bound is cheap. */
	return start < size && memchr((const char *)sm + start, 0, size - start) ? (const char *)sm + start : "";
}

/* n strings after each other, as lines. */
static void join_lines(const struct sys_statmount *sm, size_t size, uint32_t off, uint32_t n, struct buf *b)
{
	while (n--) {
		const char *s = string_at(sm, size, off);

		buf_str(b, s);
		buf_char(b, '\n');
		off += (uint32_t)strlen(s) + 1;
	}
}

/* The kernel counts extents that our namespace cannot express, but does not list them: unknown, then. */
static void read_map(const struct sys_statmount *sm, size_t size, struct mount_info *i)
{
	scoped_buf struct buf uid = BUF_INIT, gid = BUF_INIT;

	i->mapped = sm->mask & (SYS_STATMOUNT_MNT_UIDMAP | SYS_STATMOUNT_MNT_GIDMAP);
	if (!i->mapped || !sm->mnt_uidmap_num || !sm->mnt_gidmap_num)
		return;
	join_lines(sm, size, sm->mnt_uidmap, sm->mnt_uidmap_num, &uid);
	join_lines(sm, size, sm->mnt_gidmap, sm->mnt_gidmap_num, &gid);
	if (buf_get(&uid) && buf_get(&gid))
		i->map_known = idmap_parse_kernel(buf_get(&uid), buf_get(&gid), &i->map, NULL) == 0;
}

static int call_statmount(uint64_t id, uint64_t more, struct sys_statmount **ret, size_t *ret_size)
{
	const uint64_t mask = more | SYS_STATMOUNT_SB_BASIC | SYS_STATMOUNT_MNT_BASIC | SYS_STATMOUNT_FS_TYPE |
		SYS_STATMOUNT_SB_SOURCE | SYS_STATMOUNT_MNT_ROOT | SYS_STATMOUNT_SUPPORTED_MASK | SYS_STATMOUNT_MNT_UIDMAP |
		SYS_STATMOUNT_MNT_GIDMAP | SYS_STATMOUNT_MNT_OPTS;

	for (size_t size = STATMOUNT_SIZE; size <= STATMOUNT_SIZE_MAX; size *= 2) {
		scoped_free struct sys_statmount *sm = calloc(1, size);

		if (!sm)
			return -ENOMEM;
		if (sys_statmount(id, mask, sm, size) == 0) {
			*ret = TAKE_PTR(sm);
			*ret_size = size;
			return 0;
		}
		if (errno != EOVERFLOW)
			return -errno;
	}
	return -EOVERFLOW;
}

static bool tells_maps(const struct sys_statmount *sm)
{
	return sm->mask & SYS_STATMOUNT_SUPPORTED_MASK && sm->supported_mask & SYS_STATMOUNT_MNT_UIDMAP;
}

static int fill(const struct sys_statmount *sm, size_t size, struct mount_info *i)
{
	i->id = (int)sm->mnt_id_old;
	i->parent = (int)sm->mnt_parent_id_old;
	i->propagation = sm->mnt_propagation;
	(void)snprintf(i->type, sizeof(i->type), "%s", string_at(sm, size, sm->fs_type)); /* long ones are cut */
	i->source = strdup(sm->mask & SYS_STATMOUNT_SB_SOURCE ? string_at(sm, size, sm->sb_source) : "");
	i->root = strdup(sm->mask & SYS_STATMOUNT_MNT_ROOT ? string_at(sm, size, sm->mnt_root) : "");
	i->options = strdup(sm->mask & SYS_STATMOUNT_MNT_OPTS ? string_at(sm, size, sm->mnt_opts) : "");
	if (!i->source || !i->root || !i->options)
		return -ENOMEM;
	read_map(sm, size, i);
	return 0;
}

/* 0, 1 when the kernel cannot tell everything this way, or -errno. */
static int from_statmount(int fd, struct mount_info *i)
{
	scoped_free struct sys_statmount *sm = NULL;
	struct statx stx;
	size_t size = 0;
	int r;

	if (statx(fd, "", AT_EMPTY_PATH, SYS_STATX_MNT_ID_UNIQUE, &stx) < 0)
		return -errno;
	if (!(stx.stx_mask & SYS_STATX_MNT_ID_UNIQUE))
		return 1;
	r = call_statmount(stx.stx_mnt_id, 0, &sm, &size);
	if (r == -ENOENT || r == -ENOMEM)
		return r;
	if (r < 0)
		return 1; /* ENOSYS: before 6.8; EPERM: a seccomp filter */
	return tells_maps(sm) ? fill(sm, size, i) : 1;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p; p += *p == ',') {
		size_t len = strcspn(p, ",");

		if (len == n && !memcmp(p, word, n))
			return true;
		p += len;
	}
	return false;
}

static int copy_line(const struct lm_mount *m, struct mount_info *i)
{
	i->id = m->id;
	i->parent = m->parent;
	i->propagation = m->propagation ? m->propagation : MS_PRIVATE;
	i->mapped = has_word(m->vfs_options, "idmapped");
	(void)snprintf(i->type, sizeof(i->type), "%s", m->type); /* long ones are cut */
	i->source = strdup(m->source);
	i->root = strdup(m->root);
	i->options = strdup(m->fs_options);
	return i->source && i->root && i->options ? 0 : -ENOMEM;
}

static int match_id(const struct lm_mount *m, void *arg)
{
	struct mount_info *i = arg;
	int r;

	if (m->id != i->id)
		return 0;
	r = copy_line(m, i);
	return r < 0 ? r : 1;
}

static int get_id(int fd, int *ret, struct err *e)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return err_set(e, errno, NULL, "cannot ask which mount this is");
	if (!(stx.stx_mask & STATX_MNT_ID))
		return err_say(e, ENOSYS, NULL, "this kernel does not tell the mount of a file (Linux 5.8 does)");

	*ret = (int)stx.stx_mnt_id;
	return 0;
}

static int not_listed(struct err *e)
{
	return err_say(e, ENOENT, NULL, "the mount is not in /proc/self/mountinfo");
}

static int from_mountinfo(int fd, struct mount_info *i, struct err *e)
{
	int r = get_id(fd, &i->id, e);

	if (r == 0)
		r = lm_mountinfo(match_id, i, e);
	else
		return r;
	if (r == 0)
		return not_listed(e);
	return r == -ENOMEM ? err_nomem(e) : r < 0 ? r : 0;
}

int mount_info_get_cheap(int fd, struct mount_info *ret, struct err *e)
{
	struct mount_info i = { .id = -1 };
	int r = from_statmount(fd, &i);

	if (r == -ENOMEM)
		r = err_nomem(e);
	else if (r < 0)
		r = err_set(e, -r, NULL, "cannot read back the mount");
	else if (r == 1)
		r = get_id(fd, &i.id, e) < 0 ? -ENOSYS : 1;
	if (r < 0) {
		mount_info_done(&i);
		return r;
	}

	*ret = i;
	return r;
}

int mount_info_get(int fd, struct mount_info *ret, struct err *e)
{
	struct mount_info i = { .id = -1 };
	int r = mount_info_get_cheap(fd, &i, e);

	if (r == 1)
		r = from_mountinfo(fd, &i, e);
	if (r < 0) {
		mount_info_done(&i);
		return r;
	}

	*ret = i;
	return 0;
}

/* --- all of them ------------------------------------------------------------------------------- */

struct each {
	int (*fn)(const struct mount_info *i, void *arg);
	void *arg;
	struct err *e;
};

static int set_target(struct mount_info *i, const char *target)
{
	i->target = strdup(target);
	return i->target ? 0 : -ENOMEM;
}

static int each_line(const struct lm_mount *m, void *arg)
{
	struct each *x = arg;
	struct mount_info i = { .id = -1, .dev = m->dev };
	int r = copy_line(m, &i);

	if (r == 0)
		r = set_target(&i, m->target);
	r = r < 0 ? err_nomem(x->e) : x->fn(&i, x->arg);
	mount_info_done(&i);
	return r;
}

static int each_id(uint64_t id, const struct each *x)
{
	const uint64_t more = SYS_STATMOUNT_MNT_POINT;
	scoped_free struct sys_statmount *sm = NULL;
	struct mount_info i = { .id = -1 };
	size_t size = 0;
	int r = call_statmount(id, more, &sm, &size);

	if (r == -ENOENT)
		return 0; /* gone since it was listed */
	if (r < 0)
		return err_set(x->e, -r, NULL, "cannot ask for a mount (statmount)");
	i.dev = makedev(sm->sb_dev_major, sm->sb_dev_minor);
	r = fill(sm, size, &i);
	if (r == 0)
		r = set_target(&i, sm->mask & SYS_STATMOUNT_MNT_POINT ? string_at(sm, size, sm->mnt_point) : "");
	r = r < 0 ? err_nomem(x->e) : x->fn(&i, x->arg);
	mount_info_done(&i);
	return r;
}

bool mount_info_tells_maps(void)
{
	scoped_free struct sys_statmount *sm = NULL;
	size_t size = 0;
	struct statx stx;

	return statx(AT_FDCWD, "/", 0, SYS_STATX_MNT_ID_UNIQUE, &stx) == 0 && stx.stx_mask & SYS_STATX_MNT_ID_UNIQUE &&
		call_statmount(stx.stx_mnt_id, 0, &sm, &size) == 0 && tells_maps(sm);
}

static int list_ids(uint64_t of, const struct each *x)
{
	uint64_t ids[LIST_AT_ONCE], last = 0;
	ssize_t n;
	int r = 0;

	do {
		n = sys_listmount(of, last, ids, LIST_AT_ONCE);
		if (n < 0)
			return err_set(x->e, errno, NULL, "cannot list the mounts (listmount)");
		for (ssize_t k = 0; k < n && r == 0; k++)
			r = each_id(last = ids[k], x);
	} while (n == LIST_AT_ONCE && r == 0);
	return r;
}

int mount_info_each(const char *table, int (*fn)(const struct mount_info *i, void *arg), void *arg, struct err *e)
{
	struct each x = { fn, arg, e };

	if (table || !mount_info_tells_maps())
		return lm_mountinfo_of(table ? table : "/proc/self/mountinfo", each_line, &x, e);
	return list_ids(SYS_LSMT_ROOT, &x);
}

int mount_info_below(int fd, int (*fn)(const struct mount_info *i, void *arg), void *arg, struct err *e)
{
	struct each x = { fn, arg, e };
	struct statx stx;

	if (!mount_info_tells_maps())
		return lm_mountinfo(each_line, &x, e);
	if (statx(fd, "", AT_EMPTY_PATH, SYS_STATX_MNT_ID_UNIQUE, &stx) < 0)
		return err_set(e, errno, NULL, "cannot ask which mount this is");
	return list_ids(stx.stx_mnt_id, &x);
}

/* --- many at once ------------------------------------------------------------------------------- */

static int add_to_snapshot(const struct lm_mount *m, void *arg)
{
	struct mount_snapshot *s = arg;
	struct mount_info i = { .id = -1 };

	if (copy_line(m, &i) == 0 && VEC_ADD(&s->mounts, i) == 0)
		return 0;
	mount_info_done(&i);
	return -ENOMEM;
}

static int by_id(const void *a, const void *b)
{
	const struct mount_info *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int take_snapshot(struct mount_snapshot *s, struct err *e)
{
	int r;

	mount_snapshot_done(s);
	r = lm_mountinfo(add_to_snapshot, s, e);
	if (r < 0)
		return r == -ENOMEM ? err_nomem(e) : r;
	if (s->mounts.len)
		qsort(s->mounts.items, s->mounts.len, sizeof(*s->mounts.items), by_id);
	return 0;
}

static const struct mount_info *in_snapshot(const struct mount_snapshot *s, int id)
{
	const struct mount_info key = { .id = id };

	return s->mounts.len ? bsearch(&key, s->mounts.items, s->mounts.len, sizeof(key), by_id) : NULL;
}

int mount_info_find(int id, struct mount_snapshot *s, struct mount_info *ret, struct err *e)
{
	const struct mount_info *found = in_snapshot(s, id);

	/* Not read yet, or mounted since. */
	if (!found) {
		int r = take_snapshot(s, e);

		if (r < 0)
			return r;
		found = in_snapshot(s, id);
	}
	if (!found)
		return not_listed(e);

	*ret = *found; /* a map is never known here */
	ret->source = strdup(found->source);
	ret->root = strdup(found->root);
	ret->options = strdup(found->options);
	return ret->source && ret->root && ret->options ? 0 : err_nomem(e);
}

int mount_info_look(int fd, struct mount_snapshot *s, struct mount_info *ret, struct err *e)
{
	struct mount_info i = { .id = -1 };
	int r = mount_info_get_cheap(fd, &i, e);

	if (r == 1)
		return mount_info_find(i.id, s, ret, e);
	if (r == 0)
		*ret = i;
	return r;
}

void mount_snapshot_done(struct mount_snapshot *s)
{
	for (size_t i = 0; i < s->mounts.len; i++)
		mount_info_done(&s->mounts.items[i]);
	VEC_DONE(&s->mounts);
}

int mount_info_copy(const struct mount_info *i, struct mount_info *ret, struct err *e)
{
	struct mount_info copy = {
		.id = i->id, .parent = i->parent, .propagation = i->propagation, .mapped = i->mapped, .dev = i->dev,
	};

	memcpy(copy.type, i->type, sizeof(copy.type));
	copy.source = strdup(i->source);
	if (!copy.source)
		return err_nomem(e);
	if (i->map_known && idmap_copy(&i->map, &copy.map, e) < 0) {
		free(copy.source);
		return -ENOMEM;
	}
	copy.map_known = i->map_known;
	*ret = copy;
	return 0;
}

void mount_info_done(struct mount_info *i)
{
	free(i->source);
	free(i->target);
	free(i->root);
	free(i->options);
	if (i->map_known)
		idmap_done(&i->map);
	*i = (struct mount_info){ .id = -1 };
}

const char *mount_propagation_name(uint64_t propagation)
{
	static const struct { uint64_t bits; const char *name; } names[] = {
		{ MS_SHARED | MS_SLAVE, "shared,slave" }, { MS_SHARED, "shared" }, { MS_SLAVE, "slave" },
		{ MS_UNBINDABLE, "unbindable" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if ((propagation & names[i].bits) == names[i].bits)
			return names[i].name;
	return "private";
}
