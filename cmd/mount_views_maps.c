/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped: tell a store for podman which views of it have other maps (podman_maps.h). */

#include "mount_views.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/idmap/rootless_map.h"

void view_maps_done(struct view_maps *m)
{
	for (size_t i = 0; i < m->changes.len; i++)
		podman_maps_change_done(&m->changes.items[i]);
	VEC_DONE(&m->changes);
}

/* The map as the line has it; NULL: out of memory. The caller frees it. */
static char *text_of(const struct view_line *l)
{
	scoped_buf struct buf text = BUF_INIT;
	const struct strv *maps = &l->options.maps;

	buf_str(&text, "");
	for (size_t i = 0; i < maps->len; i++)
		buf_printf(&text, "%s%s", i ? " " : "", maps->items[i]);
	return buf_take(&text);
}

static int relative(const struct user *user, const struct mount_plan *p,
	const struct each_sources *sources, struct podman_map *ret, struct err *e)
{
	struct grants uid = { .items = NULL }, gid = { .items = NULL };
	int r = subid_index_get(sources->grants.uid, user, &uid, e);

	if (r == 0)
		r = subid_index_get(sources->grants.gid, user, &gid, e);
	if (r == 0)
		r = rootless_relative(&p->map.map, user, &uid, &gid, &ret->ids, e);
	if (r == 0 && rootless_is_plain(&ret->ids, &uid, &gid))
		r = 1;
	VEC_DONE(&uid);
	VEC_DONE(&gid);
	return r;
}

int view_maps_find(const struct view_line *l, const struct user *user, const struct mount_plan *p,
	const struct each_sources *sources, struct podman_map *ret, struct err *e)
{
	struct podman_map m = { .uid = user->uid, .mounted = true };
	struct err own = ERR_INIT;
	int r;

	if (p->map.wish != MAP_SET || !sources->grants.uid || !sources->grants.gid)
		return 0;
	r = relative(user, p, sources, &m, &own);
	if (r == 0) {
		memcpy(m.line, l->id, sizeof(m.line));
		m.text = text_of(l);
		m.target = strdup(p->target);
		r = m.text && m.target ? 0 : -ENOMEM;
	}
	if (r != 0) {
		podman_map_done(&m);
		return r == -ENOMEM ? err_nomem(e) : r < 0 ? -ENODATA : 0;
	}
	*ret = m;
	return 0;
}

/* The change of the line's store; NULL: out of memory. */
static struct podman_maps_change *change_of(struct view_maps *m, const struct view_line *l)
{
	struct podman_maps_change c = { .source = NULL };

	for (size_t i = 0; i < m->changes.len; i++)
		if (!strcmp(m->changes.items[i].source, l->line->source))
			return &m->changes.items[i];
	c.source = strdup(l->line->source);
	if (c.source && VEC_ADD(&m->changes, c) == 0)
		return &m->changes.items[m->changes.len - 1];
	free(c.source);
	return NULL;
}

int view_maps_line(struct view_maps *m, const struct view_line *l, struct err *e)
{
	struct podman_maps_change *c = change_of(m, l);

	if (!c || (l->options.noauto && strv_add(&c->lines, l->id) < 0))
		return err_nomem(e);
	return 0;
}

int view_maps_add(
	struct view_maps *m, const struct view_line *l, struct podman_map *map, struct err *e)
{
	struct podman_maps_change *c = change_of(m, l);

	if (!c || VEC_ADD(&c->views, *map) < 0)
		return err_nomem(e);
	*map = (struct podman_map){ .mounted = false };
	return 0;
}

static void drop(struct podman_maps *views, const char *target)
{
	for (size_t i = 0; i < views->len; i++) {
		if (strcmp(views->items[i].target, target) != 0)
			continue;
		podman_map_done(&views->items[i]);
		views->items[i] = views->items[--views->len];
		return;
	}
}

void view_maps_drop(struct view_maps *m, const char *target)
{
	for (size_t i = 0; i < m->changes.len; i++)
		drop(&m->changes.items[i].views, target);
}

bool view_maps_is_layer(const char *dir, const void *arg)
{
	const char *name = strrchr(dir, '/');
	scoped_free char *text = text_of(arg);

	return name && text && podman_maps_is_link(name + 1, text);
}
