/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An upper must not contain a layer, nor be inside one. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/mount/overlay_overlap.h"
#include "test.h"

TEST(an_upper_is_beside_all_layers)
{
	static const char *const layers[] = { "layers/one", "layers/two", "far/away/three" };
	static const struct {
		const char *dir, *how; /* NULL: it is accepted */
	} rows[] = {
		{ "upper", NULL },
		{ "layers/upper", NULL },
		{ "layers/two", "is the same directory as layer 2 of 3" },
		{ "layers/one/sub", "lies inside layer 1 of 3" },
		{ "far/away/three/sub/sub", "lies inside layer 3 of 3" },
		{ "layers", "contains layer" },
		{ "far", "contains layer 3 of 3" },
		{ ".", "contains layer" },
	};
	char scratch[] = "/tmp/shiftbox-unit.XXXXXX";
	struct mount_layer items[3] = { 0 };
	struct mount_plan p = { 0 };
	struct overlap o = { 0 };
	struct err e = ERR_INIT;

	REQUIRE(mkdtemp(scratch) != NULL && chdir(scratch) == 0);
	REQUIRE(mkdir("layers", 0755) == 0 && mkdir("layers/one", 0755) == 0 &&
		mkdir("layers/one/sub", 0755) == 0 && mkdir("layers/two", 0755) == 0 &&
		mkdir("layers/upper", 0755) == 0 && mkdir("upper", 0755) == 0 &&
		mkdir("far", 0755) == 0 && mkdir("far/away", 0755) == 0 &&
		mkdir("far/away/three", 0755) == 0 && mkdir("far/away/three/sub", 0755) == 0 &&
		mkdir("far/away/three/sub/sub", 0755) == 0);
	p.layers.items = items;
	p.layers.len = ARRAY_LEN(layers);
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		scoped_fd int fd = open(layers[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		items[i].dir = (char *)layers[i];
		REQUIRE(fd >= 0 && overlap_add(&o, fd, i, &e) == 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scoped_fd int fd = open(rows[i].dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

		REQUIRE(fd >= 0);
		CHECK_INT(overlap_check(&o, &p, fd, rows[i].dir, &e), rows[i].how ? -ELOOP : 0);
		if (rows[i].how)
			CHECK_HAS(e.what, rows[i].how);
	}
	overlap_done(&o);
	CHECK(chdir("/") == 0 && fd_remove_tree(AT_FDCWD, scratch, NULL) == 0);
}
