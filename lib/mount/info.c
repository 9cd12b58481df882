/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* info: what the kernel reports about a mount. */

#include "info.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "info_priv.h"
#include "mntns.h"
#include "statmount.h"
#include "via_libmount.h"

/* Returns 0, 1 if the kernel does not report everything this way, or -errno. */
static int from_statmount(uint64_t ns, int fd, struct mount_info *i)
{
	scoped_statmount struct statmount_reply reply = { 0 };
	struct statx stx;
	int r;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, SYS_STATX_MNT_ID_UNIQUE, &stx) < 0)
		return -errno;
	if (!(stx.stx_mask & SYS_STATX_MNT_ID_UNIQUE))
		return 1;
	i->unique = stx.stx_mnt_id;
	r = statmount_ask(ns, stx.stx_mnt_id, &reply);
	if (r == -ENOENT || r == -ENOMEM)
		return r;
	if (r < 0)
		return 1; /* ENOSYS: before 6.8; EPERM: a seccomp filter */
	return statmount_has_maps(&reply) ? statmount_fill(&reply, i) : 1;
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

int mount_info_from_line(const struct lm_mount *m, struct mount_info *i)
{
	i->id = m->id;
	i->parent = m->parent;
	i->propagation = m->propagation ? m->propagation : MS_PRIVATE;
	i->mapped = has_word(m->vfs_options, "idmapped");
	(void)snprintf(i->type, sizeof(i->type), "%s", m->type); /* long names are truncated */
	i->source = strdup(m->source);
	i->root = strdup(m->root);
	i->options = strdup(m->fs_options);
	i->target = strdup(m->target);
	i->dev = m->dev;
	return i->source && i->root && i->options && i->target ? 0 : -ENOMEM;
}

static int match_id(const struct lm_mount *m, void *arg)
{
	struct mount_info *i = arg;
	int r;

	if (m->id != i->id)
		return 0;
	r = mount_info_from_line(m, i);
	return r < 0 ? r : 1;
}

static int get_id(int fd, int *ret, struct err *e)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return err_set(e, errno, NULL, "cannot get the id of the mount");
	if (!(stx.stx_mask & STATX_MNT_ID))
		return err_say(e, ENOSYS, NULL,
			"this kernel does not report the mount of a file (Linux 5.8 does)");

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
	int r = from_statmount(0, fd, &i);

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

int mount_info_in(const struct mntns *ns, int fd, struct mount_info *ret)
{
	struct mount_info i = { .id = -1 };
	int r;

	if (ns->ours)
		return mount_info_get(fd, ret, NULL);
	r = ns->id ? from_statmount(ns->id, fd, &i) : -ENOSYS;
	if (r != 0) {
		mount_info_done(&i);
		return r > 0 ? -ENOSYS : r;
	}
	*ret = i;
	return 0;
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

/*
 * --- many at once -------------------------------------------------------------------------------
 */

static int add_to_snapshot(const struct lm_mount *m, void *arg)
{
	struct mount_snapshot *s = arg;
	struct mount_info i = { .id = -1 };

	if (mount_info_from_line(m, &i) == 0 && VEC_ADD(&s->mounts, i) == 0)
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

	return s->mounts.len ? bsearch(&key, s->mounts.items, s->mounts.len, sizeof(key), by_id) :
			       NULL;
}

int mount_info_find(int id, struct mount_snapshot *s, struct mount_info *ret, struct err *e)
{
	const struct mount_info *found = in_snapshot(s, id);

	/* The snapshot was not taken yet, or the mount is newer. */
	if (!found) {
		int r = take_snapshot(s, e);

		if (r < 0)
			return r;
		found = in_snapshot(s, id);
	}
	if (!found)
		return not_listed(e);

	*ret = *found; /* mountinfo has no maps */
	ret->source = strdup(found->source);
	ret->root = strdup(found->root);
	ret->options = strdup(found->options);
	ret->target = strdup(found->target);
	return ret->source && ret->root && ret->options && ret->target ? 0 : err_nomem(e);
}

int mount_info_look(int fd, struct mount_snapshot *s, struct mount_info *ret, struct err *e)
{
	struct mount_info i = { .id = -1 };
	int r = mount_info_get_cheap(fd, &i, e);

	if (r == 1) {
		r = mount_info_find(i.id, s, ret, e);
		ret->unique = i.unique;
		return r;
	}
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
		.id = i->id,
		.unique = i->unique,
		.parent = i->parent,
		.propagation = i->propagation,
		.mapped = i->mapped,
		.dev = i->dev,
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
	static const struct {
		uint64_t bits;
		const char *name;
	} names[] = {
		{ MS_SHARED | MS_SLAVE, "shared,slave" },
		{ MS_SHARED, "shared" },
		{ MS_SLAVE, "slave" },
		{ MS_UNBINDABLE, "unbindable" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if ((propagation & names[i].bits) == names[i].bits)
			return names[i].name;
	return "private";
}
