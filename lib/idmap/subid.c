/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* subid: who may use which ids beside their own (subuid(5), subgid(5)). */

#include "subid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/num.h"
#include "../base/vec.h"
#include "words.h"

/* A line is some 30 bytes; a host with a million users is beyond what this file is for. */
enum { FILE_MAX_SIZE = 32 << 20 };

static bool is_users(const struct word *w, const struct user *user)
{
	uint64_t uid;

	if (user->name[0] && word_is(w, user->name))
		return true;
	return num_u64_n(w->s, w->len, &uid) == 0 && uid == user->uid;
}

/* What is wrong with the fields, or NULL. */
static const char *parse_fields(const struct word *f, size_t n, struct grant *ret)
{
	uint64_t start, count;

	if (n != 3)
		return "is no USER:START:COUNT";
	if (num_u64_n(f[1].s, f[1].len, &start) < 0)
		return "has a START that is no decimal number";
	if (num_u64_n(f[2].s, f[2].len, &count) < 0)
		return "has a COUNT that is no decimal number";
	if (count == 0)
		return "has the count 0";
	if (start >= UINT32_MAX || count > UINT32_MAX - start)
		return "reaches beyond the last id, 4294967294";

	ret->start = (uint32_t)start;
	ret->count = (uint32_t)count;
	return NULL;
}

static int line_fault(struct word line, bool users, const char *what, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;

	if (users) {
		(void)word_fault(e, EINVAL, &line, "%s", what);
		err_op(e, "subid");
		return -EINVAL;
	}
	buf_escaped(&b, line.at.file, strlen(line.at.file));
	buf_printf(&b, ":%zu: '", line.at.pos);
	buf_escaped(&b, line.s, line.len);
	log_warn("%s' %s; the line is passed over", buf_get(&b) ? buf_get(&b) : "", what);
	return 0;
}

static int parse_line(struct word line, const struct user *user, struct grants *ret, struct err *e)
{
	struct grant g = { .line = line.at.pos };
	struct word f[4];
	size_t n = word_split(line, ':', f, ARRAY_LEN(f));
	bool users = is_users(&f[0], user);
	const char *what = parse_fields(f, n, &g);

	if (what)
		return line_fault(line, users, what, e);
	if (!users)
		return 0;
	for (size_t i = 0; i < ret->len; i++)
		if (ret->items[i].start == g.start && ret->items[i].count == g.count)
			return 0;
	return VEC_ADD(ret, g) < 0 ? err_nomem(e) : 0;
}

int subid_parse(const char *text, const char *file, const struct user *user, struct grants *ret, struct err *e)
{
	struct word rest = { .s = text, .len = strlen(text), .at = { .file = file } };
	size_t line_no = 0;
	char number[16];

	for (bool more = true; more;) {
		struct word line = word_until(&rest, '\n', &more);
		int r;

		line.at.pos = ++line_no;
		if (!line.len || line.s[0] == '#')
			continue;
		r = parse_line(line, user, ret, e);
		if (r < 0)
			return r;
	}
	if (ret->len)
		return 0;

	(void)snprintf(number, sizeof(number), "%u", user->uid); /* fits: 10 digits */
	(void)err_say(e, ENOENT, user->name[0] ? user->name : number, "has no ids in %s", file);
	err_op(e, "subid");
	err_try(e, "usermod --add-subuids START-END --add-subgids START-END %s", user->name[0] ? user->name : "USER");
	return -ENOENT;
}

int subid_read(const char *file, const struct user *user, struct grants *ret, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	int r;

	r = fd_read_file(AT_FDCWD, file, FILE_MAX_SIZE, &text, e);
	if (r < 0)
		return r;
	if (strlen(buf_get(&text)) != text.len)
		return err_say(e, EINVAL, file, "has a NUL byte in it");
	return subid_parse(buf_get(&text), file, user, ret, e);
}
