/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* record_store: write, find and remove records of mounts. */

#include "record_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "../base/runtime_dir.h"
#include "../base/sys.h"
#include "../idmap/userns_self.h"
#include "record_store_priv.h"

#define RECORDS "mounts"

/* What a process finds out once. */
static struct {
	bool looked;   /* here and dirs are set */
	bool useless;  /* ... but cannot be used */
	bool searched; /* stacks is set */
	struct record_here here;
	struct record_dir dirs[2]; /* root's first */
	struct record_stacks stacks;
	int put;   /* -1, or the directory for new records */
	bool away; /* the directories are those of another mount namespace, where it began: */
	int lost;  /* ... 0, or why there is none for new records (-errno) */
} state = { .dirs = { { .fd = -1 }, { .fd = -1 } }, .put = -1 };

/*
 * --- this process --------------------------------------------------------------------------------
 */

/* A user's own records below XDG_RUNTIME_DIR, for reading. */
static int open_own(void)
{
	scoped_fd int above = runtime_dir_user(false, true);
	struct stat st;
	int fd = above;

	if (above >= 0)
		fd = openat(above, RECORDS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return above < 0 ? above : -errno;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & 022))
		return fd;
	(void)close(fd);
	return -EPERM;
}

static bool is_host_root(void)
{
	return geteuid() == 0 && userns_is_initial();
}

static bool look_around(void)
{
	uid_t owner = 0;

	if (state.looked)
		return !state.useless;
	state.looked = true;
	state.useless = record_here(&state.here) < 0;
	if (state.useless)
		return false;
	state.dirs[0].fd = runtime_dir_of_root(RECORDS, &owner);
	state.dirs[0].owner = owner;
	if (!is_host_root())
		state.dirs[1] = (struct record_dir){ open_own(), geteuid() };
	return true;
}

void record_store_done(void)
{
	for (size_t i = 0; i < ARRAY_LEN(state.dirs); i++) {
		cleanup_fd(&state.dirs[i].fd);
		state.dirs[i].fd = -1;
	}
	cleanup_fd(&state.put);
	state.put = -1;
	VEC_DONE(&state.stacks);
	state.looked = state.searched = state.away = false;
}

/*
 * The name of a mount's record. Before Linux 6.8 the ids of mounts are reused, and those of
 * different namespaces are told apart by the inode of the namespace alone.
 */
static void name_of(uint64_t unique, int id, uint64_t mntns, char ret[static RECORD_NAME_MAX])
{
	if (state.here.unique)
		(void)snprintf(ret, RECORD_NAME_MAX, "%llu", (unsigned long long)unique);
	else
		(void)snprintf(ret, RECORD_NAME_MAX, "%d-%llu", id,
			(unsigned long long)mntns); /* fits: 20 digits each */
}

/*
 * --- writing -------------------------------------------------------------------------------------
 */

/*
 * Let other users search the directory, which older versions of this program made with mode 0700.
 */
static int let_others_in(int fd, mode_t bits)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return -EPERM;
	if ((st.st_mode & bits) == bits)
		return 0;
	return fchmod(fd, (st.st_mode & 07777) | bits) < 0 ? -errno : 0;
}

static int open_new(int above, bool of_root)
{
	scoped_fd int fd = -1;
	int r = of_root ? let_others_in(above, 0711) : 0;

	if (r < 0)
		return r;
	fd = openat(above, RECORDS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && (mkdirat(above, RECORDS, 0700) == 0 || errno == EEXIST))
		fd = openat(above, RECORDS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = let_others_in(fd, of_root ? 0755 : 0700);
	return r < 0 ? r : TAKE_FD(fd);
}

static int open_put(void)
{
	scoped_fd int root = -1, user = -1;

	if (state.put >= 0 || state.away)
		return state.put >= 0 ? state.put : state.lost;
	root = runtime_dir_root();
	if (root >= 0) {
		state.put = open_new(root, true);
	} else if (is_host_root()) {
		return root;
	} else {
		user = runtime_dir_user(true, true);
		if (user < 0)
			return user;
		state.put = open_new(user, false);
	}
	return state.put;
}

/*
 * Write the record to a temporary file, and rename it. A temporary file of that name, which a
 * killed process left, is removed first, so that neither a symbolic link nor a hard link is written
 * to.
 */
static int write_file(int dir, const char *name, const struct buf *text, const char *store)
{
	char temporary[RECORD_NAME_MAX];
	scoped_fd int fd = -1;
	int r;

	(void)snprintf(temporary, sizeof(temporary), "~%d", (int)getpid()); /* fits */
	(void)unlinkat(dir, temporary, 0); /* usually it does not exist */
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text->data, text->len);
	/* Without this attribute, the user must specify --store again. */
	if (r == 0 && store)
		(void)fsetxattr(fd, RECORD_STORE_XATTR, store, strlen(store), XATTR_CREATE);
	if (r == 0 && fchmod(fd, 0644) < 0)
		r = -errno;
	if (r == 0 && close(TAKE_FD(fd)) < 0)
		r = -errno;
	if (r == 0 && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir, temporary, 0); /* otherwise a later sweep removes it */
	return r;
}

static int not_written(int dir, const char *name, int r, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;

	path_of_fd(dir, &path);
	buf_printf(&path, "/%s", name);
	return err_set(e, -r, buf_get(&path) ? buf_get(&path) : name,
		"cannot write the record of the mount");
}

int record_store_put(struct mount_record *r, const struct mount_info *i, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	char name[RECORD_NAME_MAX];
	int dir, n;

	if (!look_around())
		return err_say(e, ENOENT, "/proc", "cannot tell which boot and namespace this is");
	memcpy(r->boot, state.here.boot, sizeof(r->boot));
	r->mount = state.here.unique ? i->unique : (uint64_t)i->id;
	r->dev = i->dev;
	r->userns = state.here.userns;
	r->mntns = state.here.mntns;
	r->mntns_id = state.here.mntns_id;
	record_shape(&state.here, i, i->root, r->shape);
	if (mount_record_print(r, &text) < 0)
		return err_nomem(e);
	if (text.len > MOUNT_RECORD_MAX)
		return err_say(e, EFBIG, NULL, "the record of the mount's maps is too large");
	dir = open_put();
	if (dir < 0)
		return err_set(e, -dir, NULL, "there is no directory for records of mounts");
	name_of(i->unique, i->id, r->mntns, name);
	n = write_file(dir, name, &text, r->store);
	return n < 0 ? not_written(dir, name, n, e) : 0;
}

void record_store_remove(const struct mount_info *i)
{
	char name[RECORD_NAME_MAX];

	if (!look_around())
		return;
	name_of(i->unique, i->id, state.here.mntns, name);
	for (size_t k = 0; k < ARRAY_LEN(state.dirs); k++)
		if (state.dirs[k].fd >= 0 && state.dirs[k].owner == geteuid())
			(void)unlinkat(state.dirs[k].fd, name, 0); /* most mounts have none */
}

void record_store_leave(bool writes)
{
	if (!look_around())
		return;
	state.lost = writes ? open_put() : -ENOENT;
	state.away = true;
}

void record_store_arrive(void)
{
	if (state.looked && record_here(&state.here) < 0)
		state.useless = true;
}

/*
 * --- finding -------------------------------------------------------------------------------------
 */

/* Look at the root of a mount with statx(2). Returns false if it cannot be reached. */
static bool look_at(
	const struct mount_info *i, const struct mntns *ns, unsigned mask, struct statx *ret)
{
	scoped_fd int fd = -1;

	if (!i->target)
		return false;
	if (ns && !ns->ours)
		fd = mntns_open_path(ns, i->target, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
	else if (path_open(i->target, O_PATH | O_NOFOLLOW, "cannot open it", NULL, &fd, NULL) < 0)
		return false;
	return fd >= 0 &&
		statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, ret) == 0 &&
		ret->stx_mnt_id == (uint64_t)i->id &&
		statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, ret) == 0;
}

/* Before Linux 6.15 lists come from mountinfo, which has no unique ids. */
static uint64_t unique_of(const struct mount_info *i, const struct mntns *ns)
{
	struct statx stx;

	if (i->unique || !state.here.unique)
		return i->unique;
	return look_at(i, ns, SYS_STATX_MNT_ID_UNIQUE, &stx) ? stx.stx_mnt_id : 0;
}

/*
 * Before Linux 6.8, another program may have mounted the same directory since, with the same id but
 * another map: can the owner that is seen come from the map of the record?
 */
static bool is_plausible(
	const struct mount_record *r, const struct mount_info *i, const struct mntns *ns)
{
	const struct idmap *map = mount_record_map(r);
	struct statx stx;
	uint32_t id;

	if (state.here.unique || !map || !mount_record_is_uniform(r) || r->upper_plain ||
		r->other_userns)
		return true;
	return look_at(i, ns, STATX_UID | STATX_GID, &stx) &&
		(stx.stx_uid == IDMAP_OVERFLOW || idmap_uid_disk(map, stx.stx_uid, &id)) &&
		(stx.stx_gid == IDMAP_OVERFLOW || idmap_gid_disk(map, stx.stx_gid, &id));
}

/* Does the record agree with what the kernel says of the mount, if this is its root? */
static bool is_about(const struct mount_record *r, const struct mount_info *i, const char *root)
{
	uint8_t shape[32];

	record_shape(&state.here, i, root, shape);
	return r->dev == i->dev && (r->kind == MOUNT_OVERLAY) == !strcmp(i->type, "overlay") &&
		!memcmp(r->shape, shape, sizeof(shape));
}

static bool find_by_id(const struct mount_info *i, const struct mntns *ns, struct mount_record *ret)
{
	uint64_t unique = unique_of(i, ns), mntns = ns && !ns->ours ? ns->inode : state.here.mntns;
	char name[RECORD_NAME_MAX];

	if (state.here.unique && !unique)
		return false;
	name_of(unique, i->id, mntns, name);
	for (size_t k = 0; k < ARRAY_LEN(state.dirs); k++) {
		struct mount_record r = { .mount = 0 };

		if (state.dirs[k].fd < 0 || record_read(&state.dirs[k], name, &state.here, &r) < 0)
			continue;
		if (r.mount == (state.here.unique ? unique : (uint64_t)i->id) && r.mntns == mntns &&
			is_about(&r, i, i->root) && is_plausible(&r, i, ns)) {
			*ret = r;
			return true;
		}
		mount_record_done(&r);
	}
	return false;
}

/* Devices of overlays are told apart as long as both mounts exist, which record_sweep() checked. */
static bool find_by_device(const struct mount_info *i, struct mount_record *ret)
{
	for (size_t k = 0; k < state.stacks.len; k++) {
		const struct record_stack *s = &state.stacks.items[k];
		struct mount_record r = { .mount = 0 };

		if (s->dev != i->dev || record_read(s->dir, s->name, &state.here, &r) < 0)
			continue;
		if (is_about(&r, i, "/")) { /* a bind may show a directory in it */
			*ret = r;
			return true;
		}
		mount_record_done(&r);
	}
	return false;
}

void record_store_sweep(void)
{
	if (!look_around() || state.searched)
		return;
	state.searched = true;
	for (size_t k = 0; k < ARRAY_LEN(state.dirs); k++)
		if (state.dirs[k].fd >= 0)
			record_sweep(&state.dirs[k], &state.here, &state.stacks);
}

int record_store_find(const struct mount_info *i, const struct mntns *ns, struct mount_record *ret)
{
	if (i->too_large || !look_around())
		return 0;
	record_store_sweep();
	return find_by_id(i, ns, ret) || (!strcmp(i->type, "overlay") && find_by_device(i, ret));
}

int record_store_find_fd(int fd, struct mount_record *ret)
{
	scoped_mount_info struct mount_info i = { .id = -1 };

	return mount_info_get(fd, &i, NULL) == 0 ? record_store_find(&i, NULL, ret) : 0;
}
