/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* names: look up users and groups by name and number. */

#include "names.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/fd.h"
#include "../base/num.h"
#include "../base/suggest.h"
#include "../base/sys.h"
#include "../base/vec.h"

/*
 * The size of an entry, which is a line of a file or an answer of LDAP; a group may have many
 * members.
 */
enum { ENTRY_START = 1024, ENTRY_MAX = 16 << 20, ACCOUNTS_MAX = 1 << 20 };

static int fill(const struct passwd *pw, struct user *ret)
{
	if (strlen(pw->pw_name) >= sizeof(ret->name))
		return -ENAMETOOLONG;

	*ret = (struct user){ .uid = pw->pw_uid, .gid = pw->pw_gid, .has_gid = true };
	(void)snprintf(ret->name, sizeof(ret->name), "%s", pw->pw_name); /* fits: checked */
	return 0;
}

/*
 * Name service modules report a missing entry in different ways: without a result and an error, or
 * with one of these errors (getpwnam(3), ERRORS).
 */
static int not_found(int r)
{
	if (r == 0 || r == ENOENT || r == ESRCH || r == EBADF || r == EPERM)
		return -ENOENT;
	return -r;
}

/* Returns 0 with ret set, or the error of getpwnam_r(3), or 0 with *ret_none set. */
static int ask_user(const char *name, uint32_t uid, struct user *ret, bool *ret_none)
{
	size_t size = ENTRY_START;
	int r;

	*ret_none = false;

	assert(sys_is_home()); /* nsswitch.conf and the modules are opened by name */
	do {
		scoped_free char *buf = malloc(size);
		struct passwd pw, *found = NULL;

		if (!buf)
			return ENOMEM;
		r = name ? getpwnam_r(name, &pw, buf, size, &found) :
			   getpwuid_r(uid, &pw, buf, size, &found);
		if (found)
			return -fill(found, ret);
		size *= 2;
	} while ((r == ERANGE || r == EINTR) && size <= ENTRY_MAX);
	*ret_none = r == 0;
	return r;
}

static int system_user(const char *name, uint32_t uid, struct user *ret)
{
	bool none;
	int r = ask_user(name, uid, ret, &none);

	return r || none ? not_found(r) : 0;
}

static int system_user_named(const char *name, struct user *ret)
{
	return system_user(name, 0, ret);
}

static int system_user_of(uint32_t uid, struct user *ret)
{
	return system_user(NULL, uid, ret);
}

/* Look up a group by name, or by number if name is NULL. members: NULL, or they are added to it. */
static int system_group(const char *name, uint32_t gid, uint32_t *ret, struct strv *members)
{
	size_t size = ENTRY_START;
	int r;

	assert(sys_is_home());
	do {
		scoped_free char *buf = malloc(size);
		struct group gr, *found = NULL;

		if (!buf)
			return -ENOMEM;
		r = name ? getgrnam_r(name, &gr, buf, size, &found) :
			   getgrgid_r(gid, &gr, buf, size, &found);
		for (size_t i = 0; found && members && gr.gr_mem[i]; i++)
			if (strv_add(members, gr.gr_mem[i]) < 0)
				return -ENOMEM;
		if (found) {
			*ret = gr.gr_gid;
			return 0;
		}
		size *= 2;
	} while ((r == ERANGE || r == EINTR) && size <= ENTRY_MAX);
	return not_found(r);
}

static int system_gid(const char *name, uint32_t *ret)
{
	return system_group(name, 0, ret, NULL);
}

static int system_group_of(uint32_t gid)
{
	uint32_t same;

	return system_group(NULL, gid, &same, NULL);
}

static const struct names_source the_system = {
	.user = system_user_named,
	.user_of = system_user_of,
	.gid = system_gid,
	.group_of = system_group_of,
};
static const struct names_source *source = &the_system;

void names_set_source(const struct names_source *s)
{
	source = s ? s : &the_system;
}

/* The accounts are in this file if no other source of nsswitch.conf(5) has more. */
static void offer_names(const char *file, struct suggest *near, struct strv *names)
{
	scoped_buf struct buf text = BUF_INIT;

	if (fd_read_file(AT_FDCWD, file, ACCOUNTS_MAX, &text, NULL) < 0)
		return;
	for (const char *p = buf_get(&text); *p;) {
		size_t n = strcspn(p, ":\n");
		scoped_free char *name = strndup(p, n);

		if (name && n && strv_add(names, name) == 0)
			suggest_offer(near, names->items[names->len - 1]);
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
}

void names_say_try(struct err *e)
{
	scoped_strv struct strv names = { 0 };
	struct suggest near = suggest_for(e ? e->on : "", e ? strlen(e->on) : 0);

	offer_names("/etc/passwd", &near, &names);
	offer_names("/etc/group", &near, &names);
	if (e && !*e->on)
		err_try(e, "write a name or a number (is a variable of the script unset?)");
	else if (e && !e->on[strspn(e->on, "0123456789")])
		err_try(e, "specify a smaller number: ids end at 4294967294");
	else if (near.best && (!e || strcmp(near.best, e->on) != 0)) /* a group of that name */
		err_try(e, "did you mean %s?", near.best);
	else
		err_try(e,
			"specify the number, or an existing name: getent passwd (or group) NAME");
}

static int fault(int r, const char *name, const char *kind, struct err *e)
{
	if (r == -ENOENT)
		(void)err_say(e, ENOENT, name, "there is no %s of this name", kind);
	else
		(void)err_set(e, -r, name, "cannot look up the %s", kind);
	err_op(e, "names");
	if (r == -ENOENT)
		names_say_try(e);
	return r;
}

int names_user_of(uint32_t uid, struct user *ret, struct err *e)
{
	char number[16];
	int r = source->user_of(uid, ret);

	if (r == -ENOENT) {
		*ret = (struct user){ .uid = uid };
		r = 0;
	}
	(void)snprintf(number, sizeof(number), "%u", uid); /* fits: 10 digits */
	return r < 0 ? fault(r, number, "user", e) : 0;
}

bool names_has_uid(uint32_t uid)
{
	struct user u;

	return source->user_of(uid, &u) == 0;
}

bool names_has_gid(uint32_t gid)
{
	return source->group_of && source->group_of(gid) == 0;
}

int names_user(const char *name, struct user *ret, struct err *e)
{
	uint32_t uid;
	int r;

	/* A user may have the name "1000": try names first, as chown(1) does. */
	r = source->user(name, ret);
	if (r == -ENOENT && num_u32(name, &uid) == 0 && uid != UINT32_MAX)
		return names_user_of(uid, ret, e);
	return r < 0 ? fault(r, name, "user", e) : 0;
}

int names_account(const char *name, struct user *ret, struct err *e)
{
	bool none = false;
	int r = source == &the_system ? -ask_user(name, 0, ret, &none) : source->user(name, ret);

	if (none)
		return fault(-ENOENT, name, "user", e);
	if (r < 0)
		(void)err_set(
			e, -r, name, "cannot look up the user: a source of nsswitch.conf fails");
	return r == -ENOENT && source == &the_system ? -EIO : r;
}

int names_home(const char *name, struct buf *ret, struct err *e)
{
	size_t size = ENTRY_START;
	int r;

	assert(sys_is_home());
	do {
		scoped_free char *buf = malloc(size);
		struct passwd pw, *found = NULL;

		if (!buf)
			return err_nomem(e);
		r = getpwnam_r(name, &pw, buf, size, &found);
		if (found) {
			buf_str(ret, found->pw_dir);
			return buf_get(ret) ? 0 : err_nomem(e);
		}
		size *= 2;
	} while ((r == ERANGE || r == EINTR) && size <= ENTRY_MAX);
	return fault(not_found(r), name, "user", e);
}

int names_members(const char *group, uint32_t *ret_gid, struct strv *ret, struct err *e)
{
	int r = system_group(group, 0, ret_gid, ret);

	return r < 0 ? fault(r, group, "group", e) : 0;
}

int names_uid(const char *name, uint32_t *ret, struct err *e)
{
	struct user u;
	int r = source->user(name, &u);

	if (r < 0)
		return fault(r, name, "user", e);

	*ret = u.uid;
	return 0;
}

int names_gid(const char *name, uint32_t *ret, struct err *e)
{
	int r = source->gid(name, ret);

	return r < 0 ? fault(r, name, "group", e) : 0;
}

void names_each(bool group, void (*fn)(const struct account *a, void *arg), void *arg)
{
	const struct passwd *pw;
	const struct group *gr;

	assert(sys_is_home());
	if (group) {
		setgrent();
		while ((gr = getgrent()))
			fn(&(struct account){ gr->gr_gid, gr->gr_name, gr->gr_mem }, arg);
		endgrent();
	} else {
		setpwent();
		while ((pw = getpwent()))
			fn(&(struct account){ pw->pw_uid, pw->pw_name, NULL }, arg);
		endpwent();
	}
}

int names_groups(const char *name, uint32_t gid, gid_t *ret, int *n)
{
	assert(sys_is_home());
	return getgrouplist(name, gid, ret, n) < 0 ? -E2BIG : 0;
}

int names_init_groups(const char *name, uint32_t gid)
{
	assert(sys_is_home());
	return initgroups(name, gid);
}
