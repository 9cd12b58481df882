/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack in a user namespace: enter it, and find out which ids it has. */

#include "image_unpack.h"

#include <sched.h>
#include <unistd.h>

#include "../lib/base/plural.h"
#include "../lib/idmap/userns.h"
#include "../lib/idmap/userns_self.h"
#include "../lib/image/unpack.h"
#include "subids.h"

static void suggest(bool group, uint32_t id, const void *arg, struct err *e)
{
	subids_suggest(arg, group, id, e);
}

int unpack_enter(struct unpack_args *a, bool unpacks, struct err *e)
{
	const struct subids *ids = &a->ids;
	int r = subids_get(&a->ids, e);

	if (r < 0)
		return r;
	if (ids->single && unpacks)
		subids_tell_single(ids, "only what belongs to 0:0 can be unpacked", true);
	return subids_enter(ids, unpacks && a->maps.len ? CLONE_NEWNS : 0, e);
}

int unpack_ids(struct unpack_args *a, struct layer_ids *ret, struct err *e)
{
	static const uint32_t nobody = IDMAP_OVERFLOW;
	uint32_t seen;
	int r;

	*ret = (struct layer_ids){ .policy = (enum unmapped_policy)a->unmapped };
	if (!userns_is_nested())
		return 0;
	r = a->userns.uid.len ? 0 : userns_map_own(&a->userns, e);
	if (r < 0)
		return r;
	ret->map = &a->userns;
	/* Without an id 65534 the files become root's, who could read them anyway. */
	ret->overflow_uid = idmap_uid_seen(&a->userns, nobody, &seen) ? nobody : 0;
	ret->overflow_gid = idmap_gid_seen(&a->userns, nobody, &seen) ? nobody : 0;
	if (a->ids.map.uid.len) {
		ret->suggest = suggest;
		ret->arg = &a->ids;
	}
	return 0;
}

void unpack_print_omitted(
	const struct unpack_args *a, const struct ctx *ctx, const struct unpack_result *u)
{
	if (u->devices)
		out_line(ctx->out, "skipped: %llu %s", (unsigned long long)u->devices,
			plural(u->devices, "device", "devices"));
	if (!u->unmapped)
		return;
	if (a->unmapped == UNMAPPED_SKIP)
		out_line(ctx->out, "skipped: %llu with ids that are not available",
			(unsigned long long)u->unmapped);
	else
		out_line(ctx->out, "%llu %s got another owner (%u or 0)",
			(unsigned long long)u->unmapped, plural(u->unmapped, "entry", "entries"),
			IDMAP_OVERFLOW);
}
