/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_mount: the mounts that a path leads over. */

#include "explain_priv.h"

#include <errno.h>
#include <string.h>

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

/* What mount-idmapped has recorded of an overlay, if all layers have one map. */
static int read_layers_map(int fd, struct explain_mount *m, struct err *e)
{
	scoped_mount_record struct mount_record r = { .other_userns = false };
	const struct idmap *map;
	int ret;

	if (record_store_find_fd(fd, &r) != 1 || r.other_userns || !mount_record_is_uniform(&r))
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
	r = lm_mountinfo(take_mount, m, e);
	if (r == 0) {
		(void)err_say(e, ENOENT, path, "its mount is not in /proc/self/mountinfo");
		err_why(e, "it belongs to another mount namespace, or is detached");
		err_try(e,
			"run this command as a process that has the mount, with the path as it is "
			"there");
		return -ENOENT;
	}
	if (r < 0)
		return r == -ENOMEM ? err_nomem(e) : r;
	r = mount_map_read(fd, path, &m->map, e);
	if (r < 0)
		return r;
	m->kind = r;
	m->map_partial = r == MOUNT_MAP_KNOWN && !x->caller.initial;
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
	return m->kind == MOUNT_MAP_OVERLAY ? read_layers_map(fd, m, e) : 0;
}
