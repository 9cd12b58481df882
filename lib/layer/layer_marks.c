/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_marks: count the opaque directories of a layer. */

#include "layer_marks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/caps.h"
#include "../base/fd.h"
#include "../base/stop.h"
#include "../base/vec.h"
#include "../idmap/userns_self.h"
#include "lowerdirs.h"

/* The directories that are still to be visited, as paths below the layer. */
struct marks_walk {
	struct strv dirs;
	struct layer_marks *ret;
};

bool layer_marks_are_readable(void)
{
	return caps_has(CAP_SYS_ADMIN) && userns_is_initial();
}

static bool is_dir(int fd, const struct dirent *x)
{
	struct stat st;

	if (!strcmp(x->d_name, ".") || !strcmp(x->d_name, ".."))
		return false;
	if (x->d_type != DT_UNKNOWN)
		return x->d_type == DT_DIR;
	return fstatat(fd, x->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int add(struct marks_walk *w, const char *dir, const char *name, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;

	buf_printf(&path, "%s%s%s", dir, *dir ? "/" : "", name);
	return buf_get(&path) && strv_add(&w->dirs, path.data) == 0 ? 0 : err_nomem(e);
}

static int list(struct marks_walk *w, int *fd, const char *dir, struct err *e)
{
	DIR *d = fdopendir(*fd);
	int r = stop_check(e);

	if (!d)
		return err_set(e, errno, dir, "cannot list the directory of the layer");
	*fd = -1; /* it is d's now */
	while (r == 0) {
		const struct dirent *x;

		errno = 0;
		x = readdir(d);
		if (!x && errno)
			r = err_set(e, errno, dir, "cannot list the directory of the layer");
		if (!x)
			break;
		if (is_dir(dirfd(d), x))
			r = add(w, dir, x->d_name, e);
	}
	(void)closedir(d);
	return r;
}

/* A directory that another process has removed or replaced meanwhile is passed over. */
static int visit(struct marks_walk *w, int top, const char *dir, struct err *e)
{
	scoped_fd int fd = -1;
	struct err own = ERR_INIT;
	bool trusted, user;
	int r = fd_open_beneath(top, *dir ? dir : ".", O_RDONLY | O_DIRECTORY, &fd, &own);

	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
		return 0;
	if (r < 0) {
		if (e)
			*e = own;
		return r;
	}
	/* OverlayFS reads no mark of the root. */
	trusted = *dir && lower_has_mark(fd, ".", false, "opaque", 'y');
	user = *dir && lower_has_mark(fd, ".", true, "opaque", 'y');
	w->ret->dirs++;
	w->ret->trusted += trusted;
	w->ret->user += user;
	w->ret->trusted_alone += trusted && !user;
	w->ret->user_alone += user && !trusted;
	return list(w, &fd, dir, e);
}

int layer_count_marks(int fd, struct layer_marks *ret, struct err *e)
{
	struct marks_walk w = { .ret = ret };
	int r = strv_add(&w.dirs, "") < 0 ? err_nomem(e) : 0;

	while (r == 0 && w.dirs.len) {
		scoped_free char *dir = w.dirs.items[--w.dirs.len];

		w.dirs.items[w.dirs.len] = NULL;
		r = visit(&w, fd, dir, e);
	}
	strv_done(&w.dirs);
	return r;
}
