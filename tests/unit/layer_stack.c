/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stack of layers for tests: unpack layers into it, and describe what is on disk. */

#include "layer_stack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/sys.h"
#include "../../lib/layer/layer_deps.h"
#include "../../lib/layer/layer_limits.h"
#include "../../lib/layer/layer_mtree.h"
#include "../../lib/layer/layer_process.h"
#include "../../lib/layer/layer_resolve.h"
#include "../../lib/layer/lowerdirs.h"
#include "test.h"

void layers_open(struct layers *s, const char *tmpfs_options)
{
	static struct buf deps;
	struct err e = ERR_INIT;

	*s = (struct layers){ .fd = -1, .deps = &deps, .path = "/tmp/shiftbox-unit-XXXXXX" };
	if (geteuid() != 0)
		SKIP("needs root");
	/* The mount disappears with the process of this test. */
	REQUIRE(unshare(CLONE_NEWNS) == 0);
	REQUIRE(sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	REQUIRE(sys_mount("tmpfs", "/tmp", "tmpfs", 0,
			tmpfs_options ? tmpfs_options : "mode=0700") == 0);
	REQUIRE(mkdtemp(s->path) != NULL);
	REQUIRE(fd_open_dir(AT_FDCWD, s->path, &s->fd, &e) == 0);
	REQUIRE(layer_process_prepare(&e) == 0);
	s->o.limits = layer_default_limits;
	s->o.counts = &s->counts;
}

static int resolve(struct layers *s, struct layer *l, const char *name, struct err *e)
{
	char spec[32];
	int below[8], r;
	struct lower lower = {
		.dirfds = below, .n = layer_root_opaque(l) ? 0 : s->n, .user_xattr = s->o.user_xattr
	};

	for (size_t i = 0; i < s->n; i++)
		below[i] = s->dirs[s->n - 1 - i];
	if (layer_root_opaque(l))
		s->n = 0;
	(void)snprintf(spec, sizeof(spec), "%s.mtree", name);
	r = layer_resolve_lower(l, &lower, e);
	if (r == 0)
		r = layer_finish(l, e);
	buf_reset(s->deps);
	if (r == 0)
		r = layer_deps(l, s->deps, e);
	return r < 0 ? r : layer_mtree_write(l, s->fd, spec, e);
}

int layers_add(struct layers *s, const struct tar_entry *list, struct err *e)
{
	scoped_buf struct buf b = tar_make(list);
	struct tar_stream stream = { .b = &b, .piece = 700 };
	static int count;
	struct layer *l;
	char name[16];
	int r;

	(void)snprintf(name, sizeof(name), "%d", count++);
	r = layer_apply(tar_stream_read, &stream, &(struct layer_dir){ s->fd, name }, &s->o, &l, e);
	if (r < 0)
		return r;
	r = resolve(s, l, name, e);
	layer_free(l);
	if (r == 0)
		r = fd_open_dir(s->fd, name, &s->dirs[s->n], e);
	if (r == 0)
		s->n++;
	return r;
}

void layers_must(struct layers *s, const struct tar_entry *list)
{
	struct err e = ERR_INIT;

	if (layers_add(s, list, &e) < 0) {
		test_fail(
			__FILE__, __LINE__, "%s: %s (%s) %s", e.on, e.what, strerror(e.num), e.why);
		test_stop();
	}
}

static int top(const struct layers *s)
{
	REQUIRE(s->n > 0);
	return s->dirs[s->n - 1];
}

bool layers_stat(const struct layers *s, const char *path, struct stat *st)
{
	return fstatat(top(s), path, st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void add_content(const struct layers *s, const char *path, struct buf *b)
{
	struct err e = ERR_INIT;

	buf_str(b, " =");
	REQUIRE(fd_read_file(top(s), path, 1 << 20, b, &e) == 0);
}

const char *layers_show(const struct layers *s, const char *path)
{
	static struct buf b;
	char target[256] = "";
	struct stat st;

	buf_reset(&b);
	if (!layers_stat(s, path, &st))
		return "-";
	if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
		return "whiteout";
	buf_char(&b, "?pc?d?b?f?l?s???"[st.st_mode >> 12 & 15]);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		buf_printf(&b, " %u:%u", major(st.st_rdev), minor(st.st_rdev));
	if (!S_ISLNK(st.st_mode))
		buf_printf(&b, " %04o", st.st_mode & 07777);
	buf_printf(&b, " %u:%u %lld.%ld", st.st_uid, st.st_gid, (long long)st.st_mtim.tv_sec,
		st.st_mtim.tv_nsec);
	if (S_ISREG(st.st_mode))
		add_content(s, path, &b);
	if (S_ISLNK(st.st_mode) && readlinkat(top(s), path, target, sizeof(target) - 1) > 0)
		buf_printf(&b, " ->%s", target);
	return buf_get(&b);
}

const char *layers_xattr(const struct layers *s, const char *path, const char *name)
{
	static struct buf b;
	char full[512], proc[32];
	unsigned char value[256];
	ssize_t n;

	(void)snprintf(full, sizeof(full), "%s/%s", fd_proc_path(top(s), proc), path);
	n = lgetxattr(full, name, value, sizeof(value));
	if (n < 0)
		return "-";
	buf_reset(&b);
	buf_str(&b, "");
	for (ssize_t i = 0; i < n; i++)
		buf_printf(&b, "%02x", value[i]);
	return buf_get(&b);
}

const char *layers_list(const struct layers *s, const char *path)
{
	static struct buf b;
	int fd = openat(top(s), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n;
	char proc[32];
	struct dirent **names;

	REQUIRE(fd >= 0);
	n = scandir(fd_proc_path(fd, proc), &names, NULL, alphasort);
	buf_reset(&b);
	for (int i = 0; i < n; i++) {
		if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0)
			buf_printf(&b, "%s%s", b.len ? " " : "", names[i]->d_name);
		free(names[i]);
	}
	free(names);
	(void)close(fd);
	return buf_get(&b);
}
