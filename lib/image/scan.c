/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scan: count what the headers of layers contain. */

#include "scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/acl.h"
#include "../base/filecap.h"
#include "../check/needed_ids.h"
#include "../layer/entry.h"
#include "../layer/entry_ids.h"
#include "../layer/layer_limits.h"
#include "../layer/layer_tally.h"
#include "../tar/blob.h"
#include "../tar/members.h"
#include "../tar/whiteout.h"
#include "unpack_priv.h"

void scan_done(struct scan *s)
{
	free(s->largest_path);
	s->largest_path = NULL;
	VEC_DONE(&s->owners);
	VEC_DONE(&s->named);
}

/* --- Owners --- */

static int by_ids(const void *a, const void *b)
{
	const struct scan_owner *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return x->gid < y->gid ? -1 : x->gid != y->gid;
}

/* Sort, and merge equal pairs. */
static void owners_merge(scan_owners *o)
{
	size_t n = 0;

	if (!o->len)
		return;
	qsort(o->items, o->len, sizeof(*o->items), by_ids);
	for (size_t i = 1; i < o->len; i++) {
		if (by_ids(&o->items[n], &o->items[i]) == 0)
			o->items[n].count += o->items[i].count;
		else
			o->items[++n] = o->items[i];
	}
	o->len = n + 1;
}

/*
 * Neighbouring entries usually have the same owner. Otherwise pairs are merged when there is no
 * room left, which takes O(n log n) in total.
 */
static int owners_add(scan_owners *o, uint32_t uid, uint32_t gid, uint64_t count, struct err *e)
{
	const struct scan_owner it = { uid, gid, count };

	if (o->len && by_ids(&o->items[o->len - 1], &it) == 0) {
		o->items[o->len - 1].count += count;
		return 0;
	}
	if (o->len && o->len == o->cap) {
		owners_merge(o);
		/* More than half full: grow, so that the next merge is not due at once. */
		if (o->len > o->cap / 2 &&
			vec_grow(&o->items, o->cap, &o->cap, sizeof(*o->items)) < 0)
			return err_nomem(e);
	}
	return VEC_ADD(o, it) < 0 ? err_nomem(e) : 0;
}

void scan_highest(const struct scan *s, uint32_t *ret_uid, uint32_t *ret_gid)
{
	const scan_owners *const lists[] = { &s->owners, &s->named };

	*ret_uid = *ret_gid = 0;
	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < lists[l]->len; i++) {
			const struct scan_owner *o = &lists[l]->items[i];

			*ret_uid = o->uid > *ret_uid ? o->uid : *ret_uid;
			*ret_gid = o->gid > *ret_gid ? o->gid : *ret_gid;
		}
}

/* --- Entries --- */

struct naming {
	struct scan *s;
	const struct layer_entry *t;
	struct err *e;
};

static int count_named(bool group, uint32_t id, const char *what, void *arg)
{
	const struct naming *n = arg;

	(void)what;
	return owners_add(&n->s->named, group ? n->t->uid : id, group ? id : n->t->gid, 1, n->e);
}

static int count_xattrs(struct scan *s, const struct layer_entry *t, struct err *e)
{
	struct naming naming = { .s = s, .t = t, .e = e };
	bool acl = false, other = false;

	for (size_t i = 0; i < t->xattrs->len; i++) {
		const struct xattr *x = &t->xattrs->items[i];

		if (!strcmp(x->name, FILECAP_XATTR))
			s->capabilities++;
		else if (acl_is_xattr(x->name))
			acl = true;
		else
			other = true;
	}
	s->acls += acl;
	s->xattrs += other;
	return entry_ids_each(t->xattrs, count_named, &naming);
}

static int count_file(struct scan *s, const struct layer_entry *t, struct err *e)
{
	char *path;

	s->files++;
	s->setuid += (t->mode & S_ISUID) != 0;
	s->setgid += (t->mode & S_ISGID) != 0;
	s->bytes += t->size;
	if (t->size <= s->largest)
		return 0;
	path = strdup(t->path);
	if (!path)
		return err_nomem(e);
	free(s->largest_path);
	s->largest_path = path;
	s->largest = t->size;
	return 0;
}

/* Metadata of AUFS is counted neither as a whiteout nor as an entry: it is not unpacked. */
static bool count_whiteout(struct scan *s, const struct layer_entry *t)
{
	const char *slash = strrchr(t->path, '/'), *name = slash ? slash + 1 : t->path;

	if (strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)))
		return false;
	if (!strcmp(name, WHITEOUT_OPAQUE))
		s->opaques++;
	else if (strncmp(name, WHITEOUT_META, strlen(WHITEOUT_META)))
		s->whiteouts++;
	return true;
}

static int count_entry(
	struct scan *s, const struct layer_entry *t, const struct layer_options *o, struct err *e)
{
	int r = 0;

	if (++s->entries > o->limits.entries)
		return layer_limits_exceeded(t->raw, false, "--max-entries", o->limits.entries, e);
	if (count_whiteout(s, t))
		return 0;
	if (t->hardlink) {
		s->hardlinks++; /* its owner is that of its target */
		return 0;
	}
	switch (t->type) {
	case S_IFREG:
		r = count_file(s, t, e);
		break;
	case S_IFDIR:
		s->directories++;
		break;
	case S_IFLNK:
		s->symlinks++;
		break;
	case S_IFIFO:
		s->fifos++;
		break;
	case S_IFSOCK:
		s->sockets++;
		break;
	default:
		s->devices++;
	}
	if (s->bytes > o->limits.bytes)
		return layer_limits_exceeded(t->raw, false, "--max-bytes", o->limits.bytes, e);
	if (r == 0)
		r = owners_add(&s->owners, t->uid, t->gid, 1, e);
	return r == 0 ? count_xattrs(s, t, e) : r;
}

static int count_entries(
	struct scan *s, struct blob *b, const struct layer_options *o, struct err *e)
{
	struct entry_reader *reader = NULL;
	struct layer_entry t;
	int r = entry_open(blob_read, b, o, &reader, e);

	while (r >= 0 && (r = entry_next(reader, &t, e)) > 0)
		r = count_entry(s, &t, o, e);
	entry_close(reader);
	return r < 0 ? blob_blame(b, r, e) : 0;
}

/* Count the entries, read the blob to its end, and check what the archive is. */
static int count_layer(struct scan *s, const struct source_layer *l, struct blob *b,
	const struct layer_options *opts, struct err *e)
{
	scoped_members struct members members = { .n = 0 };
	struct layer_tally tally = { .len = 0 };
	struct layer_options o = *opts;
	struct blob_result sums;
	int r;

	o.members = l->plain ? &members : NULL;
	o.tally = &tally;
	r = count_entries(s, b, &o, e);
	layer_tally_report(&tally);
	if (r == 0)
		r = blob_finish(b, o.limits.bytes, &sums, e);
	if (r < 0)
		return r;
	s->blob_bytes = sums.size;
	s->unpacked = sums.unpacked;
	return unpack_check_plain(l, &members, sums.unpacked, e);
}

int scan_layer(const struct source *src, size_t i, const struct layer_options *o, struct scan *ret,
	struct err *e)
{
	const struct source_layer *l = &src->layers[i];
	struct blob_input in = { .fd = -1,
		.size = l->size,
		.digest = l->has_digest ? &l->digest : NULL,
		.diff_id = l->has_diff_id ? &l->diff_id : NULL };
	scoped_fd int fd = -1;
	scoped_blob struct blob *b = NULL; /* freed before its descriptor is closed */
	scoped_scan struct scan s = { .entries = 0 };
	int r = src->open_layer(src, i, &fd, &in.offset, e);

	in.fd = fd;
	if (r == 0)
		r = blob_start(&in, &b, e);
	if (r == 0)
		r = count_layer(&s, l, b, o, e);
	blob_free(TAKE_PTR(b));
	cleanup_fd(&fd);
	fd = -1;
	if (r == -EBADMSG && src->blame_layer)
		r = src->blame_layer(src, i, r, e);
	if (r < 0) {
		blob_say_try(r, e);
		err_prefix(e, "layer %zu of %zu (%s)", i + 1, src->n_layers, l->name);
		return r;
	}
	owners_merge(&s.owners);
	owners_merge(&s.named);

	*ret = s;
	s = (struct scan){ .entries = 0 };
	return 0;
}

int scan_add(struct scan *sum, const struct scan *l, struct err *e)
{
	int r = 0;

#define ADD(member) sum->member += l->member
	ADD(entries);
	ADD(files);
	ADD(directories);
	ADD(symlinks);
	ADD(hardlinks);
	ADD(devices);
	ADD(fifos);
	ADD(sockets);
	ADD(whiteouts);
	ADD(opaques);
	ADD(setuid);
	ADD(setgid);
	ADD(capabilities);
	ADD(acls);
	ADD(xattrs);
	ADD(bytes);
	ADD(blob_bytes);
	ADD(unpacked);
#undef ADD
	if (l->largest > sum->largest) {
		char *path = strdup(l->largest_path);

		if (!path)
			return err_nomem(e);
		free(sum->largest_path);
		sum->largest_path = path;
		sum->largest = l->largest;
	}
	for (size_t i = 0; r == 0 && i < l->owners.len; i++)
		r = owners_add(&sum->owners, l->owners.items[i].uid, l->owners.items[i].gid,
			l->owners.items[i].count, e);
	for (size_t i = 0; r == 0 && i < l->named.len; i++)
		r = owners_add(&sum->named, l->named.items[i].uid, l->named.items[i].gid,
			l->named.items[i].count, e);
	owners_merge(&sum->owners);
	owners_merge(&sum->named);
	return r;
}

int scan_map(const struct scan *sum, struct idmap *ret, struct err *e)
{
	const scan_owners *const lists[] = { &sum->owners, &sum->named };
	struct needed_ids *ids = needed_ids_new();
	uint64_t added; /* ids that no file has, added to stay within the kernel's 340 extents */
	/* Directories that no layer lists, such as the root, belong to 0:0. */
	int r = ids ? needed_ids_add_owner(ids, 0, 0, e) : err_nomem(e);

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; r == 0 && i < lists[l]->len; i++)
			r = needed_ids_add_owner(
				ids, lists[l]->items[i].uid, lists[l]->items[i].gid, e);
	if (r == 0)
		r = needed_ids_map(ids, ret, &added, e);
	needed_ids_free(ids);
	return r;
}
