/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_user: resolve users and groups in an image's passwd and group files. */

#include "image_user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/num.h"

enum { GROUPS_MAX = 65536 }; /* the kernel's NGROUPS_MAX */

/*
 * A text in the form that glibc's readers need: a stream, and a buffer for the longest line with a
 * pointer for each of its members.
 */
struct accounts {
	FILE *f;
	char *room;
	size_t size;
};

static int table_open(const char *text, struct accounts *ret, struct err *e)
{
	size_t n = strlen(text);

	ret->size = n * (sizeof(char *) + 1) + 4096;
	ret->room = malloc(ret->size);
	ret->f = fmemopen(
		(void *)(uintptr_t)text, n ? n : 1, "r"); /* "r": the text is not written to */
	return ret->room && ret->f ? 0 : err_nomem(e);
}

static void table_done(struct accounts *t)
{
	cleanup_file(&t->f);
	free(t->room);
}

#define scoped_table __attribute__((cleanup(table_done)))

/*
 * The user of that name, or (name NULL) of that number; the first line that fits counts. 1, 0 or
 * -errno. name: free it.
 */
static int find_user(const char *text, const char *name, uint32_t uid, char **ret_name,
	struct image_user *ret, struct err *e)
{
	scoped_table struct accounts t = { .f = NULL };
	struct passwd pw, *p;
	int r = table_open(text, &t, e);

	while (r == 0 && fgetpwent_r(t.f, &pw, t.room, t.size, &p) == 0) {
		if (name ? strcmp(p->pw_name, name) != 0 : p->pw_uid != uid)
			continue;
		*ret_name = strdup(p->pw_name);
		ret->uid = p->pw_uid;
		ret->gid = p->pw_gid;
		return *ret_name ? 1 : err_nomem(e);
	}
	return r;
}

static int find_group(const char *text, const char *name, uint32_t *ret, struct err *e)
{
	scoped_table struct accounts t = { .f = NULL };
	struct group gr, *g;
	int r = table_open(text, &t, e);

	while (r == 0 && fgetgrent_r(t.f, &gr, t.room, t.size, &g) == 0) {
		if (strcmp(g->gr_name, name) != 0)
			continue;
		*ret = g->gr_gid;
		return 1;
	}
	return r;
}

static int check_id(uint32_t id, const char *word, struct err *e)
{
	/* glibc skips a line whose number does not fit. This line does fit. */
	return id == UINT32_MAX ?
		err_say(e, ERANGE, word,
			"the image's user or group has a number that is not a valid id") :
		0;
}

static bool lists(const struct group *g, const char *name)
{
	for (char *const *m = g->gr_mem; *m; m++)
		if (!strcmp(*m, name))
			return true;
	return false;
}

static int by_id(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Sort, and remove duplicates. */
static void groups_merge(struct image_user *u)
{
	size_t n = 0;

	if (!u->groups.len)
		return;
	qsort(u->groups.items, u->groups.len, sizeof(*u->groups.items), by_id);
	for (size_t i = 1; i < u->groups.len; i++)
		if (u->groups.items[i] != u->groups.items[n])
			u->groups.items[++n] = u->groups.items[i];
	u->groups.len = n + 1;
}

static int merge_groups(struct image_user *u, const char *word, struct err *e)
{
	groups_merge(u);
	if (u->groups.len > GROUPS_MAX)
		return err_say(e, E2BIG, word, "the image's user is in more than %d groups",
			(int)GROUPS_MAX);
	return 0;
}

/*
 * Duplicates are removed when the list is full (it has room for twice the permitted number) and at
 * the end.
 */
static int add_group(struct image_user *u, uint32_t gid, const char *word, struct err *e)
{
	int r = check_id(gid, word, e);

	if (r < 0 || gid == u->gid)
		return r;
	if (VEC_ADD(&u->groups, gid) < 0)
		return err_nomem(e);
	return u->groups.len == 2 * GROUPS_MAX ? merge_groups(u, word, e) : 0;
}

static int add_groups_of(
	const char *text, const char *name, const char *word, struct image_user *u, struct err *e)
{
	scoped_table struct accounts t = { .f = NULL };
	struct group gr, *g;
	int r = table_open(text, &t, e);

	while (r == 0 && fgetgrent_r(t.f, &gr, t.room, t.size, &g) == 0)
		if (lists(g, name))
			r = add_group(u, g->gr_gid, word, e);
	return r == 0 ? merge_groups(u, word, e) : r;
}

static int unknown(
	const char *word, const char *what, const char *name, const char *file, struct err *e)
{
	int r = err_say(e, ENOENT, word, "the image has no such %s", what);

	err_why(e, "its %s has no line for '%s'", file, name);
	err_try(e,
		"use an image whose configuration has a number, or a user that is in its "
		"passwd file");
	return r;
}

/* Parse digits: 1 and the number, 0 if word is a name, or -errno. */
static int as_number(const char *s, const char *word, uint32_t *ret, struct err *e)
{
	if (strspn(s, "0123456789") != strlen(s))
		return 0;
	if (num_u32(s, ret) < 0 || *ret == UINT32_MAX)
		return err_say(e, ERANGE, word,
			"the image's user or group has a number that is not a valid id");
	return 1;
}

static int resolve_user(const char *name, const char *word, const char *passwd, char **ret_name,
	struct image_user *u, struct err *e)
{
	uint32_t uid = 0;
	int number = as_number(name, word, &uid, e), r;

	if (number < 0)
		return number;
	r = find_user(passwd, number ? NULL : name, uid, ret_name, u, e);
	if (r < 0)
		return r;
	if (r == 0 && !number)
		return unknown(word, "user", name, "/etc/passwd", e);
	if (r == 0)
		u->uid = uid; /* a number does not need a line in passwd; its group is 0 */
	r = check_id(u->uid, word, e);
	return r == 0 ? check_id(u->gid, word, e) : r;
}

static int resolve_group(
	const char *name, const char *word, const char *group, struct image_user *u, struct err *e)
{
	int number = as_number(name, word, &u->gid, e), r;

	if (number != 0)
		return number < 0 ? number : 0;
	r = find_group(group, name, &u->gid, e);
	if (r == 0)
		return unknown(word, "group", name, "/etc/group", e);
	return r < 0 ? r : check_id(u->gid, word, e);
}

int image_user_resolve(const char *word, const char *passwd, const char *group,
	struct image_user *ret, struct err *e)
{
	const char *colon = strchrnul(word, ':');
	scoped_free char *first = strndup(word, (size_t)(colon - word)), *name = NULL;
	int r;

	if (!first)
		return err_nomem(e);
	r = resolve_user(*first ? first : "0", word, passwd, &name, ret, e);
	if (r == 0 && *colon && colon[1])
		return resolve_group(colon + 1, word, group, ret, e);
	if (r == 0 && name)
		r = add_groups_of(group, name, word, ret, e);
	return r;
}

void image_user_done(struct image_user *u)
{
	VEC_DONE(&u->groups);
}
