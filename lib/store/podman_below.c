/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_below: a store for podman, without images, below each view. */

#include "podman_below.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/lock.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../mount/mkdir_owned.h"
#include "../mount/target.h"
#include "../mount/uncovered.h"
#include "podman_maps.h"

#define INDEX "overlay-layers/layers.json"
#define INDEX_OF_MAPS "maps/layers.json" /* with the layers under other maps, if there are any */

enum { INDEX_MAX = 32 << 20, MODE_DIR = 0755, MODE_FILE = 0644 };

/* The files of such a store, and the directory that they are in. */
enum below_file { LAYERS, LAYERS_LOCK, IMAGES, IMAGES_LOCK, STORAGE_LOCK, FILES };

static const struct {
	const char *dir, *name;
} files[FILES] = {
	[LAYERS] = { "overlay-layers", "layers.json" },
	[LAYERS_LOCK] = { "overlay-layers", "layers.lock" },
	[IMAGES] = { "overlay-images", "images.json" },
	[IMAGES_LOCK] = { "overlay-images", "images.lock" },
	[STORAGE_LOCK] = { "", "storage.lock" },
};

/* ---- the files that all users share ---- */

/*
 * Read the index of the source's layers. The owner of a view can hold a lease on the file, which
 * without O_NONBLOCK would stop open(2) for up to 45 seconds (fcntl(2)). Returns 1, 0 if there is
 * no such file, or -errno.
 */
static int read_index(const struct view_line *l, struct buf *ret, struct err *e)
{
	scoped_fd int dir = -1, fd = -1;
	struct err own = ERR_INIT;
	int r;

	/* A source of another kind is image:NAME, UUID=... */
	if (l->line->source[0] != '/' ||
		path_open(l->line->source, O_PATH | O_DIRECTORY, "cannot open the source", NULL,
			&dir, NULL) < 0)
		return 0; /* a source that is missing is reported when it is to be mounted */
	r = fd_open_beneath(dir, INDEX_OF_MAPS, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd, &own);
	if (r == -ENOENT) {
		own = ERR_INIT;
		r = fd_open_beneath(dir, INDEX, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd, &own);
	}
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r == 0)
		r = fd_check_regular(fd, INDEX, &own);
	if (r == 0)
		r = fd_read_all(fd, INDEX, INDEX_MAX, ret, &own);
	if (r < 0 && e) {
		*e = own;
		err_prefix(e, "'%s'", l->line->source);
	}
	if (r == -EWOULDBLOCK)
		err_why(e, "a process has a lease on the file");
	return r < 0 ? r : 1;
}

static int write_file(int dirfd, const char *name, const struct buf *text, struct err *e)
{
	scoped_fd int fd = -1;
	int r;

	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT) /* of a process that was killed */
		return err_set(e, errno, name, "cannot remove the file");
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE_FILE);
	if (fd < 0)
		return err_set(e, errno, name, "cannot create the file");
	r = fchmod(fd, MODE_FILE) < 0 ? -errno : fd_write_all(fd, buf_get(text), text->len);
	if (r < 0)
		return err_set(e, -r, name, "cannot write the file");
	r = fd_sync(fd, name, e);
	return r == 0 ? fd_finish(&fd, name, e) : r;
}

/* Is this the content of the file? Root alone can write it. */
static bool has_text(int dirfd, const char *name, const struct buf *text)
{
	scoped_buf struct buf is = BUF_INIT;

	return fd_read_file(dirfd, name, INDEX_MAX, &is, NULL) == 0 && is.len == text->len &&
		!memcmp(buf_get(&is), buf_get(text), text->len);
}

static int put_file(
	struct podman_below *b, enum below_file i, const struct buf *text, bool keep, struct err *e)
{
	const char *name = files[i].name;
	int r = 0;

	if (!buf_get(text))
		return err_nomem(e);
	if (fstatat(b->shared, name, &b->files[i], AT_SYMLINK_NOFOLLOW) == 0 &&
		(keep || has_text(b->shared, name, text)))
		return 0;
	r = write_file(b->shared, "new", text, e);
	if (r == 0 && renameat(b->shared, "new", b->shared, name) < 0)
		r = err_set(e, errno, name, "cannot replace the file");
	if (r == 0 && fstatat(b->shared, name, &b->files[i], AT_SYMLINK_NOFOLLOW) < 0)
		r = err_set(e, errno, name, "cannot stat the file");
	return r;
}

/* keep: index could not be read, so an existing one stays. */
static int put_files(struct podman_below *b, const struct buf *index, bool keep, struct err *e)
{
	scoped_buf struct buf none = BUF_INIT, empty = BUF_INIT;
	int r = 0;

	buf_str(&none, "[]");
	for (enum below_file i = 0; i < FILES && r == 0; i++)
		r = put_file(b, i,
			i == LAYERS         ? (keep ? &none : index) :
				i == IMAGES ? &none :
					      &empty,
			keep && i == LAYERS, e);
	return r;
}

static int open_shared(struct podman_below *b, const char *id, struct err *e)
{
	char name[sizeof(".podman-") + 16];
	struct stat st;
	int r;

	(void)snprintf(name, sizeof(name), ".podman-%.16s", id);
	if (faccessat(b->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		const struct owner_mode owner = { geteuid(), getegid(), 0700 };
		struct err own = ERR_INIT;

		r = mkdir_owned(b->dir, name, &owner, name, &own);
		if (r < 0 && r != -EEXIST) {
			if (e)
				*e = own;
			return r;
		}
	}
	r = fd_open_beneath(b->dir, name, O_RDONLY | O_DIRECTORY, &b->shared, e);
	if (r < 0)
		return r;
	if (fstat(b->shared, &st) < 0)
		return err_set(e, errno, name, "cannot stat the directory");
	if (st.st_uid != geteuid() || st.st_mode & 077) {
		(void)err_say(e, EPERM, name,
			"is not a directory that root alone can enter: it belongs to user %u, with "
			"mode %04o",
			st.st_uid, st.st_mode & 07777);
		err_try(e, "remove it: it will be created anew");
		return -EPERM;
	}
	b->lock = lock_open(&st, "below");
	if (b->lock >= 0 && lock_wait(b->lock, LOCK_EXCLUSIVE) == -EINTR)
		return err_say(e, EINTR, name, "a signal came while another process was awaited");
	return fd_remove_tree(b->shared, "dir", e); /* of a process that was killed */
}

/* ---- the directory of the line ---- */

struct line_dir {
	const char *path;
};

static int make_dir(void *arg, int dirfd, const char *name, struct err *e)
{
	const struct line_dir *d = arg;

	if (fd_make_dir(dirfd, name, 0711) == 0 || errno == EEXIST)
		return 0;
	return err_set(e, errno, d->path, "cannot create the directory of the views");
}

static int make_line_dir(const char *path, struct err *e)
{
	scoped_place struct place at = PLACE_INIT;
	struct line_dir d = { path };
	int r = path_find_or_make(path, false, "cannot open a parent of the views",
		&(struct path_maker){ make_dir, &d }, &at, e);

	return r == 0 ? make_dir(&d, at.dirfd, at.name, e) : r;
}

static int open_line_dir(struct podman_below *b, struct err *e)
{
	struct err own = ERR_INIT;
	int r = uncovered_open(b->path, &b->dir, &b->covered, &own);

	if (r == -ENOENT) {
		r = make_line_dir(b->path, e);
		if (r < 0)
			return r;
		own = ERR_INIT;
		r = uncovered_open(b->path, &b->dir, &b->covered, &own);
	}
	if (r < 0 && e)
		*e = own;
	return r == 0 ? target_check_above(b->dir, b->path, e) : r;
}

static int open_all(const struct view_line *l, struct podman_below *b, struct err *e)
{
	scoped_buf struct buf index = BUF_INIT;
	struct err unread = ERR_INIT;
	int there = read_index(l, &index, &unread), r;

	if (there == 0)
		return 0;
	if (there == -ENOMEM)
		return err_nomem(e);
	if (there < 0) {
		err_prefix(&unread, "the store below the views keeps its layers");
		log_warn_err(&unread);
	}
	r = open_line_dir(b, e);
	if (r == 0)
		r = open_shared(b, l->id, e);
	if (r == 0)
		r = put_files(b, &index, there < 0, e);
	if (r < 0)
		err_prefix(e, "'%s': the store below the views", l->dir);
	b->wanted = r == 0;
	return r;
}

int podman_below_open(const struct view_line *l, struct podman_below *ret, struct err *e)
{
	struct podman_below b = PODMAN_BELOW_INIT;
	int r;

	b.path = l->dir;
	r = open_all(l, &b, e);
	if (r < 0) {
		podman_below_done(&b);
		return r;
	}
	*ret = b;
	return 0;
}

void podman_below_done(struct podman_below *b)
{
	cleanup_fd(&b->lock);
	cleanup_fd(&b->shared);
	cleanup_fd(&b->dir);
	*b = PODMAN_BELOW_INIT;
}

/* ---- the directory of a user ---- */

enum part { PART_MISSING, PART_GOOD, PART_OLD, PART_FOREIGN };

static bool is_roots(const struct stat *st, mode_t type, mode_t mode)
{
	return st->st_uid == geteuid() && (st->st_mode & (S_IFMT | 07777)) == (type | mode);
}

static enum part look_at_file(const struct podman_below *b, int dirfd, enum below_file i)
{
	struct stat st;

	if (fstatat(dirfd, files[i].name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? PART_MISSING : PART_FOREIGN;
	if (same_file(&st, &b->files[i]))
		return PART_GOOD;
	return is_roots(&st, S_IFREG, MODE_FILE) ? PART_OLD : PART_FOREIGN;
}

/* Open a directory that this program has made there. */
static enum part look_at_dir(int dirfd, const char *name, int *ret_fd)
{
	scoped_fd int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? PART_MISSING : PART_FOREIGN;
	if (fstat(fd, &st) < 0 || !is_roots(&st, S_IFDIR, MODE_DIR))
		return PART_FOREIGN;
	*ret_fd = TAKE_FD(fd);
	return PART_GOOD;
}

static int put_link(const struct podman_below *b, int dirfd, enum below_file i, struct err *e)
{
	const char *name = files[i].name;

	if (linkat(b->shared, name, dirfd, name, 0) == 0)
		return 0;
	return err_set(e, errno, name, "cannot link the file");
}

/* Put the shared file there in place of an older one. */
static int replace_link(const struct podman_below *b, int dirfd, enum below_file i, struct err *e)
{
	const char *name = files[i].name;

	if (unlinkat(b->shared, "link", 0) < 0 && errno != ENOENT)
		return err_set(e, errno, name, "cannot remove a link");
	if (linkat(b->shared, name, b->shared, "link", 0) < 0)
		return err_set(e, errno, name, "cannot link the file");
	if (renameat(b->shared, "link", dirfd, name) < 0)
		return err_set(e, errno, name, "cannot put the file into the user's directory");
	return 0;
}

/* Make the directory beside, with all that is in it. Returns 1, or 0 if the user was faster. */
static int make_part(const struct podman_below *b, int dirfd, const char *name, struct err *e)
{
	scoped_fd int fd = -1;
	int r = 0;

	if (fd_make_dir(b->shared, "dir", MODE_DIR) < 0)
		return err_set(e, errno, name, "cannot create the directory");
	fd = openat(b->shared, "dir", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, name, "cannot open the directory");
	for (enum below_file i = 0; i < FILES && r == 0; i++)
		if (!strcmp(files[i].dir, name))
			r = put_link(b, fd, i, e);
	if (r == 0 && !strcmp(name, "overlay") && fd_make_dir(fd, "l", MODE_DIR) < 0)
		r = err_set(e, errno, "overlay/l", "cannot create the directory");
	if (r == 0 && renameat2(b->shared, "dir", dirfd, name, RENAME_NOREPLACE) == 0)
		return 1;
	if (r == 0 && errno != EEXIST)
		r = err_set(e, errno, name, "cannot move it into the user's directory");
	if (r == 0)
		return fd_remove_tree(b->shared, "dir", e);
	(void)fd_remove_tree(b->shared, "dir", NULL); /* the first error is reported */
	return r;
}

/* What filling a user's directory has come to. */
struct filling {
	struct podman_below *b;
	int dir; /* of the user */
	bool changed;
	char foreign[32]; /* a name that the user has put there; or "" */
};

static void note_foreign(struct filling *f, const char *name)
{
	if (!f->foreign[0])
		(void)snprintf(f->foreign, sizeof(f->foreign), "%s", name); /* fits */
}

static int fill_file(struct filling *f, int dirfd, enum below_file i, struct err *e)
{
	const enum part is = look_at_file(f->b, dirfd, i);

	if (is == PART_FOREIGN)
		note_foreign(f, files[i].name);
	if (is != PART_MISSING && is != PART_OLD)
		return 0;
	f->changed = true;
	return is == PART_OLD ? replace_link(f->b, dirfd, i, e) : put_link(f->b, dirfd, i, e);
}

static int fill_dir(struct filling *f, const char *name, struct err *e)
{
	scoped_fd int fd = -1, links = -1;
	enum part is = look_at_dir(f->dir, name, &fd);
	int r = 0;

	if (is == PART_MISSING) {
		r = make_part(f->b, f->dir, name, e);
		f->changed |= r > 0;
		if (r != 0)
			return r < 0 ? r : 0;
		is = PART_FOREIGN;
	}
	if (is == PART_FOREIGN)
		note_foreign(f, name);
	for (enum below_file i = 0; i < FILES && is == PART_GOOD && r == 0; i++)
		if (!strcmp(files[i].dir, name))
			r = fill_file(f, fd, i, e);
	if (r == 0 && is == PART_GOOD && !strcmp(name, "overlay") &&
		look_at_dir(fd, "l", &links) == PART_MISSING) {
		f->changed = true;
		if (fd_make_dir(fd, "l", MODE_DIR) < 0)
			r = err_set(e, errno, "overlay/l", "cannot create the directory");
	}
	return r;
}

/*
 * storage.conf may name maps/UID below the view (podman_maps.h). Both names show the same
 * store: these links lead back to the directory that they are in.
 */
static int fill_link(struct filling *f, const char *name, struct err *e)
{
	struct stat st;

	if (symlinkat(".", f->dir, name) == 0)
		f->changed = true;
	else if (errno != EEXIST)
		return err_set(e, errno, name, "cannot create the link");
	else if (fstatat(f->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISLNK(st.st_mode) ||
		st.st_uid != geteuid())
		note_foreign(f, name);
	return 0;
}

static int fill_links(struct filling *f, uid_t uid, struct err *e)
{
	char path[PODMAN_MAPS_PATH];
	int r = fill_link(f, strchr(podman_maps_path(uid, path), '/') + 1, e);

	*strchr(path, '/') = '\0';
	return r == 0 ? fill_link(f, path, e) : r;
}

/* Open the user's directory, which is created if it does not exist. 0: a mount covers it. */
static int open_user_dir(const struct podman_below *b, const char *name,
	const struct owner_mode *owner, int *ret_fd, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;
	scoped_fd int fd = -1;
	struct statx stx;
	int r = 0;

	buf_printf(&path, "%s/%s", b->path[1] ? b->path : "", name);
	if (!buf_get(&path))
		return err_nomem(e);
	fd = openat(b->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		r = mkdir_owned(b->dir, name, owner, buf_get(&path), e);
		if (r < 0)
			return r;
		fd = openat(b->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set(e, errno, buf_get(&path), "cannot open the user's directory");
	if (b->covered &&
		(statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) < 0 ||
			stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	r = target_check_owned(fd, buf_get(&path), owner, e);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 1;
}

/*
 * Has the directory the index of today, and the file that is put there last? Then it was filled
 * before. What the user has removed since is not looked for.
 */
static bool is_filled(const struct podman_below *b, const char *name)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV };
	char path[NAME_MAX + sizeof("/" INDEX)];
	scoped_fd int fd = -1;
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", name, files[STORAGE_LOCK].name);
	if (fstatat(b->dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		!same_file(&st, &b->files[STORAGE_LOCK]))
		return false;
	(void)snprintf(path, sizeof(path), "%s/maps", name);
	if (fstatat(b->dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/%s", name, INDEX);
	fd = sys_openat2(b->dir, path, &how);
	return fd >= 0 && fstat(fd, &st) == 0 && same_file(&st, &b->files[LAYERS]);
}

int podman_below_fill(
	struct podman_below *b, const char *name, const struct user *user, struct err *e)
{
	static const char *const dirs[] = { "overlay", "overlay-layers", "overlay-images" };
	const struct owner_mode owner = { user->uid, user->gid, 0700 };
	struct filling f = { .b = b, .dir = -1 };
	scoped_fd int fd = -1;
	int r;

	if (!b->wanted || is_filled(b, name))
		return 0;
	r = open_user_dir(b, name, &owner, &fd, e);
	if (r <= 0) {
		b->skipped += r == 0;
		return r;
	}
	f.dir = fd;
	for (size_t i = 0; i < ARRAY_LEN(dirs) && r >= 0; i++)
		r = fill_dir(&f, dirs[i], e);
	if (r >= 0)
		r = fill_links(&f, user->uid, e);
	if (r >= 0)
		r = fill_file(&f, fd, STORAGE_LOCK, e);
	if (r < 0) {
		err_prefix(e, "'%s/%s': the store below the view", b->path, name);
		return r;
	}
	b->changed += f.changed;
	if (f.foreign[0] && !b->foreign++)
		log_warn("'%s/%s/%s' is not root's: without the view, podman of user '%s' may "
			 "fail; the user may remove it",
			b->path, name, f.foreign, user->name);
	return 0;
}

void podman_below_report(const struct podman_below *b)
{
	if (!b->wanted)
		return;
	log_verbose(
		"'%s': stores below views: %zu made or brought up to date", b->path, b->changed);
	if (b->foreign > 1)
		log_warn("'%s': %zu more users have put files where the stores below their views "
			 "are",
			b->path, b->foreign - 1);
	if (b->skipped)
		log_warn("'%s': what is mounted cannot be looked under here, so %zu stores below "
			 "views were not brought up to date",
			b->path, b->skipped);
}
