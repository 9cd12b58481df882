/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verify_pair: compare one inode on the seen side and on the disk side. */

#include "verify_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "verify_sides.h"

/* How often an inode is read again before a difference is reported. */
enum { LOOKS_AGAIN = 4 };

/* The result of reading both sides once. */
struct pair {
	struct meta disk, seen;
	struct finding found[FINDINGS_PER_INODE + 1];
	int n;
	enum { LOOK_BOTH, LOOK_ONE, LOOK_GONE, LOOK_MOUNT, LOOK_SHUT, LOOK_UNREADABLE } how;
};

static void pair_done(struct pair *q)
{
	meta_done(&q->disk);
	meta_done(&q->seen);
}

/*
 * --- reporting -------------------------------------------------------------------------------
 */

static int report(struct verify_entry *p, const char *name, struct finding *f, struct err *e)
{
	struct verify *v = p->v;
	const struct verify_options *o = v->o;
	bool last;

	if (o->classes && !(o->classes & 1U << f->class))
		return 0;
	buf_reset(&p->t->path);
	walk_path(p->d, name && *name ? name : NULL, &p->t->path);
	f->path = buf_get(&p->t->path);
	if (!f->path)
		return err_nomem(e);

	pthread_mutex_lock(&v->lock);
	if (!o->max_findings || v->reported < o->max_findings) {
		v->reported++;
		v->findings[f->class]++;
		if (o->found)
			o->found(f, o->arg);
	}
	last = o->max_findings && v->reported >= o->max_findings;
	pthread_mutex_unlock(&v->lock);
	if (last)
		walk_stop(p->w);
	return 0;
}

static void make_unreadable(struct finding *f, int num, const char *what)
{
	*f = (struct finding){ .class = FINDING_UNREADABLE, .errnum = num };
	(void)snprintf(f->detail, sizeof(f->detail), "%s: %s",
		what, /* never truncated: both are short */
		strerrordesc_np(num) ? strerrordesc_np(num) : "unknown error");
}

int verify_pair_unreadable(
	struct verify_entry *p, const char *name, int num, const char *what, struct err *e)
{
	struct finding f;

	make_unreadable(&f, num, what);
	return report(p, name, &f, e);
}

/*
 * --- extended attributes ---------------------------------------------------------------------
 */

void verify_pair_leave_layer(struct verify_entry *p)
{
	walk_dirs_keep(p->t->dirs, TREE_LAYERS + p->t->layer, p->d, &p->t->layer_fd);
}

/*
 * Open the directory of p in the layer that its node comes from. Returns a descriptor, which is
 * kept in the thread's state, or -errno.
 */
static int layer_dir(struct verify_entry *p)
{
	unsigned layer = expect_layer(p->v->x, p->node);
	int fd;

	if (p->t->layer_fd >= 0 && p->t->layer == layer)
		return p->t->layer_fd;
	verify_pair_leave_layer(p);
	fd = walk_dirs_open(p->t->dirs, TREE_LAYERS + layer, p->v->layers[layer], p->d, O_PATH);
	if (fd < 0)
		return fd;
	p->t->layer_fd = fd;
	p->t->layer = layer;
	return fd;
}

static int read_side(int fd, const char *name, struct meta *m)
{
	int which = meta_list_xattrs(fd, name);

	return which < 0 ? which : meta_read_xattrs(fd, name, (unsigned)which, m);
}

static int read_same(struct verify_entry *p, struct pair *q)
{
	int which = meta_list_xattrs(p->disk, p->name);
	int r;

	if (which < 0)
		return which;
	r = meta_read_xattrs(p->disk, p->name, (unsigned)which, &q->disk);
	return r < 0 ? r : meta_read_xattrs(p->seen, p->name, (unsigned)which, &q->seen);
}

static int read_xattrs(struct verify_entry *p, struct pair *q)
{
	int fd = p->disk, r;

	if (S_ISLNK(q->seen.mode) || (p->v->x && !p->v->layers))
		return 0;
	/* An inode that is on both sides has the same attributes on both sides: list them once. */
	if (!p->v->x && meta_same_inode(&q->seen, &q->disk))
		return read_same(p, q);
	if (p->v->x)
		fd = layer_dir(p);
	if (fd < 0)
		return fd;
	r = read_side(fd, p->name, &q->disk);
	return r < 0 ? r : read_side(p->seen, p->name, &q->seen);
}

/*
 * --- both sides ------------------------------------------------------------------------------
 */

static int stat_disk(const struct verify_entry *p, struct meta *ret)
{
	if (!p->v->x)
		return meta_stat(p->disk, p->name, ret);
	if (!p->node)
		return -ENOENT;
	expect_meta(p->v->x, p->node, ret);
	return 0;
}

/* overlayfs: a whiteout is a device 0:0, or (Linux 6.7) an empty file with an attribute. */
static bool is_whiteout(const struct verify_entry *p, const struct meta *seen)
{
	static const char *const names[] = { "trusted.overlay.whiteout", "user.overlay.whiteout" };
	char dir[32], path[32 + 1 + NAME_MAX + 1];
	bool found = false;

	if (S_ISCHR(seen->mode))
		return !seen->rdev_major && !seen->rdev_minor;
	if (!S_ISREG(seen->mode))
		return false;
	(void)snprintf(path, sizeof(path), "%s/%s", fd_proc_path(p->seen, dir), p->name);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		found |= lgetxattr(path, names[i], NULL, 0) >= 0;
	return found;
}

/* One side or both could not be read (rs, rd: 0 or -errno): decide what that means. */
static void look_one(const struct verify_entry *p, int rs, int rd, struct pair *q)
{
	int num = rs < 0 && rs != -ENOENT ? -rs : rd < 0 && rd != -ENOENT ? -rd : 0;

	if (num == EACCES && *p->name) {
		q->how = LOOK_SHUT;
	} else if (num) {
		q->how = LOOK_UNREADABLE;
		make_unreadable(&q->found[0], num,
			rs < 0 && rs != -ENOENT ? "cannot stat what is seen" :
						  "cannot stat what is on disk");
		q->n = 1;
	} else if (p->same || (rs < 0 && rd < 0)) {
		q->how = LOOK_GONE;
	} else if (rs == 0 && q->seen.mount != p->v->seen_mount) {
		q->how = LOOK_MOUNT;
	} else if (rs == 0 && p->v->x && is_whiteout(p, &q->seen) &&
		expect_whiteout(p->v->x, p->d->tag, p->name)) {
		/* The check is of a layer's own directory, where a whiteout is an inode. */
		q->how = LOOK_BOTH;
	} else {
		q->how = LOOK_ONE;
		compare_lonely(rs < 0 ? FINDING_MISSING : FINDING_EXTRA,
			rs < 0 ? &q->disk : &q->seen, p->v->o->map, &q->found[0]);
		q->n = 1;
	}
}

static void find_doubts(const struct verify_entry *p, struct pair *q)
{
	const unsigned doubt = p->v->o->doubt;

	if (doubt & VERIFY_SAME_IDS && !p->v->x && meta_same_inode(&q->seen, &q->disk))
		return;
	if (doubt & VERIFY_DOUBT_SEEN)
		q->seen.doubt = ids_real_doubt(&p->v->real, p->seen, p->name, &q->seen);
	if (doubt & VERIFY_DOUBT_DISK)
		q->disk.doubt = ids_real_doubt(&p->v->real, p->disk, p->name, &q->disk);
}

/* Read both sides and compare them. Returns 0 or -ENOMEM. */
static int look(struct verify_entry *p, struct pair *q)
{
	int rs = meta_stat(p->seen, p->name, &q->seen);
	int rd = stat_disk(p, &q->disk);
	int r;

	if (rs < 0 || rd < 0) {
		look_one(p, rs, rd, q);
		return 0;
	}
	if (q->seen.mount != p->v->seen_mount || (!p->v->x && q->disk.mount != p->v->disk_mount)) {
		q->how = LOOK_MOUNT;
		return 0;
	}
	if (p->same && !meta_same_inode(&q->seen, &q->disk)) {
		q->how = LOOK_GONE; /* it was replaced between the two calls */
		return 0;
	}

	q->how = LOOK_BOTH;
	find_doubts(p, q);
	r = read_xattrs(p, q);
	if (r == -ENOMEM)
		return r;
	q->n = compare_inode(&q->disk, &q->seen, p->v->o->map, q->found);
	if (q->n < 0)
		return q->n;
	if (r < 0)
		make_unreadable(&q->found[q->n++], -r,
			r == -EINVAL ? "an ACL or capability is malformed" :
				       "cannot read the ACL or capabilities");
	return 0;
}

static int report_mount(struct verify_entry *p, const struct pair *q, struct err *e)
{
	const struct verify_options *o = p->v->o;
	scoped_buf struct buf path = BUF_INIT;

	walk_path(p->d, p->name, &path);
	if (!buf_get(&path))
		return err_nomem(e);
	/* A mount on the disk side alone cannot be entered. */
	if (!o->mount || q->seen.mount == p->v->seen_mount) {
		log_verbose("%s is another mount: not entered", buf_get(&path));
		return 0;
	}
	pthread_mutex_lock(&p->v->lock);
	o->mount(buf_get(&path), o->arg);
	pthread_mutex_unlock(&p->v->lock);
	return 0;
}

static int conclude(struct verify_entry *p, struct pair *q, struct err *e)
{
	struct verify_counts *c = &p->t->counts;

	c->vanished += q->how == LOOK_GONE;
	c->mounts += q->how == LOOK_MOUNT;
	c->entries += q->how == LOOK_BOTH || q->how == LOOK_ONE || q->how == LOOK_UNREADABLE;
	if (q->how == LOOK_MOUNT && report_mount(p, q, e) < 0)
		return -ENOMEM;
	for (int i = 0; i < q->n; i++) {
		int r = report(p, p->name, &q->found[i], e);

		if (r < 0)
			return r;
	}
	if (q->how == LOOK_SHUT)
		return PAIR_SHUT;
	if (q->how != LOOK_BOTH || !S_ISDIR(q->seen.mode) ||
		(q->disk.known & META_TYPE && !S_ISDIR(q->disk.mode)))
		return PAIR_DONE;
	return !p->v->x && meta_same_inode(&q->seen, &q->disk) ? PAIR_DESCEND_SAME : PAIR_DESCEND;
}

int verify_pair_check(struct verify_entry *p, struct err *e)
{
	struct pair q = { .n = 0 };
	int r = look(p, &q);

	/*
	 * The tree may be in use, and both sides cannot be read at the same moment. So a finding is
	 * reported only if it is there each time that the inode is read, and an inode has vanished
	 * if it is missing twice.
	 */
	for (int again = 0;
		again < LOOKS_AGAIN && r == 0 && (q.n || (q.how == LOOK_GONE && !again)); again++) {
		pair_done(&q);
		q = (struct pair){ .n = 0 };
		r = look(p, &q);
	}
	r = r < 0 ? err_nomem(e) : conclude(p, &q, e);
	pair_done(&q);
	return r;
}
