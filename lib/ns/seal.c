/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Re-execute the program from a sealed memfd (CVE-2019-5736). */

#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/vec.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, ARGUMENTS_MAX = 8 << 20 };

/* A sealed memfd is our copy; a user who prepares another one is the only victim. */
static bool is_protected(int exe)
{
	int seals = fcntl(exe, F_GET_SEALS);
	struct stat st;

	if (seals >= 0 && (seals & SEALS) == SEALS)
		return true;
	return fstat(exe, &st) == 0 && st.st_uid != geteuid() && access("/proc/self/exe", W_OK) < 0;
}

static int copy_sealed(int exe)
{
	scoped_fd int fd = memfd_create("shiftbox", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	struct stat st;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("shiftbox", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || fstat(exe, &st) < 0)
		return -1;
	for (off_t at = 0; at < st.st_size;)
		if (sendfile(fd, exe, &at, (size_t)(st.st_size - at)) <= 0)
			return -1;
	return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -1 : TAKE_FD(fd);
}

/* The arguments of this process. */
static int read_arguments(struct buf *text, struct strv *ret)
{
	int r = fd_read_file(AT_FDCWD, "/proc/self/cmdline", ARGUMENTS_MAX, text, NULL);

	for (size_t at = 0; r == 0 && at < text->len; at += strlen(text->data + at) + 1)
		r = VEC_ADD(ret, text->data + at);
	return r == 0 ? VEC_ADD(ret, NULL) : r;
}

void seal_self(void)
{
	scoped_fd int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy = -1;
	scoped_buf struct buf text = BUF_INIT;
	struct strv args = { 0 }; /* borrows from text */

	if (exe >= 0 && is_protected(exe))
		return;
	copy = exe < 0 ? -1 : copy_sealed(exe);
	if (copy >= 0 && read_arguments(&text, &args) == 0)
		(void)fexecve(copy, args.items, environ);
	log_verbose("the command may be able to change this program's file, because a sealed copy "
		    "cannot be executed: %s",
		strerrordesc_np(errno));
	VEC_DONE(&args);
}
