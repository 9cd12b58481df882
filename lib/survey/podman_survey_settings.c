/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_survey_settings: the user's settings of podman, and which maps are served. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../base/env.h"
#include "../base/toml.h"
#include "../idmap/userns.h"
#include "../mount/view.h"
#include "../store/podman_maps.h"
#include "podman_survey_priv.h"

/*
 * --- the user's podman ---------------------------------------------------------------------------
 */

/* Append the command that names the view in storage.conf, for the caller. */
static void print_conf_command(const struct podman_subject *u, const char *path, struct buf *ret)
{
	const char *file = env_get("CONTAINERS_STORAGE_CONF");
	const struct podman_view *v = podman_view_of(u);
	scoped_buf struct buf store = BUF_INIT;

	if (geteuid() == 0) {
		if (v)
			podman_print_store(v, &store);
		buf_printf(ret, "image-unpack -s %s --podman-conf %s --write %s",
			v && buf_get(&store) ? buf_get(&store) : "STORE", path,
			podman_user_name(u));
		return;
	}
	/* --write leaves a file alone that a variable names. */
	buf_printf(ret, "image-unpack --podman-conf %s%s", path,
		file && *file ? " prints what this file should have" : " --write");
}

static void put_notes(struct podman_subject *u)
{
	const struct buf *notes = &u->facts.conf.notes;
	const char *p = notes->data, *const end = p + notes->len;

	for (; p < end; p += strlen(p) + 1)
		shared_put(u, "conf", SHARED_NOTE, NULL, "%s", p);
}

/* ENOTSUP, of a build without a parser of TOML, is the same number as EOPNOTSUPP. */
static bool can_parse(void)
{
	scoped_toml struct toml_doc *t = NULL;

	return toml_parse("", 0, "", &t, NULL) == 0;
}

static void print_fault(const struct err *why, struct buf *ret)
{
	buf_printf(ret, "%s%s%s", why->on, why->on[0] ? ": " : "", why->what);
	if (why->why[0])
		buf_printf(ret, ": %s", why->why);
	else if (why->num)
		buf_printf(ret, ": %s", strerrordesc_np(why->num));
}

/* What has kept podman_conf_make() from an answer. */
static void put_fault(struct podman_subject *u)
{
	const struct err *why = &u->facts.why;
	const bool unread = u->facts.conf_fault == -ENOTSUP && !can_parse(),
		   driver = u->facts.conf_fault == -EOPNOTSUPP && !unread;
	scoped_buf struct buf text = BUF_INIT;
	REMEDY(given, "%s", why->hint);
	REMEDY(mend, "as %s: correct the file, or move it away: podman then has its defaults",
		podman_user_name(u));

	print_fault(why, &text);
	if (!buf_get(&text)) {
		u->r = err_nomem(u->e);
		return;
	}
	shared_put(u, driver ? "storage" : "conf", unread ? SHARED_UNKNOWN : SHARED_MISSING,
		why->hint[0] ? &given : &mend, "%s", text.data);
	if (driver)
		shared_put(u, "conf", SHARED_UNKNOWN, NULL,
			"storage.conf is looked at when the storage has the driver overlay");
}

/* The facts of the wanted path, mounted or not; NULL: there are no stores to look at. */
static const struct podman_store_facts *wanted_store(const struct podman_subject *u)
{
	return u->paths.len ? &u->facts.stores.items[u->at < u->paths.len ? u->at : 0] : NULL;
}

/* Does storage.conf name the wanted path? Without stores to look at, it was looked for alone. */
static bool is_named(const struct podman_subject *u)
{
	const struct podman_store_facts *store = wanted_store(u);

	return store ? store->position > 0 : u->facts.conf.exists && !u->facts.conf.changed;
}

static void put_conf(struct podman_subject *u)
{
	const struct podman_conf *c = &u->facts.conf;
	const struct podman_store_facts *store = wanted_store(u);
	const char *file = buf_get(&c->path), *path = podman_wanted_path(u);
	scoped_buf struct buf write = BUF_INIT;
	char maps[PODMAN_MAPS_PATH];

	print_conf_command(u, path, &write);
	if (u->facts.silent)
		shared_put(u, "conf", SHARED_UNKNOWN, NULL, "the files of %s do not answer",
			podman_user_name(u));
	else if (u->facts.conf_fault < 0)
		put_fault(u);
	else if (store && store->position && store->maps && !store->maps_named)
		shared_put(u, "conf", SHARED_NOTE, &write,
			"%s names %s, and not %s/%s, which has the layers under other maps besides",
			file, path, path, podman_maps_path(u->user->uid, maps));
	else if (is_named(u))
		shared_put(u, "conf", SHARED_OK, NULL, "%s names %s%s%s", file, path,
			store && store->maps_named ? "/" : "",
			store && store->maps_named ? podman_maps_path(u->user->uid, maps) : "");
	else if (!c->exists)
		shared_put(u, "conf", SHARED_MISSING, &write,
			"%s does not exist, so podman does not look at %s", file, path);
	else
		shared_put(u, "conf", SHARED_MISSING, &write,
			"%s does not name %s in additionalimagestores", file, path);
	if (u->facts.conf_fault < 0 || u->facts.silent)
		return;
	put_notes(u);
	shared_put(u, "storage", SHARED_OK, NULL, "the storage driver is overlay");
}

/* The namespace of a pause process keeps the grants of the time when it was made. */
static bool has_map(const struct podman_subject *u)
{
	scoped_idmap struct idmap map = { .gid_assumed = false };

	return !u->has_map || userns_map_of_pid(u->facts.pause, &map, NULL) < 0 ||
		idmap_equal(&map, &u->map);
}

static void put_pause_of(struct podman_subject *u, const struct podman_view *v)
{
	const int pid = (int)u->facts.pause;
	struct err why = ERR_INIT;
	REMEDY(migrate, "as %s: podman system migrate", podman_user_name(u));
	int r = podman_view_is_in(v, u->user, u->facts.pause, &why);

	if (r == -ENOENT || r == -ESRCH)
		shared_put(u, "pause", SHARED_OK, NULL, "no pause process (%s is old)",
			u->facts.pid_file);
	else if (r < 0)
		shared_put(
			u, "pause", SHARED_UNKNOWN, NULL, "%s: %s", why.what, strerrordesc_np(-r));
	else if (r == 0)
		shared_put(u, "pause", SHARED_MISSING, &migrate,
			"podman's pause process (pid %d, in %s) is older than the view, and its "
			"mount namespace does not have it as it is now",
			pid, u->facts.pid_file);
	else if (!has_map(u))
		shared_put(u, "pause", SHARED_MISSING, &migrate,
			"podman's pause process (pid %d, in %s) has another map than the grants "
			"of %s make now",
			pid, u->facts.pid_file, podman_user_name(u));
	else
		shared_put(u, "pause", SHARED_OK, NULL,
			"podman's pause process (pid %d) has the view and the map", pid);
}

static void put_pause(struct podman_subject *u)
{
	const struct podman_view *v = podman_view_of(u);
	REMEDY(migrate, "when the view is mounted, as %s: podman system migrate",
		podman_user_name(u));

	if (u->facts.silent)
		return;
	if (!u->facts.pause)
		shared_put(u, "pause", SHARED_OK, NULL, "no pause process");
	else if (!v)
		shared_put(u, "pause", SHARED_NOTE, &migrate,
			"podman's pause process (pid %d) keeps the mounts that it has, without a "
			"view",
			(int)u->facts.pause);
	else
		put_pause_of(u, v);
}

/*
 * --- maps ----------------------------------------------------------------------------------------
 */

/*
 * The user's store in the view has the layers of both kinds. Of two stores, podman takes the first
 * one that has a layer: that with the map stands before the plain one.
 */
static bool serves_keep_id(const struct podman_subject *u)
{
	const struct podman_store_facts *plain = podman_store_of(u);

	if (plain && plain->keep_id && plain->maps_named)
		return true;
	for (size_t i = 0; i < u->facts.stores.len; i++) {
		const struct podman_store_facts *f = &u->facts.stores.items[i];

		if (u->views.items[i] && f->mapped && f->keep_id && f->position &&
			(!plain || !plain->position || f->position < plain->position))
			return true;
	}
	return false;
}

static bool has_keep_id_line(const struct podman_subject *u)
{
	const struct podman_views *v = &u->s->views;

	for (size_t i = 0; i < v->lines.len; i++) {
		scoped_buf struct buf target = BUF_INIT;

		if (v->lines.items[i].keep_id &&
			podman_line_target(&v->lines.items[i], u->user, &target))
			return true;
	}
	return false;
}

/* How the user gets a view with the map of keep-id. Appends nothing if another row says more. */
static void print_keep_id_remedy(const struct podman_subject *u, struct buf *ret)
{
	const struct podman_view *v = podman_view_of(u);
	const struct podman_store_facts *f = podman_store_of(u);

	if (!v || u->s->views.faulty || (f && f->position && f->maps && !f->maps_named))
		return;
	if (has_keep_id_line(u)) {
		buf_str(ret, "as root: mount-idmapped -a");
		return;
	}
	buf_str(ret, "as root: add the line '");
	podman_print_store(v, ret);
	buf_str(ret,
		"/podman /run/shiftbox/keep-id/%u shiftbox "
		"map=keep-id:%u,each=subid,ro,nosuid,nodev 0 0' to " VIEWS_TABLE
		", run mount-idmapped -a, and ask again");
}

static void put_maps(struct podman_subject *u)
{
	const struct podman_view *v = podman_view_of(u);
	const struct podman_store_facts *f = podman_store_of(u);
	const bool plain = v && f->position && !f->mapped && v->map_known && u->has_map &&
		idmap_equal(&v->map, &u->map);
	const bool keep_id = serves_keep_id(u);
	scoped_buf struct buf remedy = BUF_INIT;

	print_keep_id_remedy(u, &remedy);
	if (plain)
		shared_put(u, "plain", SHARED_OK, NULL, "podman run uses the layers of the store");
	else
		shared_put(u, "plain", SHARED_NOTE, NULL, "no view serves podman run as it is now");
	if (keep_id)
		shared_put(u, "keep-id", SHARED_OK, NULL,
			"podman run --userns=keep-id uses the layers of the store");
	else
		shared_put(u, "keep-id", SHARED_NOTE, remedy.len ? &remedy : NULL,
			"no view serves podman run --userns=keep-id: podman copies the image each "
			"time, and changes all owners");
	shared_put(u, "auto", SHARED_NOTE, NULL,
		"podman run --userns=auto needs podman's own copy, because its range is chosen "
		"when the container starts; to use the store, %s",
		keep_id ? "omit --userns, or name --userns=keep-id" : "omit --userns");
}

void podman_put_settings(struct podman_subject *u)
{
	put_conf(u);
	put_pause(u);
	put_maps(u);
}
