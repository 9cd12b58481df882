/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_maps: which views under other maps there are. */

#include "podman_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/json.h"
#include "../base/path.h"
#include "podman_priv.h"
#include "store_lock.h"
#include "store_priv.h"
#include "store_staging.h"

#define RECORD "podman-maps"
#define SOURCE_END "/" PODMAN_DIR

enum { LINK_OF_LAYER = 18 }; /* letters; those that follow are the map's */

/* ---- names ---- */

const char *podman_map_id(const char *text, const char *id, char buf[static PODMAN_ID])
{
	struct hash h;
	struct digest d;
	char hex[DIGEST_HEX];

	hash_init(&h, DIGEST_SHA256);
	hash_update(&h, text, strlen(text) + 1);
	hash_update(&h, id, strlen(id));
	hash_final(&h, &d);
	(void)snprintf(buf, PODMAN_ID, "%.64s", digest_hex(&d, hex));
	return buf;
}

/* From the link of a mounted layer, --prune knows the layer of the store, and views the map. */
const char *podman_map_link(const char *text, const char *id, char buf[static PODMAN_LINK])
{
	char of_map[PODMAN_LINK];

	(void)podman_link(id, buf);
	memcpy(buf + LINK_OF_LAYER, podman_link(text, of_map), PODMAN_LINK - 1 - LINK_OF_LAYER);
	return buf;
}

bool podman_maps_is_link(const char *link, const char *text)
{
	char of_map[PODMAN_LINK];

	return podman_link_ok(link, strlen(link)) &&
		!strncmp(link + LINK_OF_LAYER, podman_link(text, of_map),
			PODMAN_LINK - 1 - LINK_OF_LAYER);
}

int podman_link_compare(const char *a, const char *b)
{
	return strncmp(a, b, LINK_OF_LAYER);
}

const char *podman_maps_path(uint32_t uid, char buf[static PODMAN_MAPS_PATH])
{
	(void)snprintf(buf, PODMAN_MAPS_PATH, PODMAN_MAPS "/%u", uid); /* fits: 10 digits */
	return buf;
}

/* ---- the list ---- */

void podman_map_done(struct podman_map *m)
{
	free(m->text);
	free(m->target);
	idmap_done(&m->ids);
	*m = (struct podman_map){ .mounted = false };
}

void podman_maps_done(struct podman_maps *m)
{
	for (size_t i = 0; i < m->len; i++)
		podman_map_done(&m->items[i]);
	VEC_DONE(m);
}

void podman_maps_change_done(struct podman_maps_change *c)
{
	podman_maps_done(&c->views);
	strv_done(&c->lines);
	free(c->source);
}

static int by_user(const void *a, const void *b)
{
	const struct podman_map *x = a, *y = b;

	return x->uid != y->uid ? (x->uid < y->uid ? -1 : 1) : strcmp(x->text, y->text);
}

static void sort(struct podman_maps *m)
{
	if (m->len > 1)
		qsort(m->items, m->len, sizeof(*m->items), by_user);
}

static struct podman_map *find(const struct podman_maps *m, const struct podman_map *key)
{
	return m->len ? bsearch(key, m->items, m->len, sizeof(*m->items), by_user) : NULL;
}

/* ---- the file ---- */

static int take_ids(const struct json *j, struct podman_map *m, struct err *e)
{
	const char *text;
	int r = doc_str(j, "ids", RECORD, true, &text, e);

	return r == 0 ? idmap_parse(&text, 1, NULL, &m->ids, e) : r;
}

static int take_map(const struct json *j, struct podman_map *m, struct err *e)
{
	const char *line, *text, *target;
	uint64_t uid;
	int r = doc_u64(j, "uid", RECORD, true, &uid, e);

	if (r == 0)
		r = doc_str(j, "line", RECORD, true, &line, e);
	if (r == 0)
		r = doc_str(j, "map", RECORD, true, &text, e);
	if (r == 0)
		r = doc_str(j, "target", RECORD, true, &target, e);
	if (r == 0 && (uid >= UINT32_MAX || strlen(line) >= sizeof(m->line)))
		r = err_say(e, EINVAL, RECORD, "has a value that is too large");
	if (r < 0)
		return r;
	m->uid = (uint32_t)uid;
	(void)snprintf(m->line, sizeof(m->line), "%s", line); /* fits */
	m->mounted = doc_is_true(j, "mounted");
	m->text = strdup(text);
	m->target = strdup(target);
	return m->text && m->target ? take_ids(j, m, e) : err_nomem(e);
}

static int take_all(const struct json *doc, struct podman_maps *ret, struct err *e)
{
	const struct json *list, *item;
	int r = doc_array(doc, "views", RECORD, true, &list, e);

	for (size_t i = 0; r == 0 && i < doc_len(list); i++) {
		struct podman_map m = { .mounted = false };

		r = doc_item_object(list, i, "views", RECORD, &item, e);
		if (r == 0)
			r = take_map(item, &m, e);
		if (r == 0 && VEC_ADD(ret, m) < 0)
			r = err_nomem(e);
		if (r < 0)
			podman_map_done(&m);
	}
	sort(ret);
	return r;
}

int podman_maps_read(const struct store *s, struct podman_maps *ret, struct err *e)
{
	scoped_podman_maps struct podman_maps m = { .items = NULL };
	scoped_json struct json *doc = NULL;
	scoped_buf struct buf text = BUF_INIT;
	struct err own = ERR_INIT;
	int r = store_read_file(s, RECORD, JSON_MAX_BYTES, &text, e);

	if (r <= 0)
		return r;
	r = doc_parse(buf_get(&text), text.len, RECORD, &doc, &own);
	if (r == 0)
		r = take_all(doc, &m, &own);
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r < 0) {
		r = store_file_damaged(s, RECORD, "the views under other maps, in JSON", e);
		err_try(e, "remove the file; mount-idmapped -a writes it anew");
		return r;
	}
	*ret = m;
	m = (struct podman_maps){ .items = NULL };
	return 0;
}

static int print(const struct podman_maps *maps, struct buf *ret, struct err *e)
{
	struct json_writer w = { .depth = 0 };

	json_write_object(&w, NULL);
	json_write_array(&w, "views");
	for (size_t i = 0; i < maps->len; i++) {
		const struct podman_map *m = &maps->items[i];
		scoped_buf struct buf ids = BUF_INIT;

		idmap_print(&m->ids, &ids);
		w.failed |= !buf_get(&ids);
		json_write_object(&w, NULL);
		json_write_i64(&w, "uid", m->uid);
		json_write_str(&w, "line", m->line);
		json_write_str(&w, "map", m->text);
		json_write_str(&w, "target", m->target);
		json_write_str(&w, "ids", buf_get(&ids) ? buf_get(&ids) : "");
		json_write_bool(&w, "mounted", m->mounted);
		json_write_end(&w);
	}
	json_write_end(&w);
	json_write_end(&w);
	return json_writer_print(&w, JSON_LINE, ret) < 0 || !buf_get(ret) ? err_nomem(e) : 0;
}

/* ---- a change ---- */

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
	struct podman_map *m = find(maps, view);
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
	sort(maps);
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
		r = print(&maps, &text, e);
	/* A process that is killed before the record was written leaves the work to the next -a. */
	if (r == 0 && text.len)
		r = podman_update_maps(st, &maps, e);
	if (r == 0 && text.len)
		r = podman_put(st, s->fd, RECORD, &text, true, e);
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

	if (c->views.len)
		return true;
	buf_printf(&path, "%s/" RECORD, store);
	return c->look && buf_get(&path) && access(buf_get(&path), F_OK) == 0;
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

bool podman_maps_has(struct store *s, uint32_t uid)
{
	scoped_podman_maps struct podman_maps maps = { .items = NULL };
	bool has = false;

	if (store_lock(s, STORE_IMAGES, LOCK_SHARED, NULL) < 0)
		return false;
	if (podman_maps_read(s, &maps, NULL) == 0)
		for (size_t i = 0; i < maps.len; i++)
			has |= maps.items[i].uid == uid;
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return has;
}
