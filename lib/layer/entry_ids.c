/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* entry_ids: the ids that an entry needs, and whether a map covers them. */

#include "entry_ids.h"

#include <errno.h>
#include <string.h>

#include "../base/acl.h"
#include "../base/filecap.h"
#include "../idmap/map_fit.h"

static int acl_ids(const struct xattr *x, entry_ids_receive *fn, void *arg)
{
	int r = 0;

	for (struct acl_id id = { 0 }; r == 0 && acl_id_next(x->value, x->size, &id);)
		r = fn(id.group, id.id, "its access control list", arg);
	return r;
}

/* The root of a version 2 capability is the namespace's own, 0. */
static uint32_t capability_root(const struct xattr *x)
{
	struct filecap c;

	return filecap_parse(x->value, x->size, &c) == 0 ? c.root : 0;
}

int entry_ids_each(const struct xattrs *x, entry_ids_receive *fn, void *arg)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < x->len; i++) {
		const struct xattr *a = &x->items[i];

		if (!strcmp(a->name, FILECAP_XATTR))
			r = fn(false, capability_root(a), "its file capability", arg);
		else if (acl_is_xattr(a->name))
			r = acl_ids(a, fn, arg);
	}
	return r;
}

static const struct idranges *ranges_of(const struct idmap *m, bool group)
{
	return group ? &m->gid : &m->uid;
}

bool entry_ids_covered(const struct idmap *m, bool group, uint32_t id)
{
	uint32_t seen;

	return group ? idmap_gid_seen(m, id, &seen) : idmap_uid_seen(m, id, &seen);
}

uint32_t entry_ids_anchor(const struct idmap *m, bool group)
{
	return entry_ids_covered(m, group, 0) ? 0 : ranges_of(m, group)->items[0].disk;
}

static bool is_seen(const struct idmap *m, bool group, uint32_t id)
{
	uint32_t disk;

	return group ? idmap_gid_disk(m, id, &disk) : idmap_uid_disk(m, id, &disk);
}

int entry_ids_refuse(const struct idmap *m, bool group, uint32_t id, const char *what,
	const char *on, struct err *e)
{
	const char *kind = group ? "group" : "user";
	uint32_t seen = map_fit_room(m, group, id);

	if (what)
		(void)err_say(e, EOVERFLOW, on,
			"%s names the %s id %u, which the map does not cover", what, kind, id);
	else
		(void)err_say(e, EOVERFLOW, on,
			"belongs to the %s id %u, which the map does not cover", kind, id);
	err_op(e, "map");
	/* Ids of an image start at 0, so a map that has 0 only on its seen side is reversed. */
	if (!entry_ids_covered(m, group, 0) && is_seen(m, group, 0) && is_seen(m, group, id))
		err_why(e,
			"an entry of a map is DISK:SEEN:COUNT, and the ids of an image are the "
			"disk ids: %u is among the seen ones",
			id);
	if (seen != UINT32_MAX)
		err_try(e,
			"add %c:%u:%u:1 to the map; image-unpack --scan lists all ids that an "
			"image needs",
			group ? 'g' : 'u', id, seen);
	return -EOVERFLOW;
}

struct ids_check {
	const struct idmap *map;
	const char *on;
	struct err *e;
};

static int check_one(bool group, uint32_t id, const char *what, void *arg)
{
	const struct ids_check *c = arg;

	return entry_ids_covered(c->map, group, id) ?
		0 :
		entry_ids_refuse(c->map, group, id, what, c->on, c->e);
}

int entry_ids_check(const struct layer_entry *en, const struct idmap *m, struct err *e)
{
	struct ids_check c = { .map = m, .on = en->raw, .e = e };
	int r = check_one(false, en->uid, NULL, &c);

	if (r == 0)
		r = check_one(true, en->gid, NULL, &c);
	return r == 0 ? entry_ids_each(en->xattrs, check_one, &c) : r;
}
