/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For LD_PRELOAD: a kernel before 6.8, whose mounts have no unique ids and whose mount namespaces
 * have none at all. statmount(2) and listmount(2) are for tests/fixtures/nosys.
 */

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

enum { MNT_ID_UNIQUE = 0x4000, NSFS = 0xb7, GET_MNTNS_ID = 5 };

int statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *ret)
{
	int (*real)(int, const char *, int, unsigned, struct statx *) = dlsym(RTLD_NEXT, "statx");

	if (mask & MNT_ID_UNIQUE)
		mask = (mask & ~(unsigned)MNT_ID_UNIQUE) | STATX_MNT_ID;
	return real(dirfd, path, flags, mask, ret);
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (_IOC_TYPE(request) == NSFS && _IOC_NR(request) == GET_MNTNS_ID) {
		errno = ENOTTY;
		return -1;
	}
	return real(fd, request, arg);
}
