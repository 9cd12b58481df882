/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* view: lines of a table that are mounted for each of several users. */

#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <nettle/sha2.h>

#include "../base/log.h"
#include "../base/path.h"
#include "../idmap/each_users.h"

/*
 * --- users -------------------------------------------------------------------------------------
 */

/*
 * Names come from name services. A name of digits could be the uid of another user, and other bytes
 * could lead out of the directory or end an option.
 */
static bool is_safe(const char *name)
{
	static const char ok[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@";

	return *name && strlen(name) < 200 && !strchr("-.@", *name) && !name[strspn(name, ok)] &&
		name[strspn(name, "0123456789")];
}

static bool has_user(const char *text)
{
	return strstr(text, "%u") || strstr(text, "%U");
}

const char *view_word(const struct user *user, char number[static 16])
{
	(void)snprintf(number, 16, "%u", user->uid); /* fits: 10 digits */
	return is_safe(user->name) ? user->name : number;
}

void view_expand(const char *text, const struct user *user, struct buf *ret)
{
	char number[16];
	const char *word = view_word(user, number);

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "%");

		buf_add(ret, p, n);
		p += n;
		if (*p && (p[1] == 'u' || p[1] == 'U')) {
			buf_str(ret, p[1] == 'u' ? word : number);
			p += 2;
		} else if (*p) {
			buf_char(ret, *p++);
		}
	}
}

/*
 * --- lines -------------------------------------------------------------------------------------
 */

/* The id is a digest, since every user may read a record. */
static int set_id(const char *path, const char *target, char ret[static 65], struct err *e)
{
	scoped_buf struct buf real = BUF_INIT;
	struct sha256_ctx ctx;
	scoped_fd int fd = -1;
	uint8_t digest[32];
	int r = path_open(path, O_PATH, "cannot open the table", NULL, &fd, e);

	if (r < 0)
		return r;
	path_of_fd(fd, &real);
	if (!buf_get(&real))
		return err_nomem(e);
	sha256_init(&ctx);
	sha256_update(&ctx, real.len + 1, (const uint8_t *)buf_get(&real));
	sha256_update(&ctx, strlen(target), (const uint8_t *)target);
	sha256_digest(&ctx, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", digest[i]); /* fits */
	return 0;
}

static int bad_line(const struct table_line *l, struct err *e, const char *what, const char *hint)
{
	(void)err_say(e, EINVAL, l->target, "%s", what);
	err_op(e, "view");
	err_try(e, "%s", hint);
	return -EINVAL;
}

int view_line_check(const char *path, const struct table_line *l,
	const struct mount_options *options, struct view_line *ret, struct err *e)
{
	const char *slash = strrchr(l->target, '/');
	struct view_line v = { .line = l, .options = *options };
	int r;

	if (!l->own)
		return bad_line(l, e, "a line with each= must have the type shiftbox",
			"write shiftbox in the third column");
	r = each_check(options->each, e);
	if (r < 0)
		return r;
	v.name = slash ? slash + 1 : "";
	v.dir = strndup(l->target, slash && slash > l->target ? (size_t)(slash - l->target) : 1);
	if (!v.dir)
		return err_nomem(e);
	if (!has_user(v.name) || has_user(v.dir))
		r = bad_line(l, e, "the last name of the target, and no other, must have %u or %U",
			"write /run/shiftbox/users/%u, for example");
	else if (options->follow || options->mkdir)
		r = bad_line(l, e, "follow and mkdir are not for lines with each=",
			"omit them: each directory is made for its user, with mode 0700");
	if (r == 0)
		r = set_id(path, l->target, v.id, e);
	if (r < 0) {
		free(v.dir);
		return r;
	}
	*ret = v;
	return 0;
}

void view_warn_of_map(const struct view_line *l)
{
	static const char *const of_user[] = { "user:", "owner:", "subid:", "keep-id:" };

	for (size_t i = 0; i < l->options.maps.len; i++) {
		const char *map = l->options.maps.items[i];

		for (size_t k = 0; k < ARRAY_LEN(of_user); k++)
			if (!strncmp(map, of_user[k], strlen(of_user[k])) && !has_user(map))
				log_warn("'%s': the map '%s' is the same for each user; try: "
					 "map=%s%%u",
					l->line->target, map, of_user[k]);
	}
}

int view_check_table(const char *path, const struct fstab *t, struct err *e)
{
	const struct stat *st = &t->file;

	if (!S_ISREG(st->st_mode)) {
		(void)err_say(e, EINVAL, path, "a line with each= must be in a regular file");
		err_try(e, "name the file itself, such as %s", VIEWS_TABLE);
	} else if (st->st_uid != 0 || st->st_mode & 022) {
		(void)err_say(e, EPERM, path,
			"belongs to user %u with mode %04o; a table with each= must be root's, and "
			"writable by root alone",
			st->st_uid, st->st_mode & 07777);
		err_try(e, "make a copy that root owns: install -o root -m 644");
	} else {
		return 0;
	}
	err_op(e, "view");
	return S_ISREG(st->st_mode) ? -EPERM : -EINVAL;
}

int view_check_user(const struct table_line *l, const struct mount_options *options, struct err *e)
{
	if (!l->own || options->each || (!has_user(l->target) && !has_user(l->options)))
		return 0;
	return bad_line(l, e, "a line with %u or %U needs each=, which says for which users it is",
		"add each=subid to the options, or name one user instead of %u");
}

int view_refuse_in_fstab(
	const struct table_line *l, const struct mount_options *options, struct err *e)
{
	const bool each = options->each;

	if (!l->own || options->noauto || (!each && !has_user(l->target) && !has_user(l->options)))
		return 0;
	(void)err_say(e, EINVAL, l->target, "a line with %s does not belong in /etc/fstab",
		each ? "each=" : "%u");
	err_op(e, "view");
	err_why(e, "systemd would make a mount unit of it, which fails, and the boot with it");
	err_try(e, "move the line to %s, which mount-idmapped -a reads, too; or add noauto",
		VIEWS_TABLE);
	return -EINVAL;
}
