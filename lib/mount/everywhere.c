/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* everywhere: the mounts of all mount namespaces that can be seen. */

#include "everywhere.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/num.h"
#include "../base/vec.h"

struct search {
	int (*fn)(const struct mount_info *i, pid_t pid, void *arg);
	void *arg;
	pid_t pid;
	/* A process sees the mounts below its root, so each pair of namespace and root is looked at. */
	VEC(struct place { dev_t dev; ino_t root; ino_t ns; }) seen;
};

static int pass_on(const struct mount_info *i, void *arg)
{
	const struct search *s = arg;

	return s->fn(i, s->pid, s->arg);
}

/* 1: a new place, 0: one that was seen, or a process that is gone or not ours to look at. */
static int is_new(struct search *s, const char *pid, struct err *e)
{
	struct stat ns, root;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%s/ns/mnt", pid);
	if (stat(path, &ns) < 0)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%s/root", pid);
	if (stat(path, &root) < 0)
		return 0;
	for (size_t i = 0; i < s->seen.len; i++)
		if (s->seen.items[i].ns == ns.st_ino && s->seen.items[i].root == root.st_ino && s->seen.items[i].dev == root.st_dev)
			return 0;
	return VEC_ADD(&s->seen, (struct place){ root.st_dev, root.st_ino, ns.st_ino }) < 0 ? err_nomem(e) : 1;
}

/* Not that of a process that has ended: access(2) still grants it to us while the process waits to be reaped, opening is EINVAL. */
static bool can_read(const char *table)
{
	scoped_fd int fd = open(table, O_RDONLY | O_CLOEXEC);

	return fd >= 0;
}

static int look_at(struct search *s, const char *name, struct err *e)
{
	char table[64];
	uint32_t pid;
	int r;

	if (num_u32(name, &pid) < 0)
		return 0;
	r = is_new(s, name, e);
	if (r <= 0)
		return r;
	s->pid = (pid_t)pid;
	(void)snprintf(table, sizeof(table), "/proc/%u/mountinfo", pid);
	if (!can_read(table))
		return 0;
	r = mount_info_each(table, pass_on, s, e);
	return r < 0 && !can_read(table) ? 0 : r;
}

int mount_info_everywhere(int (*fn)(const struct mount_info *i, pid_t pid, void *arg), void *arg, struct err *e)
{
	struct search s = { .fn = fn, .arg = arg };
	struct dirent *d;
	DIR *proc;
	int r = is_new(&s, "self", e);

	if (r >= 0)
		r = mount_info_each(NULL, pass_on, &s, e);
	proc = r == 0 ? opendir("/proc") : NULL;
	if (r == 0 && !proc)
		r = err_set(e, errno, "/proc", "cannot look for mounts of other processes");
	while (r == 0 && (d = readdir(proc)))
		r = look_at(&s, d->d_name, e);
	if (proc)
		(void)closedir(proc); /* only read from */
	VEC_DONE(&s.seen);
	return r;
}
