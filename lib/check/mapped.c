/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mapped: the mounts that have a map, here and in other mount namespaces. */

#include "mapped.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/num.h"
#include "../base/sys.h"
#include "../base/vec.h"
#include "../mount/info.h"

enum { SAMPLES_MAX = 2000 };

/* What is needed of a mount to find the raw side of another one. */
struct raw_mount { char *target, *root; dev_t dev; };

/* The mounts of one namespace are listed. */
struct listing {
	const struct mapped_options *o;
	int (*fn)(const struct mapped_mount *m, void *arg);
	void *arg;
	struct err *e;
	uint64_t namespace;
	pid_t pid;
	char command[32];
	const char *table;      /* another namespace's that is not entered: list this file instead, and ... */
	int root;               /* ... open its paths below this directory; -1: they cannot be */
	int on;                 /* id of the mount that o->below is on, or -1 */
	VEC(struct raw_mount) raws; /* without a map */
	const struct listing *home; /* of the caller's own namespace, with table: its raws show what others may not have */
	int r;
};

static void listing_done(struct listing *l)
{
	for (size_t i = 0; i < l->raws.len; i++) {
		free(l->raws.items[i].target);
		free(l->raws.items[i].root);
	}
	VEC_DONE(&l->raws);
}

/* What is left of path after the directory dir ("" or "/..."), or NULL when it is not below it. */
static const char *below(const char *path, const char *dir)
{
	size_t n = strcmp(dir, "/") ? strlen(dir) : 0;

	return !strncmp(path, dir, n) && (path[n] == '/' || !path[n]) ? path + n : NULL;
}

static bool wanted(const struct listing *l, const struct mount_info *i)
{
	return !l->o->below || i->id == l->on || below(i->target, l->o->below);
}

static int report(const struct listing *l, const struct mount_info *i, struct mapped_mount *m)
{
	m->target = i->target;
	m->source = i->source;
	m->root = i->root;
	m->type = i->type;
	m->namespace = l->namespace;
	m->pid = l->pid;
	m->command = l->command;
	return l->fn(m, l->arg);
}

/* --- without statmount: samples ---------------------------------------------------------------------- */

/* A path of the table, as its processes reach it. It has no links, and none of another namespace's is followed. */
static int open_in(const struct listing *l, const char *path, const char *rest)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	scoped_buf struct buf b = BUF_INIT;

	buf_printf(&b, "%s%s", path, rest);
	if (!buf_get(&b))
		return -1;
	if (!l->table)
		return open(b.data, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return l->root < 0 ? -1 : sys_openat2(l->root, b.data, &how);
}

/* Compare with each other mount in from of the filesystem that shows this directory, until one tells something. */
static ssize_t infer_from(const struct listing *from, const struct mount_info *i, int seen, struct idmap *ret, struct err *e)
{
	ssize_t n = 0;

	for (size_t k = 0; from && k < from->raws.len && n == 0; k++) {
		const struct raw_mount *raw = &from->raws.items[k];
		const char *rest = raw->dev == i->dev ? below(i->root, raw->root) : NULL;
		scoped_fd int disk = rest ? open_in(from, raw->target, rest) : -1;

		if (disk >= 0)
			n = mapped_infer(seen, disk, SAMPLES_MAX, ret, e);
	}
	return n;
}

static ssize_t infer(const struct listing *l, const struct mount_info *i, struct idmap *ret)
{
	scoped_fd int seen = open_in(l, i->target, "");
	ssize_t n;

	if (seen < 0)
		return 0;
	n = infer_from(l, i, seen, ret, l->e);
	return n ? n : infer_from(l->home, i, seen, ret, l->e);
}

static int list_hidden(struct listing *l, const struct mount_info *i)
{
	struct mapped_mount m = { .from = FROM_NOWHERE };
	scoped_idmap struct idmap map = { .gid_assumed = false };
	ssize_t n = infer(l, i, &map);

	if (n < 0)
		return (int)n;
	if (n > 0) {
		m.from = FROM_SAMPLES;
		m.samples = (size_t)n;
		m.map = &map;
	}
	return report(l, i, &m);
}

/* --- overlays ---------------------------------------------------------------------------------------- */

/* The value of an option, unescaped, up to the separator that comes first: ',' or, with colon, ':'. Moves *p past it. */
static bool next_dir(const char **p, bool colon, struct buf *ret)
{
	buf_reset(ret);
	for (; **p && **p != ',' && !(colon && **p == ':'); (*p)++) {
		if (**p == '\\' && (*p)[1])
			(*p)++;
		buf_char(ret, **p);
	}
	return colon && **p == ':' && (*p)++;
}

/* What can be known of the layers of an overlay: 1 and their map, 0 none is mapped, -1 it cannot be known. */
struct layers { bool unknown, mapped; struct mount_info info; };

static void look_at_layer(const char *dir, struct layers *y)
{
	struct mount_info i = { .id = -1 };
	scoped_fd int fd = -1;

	/*
	 * The kernel shows the path that it had within its mount: for a detached clone that is "/" or lost, and a
	 * relative one was good where the overlay was mounted.
	 */
	if (dir[0] != '/' || !dir[1]) {
		y->unknown = true;
		return;
	}
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || mount_info_get(fd, &i, NULL) < 0) {
		y->unknown = true;
		return;
	}
	if (i.mapped && !y->mapped) {
		y->mapped = true;
		y->info = i;
	} else {
		mount_info_done(&i);
	}
}

/* "rw,lowerdir=/a:/b,upperdir=...", since 6.8 also "lowerdir+=/a,lowerdir+=/b". */
static int look_at_layers(const char *options, struct layers *y)
{
	static const char *const keys[] = { "lowerdir=", "lowerdir+=", "datadir+=" };
	scoped_buf struct buf dir = BUF_INIT;

	for (const char *p = options; *p; p += *p == ',') {
		size_t k = 0;

		while (k < ARRAY_LEN(keys) && strncmp(p, keys[k], strlen(keys[k])) != 0)
			k++;
		if (k < ARRAY_LEN(keys)) {
			bool more = true;

			for (p += strlen(keys[k]); more;) {
				more = next_dir(&p, k == 0, &dir);
				if (!buf_get(&dir))
					return -ENOMEM;
				if (dir.len) /* "::" begins the data layers */
					look_at_layer(dir.data, y);
			}
		}
		while (*p && *p != ',')
			p += 1 + (*p == '\\' && p[1]);
	}
	return 0;
}

static int list_overlay(struct listing *l, const struct mount_info *i)
{
	struct mapped_mount m = { .overlay = true, .from = FROM_NOWHERE };
	struct layers y = { .info = { .id = -1 } };
	int r = 0;

	if (l->table)
		y.unknown = true;
	else
		r = look_at_layers(i->options, &y);
	if (r == 0 && y.mapped && y.info.map_known) {
		m.from = FROM_LAYERS;
		m.map = &y.info.map;
	}
	m.surely = y.mapped;
	if (r < 0)
		r = err_nomem(l->e);
	else if (y.mapped || y.unknown)
		r = report(l, i, &m);
	mount_info_done(&y.info);
	return r;
}

/* --- one namespace ------------------------------------------------------------------------------------- */

static int collect_raw(const struct mount_info *i, void *arg)
{
	struct listing *l = arg;
	struct raw_mount m = { strdup(i->target), strdup(i->root), i->dev };

	if (i->mapped) {
		free(m.target);
		free(m.root);
		return 0;
	}
	return !m.target || !m.root || VEC_ADD(&l->raws, m) < 0 ? err_nomem(l->e) : 0;
}

static int list_mount(const struct mount_info *i, void *arg)
{
	struct listing *l = arg;

	if (!wanted(l, i))
		return 0;
	if (i->mapped && i->map_known) {
		struct mapped_mount m = { .from = FROM_KERNEL, .map = &i->map };

		return report(l, i, &m);
	}
	if (i->mapped)
		return list_hidden(l, i);
	return strcmp(i->type, "overlay") ? 0 : list_overlay(l, i);
}

/* The id of the mount that the path is on. */
static int mount_on(const char *path)
{
	struct mount_info i = { .id = -1 };
	scoped_fd int fd = open(path, O_PATH | O_CLOEXEC);
	int id = fd >= 0 && mount_info_get(fd, &i, NULL) == 0 ? i.id : -1;

	mount_info_done(&i);
	return id;
}

static int list_all(struct listing *l)
{
	int r = 0;

	l->on = l->o->below && !l->table ? mount_on(l->o->below) : -1;
	if (!mount_info_tells_maps())
		r = mount_info_each(l->table, collect_raw, l, l->e);
	return r < 0 ? r : mount_info_each(l->table, list_mount, l, l->e);
}

/* --- all of them ----------------------------------------------------------------------------------------- */

struct visit {
	struct listing *l;
	int ns;
	bool entered;
};

/*
 * A thread of its own enters the namespace: what else this process does stays where it is, and there is nothing
 * to come back from. A thread that shares its root and working directory with others must not (EINVAL).
 */
static void *visit_thread(void *arg)
{
	struct visit *v = arg;

	v->entered = unshare(CLONE_FS) == 0 && setns(v->ns, CLONE_NEWNS) == 0;
	if (v->entered)
		v->l->r = list_all(v->l);
	return NULL;
}

/*
 * Not entered: mountinfo is a file of /proc, which need not be there, or be this one, in the other namespace. Its
 * mounts are reached through the process's root.
 */
static int visit_table(struct listing *l, int proc, size_t *closed)
{
	scoped_fd int root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char table[64];
	int r;

	if (root < 0)
		log_verbose("the root of process %d cannot be opened: no map is inferred there", (int)l->pid);
	(void)snprintf(table, sizeof(table), "/proc/%d/mountinfo", (int)l->pid); /* fits */
	l->table = table;
	l->root = root;
	r = list_all(l);
	listing_done(l);
	*closed += r == -EACCES || r == -ENOENT;
	return r == -EACCES || r == -ENOENT ? 0 : r;
}

static int visit_namespace(struct listing *l, int ns, size_t *closed)
{
	struct visit v = { .l = l, .ns = ns };
	pthread_t thread;
	int r;

	r = pthread_create(&thread, NULL, visit_thread, &v);
	if (r != 0)
		return err_set(l->e, r, NULL, "cannot start a thread");
	(void)pthread_join(thread, NULL); /* cannot fail: it is joinable and ours */
	*closed += !v.entered;
	return v.entered ? l->r : 0;
}

static void read_command(int proc, struct listing *l)
{
	scoped_fd int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, l->command, sizeof(l->command) - 1);

	l->command[n < 0 ? 0 : n] = '\0';
	l->command[strcspn(l->command, "\n")] = '\0';
}

typedef VEC(uint64_t) inodes;

static bool known(const inodes *seen, uint64_t ino)
{
	for (size_t i = 0; i < seen->len; i++)
		if (seen->items[i] == ino)
			return true;
	return false;
}

/* A process: its mount namespace, unless it was looked into already. */
static int visit_process(const struct listing *base, int proc, pid_t pid, inodes *seen, size_t *closed)
{
	struct listing l = *base;
	scoped_fd int dir = -1, ns = -1;
	char name[16];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%d", (int)pid); /* fits */
	dir = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ns = dir < 0 ? -1 : openat(dir, "ns/mnt", O_RDONLY | O_CLOEXEC);
	if (ns < 0 || fstat(ns, &st) < 0) {
		*closed += errno == EACCES || errno == EPERM; /* else it is gone, or a zombie */
		return 0;
	}
	if (known(seen, st.st_ino))
		return 0;
	if (VEC_ADD(seen, st.st_ino) < 0)
		return err_nomem(l.e);
	l.namespace = st.st_ino;
	l.pid = pid;
	read_command(dir, &l);
	return mount_info_tells_maps() ? visit_namespace(&l, ns, closed) : visit_table(&l, dir, closed);
}

static int visit_all(const struct listing *base, size_t *closed)
{
	DIR *d = opendir("/proc");
	inodes seen = { .len = 0 };
	struct dirent *x;
	int r = 0;

	if (!d)
		return err_set(base->e, errno, "/proc", "cannot list the processes");
	if (VEC_ADD(&seen, base->namespace) < 0)
		r = err_nomem(base->e);
	while (r == 0 && (x = readdir(d))) {
		uint32_t pid;

		if (num_u32(x->d_name, &pid) == 0)
			r = visit_process(base, dirfd(d), (pid_t)pid, &seen, closed);
	}
	VEC_DONE(&seen);
	(void)closedir(d); /* read only */
	return r;
}

int mapped_mounts(const struct mapped_options *o, int (*fn)(const struct mapped_mount *m, void *arg), void *arg,
		  size_t *ret_closed, struct err *e)
{
	struct listing own = { .o = o, .fn = fn, .arg = arg, .e = e, .pid = getpid(), .root = -1 }, other;
	scoped_fd int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	*ret_closed = 0;
	if (proc < 0 || fstatat(proc, "ns/mnt", &st, 0) < 0)
		return err_set(e, errno, "/proc/self/ns/mnt", "cannot tell the mount namespace");
	own.namespace = st.st_ino;
	read_command(proc, &own);
	other = own;
	other.home = &own;
	r = list_all(&own);
	if (r == 0 && o->all_namespaces)
		r = visit_all(&other, ret_closed);
	listing_done(&own);
	return r;
}
