/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "../../lib/base/buf.h"
#include "../../lib/mount/overlay_layers.h"

static int add(const char *dir, void *arg)
{
	buf_printf(arg, "<%s>", dir);
	return 0;
}

static int stop(const char *dir, void *arg)
{
	(void)add(dir, arg);
	return 7;
}

TEST(the_layers_of_an_overlay_are_read_from_its_options_as_each_kernel_shows_them)
{
	static const struct {
		const char *options, *dirs;
	} rows[] = {
		{ "", "" },
		{ "rw,upperdir=/u,workdir=/w", "" },
		{ "rw,lowerdir=/a:/b,upperdir=/u", "</a></b>" },
		{ "rw,lowerdir+=/a,lowerdir+=/b:c,datadir+=/d,upperdir=/u", "</a></b:c></d>" },
		{ "lowerdir=/a::/data", "</a></data>" },
		{ "lowerdir=/with\\:colon:/with\\,comma,upperdir=/lowerdir=/x",
			"</with:colon></with,comma>" },
		{ "upperdir=/a\\,lowerdir=/no,lowerdir=/b", "</b>" },
		{ "lowerdir=/end\\", "</end\\>" },
		{ "lowerdir=", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		scoped_buf struct buf b = BUF_INIT;

		CHECK_INT(overlay_layers_each(rows[i].options, add, &b), 0);
		CHECK_STR(buf_get(&b), rows[i].dirs);
	}
}

TEST(the_layers_end_where_the_function_says_so)
{
	scoped_buf struct buf b = BUF_INIT;

	CHECK_INT(overlay_layers_each("lowerdir+=/a,lowerdir+=/b", stop, &b), 7);
	CHECK_STR(buf_get(&b), "</a>");
}
