/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* userns_self: the user namespace that the caller is in. */

#include "userns_self.h"

#include <fcntl.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/num.h"
#include "idmap.h"

/* PROC_USER_INIT_INO of include/linux/proc_ns.h; include/uapi/linux/nsfs.h makes it ABI. */
enum { INITIAL_INO = 0xeffffffdU };

bool userns_stat_is_initial(const struct stat *st)
{
	return st->st_ino == INITIAL_INO;
}

bool userns_is_initial(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && userns_stat_is_initial(&st);
}

bool userns_is_nested(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && !userns_stat_is_initial(&st);
}

uint32_t userns_overflow_id(bool group)
{
	const char *file = group ? "/proc/sys/fs/overflowgid" : "/proc/sys/fs/overflowuid";
	scoped_fd int fd = open(file, O_RDONLY | O_CLOEXEC);
	char text[16];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	uint64_t id;

	if (n < 1 || num_u64_n(text, (size_t)n - 1, &id) < 0 || id > UINT32_MAX)
		return IDMAP_OVERFLOW;
	return (uint32_t)id;
}
