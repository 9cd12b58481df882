/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The words of a command line, one a line: whatever they are, they are read or refused as a usage
 * error.
 */

#include "fuzz.h"

#include "../../lib/base/opt.h"

struct args {
	bool flag, a, b;
	const char *text;
	uint32_t num;
	uint64_t size;
	struct strv list;
	int choice;
};

static const struct opt table[] = { OPT_FLAG(struct args, flag, "flag", 'f', "Set it"),
	OPT_FLAG(struct args, a, "first", '1', "Choose it", .excl = 1),
	OPT_FLAG(struct args, b, "second", '2', "Choose it", .excl = 1),
	OPT_STR(struct args, text, "text", 't', "T", "Take it"),
	OPT_U32(struct args, num, "number", 'n', "N", "Take it"),
	OPT_SIZE(struct args, size, "size", 's', "S", "Take it"),
	OPT_LIST(struct args, list, "item", 'i', "I", "Add it"),
	OPT_CHOICE(struct args, choice, "when", 'w', "W", "now later", "Choose"), OPT_END };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *argv[256] = { (char *)"cmd" },
	     *rest = text;
	struct args a = { .choice = 1 };
	struct opt_set set = { .opts = table, .args = &a };
	struct opt_line l = { .operands = { .len = 0 } };
	struct err e = ERR_INIT;
	size_t n = 1;

	while (n < 255 && (argv[n] = strsep(&rest, "\n")))
		n++;
	argv[n] = NULL;
	if (opt_parse(&set, 1, argv, size & 1, &l, &e) == 0)
		FUZZ_CHECK(l.operands.len < n && l.operands.dashdash <= l.operands.len &&
			!(a.a && a.b) && (unsigned)a.choice < 2);
	else
		FUZZ_CHECK(e.usage && e.set && e.what[0] && !l.operands.items);
	opt_args_done(table, &a);
	opt_line_done(&l);
	free(text);
	return 0;
}
