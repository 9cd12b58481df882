/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_maps_change: bring the stores of users up to date with the views that are mounted. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "podman_priv.h"
#include "store_lock.h"
#include "store_priv.h"
#include "store_staging.h"

#define SOURCE_END "/" PODMAN_DIR

void podman_maps_change_done(struct podman_maps_change *c)
{
	podman_maps_done(&c->views);
	strv_done(&c->lines);
	free(c->source);
}

static bool is_same(const struct podman_map *a, const struct podman_map *b)
{
	return a->mounted == b->mounted && !strcmp(a->line, b->line) &&
		!strcmp(a->target, b->target) && idmap_equal(&a->ids, &b->ids);
}

static int copy(const struct podman_map *from, struct podman_map *ret, struct err *e)
{
	struct podman_map m = { .uid = from->uid, .mounted = from->mounted };
	int r = idmap_copy(&from->ids, &m.ids, e);

	if (r < 0)
		return r;
	memcpy(m.line, from->line, sizeof(m.line));
	m.text = strdup(from->text);
	m.target = strdup(from->target);
	if (!m.text || !m.target) {
		podman_map_done(&m);
		return err_nomem(e);
	}
	podman_map_done(ret);
	*ret = m;
	return 0;
}

static int set(
	struct podman_maps *maps, const struct podman_map *view, bool *changed, struct err *e)
{
	struct podman_map added = { .mounted = false };
	struct podman_map *m = podman_maps_find(maps, view);
	int r;

	if (m && is_same(m, view))
		return 0;
	*changed = true;
	if (m)
		return copy(view, m, e);
	r = copy(view, &added, e);
	if (r == 0 && VEC_ADD(maps, added) < 0) {
		podman_map_done(&added);
		r = err_nomem(e);
	}
	podman_maps_sort(maps);
	return r;
}

static bool is_mount(const char *path)
{
	scoped_fd int fd = -1;
	struct statx stx;

	return path_open(path, O_PATH | O_NOFOLLOW, "cannot open the view", NULL, &fd, NULL) == 0 &&
		statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) == 0 &&
		stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* Is the view still that of the record? A line whose map was changed has another one there. */
static bool is_gone(const struct podman_maps_change *c, const struct podman_map *m)
{
	if (!m->mounted)
		return false;
	for (size_t i = 0; i < c->views.len; i++)
		if (!strcmp(c->views.items[i].target, m->target))
			return strcmp(c->views.items[i].text, m->text) != 0;
	return c->look && !strv_has(&c->lines, m->line) && !is_mount(m->target);
}

/* Apply the change to what the store has. Returns 1 if anything is different, 0 or -errno. */
static int merge(const struct podman_maps_change *c, struct podman_maps *maps, struct err *e)
{
	bool changed = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->views.len; i++)
		r = set(maps, &c->views.items[i], &changed, e);
	for (size_t i = 0; i < maps->len; i++) {
		if (!is_gone(c, &maps->items[i]))
			continue;
		maps->items[i].mounted = false;
		changed = true;
	}
	return r < 0 ? r : changed;
}

static int write_change(struct store *s, const struct podman_maps_change *c, struct err *e)
{
	scoped_podman_maps struct podman_maps maps = { .items = NULL };
	scoped_store_staging struct store_staging *st = NULL;
	scoped_buf struct buf text = BUF_INIT;
	int r = store_staging_new(s, &st, e);

	if (r == 0)
		r = store_lock(s, STORE_IMAGES, LOCK_EXCLUSIVE, e);
	if (r < 0)
		return r;
	r = podman_maps_read(s, &maps, e);
	if (r == 0)
		r = merge(c, &maps, e);
	if (r > 0)
		r = podman_maps_print(&maps, &text, e);
	/* A process that is killed before the record was written leaves the work to the next -a. */
	if (r == 0 && text.len)
		r = podman_update_maps(st, &maps, e);
	if (r == 0 && text.len)
		r = podman_put(st, s->fd, PODMAN_VIEWS, &text, true, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r;
}

/* Would the change make a difference? Most often, -a finds that it does not. */
static int would_change(struct store *s, const struct podman_maps_change *c, struct err *e)
{
	scoped_podman_maps struct podman_maps maps = { .items = NULL };
	int r = store_lock(s, STORE_IMAGES, LOCK_SHARED, e);

	if (r < 0)
		return r;
	r = podman_maps_read(s, &maps, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r == 0 ? merge(c, &maps, e) : r;
}

/* Without a view there is nothing to do in a store that has never had one. */
static bool concerns(const char *store, const struct podman_maps_change *c)
{
	scoped_buf struct buf path = BUF_INIT;
	struct stat st;

	if (c->views.len)
		return true;
	buf_printf(&path, "%s/" PODMAN_VIEWS, store);
	return c->look && buf_get(&path) && path_stat(path.data, false, &st) == 0;
}

int podman_maps_apply(const struct podman_maps_change *c, struct err *e)
{
	const size_t n = strlen(c->source), end = sizeof(SOURCE_END) - 1;
	scoped_store struct store *s = NULL;
	scoped_free char *path = NULL;
	int r;

	if (n <= end || strcmp(c->source + n - end, SOURCE_END) != 0)
		return 0;
	path = strndup(c->source, n - end);
	if (!path)
		return err_nomem(e);
	if (!concerns(path, c))
		return 0;
	r = store_open(path, 0, &s, e);
	if (r == 0 && !podman_is_wanted(s))
		return 0;
	if (r == 0)
		r = would_change(s, c, e);
	if (r > 0)
		r = write_change(s, c, e);
	if (r < 0)
		err_prefix(e, "the stores under other maps, in '%s/" PODMAN_MAPS "'", c->source);
	return r;
}
