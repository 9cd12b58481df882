/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_image: make image files with filesystems that need a block device, and mount them. */

#include "host_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/subprocess.h"
#include "../base/sys.h"
#include "../mount/loop.h"

/* Placeholders in a command line: the image file, and an empty directory as its content. */
#define IMAGE "image"
#define EMPTY "empty"

/*
 * Where the scratch tmpfs is mounted while an mkfs program runs. A real path is required, because
 * mkfs.erofs resolves it. The mount exists only in the mount namespace of the trials.
 */
#define PLACE "/tmp"

/* How to make an image, of the smallest size that the program supports. */
static const struct mkfs_recipe {
	const char *type;
	off_t size; /* 0: the program makes the file */
	bool read_only;
	const char *words[6];
} kinds[] = {
	{ "ext4", 4 << 20, false, { "mkfs.ext4", "-q", "-F", IMAGE } },
	{ "xfs", 300 << 20, false, { "mkfs.xfs", "-q", "-f", IMAGE } },
	{ "btrfs", 16 << 20, false, { "mkfs.btrfs", "-q", "-f", "--mixed", IMAGE } },
	{ "vfat", 1 << 20, false, { "mkfs.vfat", IMAGE } },
	{ "f2fs", 64 << 20, false, { "mkfs.f2fs", "-q", "-f", IMAGE } },
	{ "erofs", 0, true, { "mkfs.erofs", IMAGE, EMPTY } },
	{ "squashfs", 0, true,
		{ "mksquashfs", EMPTY, IMAGE, "-quiet", "-no-progress", "-noappend" } },
};

static const struct mkfs_recipe *find_kind(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].type, type))
			return &kinds[i];
	return NULL;
}

static int run_program(const struct mkfs_recipe *k, struct buf *why)
{
	static char image[] = PLACE "/" IMAGE, empty[] = PLACE "/" EMPTY;
	scoped_buf struct buf program = BUF_INIT, said = BUF_INIT;
	char *argv[ARRAY_LEN(k->words) + 1] = { NULL };
	int r;

	if (subprocess_find(k->words[0], &program) < 0) {
		buf_printf(why, "%s, which would make one, is not installed", k->words[0]);
		return -ENOENT;
	}
	for (size_t i = 0; i < ARRAY_LEN(k->words) && k->words[i]; i++)
		argv[i] = !strcmp(k->words[i], IMAGE) ? image :
			!strcmp(k->words[i], EMPTY)   ? empty :
							(char *)k->words[i];
	r = subprocess_capture(buf_get(&program), argv, &said);
	if (r == 0)
		return 0;
	buf_printf(why, "%s failed (%s %d)", k->words[0], r < 0 ? "error" : "exit status",
		r < 0 ? -r : r);
	return -EIO;
}

static int make_image(const struct mkfs_recipe *k, int scratch, struct buf *why)
{
	int fd, r;

	if (mkdirat(scratch, EMPTY, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (k->size) {
		scoped_fd int new = openat(
			scratch, IMAGE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (new < 0 || ftruncate(new, k->size) < 0)
			return -errno;
	}
	if (sys_move_mount(scratch, "", AT_FDCWD, PLACE, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	r = run_program(k, why);
	if (sys_umount2(PLACE, SYS_MNT_DETACH) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		return r;
	fd = openat(scratch, IMAGE, (k->read_only ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int mount_device(const struct mkfs_recipe *k, const char *device)
{
	scoped_fd int fs = sys_fsopen(k->type, FSOPEN_CLOEXEC);
	int mnt;

	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", device, 0) < 0 ||
		(k->read_only && sys_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0) ||
		sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return mnt < 0 ? -errno : mnt;
}

int host_image(int scratch, const char *type, struct buf *why)
{
	const struct mkfs_recipe *k = find_kind(type);
	const struct loop_part whole = { .read_only = k && k->read_only };
	scoped_fd int image = -1, loop = -1;
	struct loop_device device;
	struct err e = ERR_INIT;
	int r;

	if (!k)
		return -ENOENT;
	image = make_image(k, scratch, why);
	if (image < 0) {
		if (!why->len)
			buf_printf(why, "no image can be made: %s", strerrordesc_np(-image));
		return image;
	}
	if (loop_attach(image, IMAGE, &whole, &device, &e) < 0) {
		buf_printf(why, "no loop device: %s", e.num ? strerrordesc_np(e.num) : e.what);
		return -EIO;
	}
	loop = device.fd;
	r = mount_device(k, device.path.text);
	if (r < 0)
		buf_printf(why, "an image of it cannot be mounted: %s", strerrordesc_np(-r));
	return r;
}
