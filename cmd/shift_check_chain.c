/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check explain: the way of a file from a container or a view to the disk. */

#include "shift_check.h"

#include <string.h>

#include "../lib/explain/explain.h"

static const char *const words[] = {
	[PLACE_CONTAINER] = "container",
	[PLACE_MERGED] = "merged",
	[PLACE_UPPER] = "upper",
	[PLACE_LAYER] = "layer",
	[PLACE_VIEW] = "view",
	[PLACE_STORE] = "store",
	[PLACE_DISK] = "disk",
	[PLACE_VOLUME] = "volume",
};

static void put_json(struct out *o, const struct explain_step *s, const char *map)
{
	out_begin(o, NULL);
	out_str(o, "place", words[s->place]);
	out_bytes(o, "path", s->path, strlen(s->path));
	if (s->has_ids) {
		out_u64(o, "uid", s->uid);
		out_u64(o, "gid", s->gid);
	}
	if (s->pid)
		out_i64(o, "pid", s->pid);
	if (s->has_map)
		out_str(o, "map", map);
	if (s->closed)
		out_bool(o, "closed", true);
	if (s->why)
		out_str(o, "why", s->why);
	out_end(o);
}

static void put_text(struct out *o, const struct explain_step *s, const char *map)
{
	scoped_buf struct buf b = BUF_INIT;

	buf_printf(&b, "%s %s", words[s->place], s->path);
	if (s->has_ids)
		buf_printf(&b, ": owner %u:%u", s->uid, s->gid);
	else if (s->place == PLACE_VIEW)
		buf_printf(&b, ": map %s", s->has_map ? map : "not known");
	else
		buf_printf(&b, ": owner not known%s%s", s->why ? ": " : "", s->why ? s->why : "");
	if (s->pid)
		buf_printf(&b, " in the user namespace of pid:%d", (int)s->pid);
	if (s->closed)
		buf_str(&b, " (this process cannot reach it)");
	if (buf_get(&b))
		out_safe_line(o, "  %-11s %s", "chain", b.data);
}

void check_put_chain(struct out *o, const struct explanation *x)
{
	if (!x->chain.len)
		return;
	out_array(o, "chain");
	for (size_t i = 0; i < x->chain.len; i++) {
		const struct explain_step *s = &x->chain.items[i];
		scoped_buf struct buf map = BUF_INIT;

		if (s->has_map)
			idmap_print(&s->map, &map);
		if (!buf_get(&map))
			continue;
		put_json(o, s, map.data ? map.data : "");
		put_text(o, s, map.data ? map.data : "");
	}
	out_array_end(o);
}
