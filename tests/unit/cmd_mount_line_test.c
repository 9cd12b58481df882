/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The source of a line of the fstab must be the file that mount(8) found. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../cmd/mount_line.h"
#include "../../lib/base/fd.h"
#include "test.h"

TEST(the_source_of_a_line_is_compared_with_what_mount_found_as_a_file)
{
	char scratch[] = "/tmp/shiftbox-unit.XXXXXX", source[64];
	struct mount_plan p = { .source = source };
	struct err e = ERR_INIT;

	REQUIRE(mkdtemp(scratch) != NULL && chdir(scratch) == 0);
	REQUIRE(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0 && symlink("a", "link") == 0);
	(void)snprintf(source, sizeof(source), "%s/a", scratch); /* fits */
	CHECK_INT(mount_line_check(&p, NULL, &e), 0);
	CHECK_INT(mount_line_check(&p, "a", &e), 0);
	CHECK_INT(mount_line_check(&p, "link", &e), 0);
	CHECK_INT(mount_line_check(&p, "b", &e), -EINVAL);
	CHECK_STR(e.on, source);
	CHECK_HAS(e.what, "'b'");
	CHECK_INT(mount_line_check(&p, "missing", &e), -EINVAL);

	/* The line's source was exchanged after mount(8) looked it up. */
	REQUIRE(rename("a", "before") == 0 && rename("b", "a") == 0);
	CHECK_INT(mount_line_check(&p, "before", &e), -EINVAL);
	/* Mounting reports that a source is missing. */
	REQUIRE(rmdir("a") == 0);
	CHECK_INT(mount_line_check(&p, "before", &e), 0);
	CHECK(chdir("/") == 0 && fd_remove_tree(AT_FDCWD, scratch, NULL) == 0);
}
