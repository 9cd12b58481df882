/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rbind: the mounts below a directory. */

#include "rbind.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/sys.h"
#include "mount_verify.h"

static void submount_done(struct submount *m)
{
	free(m->rel);
	free(m->why);
	mount_info_done(&m->info);
}

void submounts_done(struct submounts *t)
{
	for (size_t i = 0; i < t->mounts.len; i++)
		submount_done(&t->mounts.items[i]);
	VEC_DONE(&t->mounts);
}

char *submount_path(const char *name, const struct submount *m)
{
	scoped_buf struct buf b = BUF_INIT;
	size_t n = strlen(name);

	buf_add(&b, name, n);
	if (!n || name[n - 1] != '/')
		buf_char(&b, '/');
	buf_str(&b, m->rel);
	return buf_take(&b);
}

/*
 * --- which there are ---------------------------------------------------------------------------
 */

struct submount_listing {
	int top;              /* the id of the mount that the directory is on */
	char dir[PATH_MAX];   /* the path of the directory, as in mountinfo */
	size_t len;           /* the length of dir; 0 for "/" */
	struct submounts all; /* candidates; the id of one that was taken is -1 */
	struct err *e;
};

/* The path relative to the directory. NULL: it is not below it. */
static const char *rel_of(const struct submount_listing *l, const char *target)
{
	if (strncmp(target, l->dir, l->len) || target[l->len] != '/' || !target[l->len + 1])
		return NULL;
	return target + l->len + 1;
}

static int add_candidate(const struct mount_info *i, void *arg)
{
	struct submount_listing *l = arg;
	const char *rel = rel_of(l, i->target);
	struct submount m = { .info = { .id = -1 } };
	int r;

	if (!rel)
		return 0;
	r = mount_info_copy(i, &m.info, l->e);
	if (r < 0)
		return r;
	m.rel = strdup(rel);
	if (m.rel && VEC_ADD(&l->all.mounts, m) == 0)
		return 0;
	submount_done(&m);
	return err_nomem(l->e);
}

static bool is_on(const struct submount_listing *l, const struct submounts *t, int parent)
{
	if (parent == l->top)
		return true;
	for (size_t i = t->mounts.len; i-- > 0;)
		if (t->mounts.items[i].info.id == parent)
			return true;
	return false;
}

/*
 * Take the mounts on the directory's mount, then those on them, and so on: a parent may have been
 * mounted after its child's line.
 */
static int take_children(struct submount_listing *l, struct submounts *t, struct err *e)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < l->all.mounts.len; i++) {
			struct submount *m = &l->all.mounts.items[i];

			if (m->info.id < 0 || !is_on(l, t, m->info.parent))
				continue;
			if (VEC_ADD(&t->mounts, *m) < 0)
				return err_nomem(e);
			*m = (struct submount){ .info = { .id = -1 } };
			more = true;
		}
	}
	return 0;
}

static int get_mount_id(int fd, int *ret, const char *name, struct err *e)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) < 0)
		return err_set(e, errno, name, "cannot get the id of the mount");
	*ret = (int)stx.stx_mnt_id;
	return 0;
}

int rbind_list(int fd, const char *name, struct submounts *ret, struct err *e)
{
	struct submount_listing l = { .e = e };
	struct submounts t = { 0 };
	char link[32];
	ssize_t n = readlink(fd_proc_path(fd, link), l.dir, sizeof(l.dir) - 1);
	int r;

	if (n < 0)
		return err_set(e, errno, name, "cannot ask where it is");
	l.len = n == 1 ? 0 : (size_t)n;
	r = get_mount_id(fd, &l.top, name, e);
	if (r == 0)
		r = mount_info_below(fd, add_candidate, &l, e);
	if (r == 0)
		r = take_children(&l, &t, e);
	submounts_done(&l.all);
	if (r == -ENOENT) {
		(void)err_set(e, ENOENT, name, "cannot list the mounts below");
		err_why(e, "it is on a mount of another mount namespace");
	}
	if (r < 0) {
		submounts_done(&t);
		return r;
	}
	*ret = t;
	return 0;
}

/*
 * --- opening -----------------------------------------------------------------------------------
 */

int submount_open(int fd, const struct submount *m, const char *path, int *ret, struct err *e)
{
	scoped_fd int sub = -1;
	struct statx stx;
	int r;

	r = fd_open_beneath(fd, m->rel, O_PATH, &sub, NULL);
	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ?
			-ESTALE :
			err_set(e, -r, path, "cannot open what is mounted there");
	if (statx(sub, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) < 0)
		return err_set(e, errno, path, "cannot get the id of the mount");
	if (stx.stx_mnt_id != (uint64_t)m->info.id)
		return -ESTALE;
	*ret = TAKE_FD(sub);
	return 0;
}

bool rbind_all(
	int fd, const struct submounts *t, bool (*is)(int fd, const void *arg), const void *arg)
{
	for (size_t i = 0; i < t->mounts.len; i++) {
		scoped_fd int sub = -1;
		int r;

		if (t->mounts.items[i].skipped)
			continue;
		r = submount_open(fd, &t->mounts.items[i], "", &sub, NULL);
		if (r == -ESTALE)
			continue; /* covered */
		if (r < 0 || !is(sub, arg))
			return false;
	}
	return true;
}

/*
 * --- reading back ------------------------------------------------------------------------------
 */

static int by_rel(const void *a, const void *b)
{
	struct submount *const *x = a, *const *y = b;
	int r = strcmp((*x)->rel, (*y)->rel);

	return r ? r : (*x > *y) - (*x < *y); /* mounts on the same mount point keep their order */
}

/* Find the first mount at rel that is not taken yet. sorted: n pointers, by rel. */
static struct submount *find(struct submount **sorted, size_t n, const char *rel)
{
	size_t low = 0;

	for (size_t high = n; low < high;) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(sorted[mid]->rel, rel) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < n && !strcmp(sorted[low]->rel, rel); low++)
		if (sorted[low]->info.id >= 0)
			return sorted[low];
	return NULL;
}

static int missing(const char *name, const struct submount *m, struct err *e)
{
	(void)err_say(e, EIO, name,
		"the mount is not as requested: what is mounted on '%s' is missing", m->rel);
	err_op(e, "verify");
	return -EIO;
}

static bool same_map(const struct mount_info *a, const struct mount_info *b)
{
	if (a->mapped != b->mapped)
		return false;
	return !a->map_known || !b->map_known || idmap_equal(&a->map, &b->map);
}

static int compare(
	struct submount *m, struct submount *found, const struct clone_how *how, struct err *e)
{
	scoped_free char *path = submount_path(how->name, m);
	int r;

	if (!path)
		return err_nomem(e);
	if (!found)
		return missing(how->name, m, e);
	r = verify_info(&found->info, how->flags, how->map, path, e);
	if (r == 0 && how->map->wish == MAP_KEEP && !same_map(&found->info, &m->info))
		r = err_say(
			e, EIO, path, "the mount is not as requested: its map is not its source's");
	mount_info_done(&m->info);
	m->info = found->info;
	found->info = (struct mount_info){ .id = -1 };
	return r;
}

int rbind_read_back(int mnt, const struct clone_how *how, struct submounts *t, struct err *e)
{
	scoped_submounts struct submounts now = { 0 };
	scoped_free struct submount **sorted = NULL;
	int r = rbind_list(mnt, how->name, &now, e);

	if (r < 0)
		return r;
	sorted = malloc((now.mounts.len + 1) * sizeof(*sorted));
	if (!sorted)
		return err_nomem(e);
	for (size_t i = 0; i < now.mounts.len; i++)
		sorted[i] = &now.mounts.items[i];
	qsort(sorted, now.mounts.len, sizeof(*sorted), by_rel);
	for (size_t i = 0; i < t->mounts.len && r == 0; i++) {
		struct submount *m = &t->mounts.items[i];

		if (!m->skipped)
			r = compare(m, find(sorted, now.mounts.len, m->rel), how, e);
	}
	return r;
}
