/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manual page of maps is right: each example means, and each refusal says, what stands below
 * it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/fd.h"
#include "../../lib/base/vec.h"
#include "../../lib/idmap/idmap.h"
#include "../../lib/idmap/names.h"
#include "test.h"

static int alice(const char *name, struct user *ret)
{
	*ret = (struct user){ .name = "alice", .uid = 1000, .gid = 1000, .has_gid = true };
	return strcmp(name, "alice") ? -ENOENT : 0;
}

static int nobody(uint32_t uid, struct user *ret)
{
	(void)uid;
	(void)ret;
	return -ENOENT;
}

static int alice_gid(const char *name, uint32_t *ret)
{
	*ret = 1000;
	return strcmp(name, "alice") ? -ENOENT : 0;
}

static const struct names_source page_names = { alice, nobody, alice_gid, NULL };

/* What the page should say below a map: its words, or its error as the program prints it. */
static void explain(const char *map, const char *grants, struct buf *b)
{
	const struct idmap_context ctx = { .subuid = grants, .subgid = grants };
	scoped_idmap struct idmap m = { 0 };
	struct err e = ERR_INIT;

	if (idmap_parse(&map, 1, &ctx, &m, &e) < 0)
		buf_printf(b, "'%s': %s", e.on, e.what);
	else
		idmap_print_words(&m, b);
}

TEST(idmap_manual_examples_are_true)
{
	char grants[] = "/tmp/idmap-manual-XXXXXX", map[128] = "", *line;
	int fd = mkstemp(grants);
	scoped_buf struct buf page = BUF_INIT;
	struct err e = ERR_INIT;
	size_t examples = 0, refusals = 0, fstab = 0;

	REQUIRE(fd >= 0 && fd_write_all(fd, "alice:100000:65536\n", 19) == 0 && close(fd) == 0);
	REQUIRE(fd_read_file(AT_FDCWD, "cmd/idmap.7", 1 << 20, &page, &e) == 0);
	names_set_source(&page_names);
	for (char *rest = page.data; (line = strsep(&rest, "\n"));) {
		scoped_buf struct buf b = BUF_INIT;
		char *option = strstr(line, "  map=");

		if (!strncmp(line, ".It Ic ", 7))
			(void)snprintf(map, sizeof(map), "%s", line + 7);
		if (!strncmp(line, ".Dl ", 4) && map[0]) {
			explain(map, grants, &b);
			CHECK_STR(line + 4, buf_get(&b));
			*(line[4] == '\'' ? &refusals : &examples) += 1;
			map[0] = '\0';
		}
		if (option) {
			option[6 + strcspn(option + 6, " ")] = '\0';
			explain(option + 6, grants, &b);
			CHECK_STR(buf_get(&b), "disk 0 is seen as 1000");
			fstab++;
		}
	}
	(void)unlink(grants);
	CHECK(examples >= 9 && refusals >= 3 && fstab == 1); /* they were found */
}
