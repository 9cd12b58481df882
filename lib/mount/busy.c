/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* busy: find what keeps a mount busy. */

#include "busy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/path.h"
#include "../base/proc.h"
#include "../base/vec.h"
#include "via_libmount.h"

enum { HOLDERS_MAX = 5 };

struct busy_search {
	int id;     /* the id of the mount */
	bool known; /* mountinfo has the mount, with: */
	dev_t dev;
	char *target, *root;

	VEC(uint64_t) ids; /* a process that uses one of these mounts keeps it busy */
	const char *where; /* added to each process: "", or that it is in another namespace */
	struct buf text;
	size_t found, hidden; /* processes that use it; processes that could not be inspected */
};

/*
 * --- mounts ------------------------------------------------------------------------------------
 */

static int match_self(const struct lm_mount *m, void *arg)
{
	struct busy_search *s = arg;

	if (m->id != s->id)
		return 0;
	s->dev = m->dev;
	s->target = strdup(m->target);
	s->root = strdup(m->root);
	s->known = s->target && s->root;
	return 1;
}

static void add_name(struct busy_search *s, const char *what, const char *name)
{
	if (s->found++ >= HOLDERS_MAX)
		return;
	buf_printf(&s->text, "%s%s'%s'", s->text.len ? ", " : "", what, name);
}

static int match_child(const struct lm_mount *m, void *arg)
{
	struct busy_search *s = arg;

	if (m->parent == s->id)
		add_name(s, "", m->target);
	return 0;
}

/*
 * --- processes ---------------------------------------------------------------------------------
 */

static bool is_on(int dirfd, const char *name, const struct busy_search *s)
{
	struct statx stx;

	/*
	 * Cached attributes suffice: the filesystem may be served by a user's process (FUSE) that
	 * never answers.
	 */
	if (statx(dirfd, name, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) < 0)
		return false;
	for (size_t i = 0; i < s->ids.len; i++)
		if (s->ids.items[i] == stx.stx_mnt_id)
			return true;
	return false;
}

/* Does one of the links in this directory of a process lead to the mount? */
static bool any_on(int procfd, const char *dir, struct busy_search *s)
{
	int fd = openat(procfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool found = false;

	if (!d) {
		s->hidden += fd < 0 && (errno == EACCES || errno == EPERM);
		cleanup_fd(&fd);
		return false;
	}
	while (!found && (entry = readdir(d)))
		found = entry->d_name[0] != '.' && is_on(dirfd(d), entry->d_name, s);
	(void)closedir(d); /* only read */
	return found;
}

static void describe(int procfd, const char *pid, const char *how, struct busy_search *s)
{
	scoped_buf struct buf comm = BUF_INIT;

	if (s->found++ >= HOLDERS_MAX)
		return;
	if (fd_read_file(procfd, "comm", 64, &comm, NULL) < 0 || !comm.len)
		buf_str(&comm, "?\n");
	buf_printf(&s->text, "%sprocess %s (%.*s: %s%s)", s->text.len ? ", " : "", pid,
		(int)comm.len - 1, comm.data, how, s->where);
}

static int look_at_process(int proc, const char *pid, pid_t number, void *arg)
{
	struct busy_search *s = arg;
	static const struct {
		const char *link, *how;
	} links[] = {
		{ "cwd", "its working directory" },
		{ "root", "its root directory" },
		{ "exe", "its program" },
	};
	static const struct {
		const char *dir, *how;
	} dirs[] = { { "fd", "an open file" }, { "map_files", "a mapped file" } };
	scoped_fd int fd = openat(proc, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)number; /* pid is the same number as text */
	if (fd < 0)
		return 0; /* it has ended */
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		if (is_on(fd, links[i].link, s)) {
			describe(fd, pid, links[i].how, s);
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		if (any_on(fd, dirs[i].dir, s)) {
			describe(fd, pid, dirs[i].how, s);
			return 0;
		}
	}
	return 0;
}

/*
 * A mount on a shared one has copies in other namespaces, and umount(2) unmounts all of them or
 * none.
 */
static int match_copy(const struct lm_mount *m, void *arg)
{
	struct busy_search *s = arg;

	if (m->dev == s->dev && !strcmp(m->root, s->root) && !strcmp(m->target, s->target))
		(void)VEC_ADD(
			&s->ids, (uint64_t)m->id); /* on failure, the copy is not searched for */
	return 0;
}

static int look_into_namespace(int proc, const char *pid, pid_t number, void *arg)
{
	struct busy_search *s = arg;
	scoped_fd int fd = openat(proc, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat own, its;

	if (fd < 0 || stat("/proc/self/ns/mnt", &own) < 0 || fstatat(fd, "ns/mnt", &its, 0) < 0 ||
		own.st_ino == its.st_ino)
		return 0;
	s->ids.len = 0;
	(void)lm_mountinfo_of(fd, its.st_ino, match_copy, s, NULL); /* it may have ended */
	return s->ids.len ? look_at_process(proc, pid, number, s) : 0;
}

/*
 * --- the kernel itself --------------------------------------------------------------------------
 */

static bool below(const char *path, const char *dir)
{
	const char *rest = path_below(path, dir);

	return rest && *rest;
}

static void look_at_loops(struct busy_search *s)
{
	DIR *d = opendir("/sys/block");
	const struct dirent *entry;

	if (!d)
		return;
	while ((entry = readdir(d))) {
		scoped_buf struct buf file = BUF_INIT;
		char path[300];

		if (strncmp(entry->d_name, "loop", 4))
			continue;
		(void)snprintf(path, sizeof(path), "%.255s/loop/backing_file", entry->d_name);
		if (fd_read_file(dirfd(d), path, 8192, &file, NULL) < 0 || !file.len ||
			!buf_get(&file))
			continue;
		file.data[file.len - 1] = 0; /* remove the newline */
		(void)snprintf(
			path, sizeof(path), "the loop device /dev/%.200s over ", entry->d_name);
		if (below(file.data, s->target))
			add_name(s, path, file.data);
	}
	(void)closedir(d); /* only read */
}

static void look_at_swap(struct busy_search *s)
{
	scoped_buf struct buf all = BUF_INIT;
	char *line, *rest;

	if (fd_read_file(AT_FDCWD, "/proc/swaps", 64 << 10, &all, NULL) < 0 || !buf_get(&all))
		return;
	for (line = all.data; line; line = rest) {
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = 0;
		line[strcspn(line, " \t")] = 0;
		if (below(line, s->target))
			add_name(s, "the swap area ", line);
	}
}

/*
 * --- the answer ---------------------------------------------------------------------------------
 */

static void say(const struct busy_search *s, const char *what, const char *hint, struct err *e)
{
	err_why(e, "%s %.*s%s", what, (int)s->text.len, s->text.data,
		s->found > HOLDERS_MAX ? ", ..." : "");
	err_try(e, "%s", hint);
}

static void find_holders(struct busy_search *s, struct err *e)
{
	(void)lm_mountinfo(match_self, s, NULL); /* on failure, processes can still be found */
	(void)lm_mountinfo(match_child, s, NULL);
	if (s->found) {
		say(s, "something is mounted below it:",
			"unmount that first, or with it: --recursive", e);
		return;
	}
	if (VEC_ADD(&s->ids, (uint64_t)s->id) == 0)
		(void)proc_each(look_at_process, s, NULL); /* without /proc, none is found */
	if (s->known) {
		look_at_loops(s);
		look_at_swap(s);
	}
	if (!s->found && s->known) {
		s->where = ", in another mount namespace";
		(void)proc_each(look_into_namespace, s, NULL); /* without /proc, none is found */
	}
	if (s->found) {
		say(s, "it is held by",
			s->found > 1 ?
				"stop them, or have them leave that directory (in a shell: cd /)" :
				"stop it, or have it leave that directory (in a shell: cd /)",
			e);
	} else if (s->hidden) {
		err_why(e,
			"a process that the caller may not inspect uses it (there are %zu of them)",
			s->hidden);
		err_try(e, "ask again as root");
	} else {
		err_why(e,
			"it is in use, but not by a process that /proc shows: by one in another "
			"PID namespace, or by the kernel (a socket, an export)");
	}
}

void busy_explain(int id, struct err *e)
{
	struct busy_search s = { .id = id, .where = "", .text = BUF_INIT };

	find_holders(&s, e);
	buf_done(&s.text);
	VEC_DONE(&s.ids);
	free(s.target);
	free(s.root);
}
