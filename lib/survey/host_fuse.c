/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_fuse: mount a FUSE filesystem whose daemon only asks for ID-mapped mounts. */

#include "host_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/fuse.h>

#include "../base/sys.h"

/* Bits 32 to 63 of the flags are in flags2 (linux/fuse.h 7.36); FUSE_ALLOW_IDMAP is in 7.41. */
enum { ALLOW_IDMAP2 = 1 << (40 - 32), INIT_EXT = 1 << 30, MINOR = 41, REQUEST_MAX = 64 << 10 };

/* Answer FUSE_INIT, which the kernel sends when the filesystem is created. */
static int answer_init(int server, struct buf *why)
{
	union {
		struct {
			struct fuse_in_header head;
			struct fuse_init_in init;
		} in;
		char room[REQUEST_MAX];
	} request;
	struct {
		struct fuse_out_header head;
		struct fuse_init_out init;
	} answer = { .head = { .len = sizeof(answer) } };
	ssize_t n = read(server, &request, sizeof(request));

	if (n < (ssize_t)sizeof(request.in) || request.in.head.opcode != FUSE_INIT) {
		buf_printf(why, "the kernel sent no request to its daemon");
		return -EPROTO;
	}
	if (!(request.in.init.flags & INIT_EXT) || !(request.in.init.flags2 & ALLOW_IDMAP2))
		return -EOPNOTSUPP;
	answer.head.unique = request.in.head.unique;
	answer.init = (struct fuse_init_out){
		.major = FUSE_KERNEL_VERSION,
		.minor = MINOR,
		.flags = INIT_EXT,
		.flags2 = ALLOW_IDMAP2,
		.max_readahead = request.in.init.max_readahead,
		.max_write = 4096,
	};
	if (write(server, &answer, sizeof(answer)) != (ssize_t)sizeof(answer)) {
		buf_printf(why, "the kernel refused the answer of the daemon: %s",
			strerrordesc_np(errno));
		return -EPROTO;
	}
	return 0;
}

/* All parameters are strings, which every kernel accepts. */
static int create(int server)
{
	scoped_fd int fs = sys_fsopen("fuse", FSOPEN_CLOEXEC);
	char number[16];
	int mnt;

	(void)snprintf(number, sizeof(number), "%d", server); /* fits */
	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "shiftbox", 0) < 0 ||
		sys_fsconfig(fs, FSCONFIG_SET_STRING, "fd", number, 0) < 0 ||
		sys_fsconfig(fs, FSCONFIG_SET_STRING, "rootmode", "40755", 0) < 0 ||
		sys_fsconfig(fs, FSCONFIG_SET_STRING, "user_id", "0", 0) < 0 ||
		sys_fsconfig(fs, FSCONFIG_SET_STRING, "group_id", "0", 0) < 0 ||
		sys_fsconfig(fs, FSCONFIG_SET_FLAG, "default_permissions", NULL, 0) < 0 ||
		sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return mnt < 0 ? -errno : mnt;
}

int host_fuse(int *ret_server, struct buf *why)
{
	scoped_fd int mnt = -1, server = open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int r;

	if (server < 0) {
		buf_printf(why, "/dev/fuse: %s", strerrordesc_np(errno));
		return -errno;
	}
	mnt = create(server);
	if (mnt < 0) {
		buf_printf(why, "it cannot be mounted for a trial: %s", strerrordesc_np(-mnt));
		return mnt;
	}
	r = answer_init(server, why);
	if (r < 0)
		return r;
	*ret_server = TAKE_FD(server);
	return TAKE_FD(mnt);
}
