/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* match: compare what is mounted at a target with a plan. */

#include "match.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "../base/plural.h"
#include "../base/sys.h"
#include "device.h"
#include "dirent_at.h"
#include "flags.h"
#include "layer_image.h"
#include "mount_verify.h"
#include "overlay_options.h"
#include "record_store.h"
#include "stored_layer.h"

/* The two sides that are compared. A stack has no source_fd. */
struct sides {
	struct mount_info there, source; /* source: of a bind */
	struct mount_record record;      /* of what is there */
	bool recorded;
	int there_fd, source_fd; /* source_fd: the plan's */
};

static void sides_done(struct sides *s)
{
	mount_info_done(&s->there);
	mount_info_done(&s->source);
	mount_record_done(&s->record);
	cleanup_fd(&s->there_fd);
}

#define scoped_sides __attribute__((cleanup(sides_done)))
#define SIDES_INIT \
	((struct sides){ \
		.there = { .id = -1 }, .source = { .id = -1 }, .there_fd = -1, .source_fd = -1 })

/*
 * Open the root of the mount on the target. 0: nothing is mounted there; if the path is wrong,
 * mounting reports it.
 */
static int open_there(const struct mount_plan *p, int *ret)
{
	struct statx stx;

	if (path_open(p->target, O_PATH | (p->follow ? 0 : O_NOFOLLOW), "cannot open the target",
		    NULL, ret, NULL) < 0)
		return 0;
	return statx(*ret, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &stx) == 0 &&
		stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static int look_at_bind(
	const struct mount_plan *p, struct mount_snapshot *snap, struct sides *s, struct err *e)
{
	struct stat there, source;
	int r;

	if (!p->source_open)
		return 0; /* mounting reports why */
	s->source_fd = p->source_fd;
	if (fstat(s->there_fd, &there) < 0 || fstat(s->source_fd, &source) < 0)
		return err_set(e, errno, p->target, "cannot look at what is mounted");
	if (!same_file(&there, &source))
		return 0;

	r = mount_info_look(s->source_fd, snap, &s->source, e);
	if (r < 0)
		return r;
	/* A filesystem that a mapped bind of itself is to cover is not that bind. */
	return s->source.id != s->there.id || (p->map.wish == MAP_SET && s->there.mapped);
}

/* If the kernel does not report the map of the mount, its record may have it. */
static int look_up_record(struct sides *s, struct err *e)
{
	const struct idmap *map;

	if (strcmp(s->there.type, "overlay") != 0 && (!s->there.mapped || s->there.map_known))
		return 0;
	s->recorded = record_store_find(&s->there, NULL, &s->record) && !s->record.other_userns;
	map = s->recorded ? mount_record_map(&s->record) : NULL;
	if (!s->there.mapped || !map)
		return 0;
	s->there.map_known = idmap_copy(map, &s->there.map, e) == 0;
	return s->there.map_known ? 0 : -ENOMEM;
}

/* Get both sides. 0: the plan's source is not mounted there. */
static int look(
	const struct mount_plan *p, struct mount_snapshot *snap, struct sides *s, struct err *e)
{
	int r = open_there(p, &s->there_fd);

	if (r > 0) {
		r = mount_info_look(s->there_fd, snap, &s->there, e);
		if (r == 0)
			r = look_up_record(s, e);
		r = r == 0 ? 1 : r;
	}
	if (r <= 0)
		return r;
	if (p->kind == MOUNT_OVERLAY)
		return !strcmp(s->there.type, "overlay") && !strcmp(s->there.source, p->source);
	if (p->kind == MOUNT_FS)
		return device_is_mounted(p, &s->there, s->there_fd);
	return look_at_bind(p, snap, s, e);
}

/*
 * --- the map -----------------------------------------------------------------------------------
 */

static int other(const struct mount_plan *p, const char *what, const char *there,
	const char *planned, struct err *e)
{
	scoped_buf struct buf target = BUF_INIT;

	buf_shell_word(&target, p->target);
	(void)err_say(e, EEXIST, p->target, "is mounted already, with %s", what);
	err_op(e, "mounted");
	err_why(e, "there: %s; wanted: %s", there ? there : "?", planned ? planned : "?");
	err_try(e, "unmount it first: shiftbox mount-idmapped -u %s",
		buf_get(&target) ? buf_get(&target) : "TARGET");
	return -EEXIST;
}

static void print_map_of(const struct mount_info *i, struct buf *b)
{
	if (!i->mapped)
		buf_str(b, "ids as on the disk");
	else if (i->map_known)
		idmap_print_words(&i->map, b);
	else
		buf_str(b, "a map that this kernel does not report");
}

static int other_map(const struct mount_plan *p, const struct sides *s, struct err *e)
{
	scoped_buf struct buf there = BUF_INIT, planned = BUF_INIT;

	print_map_of(&s->there, &there);
	if (p->map.wish == MAP_KEEP && p->kind == MOUNT_BIND)
		print_map_of(&s->source, &planned);
	else
		mount_map_print_words(&p->map, &planned);
	return other(p, "another map", buf_get(&there), buf_get(&planned), e);
}

/*
 * The map is unknown: compare the owner of the root with what the plan's map makes of its disk
 * owner.
 */
static int same_owner(const struct mount_plan *p, const struct sides *s, struct err *e)
{
	const struct idmap *old = s->source.mapped && s->source.map_known ? &s->source.map : NULL;

	if (s->source.mapped && !old)
		return 0; /* it cannot be compared */
	return verify_owner(s->there_fd, s->source_fd, old, &p->map.map, p->target, NULL) < 0 ?
		other_map(p, s, e) :
		0;
}

/*
 * A new filesystem has no map but the plan's. Before Linux 6.15 the map is unknown, and any map is
 * accepted.
 */
static int same_fs_map(const struct mount_plan *p, const struct sides *s, struct err *e)
{
	const struct mount_info *there = &s->there;

	if (p->map.wish != MAP_SET)
		return there->mapped ? other_map(p, s, e) : 0;
	if (!there->mapped || (there->map_known && !idmap_equal(&there->map, &p->map.map)))
		return other_map(p, s, e);
	return 0;
}

static int same_bind_map(const struct mount_plan *p, const struct sides *s, struct err *e)
{
	const struct mount_info *there = &s->there, *source = &s->source;
	bool same;

	switch (p->map.wish) {
	case MAP_NONE:
		return there->mapped ? other_map(p, s, e) : 0;
	case MAP_KEEP:
		same = there->mapped == source->mapped;
		if (same && there->map_known && source->map_known)
			same = idmap_equal(&there->map, &source->map);
		return same ? 0 : other_map(p, s, e);
	case MAP_SET:
		break;
	}
	if (there->mapped && !there->map_known)
		return same_owner(p, s, e);
	return there->mapped && idmap_equal(&there->map, &p->map.map) ? 0 : other_map(p, s, e);
}

/* Is the root of the stack a directory that a path of the plan leads to? */
static bool shows_root(const struct mount_plan *p)
{
	return !p->subdir && !layer_images(p);
}

/* The root of a stack is that of its upper or of its topmost layer. */
static int same_stack_owner(const struct mount_plan *p, const struct sides *s, struct err *e)
{
	const struct mount_map *map = mount_plan_layer_map(p, 0);
	scoped_buf struct buf there = BUF_INIT, planned = BUF_INIT;
	const char *top = p->layers.items[0].dir;
	uint32_t uid = IDMAP_OVERFLOW, gid = IDMAP_OVERFLOW;
	struct stat is, disk;

	if (p->upper_kind == UPPER_DIR) {
		map = &p->map;
		top = p->upper;
	}
	/*
	 * An upper in memory has an unknown owner; with seen ids stored, any map may have been
	 * used.
	 */
	if (p->upper_kind == UPPER_EPHEMERAL || (p->upper_kind == UPPER_DIR && p->upper_plain) ||
		map->wish != MAP_SET || !shows_root(p))
		return 0;
	if (fstat(s->there_fd, &is) < 0 || path_stat(top, true, &disk) < 0)
		return 0;                                   /* it cannot be compared */
	(void)idmap_uid_seen(&map->map, disk.st_uid, &uid); /* else the overflow id is seen */
	(void)idmap_gid_seen(&map->map, disk.st_gid, &gid);
	if (is.st_uid == uid && is.st_gid == gid)
		return 0;

	buf_printf(&there, "its root, of disk owner %u:%u, is seen as %u:%u", disk.st_uid,
		disk.st_gid, is.st_uid, is.st_gid);
	mount_map_print_words(map, &planned);
	return other(p, "another map", buf_get(&there), buf_get(&planned), e);
}

static void print_recorded(const struct mount_record *r, struct record_map m, struct buf *b)
{
	if (m.wish == MAP_SET)
		idmap_print_words(&r->maps.items[m.at], b);
	else
		buf_str(b,
			m.wish == MAP_NONE ? "ids as on the disk" : "ids as the source shows them");
}

/* Compare the map of layer i (of the upper, if i is the number of layers) with the plan's. */
static int same_recorded_map(
	const struct mount_plan *p, const struct mount_record *r, size_t i, struct err *e)
{
	const struct mount_map *want = i < p->layers.len ? mount_plan_layer_map(p, i) : &p->map;
	struct record_map is = i < p->layers.len && i < r->layers.len ? r->layers.items[i] : r->map;
	scoped_buf struct buf there = BUF_INIT, planned = BUF_INIT;

	if (is.wish == MAP_SET && want->wish == MAP_SET &&
		idmap_equal(&r->maps.items[is.at], &want->map))
		return 0;
	/* It is not recorded whether the sources had maps. */
	if (is.wish != MAP_SET && want->wish != MAP_SET)
		return 0;
	print_recorded(r, is, &there);
	mount_map_print_words(want, &planned);
	return other(p, "another map", buf_get(&there), buf_get(&planned), e);
}

static const char *upper_words(enum upper_kind kind, bool plain)
{
	return kind == UPPER_NONE       ? "no upper" :
		kind == UPPER_EPHEMERAL ? "an upper in memory" :
		plain                   ? "an upper with seen ids" :
					  "an upper with disk ids";
}

static int same_stack(const struct mount_plan *p, const struct sides *s, struct err *e)
{
	bool plain = p->upper_kind == UPPER_DIR && (p->upper_plain || p->map.wish != MAP_SET);
	bool there_plain = s->record.upper == UPPER_DIR && s->record.upper_plain;
	int r = 0;

	if (!s->recorded)
		return same_stack_owner(p, s, e);
	for (size_t i = 0; i <= p->layers.len && r == 0; i++)
		if (i < p->layers.len || p->upper_kind != UPPER_NONE)
			r = same_recorded_map(p, &s->record, i, e);
	if (r == 0 && (s->record.upper != p->upper_kind || there_plain != plain))
		r = other(p, "another upper", upper_words(s->record.upper, there_plain),
			upper_words(p->upper_kind, plain), e);
	return r;
}

/*
 * --- the layers --------------------------------------------------------------------------------
 */

/* Compares the layers of the mount with those of the plan. */
struct layer_count {
	const struct mount_plan *p;
	size_t n;
	bool other; /* a layer is not the one that the plan has there */
};

/* Is what the mount shows as its layer i that of the plan, whose path may be a symbolic link? */
static bool may_be_layer(const struct mount_plan *p, size_t i, const char *shown)
{
	const char *dir = p->layers.items[i].dir;
	scoped_fd int fd = -1;

	if (p->stored)
		return stored_layer_may_be(shown, dir);
	return path_open(dir, O_PATH, "cannot open the layer", NULL, &fd, NULL) < 0 ||
		stored_layer_may_be_open(shown, fd);
}

static int count_layer(const struct overlay_dir *dir, void *arg)
{
	struct layer_count *c = arg;

	if (dir->kind != OVERLAY_LOWER)
		return 0;
	if (c->n < c->p->layers.len && (c->p->stored || c->p->mstack) &&
		!may_be_layer(c->p, c->n, dir->path))
		c->other = true;
	c->n++;
	return 0;
}

/*
 * Compare the root of the stack, which is its upper or its topmost layer. If all layers are on one
 * filesystem, the stack shows that directory's inode number; else OverlayFS assigns its own.
 */
static int same_top(const struct mount_plan *p, const struct sides *s, struct err *e)
{
	bool upper = p->upper_kind == UPPER_DIR;
	const char *top = upper ? p->upper : p->layers.items[0].dir;
	struct stat is, want, st;
	char there[64], planned[64];
	int r;

	if (p->upper_kind == UPPER_EPHEMERAL || (!upper && p->layers.len == 1) || !shows_root(p))
		return 0; /* a part of it is in memory, or elsewhere */
	if (fstat(s->there_fd, &is) < 0)
		return err_set(e, errno, p->target, "cannot look at what is mounted");
	r = path_stat(top, true, &want);
	if (r < 0)
		return upper && r == -ENOENT ?
			other(p, "another upper", "one that is there", "a new one", e) :
			0;
	for (size_t i = 0; i < p->layers.len; i++)
		if (path_stat(p->layers.items[i].dir, true, &st) < 0 || st.st_dev != want.st_dev)
			return 0; /* it cannot be compared */
	if (is.st_ino == want.st_ino)
		return 0;
	(void)snprintf(there, sizeof(there), "inode %llu", (unsigned long long)is.st_ino);
	(void)snprintf(planned, sizeof(planned), "inode %llu", (unsigned long long)want.st_ino);
	return other(p, upper ? "another upper" : "another topmost layer", there, planned, e);
}

static int same_layers(const struct mount_plan *p, const struct sides *s, struct err *e)
{
	struct layer_count c = { .p = p };
	char there[64], planned[64];
	size_t want = p->layers.len + (p->upper_kind == UPPER_NONE && p->layers.len == 1);

	if (overlay_dirs_each(s->there.options, count_layer, &c) < 0)
		return err_nomem(e);
	if (c.other)
		return other(p, "other layers", "those of an image before",
			"those that the image has now", e);
	if (c.n != want) {
		(void)snprintf(there, sizeof(there), "%zu %s", c.n, plural(c.n, "layer", "layers"));
		(void)snprintf(
			planned, sizeof(planned), "%zu %s", want, plural(want, "layer", "layers"));
		return other(p, "other layers", there, planned, e);
	}
	return same_top(p, s, e);
}

/*
 * --- the flags ---------------------------------------------------------------------------------
 */

static int same_flags(const struct mount_plan *p, const struct sides *s, struct err *e)
{
	scoped_buf struct buf there = BUF_INIT, planned = BUF_INIT;
	uint64_t is,
		want = p->kind == MOUNT_OVERLAY && p->upper_kind == UPPER_NONE ? MOUNT_ATTR_RDONLY :
										 0;
	int r = mount_flags_get(s->there_fd, &is);

	/* A bind inherits the flags that the plan does not specify from the mount of its source. */
	if (r == 0 && s->source_fd >= 0)
		r = mount_flags_get(s->source_fd, &want);
	if (r < 0)
		return err_set(e, -r, p->target, "cannot read the flags of what is mounted");
	/* Unless the plan specifies it, a filesystem is as read-only as it must be. */
	if (p->kind == MOUNT_FS)
		want = is & MOUNT_ATTR_RDONLY;
	want = (want & ~p->flags.clear) | p->flags.set;
	if (is == want)
		return 0;

	mount_flags_print(&(struct mount_flags){ .set = is }, &there);
	mount_flags_print(&(struct mount_flags){ .set = want }, &planned);
	return other(p, "other flags", buf_get(&there), buf_get(&planned), e);
}

/*
 * --- the answers -------------------------------------------------------------------------------
 */

/* The mounts inside are compared by themselves. */
static int same_inside(const struct mount_plan *p, struct mount_snapshot *snap, struct err *e)
{
	int id, r = 0;

	for (size_t i = 0; i < p->inside.len && r == 0; i++) {
		const struct mount_plan *part = p->inside.items[i].plan;

		r = plan_is_mounted(part, snap, &id, e);
		if (r == 0)
			return other(p, "other mounts inside", "something else", part->target, e);
		r = r < 0 ? r : 0;
	}
	return r;
}

int plan_is_mounted(
	const struct mount_plan *p, struct mount_snapshot *snap, int *ret_id, struct err *e)
{
	scoped_sides struct sides s = SIDES_INIT;
	int r = look(p, snap, &s, e);

	if (r <= 0)
		return r;
	r = p->kind == MOUNT_BIND   ? same_bind_map(p, &s, e) :
		p->kind == MOUNT_FS ? same_fs_map(p, &s, e) :
				      same_stack(p, &s, e);
	if (r == 0 && p->kind == MOUNT_OVERLAY)
		r = same_layers(p, &s, e);
	if (r == 0)
		r = same_flags(p, &s, e);
	if (r == 0)
		r = same_inside(p, snap, e);
	if (r < 0)
		return r;
	*ret_id = s.there.id;
	return 1;
}

int plan_source_is_mounted(
	const struct mount_plan *p, struct mount_snapshot *snap, int *ret_id, struct err *e)
{
	scoped_sides struct sides s = SIDES_INIT;
	int r = look(p, snap, &s, e);

	/*
	 * A plan with a map makes mounts with a map: a bind of the source without one was made by
	 * another program.
	 */
	if (r > 0 && p->kind != MOUNT_OVERLAY && p->map.wish == MAP_SET && !s.there.mapped)
		return 0;
	if (r > 0)
		*ret_id = s.there.id;
	return r;
}
