/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* passwd_file: read the accounts of /etc/passwd once. */

#include "passwd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/fd.h"
#include "../base/path.h"

#define PASSWD "/etc/passwd"

enum { NSSWITCH_SIZE_MAX = 1 << 20 };

struct passwd_file {
	VEC(struct user) users;
	bool first;
};

/* glibc's default, without a line, is files. */
static bool files_first(void)
{
	scoped_buf struct buf text = BUF_INIT;

	if (fd_read_file(AT_FDCWD, "/etc/nsswitch.conf", NSSWITCH_SIZE_MAX, &text, NULL) < 0)
		return true;
	for (const char *p = buf_get(&text); *p; p += *p == '\n') {
		p += strspn(p, " \t");
		if (!strncmp(p, "passwd:", strlen("passwd:"))) {
			p += strlen("passwd:");
			p += strspn(p, " \t");
			return !strncmp(p, "files", 5) && strchr(" \t\n", p[5]);
		}
		p += strcspn(p, "\n");
	}
	return true;
}

/* qsort(3) may exchange equal items, and the first one counts. */
struct numbered {
	struct user user;
	size_t number;
};

static int by_name(const void *pa, const void *pb)
{
	const struct numbered *a = pa, *b = pb;
	int r = strcmp(a->user.name, b->user.name);

	return r ? r : a->number < b->number ? -1 : 1;
}

static int take_all(FILE *in, struct passwd_file *f, struct err *e)
{
	VEC(struct numbered) list = { 0 };
	const struct passwd *pw;
	int r = 0;

	errno = 0;
	while (r == 0 && (pw = fgetpwent(in))) {
		struct numbered n = { { .uid = pw->pw_uid, .gid = pw->pw_gid, .has_gid = true },
			list.len };

		if (strlen(pw->pw_name) >= sizeof(n.user.name))
			continue; /* names.c refuses such a name, too */
		(void)snprintf(n.user.name, sizeof(n.user.name), "%s", pw->pw_name);
		r = VEC_ADD(&list, n);
	}
	if (r == 0 && ferror(in))
		r = -(errno ? errno : EIO);
	if (list.len > 1)
		qsort(list.items, list.len, sizeof(*list.items), by_name);
	for (size_t i = 0; i < list.len && r == 0; i++)
		r = VEC_ADD(&f->users, list.items[i].user);
	VEC_DONE(&list);
	if (r < 0)
		return r == -ENOMEM ? err_nomem(e) : err_set(e, -r, PASSWD, "cannot read it");
	return f->users.len ? 0 : err_say(e, ENODATA, PASSWD, "has no account in it");
}

int passwd_file_read(struct passwd_file **ret, struct err *e)
{
	scoped_passwd_file struct passwd_file *f = calloc(1, sizeof(*f));
	scoped_file FILE *in = NULL;
	scoped_fd int fd = -1;
	int r = path_open_regular(PASSWD, &fd, e);

	if (r < 0)
		return r;
	in = fdopen(fd, "r");
	if (!f || !in)
		return err_nomem(e);
	fd = -1; /* in owns it */
	r = take_all(in, f, e);
	if (r < 0)
		return r;
	f->first = files_first();
	*ret = TAKE_PTR(f);
	return 0;
}

bool passwd_file_is_first(const struct passwd_file *f)
{
	return f->first;
}

const struct user *passwd_file_find(const struct passwd_file *f, const char *name)
{
	size_t low = 0, high = f->users.len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(f->users.items[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->users.len && !strcmp(f->users.items[low].name, name) ?
		&f->users.items[low] :
		NULL;
}

const struct user *passwd_file_all(const struct passwd_file *f, size_t *ret_n)
{
	*ret_n = f->users.len;
	return f->users.items;
}

void passwd_file_free(struct passwd_file *f)
{
	if (f)
		VEC_DONE(&f->users);
	free(f);
}
