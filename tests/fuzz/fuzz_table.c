/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An fstab: it is refused, or each line for us has an absolute target and options that are read or
 * refused, and they can be ordered.
 */

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/mount/options.h"
#include "../../lib/mount/table.h"
#include "../../lib/mount/table_type.h"
#include "fuzz.h"

static void check_line(const struct table_line *l)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	struct err e = ERR_INIT;

	FUZZ_CHECK(l->target[0] == '/' && !strstr(l->target, "//") &&
		l->own == table_type_is_own(l->type));
	if (mount_options_parse(&o, l->options, &e) < 0)
		FUZZ_CHECK(e.set && e.what[0]);
}

/* Every line once. */
static void check_order(const struct fstab *t)
{
	struct table_need *needs = calloc(t->lines.len + 1, sizeof(*needs));
	size_t *order = calloc(t->lines.len + 1, sizeof(*order));
	bool *seen = calloc(t->lines.len + 1, sizeof(*seen)),
	     *waits = calloc(t->lines.len + 1, sizeof(*waits));
	struct err e = ERR_INIT;

	FUZZ_CHECK(needs && order && seen && waits);
	for (size_t i = 0; i < t->lines.len; i++)
		needs[i].target = t->lines.items[i].target;
	if (table_order(needs, t->lines.len, order, waits, &e) == 0)
		for (size_t i = 0; i < t->lines.len; i++) {
			FUZZ_CHECK(order[i] < t->lines.len && !seen[order[i]]);
			seen[order[i]] = true;
		}
	free(needs);
	free(order);
	free(seen);
	free(waits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped_fstab struct fstab t = { 0 };
	int fd = memfd_create("fstab", MFD_CLOEXEC);
	struct err e = ERR_INIT;
	char path[40];

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (table_read(path, TABLE_STRICT, &t, &e) < 0)
		FUZZ_CHECK(e.set && e.what[0]);
	for (size_t i = 0; i < t.lines.len; i++)
		check_line(&t.lines.items[i]);
	check_order(&t);
	(void)close(fd);
	return 0;
}
