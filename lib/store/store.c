/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store: open a store, and check who can reach it. */

#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/env.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../idmap/userns_self.h"
#include "../mount/fs_limits.h"
#include "../mount/reachable.h"
#include "store_base.h"
#include "store_dir.h"
#include "store_lock.h"
#include "store_mount.h"
#include "store_priv.h"
#include "tempdir.h"

#define ROOT_STORE "/var/lib/shiftbox"
#define OWNS_ALL \
	"a user who runs a set-uid program of one image becomes the owner of the layers of all " \
	"images"

static int no_default_path(const char *data, const char *home, struct err *e)
{
	static const char remedy[] = "--store DIR, or set HOME";

	if (home && *home)
		return err_usage_try(
			e, remedy, "HOME is '%s', which is not an absolute path", home);
	if (data && *data)
		return err_usage_try(e, remedy,
			"HOME is not set, and XDG_DATA_HOME is '%s', which is not an absolute path",
			data);
	return err_usage_try(e, remedy, "neither XDG_DATA_HOME nor HOME is set");
}

/* The caller frees it. */
static int default_path(char **ret, struct err *e)
{
	const char *data = env_get("XDG_DATA_HOME"), *home = env_get("HOME");
	int n;

	if (geteuid() == 0 && !userns_is_nested())
		n = asprintf(ret, "%s", ROOT_STORE);
	else if (data && data[0] == '/')
		n = asprintf(ret, "%s/shiftbox", data);
	else if (home && home[0] == '/')
		n = asprintf(ret, "%s/.local/share/shiftbox", home);
	else
		return no_default_path(data, home, e);
	return n < 0 ? err_nomem(e) : 0;
}

/*
 * Other users may read a store with a base, but must not get the ids that own its files: a user who
 * runs a set-uid program of one image could then write to the layers of all images.
 */
static int check_open(const struct store *s, mode_t mode, struct err *e)
{
	bool nosuid = reachable_mount_has(s->fd, ST_NOSUID);
	int r;

	if (mode & 022) {
		r = err_say(e, EPERM, s->path, "other users may write to the store (mode %04o)",
			mode & 07777);
		err_try(e, "chmod %s '%s'", nosuid ? "go-w" : "0700", s->path);
		return r;
	}
	if (nosuid)
		return 0;
	r = err_say(e, EPERM, s->path,
		"the store is open to others (mode %04o), and its mount is not nosuid",
		mode & 07777);
	err_why(e, OWNS_ALL);
	err_try(e, "chmod 0700 '%s'; or have it on a mount that is nosuid", s->path);
	return r;
}

/* At boot, the empty directory below the mount of a store is seen if nothing orders the two. */
static void not_mounted_yet(const struct store *s, struct err *e)
{
	err_why(e, "it is not a store, or the filesystem with the store is not mounted there yet");
	err_try(e,
		"mount that first: in a line of an fstab, x-systemd.requires-mounts-for=%s; "
		"or name the store with --store",
		s->path);
}

static int refuse_public(const char *path, struct err *e)
{
	int r = err_say(
		e, EPERM, path, "only on a mount that is nosuid can a store be open to others");

	err_why(e, OWNS_ALL);
	err_try(e, "omit --public, or name a store on a mount that is nosuid");
	return r;
}

/*
 * For --public, before anything is created. If the store does not exist, check the mount of the
 * nearest existing parent.
 */
static int check_public(const char *path, struct err *e)
{
	scoped_free char *up = strdup(path);
	scoped_fd int fd = -1;
	int r;

	if (!up)
		return err_nomem(e);
	while ((r = path_open(*up ? up : ".", O_PATH, "cannot find the mount of the store", NULL,
			&fd, e)) == -ENOENT &&
		*up) {
		char *slash = strrchr(up, '/');

		up[slash == up && slash[1] ? 1 : slash ? slash - up : 0] = '\0';
		if (e)
			*e = ERR_INIT;
	}
	if (r < 0)
		return r;
	return reachable_mount_has(fd, ST_NOSUID) ? 0 : refuse_public(path, e);
}

/* Check the opened store again for what check_public() checked by path. */
static int let_others_in(const struct store *s, unsigned flags, struct err *e)
{
	if (!reachable_mount_has(s->fd, ST_NOSUID))
		return refuse_public(s->path, e);
	return flags & STORE_CREATE && fchmod(s->fd, 0755) < 0 ?
		err_set(e, errno, s->path, "cannot open the store to others") :
		0;
}

static bool has_layers(const struct store *s)
{
	return faccessat(s->fd, "layers", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Only the owner may traverse the store: it contains set-uid programs and devices, which other
 * users could reach by path.
 */
static int check_private(const struct store *s, struct err *e)
{
	struct stat st;
	int r;

	if (fstat(s->fd, &st) < 0)
		return err_set(e, errno, s->path, "cannot stat the store");
	if (st.st_uid != geteuid()) {
		r = err_say(e, EPERM, s->path, "the store belongs to another user (%u)", st.st_uid);
		err_why(e,
			"its owner could change the files in it, and run the set-uid programs "
			"among them");
		if (fs_kind_of(s->fd) == FS_FUSE)
			err_try(e,
				"a FUSE filesystem may give files owners of its own: use a store "
				"on another one, such as ext4, xfs, btrfs or tmpfs");
		else
			err_try(e, "run as that user, or name a store of your own with --store");
		return r;
	}
	if (s->base.count && st.st_mode & 077)
		return check_open(s, st.st_mode, e);
	if (st.st_mode & 077) {
		r = err_say(e, EPERM, s->path, "the store is open to others (mode %04o)",
			st.st_mode & 07777);
		err_why(e,
			"it holds set-uid programs and devices of disk id 0, which any user who "
			"can reach them could use");
		err_try(e, "chmod 0700 '%s'", s->path);
		if (!has_layers(s))
			not_mounted_yet(s, e);
		return r;
	}
	return 0;
}

static int not_a_store(const struct store *s, struct err *e)
{
	(void)err_say(e, ENOTEMPTY, s->path, "is neither a store nor empty");
	err_try(e, "name an empty directory, or one that does not exist: shiftbox makes it");
	return -ENOTEMPTY;
}

/*
 * Accept an existing directory as a store. A directory that holds other files is refused, in case
 * the path is a mistake. An empty one is closed to other users, since nothing in it can be in use.
 */
static int adopt(const struct store *s, unsigned flags, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	struct stat st;
	int r;

	if (has_layers(s))
		return 0;
	if (fstat(s->fd, &st) < 0)
		return err_set(e, errno, s->path, "cannot stat the store");
	if (st.st_uid != geteuid())
		return 0; /* check_private() refuses it */
	r = store_dir_list(s->fd, s->path, &names, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < names.len; i++)
		if (strcmp(names.items[i], "lost+found") && strcmp(names.items[i], "images") &&
			strcmp(names.items[i], "tmp") && strcmp(names.items[i], "base") &&
			strcmp(names.items[i], "format"))
			return not_a_store(s, e);
	if (!(flags & STORE_CREATE))
		return err_say(e, ENOENT, s->path, "is not a store yet");
	if (fchmod(s->fd, 0700) < 0)
		return err_set(e, errno, s->path, "cannot close the new store to others");
	return 0;
}

static int open_part(
	const struct store *s, const char *name, unsigned flags, int *ret_fd, struct err *e)
{
	mode_t mode = s->base.count && strcmp(name, "tmp") ? 0755 : 0700;
	int fd;

	if ((flags & STORE_CREATE) && mkdirat(s->fd, name, mode) < 0 && errno != EEXIST)
		return err_set(
			e, errno, s->path, "cannot create the directory '%s' in the store", name);
	fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		(void)err_say(e, ENOENT, s->path, "is not a store: it has no directory '%s'", name);
		not_mounted_yet(s, e);
		return -ENOENT;
	}
	if (fd < 0)
		return err_set(
			e, errno, s->path, "cannot open the directory '%s' of the store", name);
	/* The umask may have removed bits. */
	if (flags & STORE_PUBLIC && flags & STORE_CREATE && mode == 0755 && fchmod(fd, mode) < 0) {
		int r = err_set(e, errno, s->path,
			"cannot open the directory '%s' of the store to others", name);

		cleanup_fd(&fd);
		return r;
	}

	*ret_fd = fd;
	return 0;
}

/* There is no store: could it be made? */
static int check_makeable(const struct store *s, struct err *e)
{
	scoped_fd int fd = path_open_existing(s->path);
	int r = fd < 0 ? 0 : path_may_create(fd);

	return r < 0 ? err_path(e, -r, s->path, "cannot make the store") : 0;
}

/* Is a directory above the store missing? Those of the default place need no note. */
static bool lacks_parents(const struct store *s)
{
	scoped_place struct place at = PLACE_INIT;

	return !s->is_default && path_find(s->path, true, "", &at, NULL) == -ENOENT;
}

/* dir: open, and above the store */
static void warn_of_names(const struct store *s, int dir)
{
	scoped_buf struct buf path = BUF_INIT;
	struct stat st;

	path_of_fd(dir, &path);
	if (fstat(dir, &st) < 0 || !buf_get(&path))
		return;
	if (st.st_uid != 0)
		log_warn("'%s': user %u, who owns '%s', can rename the store, or put another "
			 "directory in its place: keep it below directories of root",
			s->path, st.st_uid, path.data);
	else
		log_warn("'%s': users who may write to '%s' (mode %04o) can rename the store, or "
			 "put another directory in its place: chmod go-w '%s'",
			s->path, path.data, st.st_mode & 07777, path.data);
}

/* Can other users exchange the name of root's store, or of a directory on the way to it? */
static void check_names(const struct store *s)
{
	scoped_fd int at = fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
	struct stat below, above;

	while (at >= 0 && fstat(at, &below) == 0) {
		int up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		cleanup_fd(&at);
		at = up;
		if (at < 0 || fstat(at, &above) < 0 ||
			(below.st_ino == above.st_ino && below.st_dev == above.st_dev))
			return;
		if (!path_is_kept(at)) {
			warn_of_names(s, at);
			return;
		}
	}
}

/* Paths of layers go into mount tables, so they must not depend on the working directory. */
static int find_path(struct store *s, struct err *e)
{
	scoped_buf struct buf absolute = BUF_INIT;

	path_of_fd(s->fd, &absolute);
	if (!buf_get(&absolute))
		return err_nomem(e);
	if (!absolute.len)
		return err_say(e, ENOENT, s->path, "cannot find the path of the store");
	free(s->path);
	s->path = buf_take(&absolute);
	return 0;
}

static int make_top(struct store *s, struct err *e)
{
	struct stat st;
	const bool there = path_stat(s->path, true, &st) == 0;

	return path_make_dir(s->path, 0700,
		there ? "cannot open the store" : "cannot make the store", &s->fd, e);
}

static int open_top(struct store *s, unsigned flags, const struct store_base *base, struct err *e)
{
	const bool creates = flags & (STORE_CREATE | STORE_WOULD_CREATE);
	const bool with_parents = creates && lacks_parents(s);
	int r;

	r = flags & STORE_PUBLIC ? check_public(s->path, e) : 0;
	if (r < 0)
		return r;
	if (flags & STORE_CREATE)
		r = make_top(s, e);
	else
		r = path_open(
			s->path, O_RDONLY | O_DIRECTORY, "cannot open the store", NULL, &s->fd, e);
	if (with_parents && (r == 0 || flags & STORE_WOULD_CREATE))
		log_info("'%s': the directories above the store %s", s->path,
			r == 0 ? "did not exist, and were created" :
				 "do not exist, and would be created");
	if (r == -ENOTDIR)
		err_try(e, "a store is a directory: name another place for it, or remove the file");
	if (r == -ENOENT && flags & STORE_WOULD_CREATE) {
		r = check_makeable(s, e);
		if (r < 0)
			return r == -ENOENT ? -EPERM : r; /* -ENOENT: it would be made */
		r = -ENOENT;
	}
	if (r == -ENOENT && !(flags & STORE_CREATE)) {
		r = err_say(e, ENOENT, s->path, "there is no store here");
		err_try(e, "shiftbox image-unpack makes one; --store names another");
	}
	if (r < 0)
		return r;
	r = store_format_check(s, e);
	if (r == 0)
		r = store_base_choose(s, base, e);
	if (r == 0 && flags)
		r = adopt(s, flags, e);
	if (r == 0)
		r = check_private(s, e);
	if (r == 0 && flags & STORE_PUBLIC)
		r = let_others_in(s, flags, e);
	if (r < 0)
		return r;

	r = find_path(s, e);
	if (r < 0)
		return r;
	if (creates && geteuid() == 0 && !userns_is_nested())
		check_names(s);
	return 0;
}

/* Could an image be unpacked into the store? */
static int check_writable(const struct store *s, struct err *e)
{
	scoped_buf struct buf tmp = BUF_INIT;

	buf_printf(&tmp, "%s/tmp", s->path);
	return buf_get(&tmp) ? tempdir_check(s->tmp, buf_get(&tmp), e) : err_nomem(e);
}

/* An ordinary user may have named the store of another user. */
static void name_own(struct err *e)
{
	scoped_free char *own = NULL;

	if (e && !e->hint[0] && (geteuid() != 0 || userns_is_nested()) &&
		default_path(&own, NULL) == 0)
		err_try(e, "omit --store: the caller's own store is %s", own);
}

/* After su -p or sudo -E, the environment may be that of another user. */
static void explain_home(struct err *e)
{
	const char *data = env_get("XDG_DATA_HOME");
	const char *name = data && *data == '/' ? "XDG_DATA_HOME" : "HOME", *dir = env_get(name);
	struct stat st;

	if (!dir || path_stat(dir, true, &st) < 0 || st.st_uid == geteuid())
		return;
	err_why(e, "%s is '%s', which does not belong to the caller", name, dir);
	err_try(e, "log in as the caller (su - USER), or name a store of the caller: --store DIR");
}

static int open_store(const char *path, unsigned flags, const struct store_base *base,
	struct store **ret, struct err *e)
{
	scoped_store struct store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_nomem(e);
	s->fd = s->layers = s->images = s->tmp = -1;
	s->is_default = !path;
	if (!path) {
		r = default_path(&s->path, e);
		if (r < 0)
			return r;
	} else if (!*path) {
		return err_usage_try(e,
			"name a directory, or omit --store (is a variable of the script unset?)",
			"the store's path is empty");
	} else {
		s->path = strdup(path);
		if (!s->path)
			return err_nomem(e);
	}

	r = open_top(s, flags, base, e);
	if (r == -EACCES && path)
		name_own(e);
	else if (r == -EACCES)
		explain_home(e);
	if (r == 0 && flags & STORE_CREATE && !has_layers(s))
		r = store_format_write(s, e);
	if (r == 0)
		r = open_part(s, "layers", flags, &s->layers, e);
	if (r == 0)
		r = open_part(s, "images", flags, &s->images, e);
	if (r == 0)
		r = open_part(s, "tmp", flags, &s->tmp, e);
	if (r == 0 && flags & STORE_WOULD_CREATE)
		r = check_writable(s, e);
	if (r == 0)
		r = store_lock_new(s, e);
	if (r == 0 && userns_is_nested())
		r = store_ids_check(s, flags & STORE_CREATE, e);
	if (r == 0 && base)
		r = flags & STORE_CREATE ? store_base_write(s, e) : store_base_may_write(s, e);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(s);
	return 0;
}

int store_open(const char *path, unsigned flags, struct store **ret, struct err *e)
{
	return open_store(path, flags, NULL, ret, e);
}

int store_open_base(const char *path, unsigned flags, const struct store_base *base,
	struct store **ret, struct err *e)
{
	return open_store(path, flags, base, ret, e);
}

void store_close(struct store *s)
{
	if (!s)
		return;

	store_lock_free(s);

	const int fds[] = { s->fd, s->layers, s->images, s->tmp };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]); /* directories */
	if (s->mounted)
		store_mounted_done(s->mounted);
	free(s->mounted);
	free(s->path);
	free(s);
}

const char *store_path(const struct store *s)
{
	return s->path;
}

int store_stat_layers(const struct store *s, struct stat *ret, struct err *e)
{
	return fstat(s->layers, ret) < 0 ?
		err_set(e, errno, s->path, "cannot stat the layers of the store") :
		0;
}
