/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* compare: compare two descriptions of an inode. Pure functions: no system calls. */

#include "compare.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/posix_acl.h>

static const char *const words[FINDING_CLASSES] = {
	[FINDING_MISMATCH] = "mismatch",
	[FINDING_UNMAPPED] = "unmapped",
	[FINDING_HALF_SHIFTED] = "half-shifted",
	[FINDING_ACL] = "acl",
	[FINDING_CAPS] = "caps",
	[FINDING_MISSING] = "missing",
	[FINDING_EXTRA] = "extra",
	[FINDING_TYPE] = "type",
	[FINDING_MODE] = "mode",
	[FINDING_UNREADABLE] = "unreadable",
	[FINDING_MARKS] = "marks",
};

const char *finding_word(enum finding_class class)
{
	return words[class];
}

const char *compare_type_name(mode_t mode)
{
	static const struct {
		mode_t type;
		const char *name;
	} names[] = {
		{ S_IFREG, "regular file" },
		{ S_IFDIR, "directory" },
		{ S_IFLNK, "symbolic link" },
		{ S_IFCHR, "character device" },
		{ S_IFBLK, "block device" },
		{ S_IFIFO, "fifo" },
		{ S_IFSOCK, "socket" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if ((mode & S_IFMT) == names[i].type)
			return names[i].name;
	return "file of unknown type";
}

/* Users and groups, so that each rule is written once. */
struct compare_kind {
	const char *name;
	unsigned bit; /* of enum meta_known */
	bool (*seen)(const struct idmap *m, uint32_t disk, uint32_t *ret);
	bool (*disk)(const struct idmap *m, uint32_t seen, uint32_t *ret);
};

static const struct compare_kind kind_uid = { "uid", META_UID, idmap_uid_seen, idmap_uid_disk };
static const struct compare_kind kind_gid = { "gid", META_GID, idmap_gid_seen, idmap_gid_disk };

struct findings {
	struct finding *items;
	int len;
	const struct meta *disk, *seen;
	const struct idmap *map;
};

static void expect_owner(const struct meta *disk, const struct idmap *map, struct finding *f)
{
	f->has_uid = disk->known & META_UID && idmap_uid_seen(map, disk->uid, &f->expected_uid);
	f->has_gid = disk->known & META_GID && idmap_gid_seen(map, disk->gid, &f->expected_gid);
}

/* Find the finding of this class, or create it: uid and gid share one finding. */
static struct finding *add(struct findings *v, enum finding_class class)
{
	struct finding *f;

	for (int i = 0; i < v->len; i++)
		if (v->items[i].class == class)
			return &v->items[i];

	f = &v->items[v->len++];
	*f = (struct finding){ .class = class, .disk = v->disk, .seen = v->seen };
	expect_owner(v->disk, v->map, f);
	return f;
}

static PRINTF(2, 3) void add_text(struct finding *f, const char *fmt, ...)
{
	size_t len = strlen(f->detail);
	va_list ap;

	if (len && len + 2 < sizeof(f->detail)) {
		memcpy(f->detail + len, "; ", 3);
		len += 2;
	}
	va_start(ap, fmt);
	/* Truncated if long: the ids are also in disk and seen. */
	(void)vsnprintf(f->detail + len, sizeof(f->detail) - len, fmt, ap);
	va_end(ap);
}

/*
 * --- owner -----------------------------------------------------------------------------------
 */

static void add_unknown(
	struct findings *v, const struct compare_kind *k, uint32_t disk, uint32_t seen)
{
	struct finding *f = add(v, FINDING_UNREADABLE);
	bool at_disk = v->disk->doubt & k->bit;

	f->errnum = EOVERFLOW; /* the errno of the kernel for an id without a number */
	add_text(f,
		"%s: disk %u, seen %u: %s %u is nobody, or an id without a number here (not "
		"known which)",
		k->name, disk, seen, at_disk ? "disk" : "seen", at_disk ? disk : seen);
}

static void compare_id(
	struct findings *v, const struct compare_kind *k, uint32_t disk, uint32_t seen)
{
	uint32_t want, unshifted;

	if (v->disk->doubt & k->bit) {
		add_unknown(v, k, disk, seen);
	} else if (k->seen(v->map, disk, &want)) {
		if (seen == want && v->seen->doubt & k->bit)
			add_unknown(v, k, disk, seen);
		else if (seen != want)
			add_text(add(v, FINDING_MISMATCH), "%s: disk %u, seen %u, expected %u",
				k->name, disk, seen, want);
	} else if (k->disk(v->map, disk, &unshifted)) {
		add_text(add(v, FINDING_HALF_SHIFTED),
			"%s: disk %u is already shifted (the seen id of disk %u), seen %u", k->name,
			disk, unshifted, seen);
	} else {
		add_text(add(v, FINDING_UNMAPPED), "%s: disk %u has no mapping, seen %u", k->name,
			disk, seen);
	}
}

/*
 * --- ACLs ------------------------------------------------------------------------------------
 */

static const char *tag_name(uint16_t tag)
{
	switch (tag) {
	case ACL_USER_OBJ:
		return "owner";
	case ACL_USER:
		return "user";
	case ACL_GROUP_OBJ:
		return "owning group";
	case ACL_GROUP:
		return "group";
	case ACL_MASK:
		return "mask";
	default:
		return "other";
	}
}

static const struct compare_kind *tag_kind(uint16_t tag)
{
	return tag == ACL_USER ? &kind_uid : tag == ACL_GROUP ? &kind_gid : NULL;
}

/* Map the entries to the seen side. An entry without a mapping is a finding in itself. */
static int map_acl(struct findings *v, const char *which, const struct acl *disk, struct acl *ret)
{
	ret->items = calloc(disk->len ? disk->len : 1, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	ret->len = disk->len;

	for (size_t i = 0; i < disk->len; i++) {
		struct acl_entry *x = &ret->items[i];
		const struct compare_kind *k = tag_kind(disk->items[i].tag);
		uint32_t unshifted;

		*x = disk->items[i];
		if (!k || k->seen(v->map, disk->items[i].id, &x->id))
			continue;
		x->id = ACL_NO_ID;
		if (disk->items[i].id == ACL_NO_ID)
			add_text(add(v, FINDING_ACL), "%s: %s on disk has no id here", which,
				tag_name(x->tag));
		else if (k->disk(v->map, disk->items[i].id, &unshifted))
			add_text(add(v, FINDING_ACL),
				"%s: %s disk %u is already shifted (the seen id of disk %u)", which,
				tag_name(x->tag), disk->items[i].id, unshifted);
		else
			add_text(add(v, FINDING_ACL), "%s: %s disk %u has no mapping", which,
				tag_name(x->tag), disk->items[i].id);
	}
	acl_sort(ret);
	return 0;
}

static void add_entry_text(
	struct findings *v, const char *which, const char *verb, const struct acl_entry *x)
{
	struct finding *f = add(v, FINDING_ACL);
	char perm[4] = { x->perm & 4 ? 'r' : '-', x->perm & 2 ? 'w' : '-', x->perm & 1 ? 'x' : '-',
		0 };

	if (!tag_kind(x->tag))
		add_text(f, "%s: %s %s:%s", which, verb, tag_name(x->tag), perm);
	else if (x->id == ACL_NO_ID)
		add_text(f, "%s: %s %s:(no id):%s", which, verb, tag_name(x->tag), perm);
	else
		add_text(f, "%s: %s %s:%u:%s", which, verb, tag_name(x->tag), x->id, perm);
}

static int entry_order(const struct acl_entry *a, const struct acl_entry *b)
{
	if (a->tag != b->tag)
		return a->tag < b->tag ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->perm - b->perm;
}

/* Report the entries that only one of the two sorted lists has. */
static void diff_acl(
	struct findings *v, const char *which, const struct acl *want, const struct acl *seen)
{
	size_t i = 0, k = 0;

	while (i < want->len || k < seen->len) {
		int o = i == want->len ? 1 :
			k == seen->len ? -1 :
					 entry_order(&want->items[i], &seen->items[k]);

		if (o < 0)
			add_entry_text(v, which, "expected", &want->items[i]);
		else if (o > 0)
			add_entry_text(v, which, "seen", &seen->items[k]);
		i += o <= 0;
		k += o >= 0;
	}
}

static int compare_acl(
	struct findings *v, const char *which, const struct acl *disk, const struct acl *seen)
{
	struct acl want = { .items = NULL };
	int r;

	if (!disk->len && !seen->len)
		return 0;
	r = map_acl(v, which, disk, &want);
	if (r == 0)
		diff_acl(v, which, &want, seen);
	acl_done(&want);
	return r;
}

/*
 * --- capabilities ----------------------------------------------------------------------------
 */

static void add_unmapped_root(struct findings *v, uint32_t root)
{
	uint32_t unshifted;

	if (idmap_uid_disk(v->map, root, &unshifted))
		add_text(add(v, FINDING_CAPS),
			"root id: disk %u is already shifted (the seen id of disk %u)", root,
			unshifted);
	else
		add_text(add(v, FINDING_CAPS), "root id: disk %u has no mapping", root);
}

static void compare_cap_root(struct findings *v, const struct filecap *d, const struct filecap *s)
{
	uint32_t want;

	if (d->root_unmapped)
		add_text(add(v, FINDING_CAPS),
			"the root id on disk is not an id of the filesystem's user namespace");
	else if (!idmap_uid_seen(v->map, d->root, &want))
		add_unmapped_root(v, d->root);
	else if (s->root_unmapped)
		add_text(add(v, FINDING_CAPS), "root id: disk %u, seen as none, expected %u",
			d->root, want);
	else if (s->root != want)
		add_text(add(v, FINDING_CAPS), "root id: disk %u, seen %u, expected %u", d->root,
			s->root, want);
}

static void compare_caps(struct findings *v)
{
	const struct filecap *d = &v->disk->cap, *s = &v->seen->cap;

	if (!d->present && !s->present)
		return;
	if (!d->present || !s->present) {
		add_text(add(v, FINDING_CAPS), "%s",
			d->present ? "capabilities on disk are not seen" :
				     "capabilities are seen that are not on disk");
		return;
	}
	compare_cap_root(v, d, s);
	if (d->root_unmapped || s->root_unmapped)
		return; /* the kernel only shows that there are capabilities */
	if (d->permitted != s->permitted || d->inheritable != s->inheritable ||
		d->effective != s->effective)
		add_text(add(v, FINDING_CAPS),
			"disk permitted %#llx inheritable %#llx%s, seen %#llx %#llx%s",
			(unsigned long long)d->permitted, (unsigned long long)d->inheritable,
			d->effective ? " effective" : "", (unsigned long long)s->permitted,
			(unsigned long long)s->inheritable, s->effective ? " effective" : "");
}

/*
 * --- inodes ----------------------------------------------------------------------------------
 */

static bool is_device(mode_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode);
}

/* Returns false if the types differ: then it is another file, and other differences do not matter.
 */
static bool compare_type(struct findings *v, unsigned both)
{
	const struct meta *d = v->disk, *s = v->seen;

	if (both & META_TYPE && (d->mode & S_IFMT) != (s->mode & S_IFMT)) {
		add_text(add(v, FINDING_TYPE), "disk %s, seen %s", compare_type_name(d->mode),
			compare_type_name(s->mode));
		return false;
	}
	if (both & META_TYPE && both & META_RDEV && is_device(d->mode) &&
		(d->rdev_major != s->rdev_major || d->rdev_minor != s->rdev_minor))
		add_text(add(v, FINDING_TYPE), "disk device %u:%u, seen %u:%u", d->rdev_major,
			d->rdev_minor, s->rdev_major, s->rdev_minor);
	return true;
}

int compare_inode(const struct meta *disk, const struct meta *seen, const struct idmap *map,
	struct finding *ret)
{
	struct findings v = { .items = ret, .disk = disk, .seen = seen, .map = map };
	unsigned both = disk->known & seen->known;
	int r = 0;

	if (!compare_type(&v, both))
		return v.len;
	if (both & META_UID)
		compare_id(&v, &kind_uid, disk->uid, seen->uid);
	if (both & META_GID)
		compare_id(&v, &kind_gid, disk->gid, seen->gid);
	if (both & META_MODE && !S_ISLNK(seen->mode) &&
		(disk->mode & 07777) != (seen->mode & 07777))
		add_text(add(&v, FINDING_MODE), "disk %04o, seen %04o", disk->mode & 07777,
			seen->mode & 07777);
	if (both & META_XATTRS) {
		r = compare_acl(&v, "ACL", &disk->access, &seen->access);
		if (r == 0)
			r = compare_acl(&v, "default ACL", &disk->dflt, &seen->dflt);
		compare_caps(&v);
	}
	return r < 0 ? r : v.len;
}

void compare_lonely(enum finding_class class, const struct meta *m, const struct idmap *map,
	struct finding *ret)
{
	const char *side = class == FINDING_MISSING ? "disk" : "seen";
	const char *below = S_ISDIR(m->mode) ? ", with what is below" : "";

	*ret = (struct finding){ .class = class };
	if (class == FINDING_MISSING) {
		ret->disk = m;
		expect_owner(m, map, ret);
	} else {
		ret->seen = m;
	}
	if ((m->known & (META_UID | META_GID)) == (META_UID | META_GID))
		add_text(ret, "%s %s, owner %u:%u%s", side, compare_type_name(m->mode), m->uid,
			m->gid, below);
	else
		add_text(ret, "%s %s%s", side, compare_type_name(m->mode), below);
}
