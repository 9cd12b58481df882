/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "../../lib/base/buf.h"
#include "../../lib/mount/overlay_options.h"

static int add(const struct overlay_dir *dir, void *arg)
{
	static const char kinds[] = {
		[OVERLAY_LOWER] = 'l', [OVERLAY_DATA] = 'd', [OVERLAY_UPPER] = 'u'
	};

	buf_printf(arg, "%c<%s>", kinds[dir->kind], dir->path);
	return 0;
}

static int stop(const struct overlay_dir *dir, void *arg)
{
	(void)add(dir, arg);
	return 7;
}

TEST(the_directories_of_an_overlay_are_read_from_its_options_as_each_kernel_shows_them)
{
	static const struct {
		const char *options, *dirs;
	} rows[] = {
		{ "", "" },
		{ "rw,workdir=/w", "" },
		{ "rw,upperdir=/u,workdir=/w", "u</u>" },
		{ "rw,lowerdir=/a:/b,upperdir=/u", "l</a>l</b>u</u>" },
		{ "rw,lowerdir+=/a,lowerdir+=/b:c,datadir+=/d,upperdir=/u:v",
			"l</a>l</b:c>d</d>u</u:v>" },
		{ "lowerdir=/a::/data", "l</a>l</data>" },
		{ "lowerdir=/with\\:colon:/with\\,comma,upperdir=/lowerdir=/x",
			"l</with:colon>l</with,comma>u</lowerdir=/x>" },
		{ "upperdir=/a\\,lowerdir=/no,lowerdir=/b", "u</a,lowerdir=/no>l</b>" },
		{ "x=a\\,lowerdir=/no,lowerdir=/b", "l</b>" },
		{ "lowerdir=/end\\", "l</end\\>" },
		{ "lowerdir=,upperdir=", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		scoped_buf struct buf b = BUF_INIT;

		CHECK_INT(overlay_dirs_each(rows[i].options, add, &b), 0);
		CHECK_STR(buf_get(&b), rows[i].dirs);
	}
}

TEST(the_directories_of_an_overlay_end_where_the_function_says_so)
{
	scoped_buf struct buf b = BUF_INIT;

	CHECK_INT(overlay_dirs_each("lowerdir+=/a,lowerdir+=/b", stop, &b), 7);
	CHECK_STR(buf_get(&b), "l</a>");
}
