/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* entry: read the entries of a tar stream in normal form. */

#include "entry.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <limits.h>
#include <linux/limits.h>
#include <linux/posix_acl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../base/acl.h"
#include "../base/vec.h"
#include "../tar/members.h"
#include "../tar/tar_name.h"
#include "../tar/tar_read.h"
#include "../tar/whiteout.h"
#include "layer_limits.h"
#include "layer_priv.h"

struct entry_reader {
	layer_read *read;
	void *arg;               /* of read */
	struct layer_totals own; /* used if o has none */
	struct tar_read *tar;
	struct archive_entry *ae; /* owned by tar */
	const struct layer_options *o;
	struct buf path, hardlink;
	struct xattrs xattrs; /* of the current entry */
	const char *raw;      /* its name, for messages */
	bool watched;         /* its data is for o->members too */
	uint64_t size, at;    /* size of its data, and the lowest offset of the next piece */
};

static ssize_t read_source(void *arg, const void **ret, struct err *e)
{
	struct entry_reader *r = arg;

	return r->read(r->arg, ret, e);
}

/* A tar_check_count: bytes count against the limit because they are read, kept or not. */
static int count(void *arg, uint64_t n, const char *on, struct err *e)
{
	struct entry_reader *r = arg;
	struct layer_totals *t = r->o->totals ? r->o->totals : &r->own;
	uint64_t limit = r->o->limits.bytes;

	if (n <= limit && __atomic_add_fetch(&t->bytes, n, __ATOMIC_RELAXED) <= limit)
		return 0;
	return layer_limits_exceeded(on, t->shared, "--max-bytes", limit, e);
}

int entry_open(layer_read *read, void *arg, const struct layer_options *o,
	struct entry_reader **ret, struct err *e)
{
	struct entry_reader *r = calloc(1, sizeof(*r));
	const struct tar_read_source source = {
		.read = read_source, .count = count, .arg = r, .may_be_empty = true
	};
	int x;

	if (!r)
		return err_nomem(e);
	r->read = read;
	r->arg = arg;
	r->o = o;
	x = tar_read_open(&source, &r->tar, e);
	if (x < 0) {
		entry_close(r);
		return x;
	}
	r->ae = tar_read_entry(r->tar);

	*ret = r;
	return 0;
}

void entry_close(struct entry_reader *r)
{
	if (!r)
		return;
	xattrs_done(&r->xattrs);
	tar_read_free(r->tar);
	buf_done(&r->path);
	buf_done(&r->hardlink);
	free(r);
}

/* ---- attributes ---- */

static const struct {
	int tag;
	uint16_t disk;
	bool has_id;
} acl_tags[] = {
	{ ARCHIVE_ENTRY_ACL_USER_OBJ, ACL_USER_OBJ, false },
	{ ARCHIVE_ENTRY_ACL_USER, ACL_USER, true },
	{ ARCHIVE_ENTRY_ACL_GROUP_OBJ, ACL_GROUP_OBJ, false },
	{ ARCHIVE_ENTRY_ACL_GROUP, ACL_GROUP, true },
	{ ARCHIVE_ENTRY_ACL_MASK, ACL_MASK, false },
	{ ARCHIVE_ENTRY_ACL_OTHER, ACL_OTHER, false },
};

static int acl_by_name(const char *name, const char *on, struct err *e)
{
	(void)err_say(e, EINVAL, on,
		"has an access control list that names '%s' without a usable number", name);
	err_try(e,
		"create the layer with tar --xattrs --xattrs-include='*' and without --acls, which "
		"writes names");
	return -EINVAL;
}

static int acl_not_posix(const char *on, struct err *e)
{
	(void)err_say(e, EINVAL, on, "has an access control list that is not POSIX's");
	err_why(e, "Linux does not store access control lists of NFSv4, FreeBSD or Solaris");
	err_try(e, "create the layer without access control lists");
	return -EINVAL;
}

static int acl_convert(
	struct archive_entry *ae, int want, struct acl *ret, const char *on, struct err *e)
{
	int type, permset, tag, id;
	const char *name;

	(void)archive_entry_acl_reset(ae, want); /* returns a count */
	while (archive_entry_acl_next(ae, want, &type, &permset, &tag, &id, &name) == ARCHIVE_OK) {
		struct acl_entry a = { .perm = permset & 7 };
		size_t i = 0;

		while (i < ARRAY_LEN(acl_tags) && acl_tags[i].tag != tag)
			i++;
		if (i == ARRAY_LEN(acl_tags))
			return acl_not_posix(on, e);
		/*
		 * libarchive truncates numbers that do not fit an int. A name without a number
		 * would have to be looked up on this machine.
		 */
		if (acl_tags[i].has_id && (id < 0 || id == INT_MAX))
			return acl_by_name(name ? name : "", on, e);
		a.tag = acl_tags[i].disk;
		if (acl_tags[i].has_id)
			a.id = (uint32_t)id;
		if (VEC_ADD(ret, a) < 0)
			return err_nomem(e);
	}
	acl_sort(ret);
	return 0;
}

/*
 * acl(5), "Correspondence between ACL entries and file permission bits": in an ACL with a mask, the
 * mask is what stat(2) shows as the group's bits. libarchive writes the bits of the owning group
 * into the header instead, GNU tar the mask.
 */
static int mode_of_mask(struct layer_entry *ret, struct err *e)
{
	for (size_t i = 0; i < ret->xattrs->len; i++) {
		const struct xattr *x = &ret->xattrs->items[i];
		struct acl acl;
		int r;

		if (strcmp(x->name, ACL_XATTR_ACCESS) != 0)
			continue;
		r = acl_parse(x->value, x->size, &acl);
		if (r < 0)
			return r == -ENOMEM ? err_nomem(e) :
					      0; /* malformed: setting it will fail */
		for (size_t k = 0; k < acl.len; k++)
			if (acl.items[k].tag == ACL_MASK)
				ret->mode = (ret->mode & ~(mode_t)S_IRWXG) |
					(mode_t)acl.items[k].perm << 3;
		acl_done(&acl);
	}
	return 0;
}

static int add_acls(struct entry_reader *r, struct layer_entry *ret, const struct xattr_file *file,
	struct err *e)
{
	static const struct {
		int type;
		const char *name;
	} acls[] = {
		{ ARCHIVE_ENTRY_ACL_TYPE_ACCESS, ACL_XATTR_ACCESS },
		{ ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, ACL_XATTR_DEFAULT },
	};
	int x = 0;

	if (archive_entry_acl_types(r->ae) & ~ARCHIVE_ENTRY_ACL_TYPE_POSIX1E)
		return acl_not_posix(ret->raw, e);
	for (size_t i = 0; x == 0 && i < ARRAY_LEN(acls); i++) {
		scoped_buf struct buf b = BUF_INIT;
		struct acl acl = { .items = NULL };

		/* Where numbers are given too, the text with its names says nothing more. */
		if (!(archive_entry_acl_types(r->ae) & acls[i].type) ||
			xattrs_has(ret->xattrs, acls[i].name))
			continue;
		x = acl_convert(r->ae, acls[i].type, &acl, ret->raw, e);
		if (x == 0)
			acl_print(&acl, &b);
		acl_done(&acl);
		if (x == 0 && !buf_get(&b))
			x = err_nomem(e);
		if (x == 0)
			x = xattrs_add(ret->xattrs, acls[i].name, b.data, b.len, file, e);
	}
	return x < 0 ? x : mode_of_mask(ret, e);
}

static int add_xattrs(struct entry_reader *r, struct layer_entry *ret, struct err *e)
{
	const struct xattr_file file = { .type = ret->type, .on = ret->raw, .o = r->o };
	uint64_t sum = 0, names = 0;
	const char *name;
	const void *value;
	size_t size;

	/* libarchive returns the last record of a name, which is the valid one, first. */
	(void)archive_entry_xattr_reset(r->ae); /* returns a count */
	while (archive_entry_xattr_next(r->ae, &name, &value, &size) == ARCHIVE_OK) {
		int x;

		sum += strlen(name) + size;
		if (sum > r->o->limits.xattr_bytes)
			return err_say(e, E2BIG, ret->raw,
				"has more than %u bytes of extended attributes",
				r->o->limits.xattr_bytes);
		names += strlen(name) + 1;
		if (names > XATTR_LIST_MAX)
			return err_say(e, E2BIG, ret->raw,
				"has extended attributes whose names have more than %d bytes in "
				"all, which Linux cannot list",
				XATTR_LIST_MAX);
		x = xattrs_add(ret->xattrs, name, value, size, &file, e);
		if (x < 0)
			return x;
		ret->rooted_cap |= xattr_is_rooted_cap(name, size);
	}
	if (archive_entry_acl_types(r->ae))
		return add_acls(r, ret, &file, e);
	return 0;
}

/* ---- entries ---- */

static int refuse_body(const char *raw, struct err *e)
{
	(void)err_say(e, EBADMSG, raw,
		"is a directory and has a body, which readers of tar do not agree on");
	err_why(e, "its name ends with a slash: some make a file of it, and some a directory");
	err_try(e, "rebuild the layer with another program");
	return -EBADMSG;
}

static int fill(
	struct entry_reader *r, const struct tar_fact *f, struct layer_entry *ret, struct err *e)
{
	const char *hardlink = archive_entry_hardlink(r->ae);
	int x;

	*ret = (struct layer_entry){
		.raw = archive_entry_pathname(r->ae),
		.type = hardlink ? 0 : archive_entry_filetype(r->ae),
		.xattrs = &r->xattrs,
		.mode = f->mode,
		.uid = f->uid,
		.gid = f->gid,
		.sec = f->sec,
		.nsec = f->nsec,
		.rdev = makedev(archive_entry_rdevmajor(r->ae), archive_entry_rdevminor(r->ae)),
	};
	buf_reset(&r->path);
	buf_reset(&r->hardlink);
	x = tar_name_marked(ret->raw, WHITEOUT_PREFIX, &r->path, e);
	if (x == 0 && hardlink)
		x = tar_name_normal(hardlink, &r->hardlink, e);
	if (x == -ENAMETOOLONG && hardlink)
		err_prefix(e, "the hard link '%.200s'", ret->raw);
	if (x < 0)
		return x;

	ret->path = buf_get(&r->path);
	ret->hardlink = hardlink ? buf_get(&r->hardlink) : NULL;
	ret->symlink = S_ISLNK(ret->type) ? archive_entry_symlink(r->ae) : NULL;
	ret->size = S_ISREG(ret->type) ? (uint64_t)archive_entry_size(r->ae) : 0;
	if (S_ISDIR(ret->type) && f->size)
		return refuse_body(ret->raw, e);
	if (S_ISDIR(ret->type) && f->type == '0' && r->o->tally)
		layer_tally_add(r->o->tally, ret->raw, NULL,
			"a regular file whose name ends with a slash: taken for a directory");
	if (S_ISLNK(ret->type) && (!ret->symlink || !*ret->symlink))
		return err_say(e, EBADMSG, ret->raw, "is a symbolic link to nothing");
	x = ret->symlink ?
		tar_name_fits(ret->raw, "the target of the symbolic link", ret->symlink, e) :
		0;
	if (x < 0)
		return x;
	r->raw = ret->raw;
	r->size = ret->size;
	r->at = 0;
	return hardlink ? 0 : add_xattrs(r, ret, e);
}

/* Tell o->members about the entry. */
static void watch(struct entry_reader *r, const struct layer_entry *t)
{
	if (!r->o->members)
		return;
	members_add(r->o->members, t->path, S_ISDIR(t->type), S_ISREG(t->type));
	r->watched = S_ISREG(t->type) && members_wants(r->o->members);
}

/* Read the data that the caller did not, if o->members is to know it. */
static int read_watched(struct entry_reader *r, struct err *e)
{
	struct entry_piece piece;
	int x = 1;

	while (r->watched && x > 0)
		x = entry_data(r, &piece, e);
	return x < 0 ? x : 0;
}

int entry_next(struct entry_reader *r, struct layer_entry *ret, struct err *e)
{
	struct tar_fact f;
	int x = read_watched(r, e);

	if (x < 0)
		return x;
	xattrs_done(&r->xattrs);
	x = tar_read_next(r->tar, &f, e);
	if (x <= 0)
		return x;
	if (r->o->tally)
		r->o->tally->entry++;
	x = fill(r, &f, ret, e);
	if (x < 0)
		return x;
	watch(r, ret);
	return 1;
}

int entry_data(struct entry_reader *r, struct entry_piece *ret, struct err *e)
{
	la_int64_t off;
	int x = archive_read_data_block(tar_read_archive(r->tar), &ret->data, &ret->n, &off);

	if (x == ARCHIVE_EOF) {
		r->watched = false;
		return 0;
	}
	if (x != ARCHIVE_OK)
		return tar_read_failed(r->tar, r->raw, e);
	if (off < 0 || (uint64_t)off < r->at)
		return err_say(e, EBADMSG, r->raw, "the pieces of a sparse file overlap");
	if ((uint64_t)off > r->size || ret->n > r->size - (uint64_t)off)
		return err_say(
			e, EBADMSG, r->raw, "the pieces of a sparse file reach past its end");
	ret->off = (uint64_t)off;
	r->at = ret->off + ret->n;
	if (r->watched)
		members_data(r->o->members, ret->data, ret->n);
	return 1;
}
