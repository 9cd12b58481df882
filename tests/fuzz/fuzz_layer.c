/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes may come as a layer: unpacked twice, the second on top of the first, it is refused or
 * gives a specification that reads back and dependencies that hold. Needs no privilege, but gets
 * further as root.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/layer/layer.h"
#include "../../lib/layer/layer_deps.h"
#include "../../lib/layer/layer_mtree.h"
#include "../../lib/layer/layer_process.h"
#include "../../lib/layer/layer_resolve.h"
#include "../../lib/layer/lowerdirs.h"
#include "../../lib/tar/mtree.h"
#include "fuzz.h"

struct input {
	const uint8_t *data;
	size_t size, piece;
};

static ssize_t give(void *arg, const void **ret, struct err *e)
{
	struct input *in = arg;
	size_t n = in->size < in->piece ? in->size : in->piece;

	(void)e;
	*ret = in->data;
	in->data += n;
	in->size -= n;
	return (ssize_t)n;
}

static int ignore(const struct mtree_entry *s, void *arg)
{
	(void)arg;
	FUZZ_CHECK(s->path[0] != '/');
	return 0;
}

static bool deps_hold(const char *deps, const struct lower *lower)
{
	scoped_walk struct lower_walk w;
	bool holds = false;

	lower_walk_begin(&w, lower);
	return layer_deps_hold(deps, &w, &holds, NULL) == 0 && holds;
}

static int resolve(struct layer *l, int dir, const struct lower *lower, struct err *e)
{
	scoped_buf struct buf deps = BUF_INIT;
	scoped_fd int spec = -1;

	if (layer_resolve_lower(l, lower, e) < 0 || layer_finish(l, e) < 0)
		return -1;
	FUZZ_CHECK(layer_deps(l, &deps, e) == 0);
	if (!layer_root_opaque(l))
		FUZZ_CHECK(deps_hold(buf_get(&deps), lower));
	FUZZ_CHECK(layer_mtree_write(l, dir, "spec", e) == 0);
	spec = openat(dir, "spec", O_RDONLY | O_CLOEXEC);
	FUZZ_CHECK(spec >= 0 &&
		mtree_read(&(struct mtree_input){ spec, "spec", MTREE_ALL, 1 }, ignore, NULL, e) ==
			0);
	return unlinkat(dir, "spec", 0);
}

static int unpack(
	const uint8_t *data, size_t size, int dir, const char *name, const struct lower *lower)
{
	struct layer_options o = {
		.limits = { .bytes = 1 << 20, .entries = 1000, .xattr_bytes = 1 << 16 }
	};
	struct input in = { .data = data, .size = size, .piece = 1 + size % 3000 };
	struct err e = ERR_INIT;
	struct layer *l;
	int r = layer_apply(give, &in, &(struct layer_dir){ dir, name }, &o, &l, &e);

	if (r == 0) {
		r = resolve(l, dir, lower, &e);
		layer_free(l);
	}
	FUZZ_CHECK(r == 0 || e.set);
	return r;
}

/* A header that was changed gets its right checksum again, or no change would get past it. */
static void repair(uint8_t *data, size_t size)
{
	for (uint8_t *p = data; size - (size_t)(p - data) >= 512; p += 512) {
		unsigned sum = 8 * ' ';

		if (memcmp(p + 257, "ustar", 5) != 0)
			continue;
		for (size_t i = 0; i < 512; i++)
			sum += i - 148 < 8 ? 0 : p[i];
		(void)snprintf((char *)p + 148, 8, "%06o", sum);
	}
}

static char top_path[] = "/dev/shm/shiftbox-fuzz-XXXXXX";

static void remove_top(void)
{
	(void)rmdir(top_path);
}

static int make_top(void)
{
	struct err e = ERR_INIT;
	int fd;

	(void)layer_process_prepare(&e); /* without privilege only part of it works */
	FUZZ_CHECK(mkdtemp(top_path) && fd_open_dir(AT_FDCWD, top_path, &fd, &e) == 0);
	(void)atexit(remove_top);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int top = -1;
	struct err e = ERR_INIT;
	scoped_fd int first = -1;
	scoped_free uint8_t *copy = malloc(size + 1);

	if (top < 0)
		top = make_top();
	memcpy(copy, data, size);
	repair(copy, size);
	if (unpack(copy, size, top, "first", &(struct lower){ .n = 0 }) == 0) {
		FUZZ_CHECK(fd_open_dir(top, "first", &first, &e) == 0);
		(void)unpack(
			copy, size, top, "second", &(struct lower){ .dirfds = &first, .n = 1 });
	}
	FUZZ_CHECK(fd_remove_tree(top, "first", &e) == 0);
	FUZZ_CHECK(fd_remove_tree(top, "second", &e) == 0);
	FUZZ_CHECK(fd_remove_tree(top, "spec", &e) == 0);
	return 0;
}
