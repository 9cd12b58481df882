/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* record_file: read a record of a mount, if the file counts. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/sys.h"
#include "record_store_priv.h"

static uint64_t inode_of(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static int read_boot(char ret[static 37])
{
	scoped_buf struct buf b = BUF_INIT;
	int r = fd_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &b, NULL);

	if (r < 0)
		return r;
	if (!buf_get(&b) || b.len < 36)
		return -ENODATA;
	memcpy(ret, b.data, 36);
	ret[36] = '\0';
	return 0;
}

int record_here(struct record_here *ret)
{
	scoped_fd int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	scoped_fd int user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	struct record_here h = { .mntns = inode_of(ns), .userns = inode_of(user) };
	struct statx stx;
	int r = read_boot(h.boot);

	if (r < 0)
		return r;
	if (!h.mntns || !h.userns)
		return -ENOENT;
	h.unique = statx(ns, "", AT_EMPTY_PATH, SYS_STATX_MNT_ID_UNIQUE, &stx) == 0 &&
		stx.stx_mask & SYS_STATX_MNT_ID_UNIQUE;
	if (ioctl(ns, SYS_NS_GET_MNTNS_ID, &h.mntns_id) < 0)
		h.mntns_id = 0;
	*ret = h;
	return 0;
}

void record_shape(const struct record_here *here, const struct mount_info *i, const char *root,
	uint8_t ret[32])
{
	const char *options = "";

	if (here->unique) {
		mount_record_shape(i->type, "", "", "", ret);
		return;
	}
	/*
	 * The id of a mount that is gone is given to the next mount, and so is the device number of
	 * an overlay. An overlay that another program made then differs in the names of its layers.
	 * "ro" or "rw", which comes first, may change.
	 */
	if (!strcmp(i->type, "overlay") && i->options)
		options = i->options + strcspn(i->options, ",");
	mount_record_shape(i->type, i->source, root, options, ret);
}

/* The path of the store, if there is one and the caller may read it. */
static int read_store(int fd, char **ret)
{
	char path[PATH_MAX];
	ssize_t n = fgetxattr(fd, RECORD_STORE_XATTR, path, sizeof(path));

	*ret = n > 0 ? strndup(path, (size_t)n) : NULL;
	return n > 0 && !*ret ? -ENOMEM : 0;
}

int record_read(const struct record_dir *dir, const char *name, const struct record_here *here,
	struct mount_record *ret)
{
	scoped_fd int fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	scoped_buf struct buf text = BUF_INIT;
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* A file with a second name was linked here by a user who may change it there. */
	if (!S_ISREG(st.st_mode) || st.st_uid != dir->owner || st.st_mode & 022 || st.st_nlink != 1)
		return -EPERM;
	r = fd_read_all(fd, name, MOUNT_RECORD_MAX, &text, NULL);
	if (r < 0 || !buf_get(&text))
		return r < 0 ? r : -ENOMEM;
	r = mount_record_parse(text.data, text.len, ret, NULL);
	if (r < 0)
		return r;
	if (strcmp(ret->boot, here->boot) != 0) {
		mount_record_done(ret);
		return -ESTALE;
	}
	ret->other_userns = ret->userns != here->userns;
	r = ret->kind == MOUNT_OVERLAY && !ret->other_userns ? read_store(fd, &ret->store) : 0;
	if (r < 0)
		mount_record_done(ret);
	return r;
}
