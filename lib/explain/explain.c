/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain: gather the facts about a file and the directories on its path. */

#include "explain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/posix_acl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/num.h"
#include "../mount/via_libmount.h"
#include "explain_priv.h"

/*
 * --- mounts ----------------------------------------------------------------------------------
 */

/* Image filesystems and overlays without an upper directory: the kernel refuses "remount,rw". */
static bool only_ro(const struct explain_mount *m)
{
	static const char *const types[] = { "squashfs", "erofs", "iso9660", "cramfs", "romfs" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(m->type, types[i]))
			return true;
	return !strcmp(m->type, "overlay") && !strstr(m->fs_options, "upperdir=");
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

static bool has_option(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p; p = strchr(p, ','), p += p != NULL)
		if (!strncmp(p, word, n) && (!p[n] || p[n] == ','))
			return true;
	return false;
}

/* Find the mount with this id, that fd is on, or add it. *ret is its index. */
static int find_mount(
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
	return 0;
}

/*
 * --- inodes ----------------------------------------------------------------------------------
 */

static int read_meta(int fd, const char *path, struct meta *ret, struct err *e)
{
	int r = meta_stat(fd, "", ret), has;

	if (r < 0)
		return err_set(e, -r, path, "cannot stat");
	has = S_ISLNK(ret->mode) ? 0 : meta_list_xattrs(fd, "");
	if (has > 0)
		has = meta_read_xattrs(fd, "", (unsigned)has, ret);
	if (has < 0)
		log_verbose(
			"%s: its ACL and capabilities cannot be read: %s", path, strerror(-has));
	return 0;
}

static int read_record(int fd, mode_t mode, struct record *ret)
{
	char link[32], text[RECORD_MAX];
	ssize_t n;

	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return 0; /* other types have no user.* attributes, xattr(7) */
	n = getxattr(fd_proc_path(fd, link), RECORD_XATTR, text, sizeof(text));
	if (n < 0)
		return errno == ENODATA || errno == EOPNOTSUPP ? 0 :
			errno == ERANGE                        ? -EINVAL :
								 -errno;
	return record_parse(text, (size_t)n, ret) < 0 ? -EINVAL : 1;
}

/* Read the disk side of a file on an ID-mapped mount. */
static int read_raw(int fd, struct explain_inode *n)
{
	scoped_fd int raw = -1;
	struct err ignored = ERR_INIT;
	int r = unmapped_clone(fd, n->path, &raw, &ignored);

	if (r < 0) {
		log_verbose("%s: %s: %s", n->path, ignored.what, ignored.why);
		return r;
	}
	if (n->recorded == -EACCES) /* not even root may read it if the owner has no mapping */
		n->recorded = read_record(raw, n->seen.mode, &n->record);
	return read_meta(raw, n->path, &n->disk, NULL);
}

static void infer_acl(const struct idmap *m, struct acl *a)
{
	for (size_t i = 0; i < a->len; i++) {
		struct acl_entry *x = &a->items[i];
		bool user = x->tag == ACL_USER, group = x->tag == ACL_GROUP;

		if ((user || group) && !(user ? idmap_uid_disk : idmap_gid_disk)(m, x->id, &x->id))
			x->id = ACL_NO_ID;
	}
}

/* Compute the disk side from the seen side; map is NULL if there is no map or it is unknown. */
static int infer_disk(const struct idmap *map, struct explain_inode *n)
{
	n->disk = n->seen;
	n->disk.access = n->disk.dflt = (struct acl){ .items = NULL };
	if (acl_copy(&n->seen.access, &n->disk.access) < 0 ||
		acl_copy(&n->seen.dflt, &n->disk.dflt) < 0)
		return -ENOMEM;
	if (!map)
		return 0;
	n->uid_lost = !idmap_uid_disk(map, n->seen.uid, &n->disk.uid);
	n->gid_lost = !idmap_gid_disk(map, n->seen.gid, &n->disk.gid);
	infer_acl(map, &n->disk.access);
	infer_acl(map, &n->disk.dflt);
	if (n->disk.cap.present && !n->disk.cap.root_unmapped &&
		!idmap_uid_disk(map, n->seen.cap.root, &n->disk.cap.root))
		n->disk.cap.root_unmapped = true;
	return 0;
}

/*
 * Decide whether an overflow id that is seen is the disk id. On a mount without a map, the user
 * namespace of this process may lack the id.
 */
static void judge_overflow(const struct explanation *x, struct explain_inode *n)
{
	const struct idmap *own = &x->caller.own_map;
	uint32_t id;

	if (n->how == DISK_PLAIN && x->caller.initial)
		return;
	if (n->seen.uid == x->overflow_uid && !n->uid_lost) {
		n->uid_lost = n->how == DISK_PLAIN && !idmap_uid_seen(own, x->overflow_uid, &id);
		n->uid_shown = !n->uid_lost;
	}
	if (n->seen.gid == x->overflow_gid && !n->gid_lost) {
		n->gid_lost = n->how == DISK_PLAIN && !idmap_gid_seen(own, x->overflow_gid, &id);
		n->gid_shown = !n->gid_lost;
	}
}

/*
 * Decide whether a hidden line of the map may have the id: with a map that cannot be read, whenever
 * the overflow id is seen; with a partial one, if none of its visible lines has it.
 */
static void judge_doubt(const struct explanation *x, struct explain_inode *n)
{
	const struct explain_mount *m = &x->mounts.items[n->mount];

	if (n->how == DISK_READ || (m->kind != MOUNT_MAP_HIDDEN && !m->map_partial))
		return;
	n->uid_doubt = m->kind == MOUNT_MAP_HIDDEN ? n->uid_shown :
						     n->uid_lost && n->seen.uid == x->overflow_uid;
	n->gid_doubt = m->kind == MOUNT_MAP_HIDDEN ? n->gid_shown :
						     n->gid_lost && n->seen.gid == x->overflow_gid;
}

static int find_disk(struct explanation *x, int fd, struct explain_inode *n, struct err *e)
{
	const struct explain_mount *m = &x->mounts.items[n->mount];
	uint32_t id;

	if (m->kind == MOUNT_MAP_KNOWN && read_raw(fd, n) == 0) {
		n->how = DISK_READ;
		n->uid_lost = !idmap_uid_seen(&m->map, n->disk.uid, &id);
		n->gid_lost = !idmap_gid_seen(&m->map, n->disk.gid, &id);
		return 0;
	}
	n->how = m->kind == MOUNT_MAP_KNOWN ? DISK_INFERRED :
		m->kind == MOUNT_MAP_NONE   ? DISK_PLAIN :
					      DISK_UNKNOWN;
	if (infer_disk(m->kind == MOUNT_MAP_KNOWN ? &m->map : NULL, n) < 0)
		return err_nomem(e);
	judge_overflow(x, n);
	judge_doubt(x, n);
	return 0;
}

static int add_inode(struct explanation *x, int fd, const char *path, struct err *e)
{
	struct explain_inode n = { .path = strdup(path) };
	int r = n.path ? read_meta(fd, path, &n.seen, e) : err_nomem(e);

	if (r == 0)
		r = find_mount(x, fd, n.seen.mount, path, &n.mount, e);
	if (r == 0) {
		n.recorded = read_record(fd, n.seen.mode, &n.record);
		r = find_disk(x, fd, &n, e);
	}
	if (r == 0 && x->inodes.len)
		n.mount_point = n.mount != explain_file(x)->mount;
	if (r == 0 && VEC_ADD(&x->inodes, n) < 0)
		r = err_nomem(e);
	if (r < 0) {
		free(n.path);
		meta_done(&n.seen);
		meta_done(&n.disk);
	}
	return r;
}

/*
 * Add each directory of the path, which comes from the kernel and has no links, from the root on.
 * Returns 0, -ESTALE if the path leads to another file than want, or -errno.
 */
static int follow(struct explanation *x, const char *path, const struct meta *want, struct err *e)
{
	scoped_fd int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	scoped_free char *copy = strdup(path);
	int r = copy ? add_inode(x, at, "/", e) : err_nomem(e);

	for (char *p = copy; r == 0 && p && *p;) {
		char *name = p + strspn(p, "/"), *end = name + strcspn(name, "/"), rest = *end;
		int next;

		if (!*name)
			break;
		*end = 0;
		next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -ESTALE;
		close(at);
		at = next;
		r = add_inode(x, at, copy, e);
		*end = rest;
		p = end;
	}
	if (r == 0 &&
		(!meta_same_inode(&explain_file(x)->seen, want) ||
			explain_file(x)->seen.mount != want->mount))
		return -ESTALE;
	return r;
}

static void forget_inodes(struct explanation *x)
{
	for (size_t i = 0; i < x->inodes.len; i++) {
		free(x->inodes.items[i].path);
		meta_done(&x->inodes.items[i].seen);
		meta_done(&x->inodes.items[i].disk);
	}
	x->inodes.len = 0;
}

/*
 * Links are followed, because the question is what the kernel does with the path. Only metadata is
 * read. The file is opened once, and all facts are about that file.
 */
static int gather(struct explanation *x, const char *path, struct err *e)
{
	scoped_fd int fd = open(path, O_PATH | O_CLOEXEC);
	struct meta want = { .known = 0 };
	char link[32], real[PATH_MAX];
	ssize_t n;
	int r;

	if (fd < 0) {
		r = err_path(e, errno, path, "cannot open");
		if (r == -EACCES)
			err_try(e,
				"run it as a user who may see the file, and name this user: --as "
				"%u:%u",
				geteuid(), getegid());
		return r;
	}
	r = meta_stat(fd, "", &want);
	if (r < 0)
		return err_set(e, -r, path, "cannot stat");
	n = readlink(fd_proc_path(fd, link), real, sizeof(real) - 1);
	if (n < 0)
		return err_set(e, errno, path, "cannot determine its path");
	real[n] = 0;
	r = real[0] == '/' ? follow(x, real, &want, e) : -ESTALE;
	if (r != -ESTALE)
		return r;

	log_verbose("the directories on its path cannot be reached from here (another root "
		    "or mount namespace)");
	forget_inodes(x);
	x->detached = true;
	return add_inode(x, fd, path, e);
}

/*
 * --- facts for the rules ---------------------------------------------------------------------
 */

/*
 * The id that the rules get for one that is seen as the overflow id and is unknown: none
 * (UINT32_MAX) if a map has lost it, an id that no process has if only the user namespace of this
 * process lacks it, and the overflow id itself if that may be the disk id.
 */
static uint32_t fact_id(
	const struct explain_inode *n, enum mount_map_kind kind, uint32_t id, bool lost, bool shown)
{
	if (n->how == DISK_READ || (!lost && !shown))
		return id;
	if (n->how == DISK_PLAIN)
		return UINT32_MAX - 1;
	return lost || kind != MOUNT_MAP_OVERLAY ? UINT32_MAX : id;
}

static void state_facts(struct explanation *x)
{
	for (size_t i = 0; i < x->mounts.len; i++)
		if (x->mounts.items[i].kind == MOUNT_MAP_KNOWN)
			x->mounts.items[i].facts.map = &x->mounts.items[i].map;

	for (size_t i = 0; i < x->inodes.len; i++) {
		struct explain_inode *n = &x->inodes.items[i];
		const struct explain_mount *m = &x->mounts.items[n->mount];
		/* If the map is unknown, the rules get the seen side. */
		const struct meta *from =
			m->kind == MOUNT_MAP_HIDDEN || m->kind == MOUNT_MAP_OVERLAY ? &n->seen :
										      &n->disk;

		n->facts = (struct perm_inode){
			.mode = n->seen.mode,
			.access = from->access,
			.cap = from->cap,
			.mount = &m->facts,
			.uid = fact_id(n, m->kind, from->uid, n->uid_lost, n->uid_shown),
			.gid = fact_id(n, m->kind, from->gid, n->gid_lost, n->gid_shown),
		};
	}
}

static uint32_t overflow_id(const char *file)
{
	scoped_fd int fd = open(file, O_RDONLY | O_CLOEXEC);
	char text[16];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	uint64_t id;

	if (n < 1 || num_u64_n(text, (size_t)n - 1, &id) < 0 || id > UINT32_MAX)
		return IDMAP_OVERFLOW; /* /proc is not mounted: the kernel's default */
	return (uint32_t)id;
}

static int not_stacked(const char *path, struct err *e)
{
	(void)err_say(e, EINVAL, path,
		"is not on an overlay, so there are no layers of an image below it");
	err_try(e, "omit --image, or name a path where the image is mounted");
	return -EINVAL;
}

int explain_look(const char *path, const char *as, const char *userns, const struct strv *layers,
	struct explanation *ret, struct err *e)
{
	int r;

	*ret = (struct explanation){ .layer = NULL };
	ret->overflow_uid = overflow_id("/proc/sys/fs/overflowuid");
	ret->overflow_gid = overflow_id("/proc/sys/fs/overflowgid");
	r = explain_caller_look(as, userns, &ret->caller, e);
	if (r == 0)
		r = gather(ret, path, e);
	if (r == 0 && ret->mounts.items[explain_file(ret)->mount].kind == MOUNT_MAP_OVERLAY)
		r = explain_layer_find(ret, layers, e);
	else if (r == 0 && layers)
		r = not_stacked(path, e);
	if (r == 0)
		state_facts(ret);
	return r;
}

void explain_done(struct explanation *x)
{
	forget_inodes(x);
	VEC_DONE(&x->inodes);
	for (size_t i = 0; i < x->mounts.len; i++) {
		struct explain_mount *m = &x->mounts.items[i];

		free(m->target);
		free(m->type);
		free(m->source);
		free(m->options);
		free(m->fs_options);
		idmap_done(&m->map);
	}
	VEC_DONE(&x->mounts);
	VEC_DONE(&x->caller.groups);
	VEC_DONE(&x->caller.group_ids);
	idmap_done(&x->caller.userns_map);
	idmap_done(&x->caller.own_map);
	free(x->layer);
}
