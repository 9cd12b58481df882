/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* record_sweep: remove records whose mount is gone. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "../base/caps.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/num.h"
#include "../base/sys.h"
#include "../idmap/userns_self.h"
#include "record_store_priv.h"

enum {
	WRITING_SECONDS = 60, /* a temporary file that is older was left by a process that ended */
	INITIAL_PIDNS = 0xeffffffcU, /* PROC_PID_INIT_INO of include/linux/proc_ns.h */
};

enum fate { FATE_GONE, FATE_ALIVE, FATE_UNKNOWN };

struct sweep {
	const struct record_dir *dir;
	const struct record_here *here;
	bool ours;      /* the records are the caller's, who may remove them */
	bool sees_all;  /* statmount(2) finds the mounts of every namespace */
	bool all_known; /* namespaces has all mount namespaces that have a process */
	VEC(uint64_t) namespaces;
	struct mount_snapshot snapshot; /* before Linux 6.8 */
};

/*
 * --- does the mount exist? -----------------------------------------------------------------------
 */

/*
 * If the root is the first mount of all, as on an initial RAM disk, statmount(2) does not find the
 * mounts of other namespaces (mntns.c).
 */
static bool sees_all(void)
{
	scoped_mount_info struct mount_info i = { .id = -1 };
	scoped_fd int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && caps_has(CAP_SYS_ADMIN) && userns_is_initial() &&
		mount_info_get(fd, &i, NULL) == 0 && i.id != i.parent;
}

static int note_namespace(const struct mntns *n, void *arg)
{
	struct sweep *s = arg;

	return VEC_ADD(&s->namespaces, n->inode);
}

/* Is it certain that no process of the caller is in this namespace? */
static bool is_left(struct sweep *s, uint64_t inode)
{
	struct stat st;
	size_t closed = 0;

	if (!s->namespaces.len) {
		if (VEC_ADD(&s->namespaces, s->here->mntns) < 0)
			return false;
		/*
		 * A user can look into all processes of the user's own namespaces, but not from
		 * within one of them. Root without capabilities cannot look into those of root.
		 */
		s->all_known = stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == INITIAL_PIDNS &&
			userns_is_initial() &&
			mntns_each(false, note_namespace, s, &closed, NULL) == 0 &&
			(!closed || geteuid() != 0);
	}
	for (size_t i = 0; i < s->namespaces.len; i++)
		if (s->namespaces.items[i] == inode)
			return false;
	return s->all_known;
}

/* Compare what exists with the record: device numbers and, before Linux 6.8, ids are reused. */
static enum fate fate_by_statmount(struct sweep *s, const struct mount_record *r, bool here)
{
	struct sys_statmount sm;

	if (sys_statmount(here ? 0 : r->mntns_id, r->mount,
		    SYS_STATMOUNT_SB_BASIC | SYS_STATMOUNT_MNT_BASIC, &sm, sizeof(sm)) == 0)
		return makedev(sm.sb_dev_major, sm.sb_dev_minor) == r->dev ? FATE_ALIVE : FATE_GONE;
	if (errno != ENOENT)
		return FATE_UNKNOWN;
	return here || s->sees_all || is_left(s, r->mntns) ? FATE_GONE : FATE_UNKNOWN;
}

static enum fate fate_by_mountinfo(struct sweep *s, const struct mount_record *r)
{
	scoped_mount_info struct mount_info i = { .id = -1 };
	uint8_t shape[32];
	int n = r->mount > INT_MAX ? -ENOENT :
				     mount_info_find((int)r->mount, &s->snapshot, &i, NULL);

	if (n < 0)
		return n == -ENOENT ? FATE_GONE : FATE_UNKNOWN;
	record_shape(s->here, &i, i.root, shape);
	return i.dev == r->dev && (i.mapped || r->kind == MOUNT_OVERLAY) &&
			!memcmp(shape, r->shape, sizeof(shape)) ?
		FATE_ALIVE :
		FATE_GONE;
}

static enum fate fate_of(struct sweep *s, const struct mount_record *r)
{
	bool here = r->mntns == s->here->mntns;

	if (here != (r->mntns_id == s->here->mntns_id) && r->mntns_id)
		return FATE_GONE; /* no namespace has this inode and this id */
	if (s->here->unique && (here || r->mntns_id))
		return fate_by_statmount(s, r, here);
	if (here)
		return fate_by_mountinfo(s, r);
	return is_left(s, r->mntns) ? FATE_GONE : FATE_UNKNOWN;
}

/*
 * --- all records ---------------------------------------------------------------------------------
 */

/* The name must be that of the record's mount. */
static bool is_named(const struct mount_record *r, bool unique, const char *name)
{
	char want[RECORD_NAME_MAX];

	if (unique)
		(void)snprintf(want, sizeof(want), "%llu", (unsigned long long)r->mount);
	else
		(void)snprintf(want, sizeof(want), "%llu-%llu", (unsigned long long)r->mount,
			(unsigned long long)r->mntns); /* fits: 20 digits each */
	return !strcmp(want, name);
}

static bool is_old_temporary(const struct sweep *s, const char *name)
{
	struct stat st;

	return fstatat(s->dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		time(NULL) - st.st_ctime > (time_t)WRITING_SECONDS;
}

static void look_at(struct sweep *s, const char *name, struct record_stacks *ret)
{
	scoped_mount_record struct mount_record rec = { .mount = 0 };
	struct record_stack stack = { .dir = s->dir };
	int r = record_read(s->dir, name, s->here, &rec);
	enum fate fate = FATE_UNKNOWN;

	if (r == -ENOENT || r == -ENOMEM || r == -EMFILE || r == -ENFILE)
		return;
	if (r == 0)
		fate = is_named(&rec, s->here->unique, name) ? fate_of(s, &rec) : FATE_GONE;
	if (r < 0 || fate == FATE_GONE) {
		if (s->ours && unlinkat(s->dir->fd, name, 0) == 0)
			log_verbose("removed the record of a mount that is gone: %s", name);
		return;
	}
	if (fate != FATE_ALIVE || rec.kind != MOUNT_OVERLAY || !s->here->unique)
		return;
	stack.dev = rec.dev;
	(void)snprintf(stack.name, sizeof(stack.name), "%llu", (unsigned long long)rec.mount);
	(void)VEC_ADD(ret, stack); /* without memory, its binds are not recognised */
}

void record_sweep(
	const struct record_dir *dir, const struct record_here *here, struct record_stacks *ret)
{
	struct sweep s = {
		.dir = dir, .here = here, .ours = dir->owner == geteuid(), .sees_all = sees_all()
	};
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!d) {
		cleanup_fd(&fd);
		return;
	}
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		if (entry->d_name[0] != '~')
			look_at(&s, entry->d_name, ret);
		else if (s.ours && is_old_temporary(&s, entry->d_name))
			(void)unlinkat(dir->fd, entry->d_name, 0); /* a later sweep tries again */
	}
	(void)closedir(d); /* it was only read */
	VEC_DONE(&s.namespaces);
	mount_snapshot_done(&s.snapshot);
}
