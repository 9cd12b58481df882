/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_fs: try which filesystems can be ID-mapped. */

#include "host_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../base/vec.h"
#include "../mount/info.h"
#include "../mount/mount_attr.h"
#include "../mount/newfs.h"
#include "../mount/probe.h"

enum { FILESYSTEMS_MAX = 64 << 10 };

/* A mount that may be tried. Of most types one is enough; of FUSE types each daemon decides. */
struct mounted {
	char *type, *target;
	dev_t dev;
	bool mapped, done;
};

struct mounted_list {
	VEC(struct mounted) v;
};

static bool decided_by_daemon(const char *type)
{
	return !strncmp(type, "fuse", 4) || !strcmp(type, "virtiofs");
}

static int collect(const struct mount_info *i, void *arg)
{
	struct mounted_list *l = arg;
	struct mounted m = { strdup(i->type), strdup(i->target), i->dev, i->mapped, false };

	return !m.type || !m.target || VEC_ADD(&l->v, m) < 0 ? -ENOMEM : 0;
}

/* Returns 0 (mapped), -ENOENT if path is on another mount, or -errno with the cause in e. */
static int try_path(const struct host *h, const char *path, const char *type, struct err *e)
{
	scoped_fd int fd = -1, tree = -1;
	scoped_mount_info struct mount_info info = { .id = -1 };

	if (path_open(path, O_PATH, "cannot open", NULL, &fd, NULL) < 0 ||
		mount_info_get(fd, &info, NULL) < 0 || strcmp(info.type, type) != 0)
		return -ENOENT;
	tree = sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0) {
		(void)err_set(e, errno, path, "cannot clone the mount");
		probe_clone(fd, true, e);
		/*
		 * Mounts below it may be the reported cause. The decisive one, which applies to all
		 * mounts from outside of this user namespace, replaces it.
		 */
		if (h->own_userns)
			err_why(e,
				"the filesystem (%s) was mounted outside of this user namespace, "
				"and only the root of the namespace that mounted it may map it",
				info.type);
		if (h->own_userns)
			err_try(e,
				"run as root of that namespace, or use a filesystem mounted in "
				"this one (a tmpfs of your own)");
		return -e->num;
	}
	if (mount_attr_set(tree, &mount_flags_private, h->userns) == 0)
		return 0;
	(void)err_set(e, errno, path, "cannot set the ID mapping");
	probe_idmap(fd, h->userns, &mount_flags_private, e);
	return -e->num;
}

/* The Linux version since which a type can be mapped, or "". Valid until the next call. */
static const char *since_of(const char *type)
{
	static struct probe_known k;

	return probe_known_find(type, &k) ? k.since : "";
}

static struct host_feature filesystem(const char *type)
{
	return (struct host_feature){ "filesystem", type, since_of(type) };
}

/* The result r of a trial on where, with the reason in e; with its hint, if hint is set. */
static void put_try(
	struct host *h, const char *type, const char *where, int r, const struct err *e, bool hint)
{
	hint &= e->hint[0] != '\0';
	if (r == 0)
		host_row(h, filesystem(type), HOST_YES, "tried on %s", where);
	else
		host_row(h, filesystem(type), HOST_NO, "tried on %s: %s%s%s", where,
			e->why[0] ? e->why : strerrordesc_np(-r), hint ? "; try: " : "",
			hint ? e->hint : "");
}

/*
 * Try the first mount of the type that is reachable by its path. Unmapped mounts come first,
 * because an ID-mapped one cannot get another map this way.
 */
static void try_kind(struct host *h, struct mounted_list *l, size_t first)
{
	const struct mounted *kind = &l->v.items[first];
	struct err e = ERR_INIT;
	bool tried = false;

	for (int mapped = 0; mapped < 2; mapped++)
		for (size_t i = first; i < l->v.len; i++) {
			struct mounted *m = &l->v.items[i];
			int r;

			if (strcmp(m->type, kind->type) != 0 ||
				(decided_by_daemon(m->type) && m->dev != kind->dev))
				continue;
			m->done = true;
			if (tried || m->mapped != mapped)
				continue;
			if (mapped) {
				host_row(h, filesystem(m->type), HOST_YES,
					"ID-mapped already, on %s", m->target);
				return;
			}
			r = try_path(h, m->target, m->type, &e);
			if (r == -ENOENT)
				continue;
			put_try(h, m->type, m->target, r, &e, false);
			if (r == 0 && !h->mappable[0] && strlen(m->target) < sizeof(h->mappable))
				(void)snprintf(h->mappable, sizeof(h->mappable), "%s",
					m->target); /* fits */
			tried = true;
		}
	if (!tried)
		host_row(h, filesystem(kind->type), HOST_NOT_TRIED,
			"its mount on %s is hidden by another one, or cannot be reached",
			kind->target);
}

/*
 * --- on mounts made for the trial ------------------------------------------------------------
 */

/* Filesystems that can be created without a device, a daemon or a side effect. */
static bool needs_nothing(const char *type)
{
	static const char *const types[] = { "tmpfs", "ramfs", "proc", "sysfs", "devpts", "mqueue",
		"hugetlbfs", "cgroup2" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

static void try_detached(struct host *h, const char *type, int mnt, const char *what)
{
	struct err e = ERR_INIT;
	int r = mount_attr_set(mnt, &mount_flags_private, h->userns);

	if (r == -EINVAL)
		err_why(&e, "%s", "the filesystem does not support it in this kernel");
	put_try(h, type, what, r, &e, false);
}

static void try_new(struct host *h, const char *type)
{
	scoped_fd int fs = sys_fsopen(type, FSOPEN_CLOEXEC), mnt = -1;

	if (fs >= 0 && sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0) {
		host_row(h, filesystem(type), HOST_NOT_TRIED, "cannot be mounted here: %s",
			strerrordesc_np(errno));
		return;
	}
	try_detached(h, type, mnt, "a mount of its own");
}

static bool is_mounted(const struct mounted_list *l, const char *type)
{
	for (size_t i = 0; i < l->v.len; i++)
		if (!strcmp(l->v.items[i].type, type))
			return true;
	return false;
}

/* Each line of /proc/filesystems is "nodev\tTYPE" or "\tTYPE". */
static void try_new_ones(struct host *h, const struct mounted_list *l, const char *filesystems)
{
	size_t len;

	for (const char *line = filesystems; *line; line += len + (line[len] == '\n')) {
		const char *tab = strchr(line, '\t');
		char type[64];

		len = strcspn(line, "\n");
		if (!tab || tab >= line + len)
			continue;
		(void)snprintf(type, sizeof(type), "%.*s", (int)(line + len - tab - 1),
			tab + 1); /* no type of needs_nothing() is that long */
		/*
		 * In a user namespace, a mount made there may be mappable although those from
		 * outside of it are not: try both.
		 */
		if (needs_nothing(type) && (h->own_userns || !is_mounted(l, type)))
			try_new(h, type);
	}
}

static bool has_type(const char *filesystems, const char *type)
{
	scoped_buf struct buf b = BUF_INIT;

	buf_printf(&b, "\t%s\n", type);
	return buf_get(&b) && strstr(filesystems, b.data);
}

/*
 * Try the type on a new image. Returns false, with the reason in why or an empty why, if there is
 * none. Loop devices require root in the initial user namespace.
 */
static bool try_image(struct host *h, const char *type, struct buf *why)
{
	scoped_fd int scratch = -1, mnt = -1;

	if (h->in_userns || !h->may_attach || newfs_tmpfs(0, &scratch, NULL) < 0)
		return false;
	mnt = host_image(scratch, type, why);
	if (mnt < 0)
		return false;
	try_detached(h, type, mnt, "an image made for it");
	return true;
}

/* Try FUSE with a daemon that asks for ID mapping; other daemons may not. */
static bool try_fuse(struct host *h, const char *type, struct buf *why)
{
	scoped_fd int mnt = -1, server = -1;

	if (strcmp(type, "fuse") != 0)
		return false;
	mnt = host_fuse(&server, why);
	if (mnt == -EOPNOTSUPP)
		host_row(h, filesystem(type), HOST_NO,
			"tried on a mount of its own: this kernel does not offer it to daemons");
	else if (mnt >= 0)
		try_detached(h, type, mnt,
			"a mount of its own: with a daemon that asks for it (FUSE_ALLOW_IDMAP), "
			"and default_permissions");
	return mnt >= 0 || mnt == -EOPNOTSUPP;
}

/*
 * Report known types that are not mounted. Modules are not loaded for a trial, and filesystems that
 * require a server or a daemon cannot be tried, except FUSE.
 */
static void put_known(struct host *h, const struct mounted_list *l, const char *filesystems)
{
	struct probe_known k;

	for (size_t i = 0; probe_known_get(i, &k); i++) {
		bool here = has_type(filesystems, k.type);
		scoped_buf struct buf why = BUF_INIT;

		if (is_mounted(l, k.type) || needs_nothing(k.type) || !strcmp(k.type, "overlay") ||
			(here && (try_fuse(h, k.type, &why) || try_image(h, k.type, &why))))
			continue;
		host_row(h, filesystem(k.type), HOST_NOT_TRIED, "%s%s%s%s%s",
			here ? "none is mounted" :
			       "not in this kernel, or its module is not loaded",
			why.len ? "; " : "", why.len && buf_get(&why) ? buf_get(&why) : "",
			k.why ? "; " : "", k.why ? k.why : "");
	}
}

static void list_done(struct mounted_list *l)
{
	for (size_t i = 0; i < l->v.len; i++) {
		free(l->v.items[i].type);
		free(l->v.items[i].target);
	}
	VEC_DONE(&l->v);
}

/* Try the filesystem that path is on. */
static void try_one(struct host *h, const char *path)
{
	scoped_mount_info struct mount_info info = { .id = -1 };
	struct err e = ERR_INIT;
	scoped_fd int fd = -1;
	int r = path_open(path, O_PATH, "cannot open", NULL, &fd, NULL);

	if (r == 0)
		r = mount_info_get(fd, &info, NULL);
	if (r < 0) {
		host_row(h, (struct host_feature){ "filesystem", path, NULL }, HOST_NOT_TRIED,
			"cannot be examined: %s", strerrordesc_np(-r));
	} else if (info.mapped) {
		host_row(h, filesystem(info.type), HOST_YES, "ID-mapped already, on %s", path);
	} else {
		r = try_path(h, path, info.type, &e);
		put_try(h, info.type, path, r, &e, true);
	}
}

void host_filesystems(struct host *h, const char *path)
{
	struct mounted_list l = { .v = { .len = 0 } };
	scoped_buf struct buf text = BUF_INIT;

	if (!h->entered || h->userns < 0) {
		host_row(h, (struct host_feature){ "filesystem", "all", NULL }, HOST_NOT_TRIED,
			"%s", h->refused);
		return;
	}
	if (path) {
		try_one(h, path);
		return;
	}
	if (mount_info_each(NULL, collect, &l, NULL) < 0)
		host_row(h, (struct host_feature){ "filesystem", "mounted ones", NULL },
			HOST_NOT_TRIED, "the mounts cannot be listed");
	for (size_t i = 0; i < l.v.len; i++)
		if (!l.v.items[i].done)
			try_kind(h, &l, i);
	if (fd_read_file(AT_FDCWD, "/proc/filesystems", FILESYSTEMS_MAX, &text, NULL) == 0 &&
		buf_get(&text)) {
		try_new_ones(h, &l, text.data);
		put_known(h, &l, text.data);
	}
	list_done(&l);
}
