/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* path_closed: find the directory on the way of a path that this process may not search. */

#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"

enum { LINKS_MAX = 40 };

struct closed_walk {
	int dir;         /* the directory reached so far */
	struct buf text; /* its path */
	char *rest;      /* the rest of the path */
	unsigned links;
};

static bool is_closed(int dir)
{
	return faccessat(dir, ".", X_OK, AT_EACCESS) < 0 && errno == EACCES;
}

static bool go(struct closed_walk *w, int fd, const char *name)
{
	cleanup_fd(&w->dir);
	w->dir = fd;
	if (*name == '/')
		buf_reset(&w->text);
	else if (w->text.len && w->text.data[w->text.len - 1] != '/')
		buf_char(&w->text, '/');
	buf_str(&w->text, name);
	return fd >= 0;
}

/* The rest becomes the text of the link, followed by after. */
static bool follow(struct closed_walk *w, const char *name, const char *after)
{
	scoped_buf struct buf b = BUF_INIT;
	char text[PATH_MAX];
	ssize_t n = readlinkat(w->dir, name, text, sizeof(text));

	if (n <= 0 || (size_t)n == sizeof(text) || ++w->links > LINKS_MAX)
		return false;
	buf_add(&b, text, (size_t)n);
	buf_str(&b, after);
	if (!buf_get(&b))
		return false;
	free(w->rest);
	w->rest = buf_take(&b);
	return *text != '/' || go(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/");
}

/* Go on by one component. Returns false at the end, and where the way cannot be followed. */
static bool step(struct closed_walk *w)
{
	const char *p = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(p, "/");
	scoped_free char *name = strndup(p, n), *after = strdup(p + n);
	struct stat st;

	if (!n || !name || !after || fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (S_ISLNK(st.st_mode))
		return follow(w, name, after);
	free(w->rest);
	w->rest = TAKE_PTR(after);
	if (!strcmp(name, "."))
		return true;
	return S_ISDIR(st.st_mode) &&
		go(w, openat(w->dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), name);
}

bool path_closed(const char *path, struct buf *ret)
{
	struct closed_walk w = { .text = BUF_INIT, .rest = strdup(path) };
	bool closed = false, known = w.rest;
	struct stat st;

	/* A working directory that is closed cannot be opened. */
	w.dir = *path == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
	if (*path == '/')
		buf_char(&w.text, '/');
	while (known && w.dir != -1 && !closed) {
		closed = is_closed(w.dir);
		known = closed || step(&w);
	}
	if (closed && fstatat(w.dir, "", &st, AT_EMPTY_PATH) == 0 && buf_get(&w.text))
		buf_printf(ret, "'%s' (mode %04o)", w.text.len ? w.text.data : ".",
			st.st_mode & 07777U);
	cleanup_fd(&w.dir);
	buf_done(&w.text);
	free(w.rest);
	return closed && ret->len;
}
