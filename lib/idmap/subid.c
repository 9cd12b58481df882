/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* subid: parse the grants of subordinate ids (subuid(5), subgid(5)). */

#include "subid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/num.h"
#include "../base/plural.h"
#include "../base/vec.h"
#include "map_lex.h"
#include "subid_priv.h"

/* A line has about 30 bytes; a host with a million users needs another source than this file. */
enum { FILE_MAX_SIZE = 32 << 20 };

int subid_user(const char *name, struct user *ret, struct err *e)
{
	int r = names_user(name, ret, e);

	if (r != -ENOENT || strlen(name) >= sizeof(ret->name))
		return r;
	if (e)
		*e = ERR_INIT;
	*ret = (struct user){ .uid = SUBID_NO_ACCOUNT };
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name); /* fits: checked */
	return 0;
}

bool subid_is_users(const struct subid_line *l, const struct user *user)
{
	const struct word w = { .s = l->user, .len = l->user_len };
	uint64_t uid;

	if (user->name[0] && word_is(&w, user->name))
		return true;
	return user->uid != SUBID_NO_ACCOUNT && num_u64_n(w.s, w.len, &uid) == 0 &&
		uid == user->uid;
}

bool subid_is_meant_for(const struct subid_line *l, const struct user *user)
{
	static const char separators[] = " \t\r:;,=";
	struct word w = { .s = l->text, .len = 0 };
	const char *end = l->text + l->len;

	if (!l->fault || subid_is_users(l, user))
		return subid_is_users(l, user);
	while (user->name[0] && w.s < end) {
		w.len = 0;
		while (w.s + w.len < end && !strchr(separators, w.s[w.len]))
			w.len++;
		if (word_is(&w, user->name))
			return true;
		w.s += w.len + 1;
	}
	return false;
}

static bool is_number(const struct word *w)
{
	uint64_t n;

	return num_u64_n(w->s, w->len, &n) == 0;
}

static bool is_octal(const struct word *w)
{
	return w->len > 1 && w->s[0] == '0';
}

/* Parse the fields. Returns what is wrong with them, or NULL. */
static const char *parse_fields(const struct word *f, size_t n, struct grant *ret)
{
	uint64_t start, count;

	if (n != 3)
		return "is not USER:START:COUNT";
	if (num_u64_n(f[1].s, f[1].len, &start) < 0)
		return "has a START that is not a decimal number";
	if (num_u64_n(f[2].s, f[2].len, &count) < 0)
		return "has a COUNT that is not a decimal number";
	/* newuidmap(1) compares the text of a uid, and reads the numbers with strtoul(3). */
	if (is_number(&f[0]) && is_octal(&f[0]))
		return "has a uid with a zero in front";
	if (is_octal(&f[1]) || is_octal(&f[2]))
		return "has a number with a zero in front, which newuidmap reads as octal";
	if (count == 0)
		return "has the count 0";
	if (start >= UINT32_MAX || count > UINT32_MAX - start)
		return "reaches beyond the last id, 4294967294";

	ret->start = (uint32_t)start;
	ret->count = (uint32_t)count;
	return NULL;
}

static int line_fault(struct word line, bool users, const char *what, struct subid_reading *p)
{
	if (users) {
		(void)word_fault(p->e, EINVAL, &line, "%s", what);
		err_op(p->e, "subid");
		err_try(p->e, "mend the line: USER:START:COUNT, as in alice:362144:65536");
		return -EINVAL;
	}
	if (!p->ignored++)
		log_warn("%s:%zu: '%.*s' %s; the line does not count", line.at.file, line.at.pos,
			(int)line.len, line.s, what);
	return 0;
}

/* The byte order mark, which some editors write at the beginning of a file in UTF-8. */
#define MARK "\xef\xbb\xbf"

static bool is_blank(char c)
{
	return c && strchr(" \t\r", c);
}

static struct word trimmed(struct word w)
{
	while (w.len && is_blank(w.s[0]))
		w = word_from(w, 1);
	while (w.len && is_blank(w.s[w.len - 1]))
		w.len--;
	return w;
}

static struct subid_line split_line(struct word line)
{
	struct subid_line l = { .text = line.s, .len = line.len, .grant.line = line.at.pos };
	struct word f[4], user;
	size_t n = word_split(line, ':', f, ARRAY_LEN(f));

	user = trimmed(word_from(f[0], word_starts(&f[0], MARK) ? strlen(MARK) : 0));
	l.user = user.s;
	l.user_len = user.len;
	l.fault = parse_fields(f, n, &l.grant);
	if (!l.fault && user.len < f[0].len)
		l.fault = word_starts(&f[0], MARK) ? "begins with a byte order mark" :
						     "has a blank beside the name of the user";
	l.reversed =
		n == 3 && is_number(&f[0]) && f[2].len && !(f[2].s[0] >= '0' && f[2].s[0] <= '9');
	return l;
}

int subid_each(const char *text, int (*fn)(const struct subid_line *l, void *arg), void *arg)
{
	struct word rest = { .s = text, .len = strlen(text), .at = { .file = "" } };
	size_t line_no = 0;
	int r = 0;

	for (bool more = true; more && r == 0;) {
		struct word line = word_until(&rest, '\n', &more);
		struct word content;
		struct subid_line l;

		line.at.pos = ++line_no;
		content = trimmed(line);
		if (!content.len || content.s[0] == '#')
			continue;
		l = split_line(line);
		r = fn(&l, arg);
	}
	return r;
}

int subid_take_line(const struct subid_line *l, void *reading)
{
	struct subid_reading *p = reading;
	bool users = subid_is_users(l, p->user);

	if (l->fault) {
		const struct word line = {
			.s = l->text, .len = l->len, .at = { .file = p->file, .pos = l->grant.line }
		};

		return line_fault(line, users, l->fault, p);
	}
	if (!users)
		return 0;
	return VEC_ADD(p->ret, l->grant) < 0 ? err_nomem(p->e) : 0;
}

static int by_ids(const void *pa, const void *pb)
{
	const struct grant *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

static int by_line(const void *pa, const void *pb)
{
	const struct grant *a = pa, *b = pb;

	return a->line < b->line ? -1 : a->line > b->line;
}

/* Of lines with the same ids the first one counts. The order of lines stays. */
static void drop_repeated(struct grants *g)
{
	size_t kept = 0;

	if (g->len < 2)
		return;
	qsort(g->items, g->len, sizeof(*g->items), by_ids);
	for (size_t i = 0; i < g->len; i++)
		if (!kept || g->items[kept - 1].start != g->items[i].start ||
			g->items[kept - 1].count != g->items[i].count)
			g->items[kept++] = g->items[i];
	g->len = kept;
	qsort(g->items, g->len, sizeof(*g->items), by_line);
}

static int no_user(const struct user *user, const char *file, struct err *e)
{
	(void)err_say(
		e, ENOENT, user->name, "there is no user of this name, and no grant in %s", file);
	err_op(e, "subid");
	names_say_try(e);
	return -ENOENT;
}

int subid_finish(struct subid_reading *p, int r)
{
	const struct user *user = p->user;
	char number[16];

	if (p->ignored > 1)
		log_warn("%s: %zu more %s ignored: 'shiftbox shift-check subid' lists them",
			p->file, p->ignored - 1, plural(p->ignored - 1, "line is", "lines are"));
	drop_repeated(p->ret);
	if (r < 0 || p->ret->len)
		return r;
	if (user->uid == SUBID_NO_ACCOUNT)
		return no_user(user, p->file, p->e);
	(void)snprintf(number, sizeof(number), "%u", user->uid); /* fits: 10 digits */
	(void)err_say(p->e, ENOENT, NULL, "%s has no ids in %s",
		user->name[0] ? user->name : number, p->file);
	err_op(p->e, "subid");
	return -ENOENT;
}

int subid_parse(const char *text, const char *file, const struct user *user, struct grants *ret,
	struct err *e)
{
	struct subid_reading p = { .file = file, .user = user, .ret = ret, .e = e };

	return subid_finish(&p, subid_each(text, subid_take_line, &p));
}

int subid_text(const char *file, struct buf *ret, struct err *e)
{
	int r = fd_read_file(AT_FDCWD, file, FILE_MAX_SIZE, ret, e);

	if (r == -EACCES)
		err_try(e, "as root: chmod 644 %s, which all users must be able to read", file);
	if (r < 0)
		return r;
	return strlen(buf_get(ret)) == ret->len ? 0 :
						  err_say(e, EINVAL, file, "has a NUL byte in it");
}

int subid_read(const char *file, const struct user *user, struct grants *ret, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	int r = subid_text(file, &text, e);

	return r < 0 ? r : subid_parse(buf_get(&text), file, user, ret, e);
}

static int is_one(const struct subid_line *l, void *arg)
{
	return subid_is_users(l, arg);
}

bool subid_has(const char *file, const struct user *user)
{
	scoped_buf struct buf text = BUF_INIT;
	struct user u = *user;

	return subid_text(file, &text, NULL) == 0 && subid_each(buf_get(&text), is_one, &u);
}

struct holder_search {
	uint32_t id;
	char *user;
	struct grant *grant;
};

static int take_holder(const struct subid_line *l, void *arg)
{
	struct holder_search *h = arg;

	if (l->fault || h->id - l->grant.start >= l->grant.count || l->user_len >= SUBID_USER_SIZE)
		return 0;
	memcpy(h->user, l->user, l->user_len);
	h->user[l->user_len] = 0;
	*h->grant = l->grant;
	return 1;
}

bool subid_holder(const char *file, uint32_t id, char ret_user[static SUBID_USER_SIZE],
	struct grant *ret_grant)
{
	scoped_buf struct buf text = BUF_INIT;
	struct holder_search h = { id, ret_user, ret_grant };

	if (subid_text(file, &text, NULL) < 0 || !text.len || !buf_get(&text))
		return false;
	return subid_each(buf_get(&text), take_holder, &h) == 1;
}
