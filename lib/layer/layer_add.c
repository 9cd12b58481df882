/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_add: add one entry to a layer, by the rules of OCI image-spec, layer.md. */

#include "layer_add.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/filecap.h"
#include "../base/log.h"
#include "../base/stop.h"
#include "../tar/whiteout.h"
#include "entry_ids.h"
#include "layer_aside.h"
#include "layer_limits.h"
#include "layer_place.h"
#include "layer_refuse.h"
#include "layer_unmapped.h"

static void take_header(struct node *n, const struct layer_entry *en)
{
	n->mode = en->type | en->mode;
	n->uid = en->uid;
	n->gid = en->gid;
	n->sec = en->sec;
	n->nsec = en->nsec;
	n->flags |= NODE_LISTED;
}

/* In each layer, so many entries of a kind are named in warnings. */
/*
 * Log what happened to an entry: a warning for the first one of a kind in a layer, which stands for
 * all; the caller of the layer prints how many there were. before: their number so far.
 */
static void warn_skipped(const struct layer_entry *t, uint64_t before, const char *what)
{
	if (before)
		log_verbose("'%s': %s", t->raw, what);
	else
		log_warn("'%s': %s (the first in its layer; the others are counted, and --verbose "
			 "names them)",
			t->raw, what);
}

/* ---- kinds of entries ---- */

static size_t xattrs_bytes(const struct xattrs *x)
{
	size_t bytes = 0;

	for (size_t i = 0; i < x->len; i++)
		bytes += strlen(x->items[i].name) + x->items[i].size;
	return bytes;
}

static int take_xattrs(struct layer *l, struct node *n, const struct layer_entry *en, struct err *e)
{
	int r = layer_limits_count_kept(l, en->raw, xattrs_bytes(en->xattrs), e);

	xattrs_free(n->xattrs);
	n->xattrs = NULL;
	if (r < 0 || !en->xattrs->len)
		return r;
	n->xattrs = malloc(sizeof(*n->xattrs));
	if (!n->xattrs)
		return err_nomem(e);
	*n->xattrs = *en->xattrs;
	*en->xattrs = (struct xattrs){ .items = NULL };
	return 0;
}

static int add_dir(struct layer *l, const struct layer_entry *en, struct err *e)
{
	struct node *n = l->tree.root;
	int r = *en->path ? layer_place_dir(l, en, &n, e) : 0;

	if (r == 0)
		r = take_xattrs(l, n, en, e);
	if (r < 0)
		return r;
	/* An existing directory keeps its content; layer_finish() gives it the new owner. */
	take_header(n, en);
	return n->flags & NODE_MADE ? 0 : writer_mkdir(&l->w, n, e);
}

/* Copy the data of the entry to fd, or only count it; *ret_end is where it ends. */
static int copy_data(struct layer *l, struct entry_reader *rd, int fd, const struct node *n,
	uint64_t *ret_end, struct err *e)
{
	struct entry_piece p;
	int r;

	*ret_end = 0;
	while ((r = entry_data(rd, &p, e)) > 0) {
		r = stop_check(e);
		if (r == 0 && !l->o.dry)
			r = writer_file_data(fd, p.data, p.n, p.off, n, e);
		if (r < 0)
			return r;
		layer_count(l, bytes, p.n);
		if (p.n)
			*ret_end = p.off + p.n;
	}
	return r;
}

static int add_file(
	struct layer *l, struct entry_reader *rd, const struct layer_entry *en, struct err *e)
{
	scoped_fd int fd = -1;
	uint64_t end = 0;
	struct node *n;
	int r = layer_place(l, en, &n, e);

	if (r < 0)
		return r;
	take_header(n, en);
	n->size = en->size;
	n->flags |= xattrs_has(en->xattrs, FILECAP_XATTR) ? NODE_CAPABLE : 0;
	r = writer_file_begin(&l->w, n, &fd, e);
	if (r == 0 && en->size)
		r = copy_data(l, rd, fd, n, &end, e);
	return r < 0 ? r : writer_file_end(&l->w, n, &fd, end, en->xattrs, e);
}

static int add_symlink(struct layer *l, const struct layer_entry *en, struct err *e)
{
	const size_t len = strlen(en->symlink);
	struct node *n;
	int r = layer_place(l, en, &n, e);

	if (r == 0)
		r = layer_limits_count_kept(l, en->raw, len, e);
	if (r < 0)
		return r;
	take_header(n, en);
	l->has_links = true;
	n->mode = S_IFLNK | 0777;
	n->link = layer_tree_string(&l->tree, en->symlink, len);
	return n->link ? writer_symlink(&l->w, n, en->xattrs, e) : err_nomem(e);
}

/*
 * Skip an entry that cannot be created here. A directory is treated like a parent that the layer
 * does not list, since entries below it may need it. flags: NODE_WHITEOUT hides what lower layers
 * have of the name, as the entry would.
 */
static int skip_entry(struct layer *l, const struct layer_entry *en, uint16_t flags, struct err *e)
{
	struct node *n;
	int r;

	if (S_ISDIR(en->type))
		return 0;
	r = layer_place(l, en, &n, e);
	if (r == 0)
		n->flags |= NODE_SKIPPED | flags;
	return r;
}

static int add_special(struct layer *l, const struct layer_entry *en, struct err *e)
{
	struct node *n;
	int r;

	if (S_ISSOCK(en->type)) {
		layer_tally_add(&l->tally, en->raw, NULL,
			"skipped: a socket is of no use without its program");
		layer_count(l, skipped, 1);
		return skip_entry(l, en, 0, e);
	}
	if (S_ISCHR(en->type) && en->rdev == 0)
		return err_say(e, EINVAL, en->raw, "is a device 0:0, which would be a whiteout");
	if (!S_ISFIFO(en->type) && (l->o.skip_devices || l->o.no_devices)) {
		layer_tally_add(&l->tally, en->raw, NULL,
			l->o.no_devices ? l->o.no_devices : "skipped: a device");
		layer_count(l, devices, 1);
		return skip_entry(l, en, NODE_WHITEOUT, e);
	}
	r = layer_place(l, en, &n, e);
	if (r < 0)
		return r;
	take_header(n, en);
	n->rdev = en->rdev;
	return writer_special(&l->w, n, en->xattrs, e);
}

static bool is_below(const struct node *n, const struct node *top)
{
	while (n && n != top)
		n = n->parent;
	return n;
}

/*
 * Add a hard link to a file of a lower layer: layer_resolve_lower() will copy that file. Sets *ret
 * to its node.
 */
static int add_pending(struct layer *l, const struct layer_entry *en, const char *target,
	struct node **ret, struct err *e)
{
	struct node *n;
	int r = layer_limits_count_kept(l, en->raw, strlen(target), e);

	if (r < 0)
		return r;
	target = layer_tree_string(
		&l->tree, target, strlen(target)); /* the entry does not live on */
	if (!target)
		return err_nomem(e);
	r = layer_place(l, en, &n, e);
	if (r < 0)
		return r;
	n->flags |= NODE_LISTED | NODE_PENDING;
	n->link = target;
	l->has_links = l->unsure = true;
	*ret = n;
	return 0;
}

/* Where paths are unsure, the target of the link n may turn out to be another file. */
static int link_again(struct layer *l, struct node *n, struct node *target, struct err *e)
{
	if (!l->unsure)
		return 0;
	n->flags |= NODE_RELINK;
	return l->settled ? 0 :
			    layer_aside_later(l, (struct later){ .node = n, .target = target }, e);
}

static int refuse_hardlink(const struct layer_entry *en, bool dir, struct err *e)
{
	return dir ? layer_refuse_link_to_dir(en->raw, en->hardlink, e) :
		     layer_refuse_replacing(en->raw, en->hardlink, e);
}

int layer_add_hardlink(struct layer *l, struct layer_entry *en, struct err *e)
{
	struct node *target = layer_tree_look_up(&l->tree, en->hardlink),
		    *old = layer_tree_look_up(&l->tree, en->path), *n;
	const bool dir = target && node_is_dir(target) && target->flags & NODE_LISTED;
	int r;

	if (!*en->hardlink)
		return refuse_hardlink(en, true, e);
	if (dir || (target && target != old && old && node_exists(old) && is_below(target, old)))
		return l->unsure && !l->settled ? layer_aside_hold_later(l, en, e) :
						  refuse_hardlink(en, dir, e);
	/* A directory that is not listed may be a link in a lower layer. */
	if (!target || !node_exists(target) || node_is_dir(target))
		return add_pending(l, en, en->hardlink, &n, e);
	if (target == old)
		return 0; /* a link to itself changes nothing */
	if (target->flags & NODE_PENDING) {
		r = add_pending(l, en, target->link, &n, e);
		return r < 0 ? r : link_again(l, n, target, e);
	}
	if (target->flags & NODE_SKIPPED) {
		layer_tally_add(&l->tally, en->raw, NULL, "skipped: a hard link to a skipped file");
		layer_count(l, skipped, 1);
		return skip_entry(l, en, target->flags & NODE_WHITEOUT, e);
	}
	r = layer_place(l, en, &n, e);
	if (r < 0)
		return r;

	node_take_after(n, target);
	n->flags |= NODE_LISTED;
	r = link_again(l, n, target, e);
	return r < 0 ? r : writer_link(&l->w, n, &l->w, target, e);
}

/* ---- whiteouts ---- */

static int refuse_name(const struct layer_entry *en, struct err *e)
{
	(void)err_say(e, EINVAL, en->raw, "is a whiteout of an invalid name");
	err_why(e, "the name behind .wh. is empty, or stands for a directory itself or its parent");
	err_try(e, "rebuild the image without it");
	return -EINVAL;
}

int layer_add_whiteout(struct layer *l, const struct layer_entry *en, struct err *e)
{
	const char *slash = strrchr(en->path, '/'), *base = slash ? slash + 1 : en->path;
	const char *name = base + strlen(WHITEOUT_PREFIX);
	struct node *dir, *n;
	int r = layer_place_parent(l, en, false, &dir, e);

	if (r < 0)
		return r;
	if (!strcmp(base, WHITEOUT_OPAQUE)) {
		layer_count(l, opaques, 1);
		dir->flags |= NODE_OPAQUE;
		l->root_opaque = l->root_opaque || !dir->parent;
		return layer_aside_later(l, (struct later){ .node = dir, .opaque = true }, e);
	}
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return refuse_name(en, e);
	n = layer_tree_find(&l->tree, dir, name, strlen(name));
	if (!n)
		n = layer_tree_add(&l->tree, dir, name, strlen(name));
	if (!n)
		return err_nomem(e);
	n->flags |= NODE_WHITEOUT;
	return layer_aside_later(l, (struct later){ .node = n }, e);
}

/* Does a component have the prefix of AUFS's own files? The opaque marker at the end has it too. */
static bool is_aufs(const char *path)
{
	for (const char *p = path, *end; *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, '/');
		if (!strncmp(p, WHITEOUT_META, strlen(WHITEOUT_META)) &&
			(*end || strcmp(p, WHITEOUT_OPAQUE) != 0))
			return true;
	}
	return false;
}

/* Apply the policy for unavailable ids. Returns 1 if the entry is to be skipped, 0, or -errno. */
static int fit_ids(struct layer *l, struct layer_entry *t, struct err *e)
{
	uint32_t uid = t->uid, gid = t->gid;
	bool skip = l->o.ids.policy == UNMAPPED_SKIP;
	int r = S_ISSOCK(t->type) ? 0 : layer_unmapped_fit(t, &l->o.ids, e);
	char text[128];

	if (r <= 0)
		return r;
	if (skip)
		(void)snprintf(text, sizeof(text),
			"skipped: it (owner %u:%u) or its attributes name an unavailable id", uid,
			gid);
	else
		(void)snprintf(text, sizeof(text), "owner %u:%u: unavailable ids become %u:%u", uid,
			gid, l->o.ids.overflow_uid, l->o.ids.overflow_gid);
	warn_skipped(t, layer_count(l, unmapped, 1), text);
	return skip;
}

static int note_id(bool group, uint32_t id, const char *what, void *arg)
{
	struct id_use *ids = arg;

	(void)what;
	id_spans_add(group ? &ids->gid : &ids->uid, id);
	return 0;
}

/* Add an entry that is neither a hard link nor a whiteout. */
static int add_of_type(
	struct layer *l, struct entry_reader *rd, struct layer_entry *en, struct err *e)
{
	int r;

	if (l->o.through && !S_ISSOCK(en->type)) {
		r = entry_ids_check(en, l->o.through, e);
		if (r < 0)
			return r;
	}
	r = fit_ids(l, en, e);
	if (r)
		return r < 0 ? r : skip_entry(l, en, NODE_WHITEOUT, e);
	if (en->xattrs->len)
		(void)entry_ids_each(en->xattrs, note_id, &l->ids); /* note_id() does not fail */
	if (S_ISDIR(en->type))
		return add_dir(l, en, e);
	if (S_ISREG(en->type))
		return add_file(l, rd, en, e);
	if (S_ISLNK(en->type))
		return add_symlink(l, en, e);
	return add_special(l, en, e);
}

/* Hold an entry behind a link. */
static int hold(struct layer *l, struct entry_reader *rd, struct layer_entry *en, struct err *e)
{
	const char *name = strrchr(en->path, '/');
	scoped_buf struct buf path = BUF_INIT;
	struct layer_entry here = *en;
	int r;

	name = name ? name + 1 : en->path;
	if (layer_is_whiteout(name, strlen(name)))
		layer_count(l, opaques, !strcmp(name, WHITEOUT_OPAQUE));
	if (en->hardlink || layer_is_whiteout(name, strlen(name)))
		return layer_aside_hold_later(l, en, e);
	r = layer_aside_begin(l, en, &path, e);
	if (r < 0)
		return r;
	here.path = buf_get(&path);
	r = add_of_type(l, rd, &here, e);
	layer_aside_end(l);
	if (r < 0 && e) /* its path there says nothing */
		(void)snprintf(e->on, sizeof(e->on), "%s", en->raw);
	return r;
}

static int refuse_root(const struct layer_entry *en, struct err *e)
{
	(void)err_say(e, EINVAL, en->raw, "is the root of the layer, but not a directory");
	err_why(e, "the root of a layer is the root directory of the containers that use it");
	err_try(e, "rebuild the image without this entry");
	return -EINVAL;
}

int layer_add(struct layer *l, struct entry_reader *rd, struct layer_entry *en, struct err *e)
{
	const char *slash = strrchr(en->path, '/'), *base = slash ? slash + 1 : en->path;

	l->seq++;
	if (is_aufs(en->path)) {
		log_verbose("skipping a file of AUFS itself");
		return 0;
	}
	if (layer_aside_needed(l, en))
		return hold(l, rd, en, e);
	if (layer_is_whiteout(base, strlen(base)))
		return layer_add_whiteout(l, en, e);
	if (!*en->path && !S_ISDIR(en->type))
		return refuse_root(en, e);
	if (en->hardlink)
		return layer_add_hardlink(l, en, e);
	return add_of_type(l, rd, en, e);
}
