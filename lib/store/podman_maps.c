/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_maps: the record of views under other maps. */

#include "podman_maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/json.h"
#include "podman_priv.h"
#include "store_lock.h"
#include "store_priv.h"

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

static int by_user(const void *a, const void *b)
{
	const struct podman_map *x = a, *y = b;

	return x->uid != y->uid ? (x->uid < y->uid ? -1 : 1) : strcmp(x->text, y->text);
}

void podman_maps_sort(struct podman_maps *m)
{
	if (m->len > 1)
		qsort(m->items, m->len, sizeof(*m->items), by_user);
}

struct podman_map *podman_maps_find(const struct podman_maps *m, const struct podman_map *key)
{
	return m->len ? bsearch(key, m->items, m->len, sizeof(*m->items), by_user) : NULL;
}

/* ---- the file ---- */

static int take_ids(const struct json *j, struct podman_map *m, struct err *e)
{
	const char *text;
	int r = doc_str(j, "ids", PODMAN_VIEWS, true, &text, e);

	return r == 0 ? idmap_parse(&text, 1, NULL, &m->ids, e) : r;
}

static int take_map(const struct json *j, struct podman_map *m, struct err *e)
{
	const char *line = "", *text = "", *target = "";
	uint64_t uid;
	int r = doc_u64(j, "uid", PODMAN_VIEWS, true, &uid, e);

	if (r == 0)
		r = doc_str(j, "line", PODMAN_VIEWS, true, &line, e);
	if (r == 0)
		r = doc_str(j, "map", PODMAN_VIEWS, true, &text, e);
	if (r == 0)
		r = doc_str(j, "target", PODMAN_VIEWS, true, &target, e);
	if (r == 0 && (uid >= UINT32_MAX || strlen(line) >= sizeof(m->line)))
		r = err_say(e, EINVAL, PODMAN_VIEWS, "has a value that is too large");
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
	int r = doc_array(doc, "views", PODMAN_VIEWS, true, &list, e);

	for (size_t i = 0; r == 0 && i < doc_len(list); i++) {
		struct podman_map m = { .mounted = false };

		r = doc_item_object(list, i, "views", PODMAN_VIEWS, &item, e);
		if (r == 0)
			r = take_map(item, &m, e);
		if (r == 0 && VEC_ADD(ret, m) < 0)
			r = err_nomem(e);
		if (r < 0)
			podman_map_done(&m);
	}
	podman_maps_sort(ret);
	return r;
}

int podman_maps_read(const struct store *s, struct podman_maps *ret, struct err *e)
{
	scoped_podman_maps struct podman_maps m = { .items = NULL };
	scoped_json struct json *doc = NULL;
	scoped_buf struct buf text = BUF_INIT;
	struct err own = ERR_INIT;
	int r = store_read_file(s, PODMAN_VIEWS, JSON_MAX_BYTES, &text, e);

	if (r <= 0)
		return r;
	r = doc_parse(buf_get(&text), text.len, PODMAN_VIEWS, &doc, &own);
	if (r == 0)
		r = take_all(doc, &m, &own);
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r < 0) {
		r = store_file_damaged(s, PODMAN_VIEWS, "the views under other maps, in JSON", e);
		err_try(e, "remove the file; mount-idmapped -a writes it anew");
		return r;
	}
	*ret = m;
	m = (struct podman_maps){ .items = NULL };
	return 0;
}

int podman_maps_print(const struct podman_maps *maps, struct buf *ret, struct err *e)
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
