/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_mount: the mounts that a path leads over. */

#include "explain_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "../mount/info_anywhere.h"
#include "../mount/record_store.h"
#include "../mount/via_libmount.h"

/* Image filesystems and overlays without an upper directory: the kernel refuses "remount,rw". */
static bool only_ro(const struct explain_mount *m)
{
	static const char *const types[] = { "squashfs", "erofs", "iso9660", "cramfs", "romfs" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(m->type, types[i]))
			return true;
	return !strcmp(m->type, "overlay") && !strstr(m->fs_options, "upperdir=");
}

/* As findmnt(8), say of a mount that it is read-only if its filesystem is. */
static void show_read_only(char *options)
{
	if (!strncmp(options, "rw", 2) && strchr(",", options[2])) /* or the end */
		options[1] = 'o';
}

static int take_mount(const struct lm_mount *m, void *arg)
{
	struct explain_mount *to = arg;

	if (m->id != to->id)
		return 0;
	to->target = strdup(m->target);
	to->type = strdup(m->type);
	to->source = strdup(m->source);
	to->options = strdup(m->vfs_options);
	to->fs_options = strdup(m->fs_options);
	return to->target && to->type && to->source && to->options && to->fs_options ? 1 : -ENOMEM;
}

/*
 * Filesystems that the root of a user namespace can mount, or that can be mounted on its behalf
 * (NFS, Linux 7.0): their ids may be those of that namespace.
 */
static bool userns_mountable(const char *type)
{
	static const char *const types[] = { "tmpfs", "overlay", "ramfs", "fuse", "mqueue", "proc",
		"sysfs", "devpts", "cgroup2", "nfs" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strncmp(type, types[i], strlen(types[i])))
			return true;
	return false;
}

/* Filesystems with a permission() operation of their own (include/linux/fs.h). */
static bool decides_itself(const char *type)
{
	static const char *const types[] = {
		"fuse",
		"nfs",
		"cifs",
		"smb3",
		"9p",
		"ceph",
		"afs",
		"overlay",
		"proc",
		"ecryptfs",
		"coda",
		"ocfs2",
		"orangefs",
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strncmp(type, types[i], strlen(types[i])))
			return true;
	return false;
}

/* Filesystems of the kernel, whose files stand for something else: what fails for every caller. */
static void forbid_entries(const char *type, struct perm_mount *m)
{
	static const struct {
		const char *type;
		int no_create, no_unlink;
	} rows[] = {
		{ "proc", ENOENT, EPERM },
		{ "sysfs", EACCES, EPERM },
		{ "binfmt_misc", EACCES, 0 },
		{ "bpf", EACCES, 0 },
		{ "cgroup", EACCES, 0 },
		{ "cgroup2", EACCES, 0 },
		{ "configfs", EACCES, 0 },
		{ "debugfs", EACCES, 0 },
		{ "devpts", EACCES, 0 },
		{ "fusectl", EACCES, 0 },
		{ "pstore", EACCES, 0 },
		{ "securityfs", EACCES, 0 },
		{ "tracefs", EACCES, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(type, rows[i].type) != 0)
			continue;
		m->no_create = rows[i].no_create;
		m->no_unlink = rows[i].no_unlink;
	}
}

static bool has_option(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p; p = strchr(p, ','), p += p != NULL)
		if (!strncmp(p, word, n) && (!p[n] || p[n] == ','))
			return true;
	return false;
}

static bool find_record(const struct explanation *x, int fd, struct mount_record *ret)
{
	scoped_mount_info struct mount_info i = { .id = -1 };

	if (!x->elsewhere)
		return record_store_find_fd(fd, ret) == 1;
	return mount_info_there(x->elsewhere, fd, &i) == 0 &&
		record_store_find(&i, x->elsewhere, ret) == 1;
}

/* What mount-idmapped has recorded of an overlay, if all layers have one map. */
static int read_layers_map(
	const struct explanation *x, int fd, struct explain_mount *m, struct err *e)
{
	scoped_mount_record struct mount_record r = { .other_userns = false };
	const struct idmap *map;
	int ret;

	if (!find_record(x, fd, &r) || r.other_userns || !mount_record_is_uniform(&r))
		return 0;
	if (r.map.wish == MAP_KEEP)
		return 0; /* a layer has the map of the mount that it was on */
	map = mount_record_map(&r);
	ret = map ? idmap_copy(map, &m->layers_map, e) : idmap_identity(&m->layers_map, e);
	if (ret < 0)
		return ret;
	m->recorded = true;
	m->upper_plain = r.upper_plain;
	return 0;
}

/* Flags of the mount and of its filesystem, as statvfs(3) joins them. */
static int print_flags(int fd, struct buf *ret)
{
	static const struct {
		unsigned long flag;
		const char *word;
	} words[] = {
		{ ST_NOSUID, ",nosuid" },
		{ ST_NODEV, ",nodev" },
		{ ST_NOEXEC, ",noexec" },
	};
	struct statvfs fs;

	if (fstatvfs(fd, &fs) < 0)
		fs.f_flag = 0;
	buf_str(ret, fs.f_flag & ST_RDONLY ? "ro" : "rw");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (fs.f_flag & words[i].flag)
			buf_str(ret, words[i].word);
	return buf_get(ret) ? 0 : -ENOMEM;
}

/* Take a mount of another mount namespace. Its target becomes a path that leads there from here. */
static int take_info(struct explanation *x, int fd, struct mount_info *i, struct explain_mount *to)
{
	scoped_buf struct buf flags = BUF_INIT;

	if (print_flags(fd, &flags) < 0 ||
		asprintf(&to->target, "%s%s", x->root, strcmp(i->target, "/") ? i->target : "") < 0)
		return -ENOMEM;
	to->type = strdup(i->type);
	to->source = strdup(i->source);
	to->fs_options = strdup(i->options);
	to->options = buf_take(&flags);
	to->kind = i->mapped               ? (i->map_known ? MOUNT_MAP_KNOWN : MOUNT_MAP_HIDDEN) :
		strcmp(i->type, "overlay") ? MOUNT_MAP_NONE :
					     MOUNT_MAP_OVERLAY;
	if (i->map_known)
		to->map = i->map;
	i->map_known = false; /* it is the mount's now */
	return to->type && to->source && to->fs_options && to->options ? 0 : -ENOMEM;
}

static int find_elsewhere(struct explanation *x, int fd, struct explain_mount *to)
{
	scoped_mount_info struct mount_info i = { .id = -1 };
	int r = mount_info_there(x->elsewhere, fd, &i);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = take_info(x, fd, &i, to);
	return r < 0 ? r : 1;
}

/* Read what the kernel says of the mount, and its map. */
static int find_here(int fd, const char *path, struct explain_mount *m, struct err *e)
{
	int r = lm_mountinfo(take_mount, m, e);

	if (r <= 0)
		return r;
	r = mount_map_read(fd, path, &m->map, e);
	if (r < 0)
		return r;
	m->kind = r;
	return 1;
}

static int not_found(const char *path, struct err *e)
{
	(void)err_say(e, ENOENT, path, "its mount is not in /proc/self/mountinfo");
	err_why(e, "it belongs to another mount namespace, or is detached");
	err_try(e,
		"run this command as a process that has the mount, with the path as it is there");
	return -ENOENT;
}

static void state_mount(const struct explanation *x, struct explain_mount *m)
{
	m->map_partial = m->kind == MOUNT_MAP_KNOWN && !x->caller.initial;
	m->fs_userns_assumed = userns_mountable(m->type);
	m->decides_itself = decides_itself(m->type);
	m->only_ro = only_ro(m);
	m->nfs = !strcmp(m->type, "nfs") || !strcmp(m->type, "nfs4");
	m->facts = (struct perm_mount){
		.ro = has_option(m->options, "ro"),
		.fs_ro = has_option(m->fs_options, "ro"),
		.nosuid = has_option(m->options, "nosuid"),
		.noexec = has_option(m->options, "noexec"),
		.nodev = has_option(m->options, "nodev"),
	};
	forbid_entries(m->type, &m->facts);
	if (m->facts.fs_ro)
		show_read_only(m->options);
}

int explain_mount_find(
	struct explanation *x, int fd, uint64_t id, const char *path, size_t *ret, struct err *e)
{
	struct explain_mount *m;
	int r;

	for (size_t i = 0; i < x->mounts.len; i++) {
		if ((uint64_t)x->mounts.items[i].id == id) {
			*ret = i;
			return 0;
		}
	}
	if (VEC_ADD(&x->mounts, (struct explain_mount){ .id = (int)id }) < 0)
		return err_nomem(e);
	*ret = x->mounts.len - 1;
	m = &x->mounts.items[*ret];
	r = x->elsewhere ? find_elsewhere(x, fd, m) : find_here(fd, path, m, e);
	if (r == 0)
		return not_found(path, e);
	if (r < 0)
		return r == -ENOMEM ? err_nomem(e) : r;
	state_mount(x, m);
	return m->kind == MOUNT_MAP_OVERLAY ? read_layers_map(x, fd, m, e) : 0;
}
