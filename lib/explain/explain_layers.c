/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_layers: find the layers of an overlay, and inodes in them. */

#include "explain_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../mount/overlay_options.h"

/*
 * --- the layers --------------------------------------------------------------------------------
 */

static void layer_free(struct explain_layer *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	if (l->mapped)
		idmap_done(&l->map);
	free(l);
}

void explain_layers_forget(struct explain_stack *s)
{
	for (size_t i = 0; i < s->layers.len; i++)
		layer_free(s->layers.items[i]);
	VEC_DONE(&s->layers);
	s->known = false;
}

/*
 * Open a layer and read the map of its mount. Returns 1, 0 if that is not possible, or -ENOMEM. In
 * a user namespace maps are shown in part only.
 */
static int add_layer(struct explain_stack *s, const char *path, bool upper)
{
	struct explain_layer *l = calloc(1, sizeof(*l));
	int kind;

	if (!l)
		return -ENOMEM;
	l->fd = -1;
	l->upper = upper;
	l->path = strdup(path);
	if (!l->path || VEC_ADD(&s->layers, l) < 0) {
		layer_free(l);
		return -ENOMEM;
	}
	if (path_open(path, O_PATH | O_DIRECTORY, "cannot open the layer", NULL, &l->fd, NULL) < 0)
		return 0;
	kind = mount_map_read(l->fd, path, &l->map, NULL);
	l->mapped = kind == MOUNT_MAP_KNOWN;
	l->facts.map = l->mapped ? &l->map : NULL;
	return kind == MOUNT_MAP_NONE || kind == MOUNT_MAP_KNOWN;
}

/* The directories that the options name. */
struct named_dirs {
	struct explain_stack *stack;
	const char *base; /* of relative names */
	bool upper, ok, any;
};

static int add_named(const struct overlay_dir *dir, void *arg)
{
	struct named_dirs *d = arg;
	scoped_buf struct buf path = BUF_INIT;
	int r;

	if (dir->kind == OVERLAY_DATA)
		d->ok = false;
	if ((dir->kind == OVERLAY_UPPER) != d->upper || !d->ok)
		return 0;
	/* "/" is what the kernel shows of a layer that has no name. */
	if (dir->path[0] == '/' && !dir->path[1]) {
		d->ok = false;
		return 0;
	}
	buf_printf(&path, "%s%s%s", *dir->path == '/' ? "" : d->base, *dir->path == '/' ? "" : "/",
		dir->path);
	if (!buf_get(&path))
		return -ENOMEM;
	r = add_layer(d->stack, path.data, d->upper);
	d->ok = r > 0;
	d->any = true;
	return r < 0 ? r : 0;
}

int explain_layers_find_named(struct explain_stack *s, const char *options, const char *base)
{
	struct named_dirs d = { .stack = s, .base = base, .upper = true, .ok = true };
	int r = overlay_dirs_each(options, add_named, &d);

	d.upper = false;
	if (r == 0)
		r = overlay_dirs_each(options, add_named, &d);
	if (r == 0 && d.ok && d.any)
		s->known = true;
	else
		explain_layers_forget(s);
	return r;
}

int explain_layers_take(struct explain_stack *s, const struct strv *layers)
{
	for (size_t i = 0; i < layers->len; i++) {
		int r = add_layer(s, layers->items[i], false);

		if (r < 0)
			return r;
		if (r == 0) {
			explain_layers_forget(s);
			return 0;
		}
		s->layers.items[i]->facts.map = s->given;
	}
	s->known = s->stored = true;
	return 0;
}

/*
 * --- an inode in the layers --------------------------------------------------------------------
 */

/* Does the map of the layer translate the disk ids to the ids that are seen? */
static bool looks(const struct explanation *x, const struct explain_layer *l,
	const struct meta *disk, const struct explain_inode *n)
{
	uint32_t uid, gid;

	if (!perm_uid(&l->facts, disk->uid, &uid))
		uid = x->overflow_uid;
	if (!perm_gid(&l->facts, disk->gid, &gid))
		gid = x->overflow_gid;
	return uid == n->seen.uid && gid == n->seen.gid && disk->mode == n->seen.mode;
}

static bool is_same_file(int fd, const struct meta *disk, const struct explain_inode *n)
{
	struct statx s;

	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_CTIME, &s) < 0)
		return false;
	return s.stx_ctime.tv_sec == n->ctime && s.stx_ctime.tv_nsec == n->ctime_nsec &&
		(S_ISDIR(n->seen.mode) || disk->ino == n->seen.ino);
}

/* Read the disk side of a file in a layer. */
static int read_disk(const struct explain_layer *l, int fd, struct meta *ret)
{
	scoped_fd int raw = -1;
	struct err ignored = ERR_INIT;

	if (l->mapped) {
		int r = unmapped_clone(fd, l->path, &raw, &ignored);

		if (r < 0)
			return r;
		fd = raw;
	}
	return explain_read_meta(fd, l->path, ret, NULL);
}

static int open_in(const struct explain_layer *l, const char *below)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return sys_openat2(l->fd, *below ? below : ".", &how);
}

/* Marks of opaque directories, and one that says that lower layers are elsewhere. */
enum { MARK_TRUSTED = 1, MARK_USER = 2, MARK_REDIRECT = -1 };

/* Do the attributes say that lower layers are hidden? Returns MARK_REDIRECT, or the marks. */
static int marks(int fd)
{
	int found = 0;
	static const char *const opaque[] = { "trusted.overlay.opaque", "user.overlay.opaque" },
				 *const redirect[] = { "trusted.overlay.redirect",
					 "user.overlay.redirect" };
	char link[32], value[8];

	for (size_t i = 0; i < ARRAY_LEN(redirect); i++)
		if (getxattr(fd_proc_path(fd, link), redirect[i], NULL, 0) > 0)
			return MARK_REDIRECT;
	for (size_t i = 0; i < ARRAY_LEN(opaque); i++)
		if (getxattr(fd_proc_path(fd, link), opaque[i], value, sizeof(value)) == 1 &&
			*value == 'y')
			found |= i ? MARK_USER : MARK_TRUSTED;
	return found;
}

/* Note a directory of a lower layer that is opaque for one kind of mount only. */
static int note_mark(struct explanation *x, const char *layer, const char *below, int mark)
{
	if (x->marked || (mark != MARK_TRUSTED && mark != MARK_USER))
		return 0;
	x->marked_trusted = mark == MARK_TRUSTED;
	if (asprintf(&x->marked, "%s/%s", layer, below) >= 0)
		return 0;
	x->marked = NULL;
	return -ENOMEM;
}

int explain_marks_look(struct explanation *x, int layer, const char *path, const char *below)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int r = 0;

	/* The root, which is never opaque, is not looked at. */
	for (const char *p = below; *p && r == 0;) {
		scoped_free char *dir = NULL;
		scoped_fd int fd = -1;

		p += strcspn(p, "/");
		dir = strndup(below, (size_t)(p - below));
		p += strspn(p, "/");
		if (!dir)
			return -ENOMEM;
		fd = sys_openat2(layer, dir, &how);
		if (fd < 0)
			break;
		r = note_mark(x, path, dir, marks(fd));
	}
	return r;
}

static bool is_whiteout(const struct meta *m)
{
	return S_ISCHR(m->mode) && !m->rdev_major && !m->rdev_minor;
}

static struct perm_inode fact_of(const struct explain_layer *l, const struct meta *disk)
{
	return (struct perm_inode){
		.mode = disk->mode,
		.uid = disk->uid,
		.gid = disk->gid,
		.access = disk->access,
		.cap = disk->cap,
		.mount = &l->facts,
	};
}

/* The first layer with the inode is the one that is shown. */
static bool take_top(
	struct explanation *x, const struct explain_layer *l, int fd, struct meta *disk, size_t i)
{
	struct explain_inode *n = &x->inodes.items[i];
	const bool known_map = l->facts.map || !x->stacks[x->n_stacks - 1]->stored;

	if (is_whiteout(disk) || (disk->mode & S_IFMT) != (n->seen.mode & S_IFMT) ||
		!is_same_file(fd, disk, n) || (known_map && !looks(x, l, disk, n)))
		return false;
	meta_done(&n->disk);
	n->disk = *disk;
	n->how = DISK_LAYER;
	n->found = true;
	n->real.inode = fact_of(l, disk);
	n->real.in_upper = l->upper;
	*disk = (struct meta){ .known = 0 };
	return true;
}

/* The result of looking for an inode in the layers. */
enum { FOUND, IN_UPPER, ANOTHER, NOWHERE };

static int look_in_layers(
	struct explanation *x, const struct explain_stack *s, size_t at, const char *below)
{
	struct explain_inode *n = &x->inodes.items[at];
	bool above = false; /* the upper directory has it, too */

	for (size_t i = 0; i < s->layers.len; i++) {
		const struct explain_layer *l = s->layers.items[i];
		scoped_fd int fd = open_in(l, below);
		struct meta disk = { .known = 0 };
		int mark;

		if (fd < 0 || read_disk(l, fd, &disk) < 0)
			continue;
		if (!n->found && !above && !take_top(x, l, fd, &disk, at)) {
			above = s->stored && S_ISDIR(n->seen.mode);
			if (!above) {
				meta_done(&disk);
				return ANOTHER;
			}
		}
		if (n->how == DISK_LAYER && !x->layer && at == x->inodes.len - 1) {
			x->layer = strdup(l->path);
			if (!x->layer)
				return -ENOMEM;
		}
		if (disk.known && (is_whiteout(&disk) || !S_ISDIR(disk.mode))) {
			meta_done(&disk);
			break;
		}
		if (disk.known && VEC_ADD(&n->below, fact_of(l, &disk)) < 0) {
			meta_done(&disk);
			return -ENOMEM;
		}
		if (disk.known)
			disk.access = (struct acl){ .items = NULL }; /* n->below owns it */
		meta_done(&disk);
		if (!S_ISDIR(n->seen.mode))
			break;
		mark = marks(fd);
		if (mark < 0)
			return ANOTHER;
		if (mark > 0 && !l->upper && note_mark(x, l->path, below, mark) < 0)
			return -ENOMEM;
		if (mark > 0)
			break;
	}
	n->n_maybe = above && *below ? n->below.len : 0; /* the root is never opaque */
	return n->found ? FOUND : above ? ANOTHER : NOWHERE;
}

/* The path of an inode below the mount point. */
static const char *path_in_mount(const struct explanation *x, const struct explain_inode *n)
{
	const char *target = x->mounts.items[n->mount].target;
	size_t prefix = strlen(target);
	const char *below = strncmp(n->path, target, prefix) ? "" : n->path + prefix;

	return below + strspn(below, "/");
}

void explain_below_done(struct explain_inode *n)
{
	for (size_t i = 0; i < n->below.len; i++)
		acl_done(&n->below.items[i].access);
	VEC_DONE(&n->below);
	n->n_maybe = 0;
}

static void forget_found(struct explanation *x, struct explain_stack *s)
{
	for (size_t i = 0; i < x->inodes.len; i++) {
		struct explain_inode *n = &x->inodes.items[i];

		if (n->mount != s->mount)
			continue;
		explain_below_done(n);
		n->found = false;
		n->real = (struct perm_real){ .in_upper = false };
	}
	explain_layers_forget(s);
}

static const char not_shown[] =
	"what is found in the layers is another file: it was changed since, or is in a writable "
	"layer";

/* In a stack of an image's layers, an inode that differs belongs to the upper directory. */
int explain_layers_look(struct explanation *x, struct explain_stack *s)
{
	for (size_t i = 0; i < x->inodes.len && s->known; i++) {
		struct explain_inode *n = &x->inodes.items[i];
		int r;

		if (n->mount != s->mount)
			continue;
		r = look_in_layers(x, s, i, path_in_mount(x, n));
		if (r < 0)
			return r;
		if (r == FOUND)
			continue;
		s->unknown = r == ANOTHER ? not_shown :
					    "it is in none of the layers: it may be in a writable "
					    "layer";
		if (s->stored)
			n->real.in_upper = true;
		else
			forget_found(x, s);
	}
	return 0;
}
