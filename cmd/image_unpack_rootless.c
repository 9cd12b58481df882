/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-unpack by an ordinary user, and in any user namespace: which ids there are, and what of
 * those that are not.
 */

#include "image_unpack.h"

#include <sched.h>
#include <unistd.h>

#include "../lib/base/log.h"
#include "../lib/idmap/userns.h"
#include "../lib/idmap/userns_self.h"
#include "../lib/image/unpack.h"
#include "subids.h"

static struct rootless ids; /* the caller's, if it is an ordinary user */
static struct idmap own;    /* of the user namespace that we are in, after that */

static void way_out(bool group, uint32_t id, struct err *e)
{
	rootless_way_out(&ids, group, id, e);
}

int unpack_enter(bool unpacking, bool mounts, struct err *e)
{
	int r = rootless_ids(&ids, e);

	if (r < 0)
		return r;
	if (ids.single && unpacking)
		log_info("%s has no subordinate ids: only what belongs to 0:0 can be unpacked (%s)",
			ids.user.name[0] ? ids.user.name : "the user", ids.why);
	return rootless_go(&ids, mounts ? CLONE_NEWNS : 0, e);
}

int unpack_ids(enum unmapped_policy policy, struct layer_ids *ret, struct err *e)
{
	static const uint32_t nobody = IDMAP_OVERFLOW;
	uint32_t seen;
	int r;

	*ret = (struct layer_ids){ .policy = policy };
	if (!userns_is_nested())
		return 0;
	r = own.uid.len ? 0 : userns_map_own(&own, e);
	if (r < 0)
		return r;
	ret->map = &own;
	/* Where there is no such id the files become root's, who could read them anyway. */
	ret->overflow_uid = idmap_uid_seen(&own, nobody, &seen) ? nobody : 0;
	ret->overflow_gid = idmap_gid_seen(&own, nobody, &seen) ? nobody : 0;
	if (ids.map.uid.len)
		ret->way_out = way_out;
	return 0;
}

void unpack_print_left_out(
	enum unmapped_policy policy, const struct ctx *ctx, const struct unpack_result *u)
{
	if (u->devices)
		out_line(ctx->out, "left out: %llu device%s", (unsigned long long)u->devices,
			u->devices == 1 ? "" : "s");
	if (!u->unmapped)
		return;
	if (policy == UNMAPPED_SKIP)
		out_line(ctx->out, "left out: %llu with ids that there are not",
			(unsigned long long)u->unmapped);
	else
		out_line(ctx->out, "with other ids than the image says (%u or 0): %llu",
			IDMAP_OVERFLOW, (unsigned long long)u->unmapped);
}

void unpack_rootless_done(void)
{
	idmap_done(&ids.map);
	idmap_done(&own);
}
