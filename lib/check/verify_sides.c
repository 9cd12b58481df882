/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verify_sides: decide what verify compares a mount with, and with which map. */

#include "verify_sides.h"

#include "../idmap/idmap_diff.h"

enum verify_side verify_sides_disk(const struct verify_subject *s)
{
	if (s->expected)
		return SIDE_EXPECTED;
	if (s->source)
		return SIDE_SOURCE;
	if (s->kind == MOUNT_MAP_KNOWN || s->kind == MOUNT_MAP_HIDDEN)
		return SIDE_UNMAPPED;
	return s->below ? SIDE_NONE : SIDE_MISSING;
}

bool verify_sides_partial(const struct verify_subject *s)
{
	return s->kind == MOUNT_MAP_KNOWN && !s->initial_userns && (s->source || s->expected);
}

unsigned verify_sides_doubt(const struct verify_subject *s)
{
	const enum verify_side side = verify_sides_disk(s);
	/* A map that was read says which id is seen as the overflow id; without one, no id is lost
	 * in the initial namespace. */
	const bool seen = !s->map && (s->kind != MOUNT_MAP_NONE || !s->initial_userns);
	const bool disk = side == SIDE_SOURCE && (s->source_overlay || !s->initial_userns);
	const bool plain = s->kind == MOUNT_MAP_NONE || s->kind == MOUNT_MAP_OVERLAY;

	return (disk ? VERIFY_DOUBT_DISK : 0U) | (seen ? VERIFY_DOUBT_SEEN : 0U) |
		(plain && side == SIDE_SOURCE ? VERIFY_SAME_IDS : 0U);
}

bool verify_sides_mixed(const struct verify_subject *s)
{
	return s->kind == MOUNT_MAP_KNOWN && !s->initial_userns &&
		verify_sides_disk(s) == SIDE_SOURCE;
}

static int stop_at_other(const struct iddiff *d, void *arg)
{
	(void)arg;
	return d->first;
}

/* Does the map all contain every range of part? */
static bool is_part(const struct idmap *part, const struct idmap *all)
{
	return !idranges_diff(&part->uid, &all->uid, stop_at_other, NULL) &&
		!idranges_diff(&part->gid, &all->gid, stop_at_other, NULL);
}

static enum verify_map map_given(const struct verify_subject *s)
{
	/* A mount below that has no map and is not compared differs from the map that was given. */
	bool plain = s->kind == MOUNT_MAP_NONE && verify_sides_disk(s) == SIDE_NONE;

	/* Nothing below shows which maps the layers of an overlay have. */
	if (s->kind == MOUNT_MAP_OVERLAY && !s->map && verify_sides_disk(s) == SIDE_NONE)
		return MAP_UNKNOWN;
	if (s->kind != MOUNT_MAP_KNOWN && (s->kind != MOUNT_MAP_OVERLAY || !s->map))
		return plain ? MAP_DIFFERS : USE_GIVEN;
	if (idmap_equal(s->given, s->map))
		return USE_GIVEN;
	return verify_sides_partial(s) && is_part(s->map, s->given) ? MAP_TRUNCATED : MAP_DIFFERS;
}

enum verify_map verify_sides_map(const struct verify_subject *s)
{
	if (s->given)
		return map_given(s);
	switch (s->kind) {
	case MOUNT_MAP_KNOWN:
		return USE_MOUNT;
	case MOUNT_MAP_NONE:
		return USE_IDENTITY;
	case MOUNT_MAP_OVERLAY:
		if (s->map)
			return USE_MOUNT;
		/*
		 * In a user namespace the layers of an overlay cannot be on ID-mapped mounts of the
		 * host's filesystems, so that seen ids should be those of the image.
		 */
		return s->expected && s->nested_userns ? USE_IDENTITY : MAP_UNKNOWN;
	default:
		return MAP_UNKNOWN;
	}
}
