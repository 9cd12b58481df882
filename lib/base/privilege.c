/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* privilege: was this program started with privileges that its caller does not have? */

#include "privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fd.h"

/*
 * Does the file have capabilities? Returns 1, 0, or -errno. Capabilities of a user namespace whose
 * root has no id here cannot be read, but exist (security/commoncap.c).
 */
static int ask_capabilities(int fd)
{
	char link[32];

	if (getxattr(fd_proc_path(fd, link), "security.capability", NULL, 0) >= 0 ||
		errno == EOVERFLOW)
		return 1;
	return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -errno;
}

void privilege_read(struct privilege *ret)
{
	scoped_fd int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	struct stat st;
	ssize_t n;
	int r;

	*ret = (struct privilege){
		.uid = getuid(),
		.euid = geteuid(),
		.gid = getgid(),
		.egid = getegid(),
		.secure = getauxval(AT_SECURE) != 0,
	};
	if (fd < 0 || fstat(fd, &st) < 0) {
		ret->file = errno;
		return;
	}
	ret->mode = st.st_mode;
	r = ask_capabilities(fd);
	ret->capabilities = r == 1;
	ret->file = r < 0 ? -r : 0;
	n = readlink("/proc/self/exe", ret->path, sizeof(ret->path) - 1);
	ret->path[n > 0 ? n : 0] = '\0';
}

/* A set-gid bit counts only with the execute bit of the group (fs/exec.c, bprm_fill_uid()). */
static bool is_setid(mode_t mode)
{
	return mode & S_ISUID || (mode & S_ISGID && mode & S_IXGRP);
}

static int refuse(const struct privilege *p, const char *remedy, struct err *e)
{
	err_why(e,
		"its caller chooses its paths, options and environment: with more rights than "
		"the caller has, it would hand them out");
	if (remedy)
		err_try(e, "%s '%s'; to run it as root, use sudo(8) or doas(1)", remedy, p->path);
	else
		err_try(e, "run it as root (sudo, doas), or with your own rights only");
	return -EPERM;
}

int privilege_judge(const struct privilege *p, struct err *e)
{
	if (is_setid(p->mode)) {
		(void)err_say(e, EPERM, p->path,
			"this program does not run set-uid or set-gid (mode %04o)",
			p->mode & 07777);
		return refuse(p, "chmod u-s,g-s", e);
	}
	if (p->capabilities) {
		(void)err_say(
			e, EPERM, p->path, "this program does not run with file capabilities");
		return refuse(p, "setcap -r", e);
	}
	if (p->uid != p->euid || p->gid != p->egid) {
		(void)err_say(e, EPERM, NULL,
			"this program does not run with the rights of another user: the real ids "
			"are %u:%u, the effective ones %u:%u",
			p->uid, p->gid, p->euid, p->egid);
		return refuse(p, NULL, e);
	}
	if (p->file && p->secure) {
		(void)err_set(e, p->file, "/proc/self/exe",
			"cannot tell whether this program's file has set-id bits or capabilities");
		err_why(e,
			"it was started with more rights than its caller has (AT_SECURE), by its "
			"file or by a security module");
		err_try(e, "mount /proc");
		return -EPERM;
	}
	return p->secure;
}
