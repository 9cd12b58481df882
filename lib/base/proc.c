/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* proc: list the processes in /proc, and count processors. */

#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>

#include "num.h"

int proc_each(int (*fn)(int proc, const char *name, pid_t pid, void *arg), void *arg, struct err *e)
{
	DIR *d = opendir("/proc");
	const struct dirent *entry;
	int r = 0;

	if (!d)
		return err_set(e, errno, "/proc", "cannot list the processes");
	while (r == 0 && (entry = readdir(d))) {
		uint32_t pid;

		if (num_u32(entry->d_name, &pid) == 0)
			r = fn(dirfd(d), entry->d_name, (pid_t)pid, arg);
	}
	(void)closedir(d); /* only read */
	return r;
}

unsigned proc_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return CPU_COUNT(&set) > 0 ? (unsigned)CPU_COUNT(&set) : 1;
}
