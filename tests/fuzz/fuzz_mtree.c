/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as an mtree(5) specification: what is read of it lies below its root, and merges. */

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/check/expect.h"

/* Look a name up without an index. */
static struct expect_node *child(
	const struct expect *x, const struct expect_node *d, const char *name)
{
	static const struct expect_index none;

	return expect_indexed(x, d, &none, name);
}

static int entry(const struct mtree_entry *s, void *arg)
{
	FUZZ_CHECK(s->path && s->path[0] != '/' && strcmp(s->path, "..") != 0 &&
		strncmp(s->path, "../", 3) != 0);
	FUZZ_CHECK(!strstr(s->path, "/../") && s->mode <= 07777);
	FUZZ_CHECK((!s->has_uid || s->uid != UINT32_MAX) && (!s->has_gid || s->gid != UINT32_MAX));
	return expect_add(s, arg);
}

/* Each that should be there is found by its name. */
static void walk(struct expect *x, const struct expect_node *d, unsigned depth)
{
	struct expect_index index;

	expect_index(x, d, &index);
	for (const struct expect_node *n = expect_next(x, d, NULL); n && depth < 100;
		n = expect_next(x, d, n)) {
		struct meta m;

		expect_meta(x, n, &m);
		FUZZ_CHECK(child(x, d, expect_name(n)) == n &&
			expect_indexed(x, d, &index, expect_name(n)) == n);
		walk(x, n, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expect *x = expect_new(size % 2);
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	FUZZ_CHECK(x && fd >= 0 && write(fd, data, size) == (ssize_t)size &&
		lseek(fd, 0, SEEK_SET) == 0);
	/* The same again is another layer below. */
	if (mtree_read(&(struct mtree_input){ fd, "fuzz", MTREE_ALL, 2 }, entry, x, NULL) == 0 &&
		lseek(fd, 0, SEEK_SET) == 0 && expect_next_layer(x) == 0)
		(void)mtree_read(&(struct mtree_input){ fd, "fuzz", MTREE_ALL, 2 }, entry, x, NULL);
	if (expect_root(x))
		walk(x, expect_root(x), 0);
	expect_free(x);
	(void)close(fd);
	return 0;
}
