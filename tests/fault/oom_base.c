/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oom.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/opt.h"
#include "../../lib/base/out.h"
#include "../../lib/base/toml.h"

struct args {
	bool flag;
	struct strv list;
};

static const struct opt table[] = { OPT_FLAG(struct args, flag, "flag", 'f', "Set it"),
	OPT_LIST(struct args, list, "item", 'i', "ITEM", "Add an item"), OPT_END };

OOM(opt_parse)
{
	char *argv[] = { (char *)"cmd", (char *)"-f", (char *)"--item=a", (char *)"-ib",
		(char *)"operand", (char *)"-i", (char *)"c", (char *)"-i1", (char *)"-i2",
		(char *)"-i3", (char *)"-i4", (char *)"-i5", (char *)"-i6", NULL };
	struct args a = { 0 };
	struct opt_set set = { .opts = table, .args = &a };
	struct opt_line l = { .operands = { .len = 0 } };
	struct err e = ERR_INIT;
	int r = opt_parse(&set, 1, argv, false, &l, &e);

	CHECK(r == 0 || e.num == ENOMEM);
	opt_args_done(table, &a);
	opt_line_done(&l);
	return r;
}

static int results(bool json)
{
	static const struct out_col cols[] = { { "path", "PATH", false },
		{ "size", "SIZE", true } };
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC), r = -ENOMEM;
	struct out *o = out_new(fd, json, false);

	if (o) {
		out_table(o, cols, 2);
		for (int i = 0; i < 10; i++) {
			out_begin(o, NULL);
			out_str(o, "path", "a \xff name\n");
			out_u64(o, "size", UINT64_MAX);
			out_array(o, "list");
			out_begin(o, NULL);
			out_bool(o, "yes", true);
			out_end(o);
			out_array_end(o);
			out_end(o);
		}
		out_table_end(o);
		out_line(o, "%d", 1);
		r = out_flush(o);
	}
	out_free(o);
	(void)close(fd);
	return r;
}

OOM(out_json)
{
	return results(true);
}

OOM(out_text)
{
	return results(false);
}

OOM(out_error_json)
{
	struct err e = ERR_INIT;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC), r;

	(void)err_set(&e, EINVAL, "on", "what");
	err_why(&e, "why");
	r = out_error_json(fd, "cmd", &e);
	(void)close(fd);
	return r;
}

OOM(buf)
{
	scoped_buf struct buf b = BUF_INIT;
	scoped_free char *given = NULL;

	for (int i = 0; i < 100; i++)
		buf_printf(&b, "%d ", i);
	buf_escaped(&b, "\x1b\n", 2);
	given = buf_take(&b);
	return given ? 0 : -ENOMEM;
}

OOM(fd_read_file)
{
	scoped_buf struct buf b = BUF_INIT;

	return fd_read_file(AT_FDCWD, "Makefile", 1 << 20, &b, NULL);
}

OOM(toml)
{
	static const char text[] = "[storage]\ndriver = \"overlay\"\n[storage.options]\n"
				   "additionalimagestores = [ # a comment\n \"/a\", ]\n";
	scoped_buf struct buf with = BUF_INIT;
	scoped_strv struct strv stores = { 0 };
	scoped_toml struct toml_doc *t = NULL;
	struct err e = ERR_INIT;
	int r = toml_parse(text, strlen(text), "t", &t, &e);

	if (r == -ENOTSUP)
		return 0; /* built without TOML */
	if (t)
		r = toml_strs(t, "storage.options.additionalimagestores", "t", &stores, &e);
	if (t && r == 0)
		r = toml_add_str(t, "storage.options.additionalimagestores", "/b", "t", &with, &e);
	CHECK(r == 0 || e.num == ENOMEM);
	return r;
}
