/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Look up users in the passwd and group files of the command's root. The files are parsed here,
 * because getpwnam(3) would load NSS libraries of that root, which is not trusted (the class of
 * CVE-2019-14271).
 */

#include "run_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "../base/num.h"
#include "untrusted_root.h"

enum { FILE_SIZE_MAX = 1 << 20, LINE_MAX_ = 1 << 16 };

/* Read a whole file; a missing file counts as empty. */
static int read_file(int root, const char *path, struct buf *ret, struct err *e)
{
	int r = untrusted_root_read(root, path, FILE_SIZE_MAX, ret, e);

	if (r == -ENOENT || r == -ENOTDIR) {
		*e = ERR_INIT;
		return 0;
	}
	return r;
}

/* A stream over b. Returns NULL on failure and for an empty text, which fmemopen(3) may refuse. */
static FILE *stream_of(struct buf *b)
{
	return b->len ? fmemopen(b->data, b->len, "r") : NULL;
}

/*
 * Find the entry by number if uid is not NULL, otherwise by name. Returns 1, with uid, gid and home
 * of ret set, or 0.
 */
static int find_passwd(
	int root, const char *name, const uint32_t *uid, struct run_user *ret, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	scoped_free char *line = malloc(LINE_MAX_);
	scoped_file FILE *f = NULL;
	struct passwd pw, *found = NULL;
	int r = line ? read_file(root, "/etc/passwd", &text, e) : err_nomem(e);

	if (r < 0)
		return r;
	f = stream_of(&text);
	while (f && fgetpwent_r(f, &pw, line, LINE_MAX_, &found) == 0) {
		if (uid ? pw.pw_uid != *uid : strcmp(pw.pw_name, name) != 0)
			continue;
		ret->uid = pw.pw_uid;
		ret->gid = pw.pw_gid;
		if (strlen(pw.pw_dir) < sizeof(ret->home))
			(void)snprintf(ret->home, sizeof(ret->home), "%s", pw.pw_dir); /* fits */
		return 1;
	}
	return 0;
}

static bool is_member(const struct group *gr, const char *user)
{
	for (char **m = gr->gr_mem; m && *m; m++)
		if (!strcmp(*m, user))
			return true;
	return false;
}

static int not_named(const char *name, const char *kind, const char *file, struct err *e)
{
	(void)err_say(
		e, ENOENT, name, "there is no %s of this name in the command's %s", kind, file);
	err_try(e, "specify the number, or a name of that file");
	return -ENOENT;
}

/*
 * Store the gid of the group called name in *ret_gid, and add the groups that have user as a member
 * to ret. Either may be NULL.
 */
static int read_groups(int root, const char *name, uint32_t *ret_gid, const char *user,
	struct run_user *ret, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	scoped_free char *line = malloc(LINE_MAX_);
	scoped_file FILE *f = NULL;
	struct group gr, *found = NULL;
	bool named = false;
	int r = line ? read_file(root, "/etc/group", &text, e) : err_nomem(e);

	if (r < 0)
		return r;
	f = stream_of(&text);
	while (f && fgetgrent_r(f, &gr, line, LINE_MAX_, &found) == 0) {
		if (name && !named && !strcmp(gr.gr_name, name)) {
			*ret_gid = gr.gr_gid;
			named = true;
		}
		if (!user || !is_member(&gr, user))
			continue;
		if (ret->n_groups == RUN_GROUPS_MAX)
			return err_say(e, E2BIG, user, "is in more than %d groups", RUN_GROUPS_MAX);
		ret->groups[ret->n_groups++] = gr.gr_gid;
	}
	return name && !named ? not_named(name, "group", "/etc/group", e) : 0;
}

static int find_parts(
	int root, const char *user, const char *group, struct run_user *ret, struct err *e)
{
	bool number = num_u32(user, &ret->uid) == 0;
	int r;

	if (number && ret->uid == UINT32_MAX)
		return err_say(e, ERANGE, user, "is not a valid user id");
	r = find_passwd(root, user, number ? &ret->uid : NULL, ret, e);
	if (r < 0)
		return r;
	if (r == 0 && !number)
		return not_named(user, "user", "/etc/passwd", e);
	if (!group) /* as login(1): supplementary groups, unless a group is specified */
		return number ? 0 : read_groups(root, NULL, NULL, user, ret, e);
	if (num_u32(group, &ret->gid) == 0)
		return ret->gid == UINT32_MAX ?
			err_say(e, ERANGE, group, "is not a valid group id") :
			0;
	return read_groups(root, group, &ret->gid, NULL, ret, e);
}

int run_user_find(int root, const char *user, struct run_user *ret, struct err *e)
{
	scoped_free char *copy = strdup(user ? user : "0");
	char *colon;
	int r;

	*ret = (struct run_user){ .uid = 0 };
	if (!copy)
		return err_nomem(e);
	colon = strchr(copy, ':');
	if (colon)
		*colon = '\0';
	r = find_parts(root, copy, colon ? colon + 1 : NULL, ret, e);
	/* The default is group 0 and /root, whatever the files say. */
	if (r == 0 && !user) {
		ret->gid = 0;
		if (!ret->home[0])
			(void)snprintf(ret->home, sizeof(ret->home), "/root"); /* fits */
	}
	return r;
}
