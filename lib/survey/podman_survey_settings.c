/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_survey_settings: the user's settings of podman, and which maps are served. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "podman_survey_priv.h"

/*
 * --- the user's podman ---------------------------------------------------------------------------
 */

/* The path that storage.conf should name: that of the view, or of the one that should be there. */
static const char *wanted_path(const struct podman_subject *u)
{
	return u->at < u->paths.len ? u->paths.items[u->at] :
		u->paths.len        ? u->paths.items[0] :
				      NULL;
}

/* Append the command that names the view in storage.conf, for the caller. */
static void print_conf_command(const struct podman_subject *u, const char *path, struct buf *ret)
{
	const struct podman_view *v = podman_view_of(u);

	buf_str(ret, "image-unpack ");
	if (geteuid() == 0) {
		buf_str(ret, "-s ");
		if (v)
			podman_print_store(v, ret);
		else
			buf_str(ret, "STORE");
		buf_char(ret, ' ');
	}
	buf_printf(ret, "--podman-conf %s --write", path);
	if (geteuid() == 0)
		buf_printf(ret, " %s", podman_user_name(u));
}

static void put_conf(struct podman_subject *u)
{
	const struct podman_facts *f = &u->facts;
	const struct podman_store_facts *store = podman_store_of(u);
	const char *path = wanted_path(u) ? wanted_path(u) : "VIEW",
		   *file = f->conf ? f->conf : "storage.conf";
	scoped_buf struct buf write = BUF_INIT;
	REMEDY(by_hand,
		"add to the section [storage.options] of %s: additionalimagestores = [\"%s\"]",
		file, path);

	print_conf_command(u, path, &write);
	if (f->conf_state == PODMAN_CONF_SILENT)
		shared_put(u, "conf", SHARED_UNKNOWN, NULL, "the files of %s do not answer",
			podman_user_name(u));
	else if (f->conf_state == PODMAN_CONF_UNREAD)
		shared_put(u, "conf", SHARED_UNKNOWN, &by_hand,
			"this build cannot read %s (it has no parser of TOML)", file);
	else if (f->conf_state == PODMAN_CONF_BAD)
		shared_put(u, "conf", SHARED_MISSING, NULL, "%s: %s", file,
			f->conf_why ? f->conf_why : "");
	else if (store && store->position)
		shared_put(u, "conf", SHARED_OK, NULL, "%s names %s", file, path);
	else if (f->conf_state == PODMAN_CONF_NONE)
		shared_put(u, "conf", SHARED_MISSING, f->conf_env ? &by_hand : &write,
			"%s does not exist, so podman does not look at %s", file, path);
	else
		shared_put(u, "conf", SHARED_MISSING, f->conf_env ? &by_hand : &write,
			"%s does not name %s in additionalimagestores%s", file, path,
			f->conf_env ? "; CONTAINERS_STORAGE_CONF names this file" : "");
}

static void put_storage(struct podman_subject *u)
{
	const struct podman_facts *f = &u->facts;
	REMEDY(driver, "write driver = \"overlay\" in the section [storage] of %s",
		f->conf ? f->conf : "storage.conf");
	REMEDY(reset,
		"as %s: podman --storage-driver vfs system reset, which removes all containers and "
		"images of the user; or name another graphroot in %s",
		podman_user_name(u), f->conf ? f->conf : "storage.conf");

	if (f->conf_state == PODMAN_CONF_SILENT)
		return;
	if (f->driver && strcmp(f->driver, "overlay") != 0 && strcmp(f->driver, "overlay2") != 0)
		shared_put(u, "storage", SHARED_MISSING, &driver,
			"the storage driver is %s, and the store is for overlay", f->driver);
	else if (f->has_vfs && !f->has_overlay)
		shared_put(u, "storage", SHARED_MISSING, &reset,
			"%s was made with the driver vfs: podman keeps to that, and fails with an "
			"additional image store",
			f->graphroot);
	else if (f->conf_state == PODMAN_CONF_UNREAD)
		shared_put(u, "storage", SHARED_UNKNOWN, NULL,
			"without storage.conf, the driver is not "
			"known");
	else if (f->mount_program)
		shared_put(u, "storage", SHARED_NOTE, NULL,
			"driver overlay, mounted by %s: without mount_program, the kernel mounts it "
			"(since Linux 5.13), which is faster",
			f->mount_program);
	else if (!f->driver)
		shared_put(u, "storage", SHARED_NOTE, &driver,
			"no file names a driver: without storage.conf, podman may choose vfs");
	else
		shared_put(u, "storage", SHARED_OK, NULL, "driver overlay%s%s",
			f->graphroot ? ", in " : "", f->graphroot ? f->graphroot : "");
}

static void put_pause(struct podman_subject *u)
{
	const struct podman_facts *f = &u->facts;
	const struct podman_view *v = podman_view_of(u);
	struct err why = ERR_INIT;
	REMEDY(migrate, "as %s: podman system migrate", podman_user_name(u));
	int r;

	if (f->conf_state == PODMAN_CONF_SILENT)
		return;
	if (!f->pause) {
		shared_put(u, "pause", SHARED_OK, NULL, "no pause process");
		return;
	}
	if (!v)
		return;
	r = podman_view_is_in(v, u->user, f->pause, &why);
	if (r == -ENOENT || r == -ESRCH)
		shared_put(
			u, "pause", SHARED_OK, NULL, "no pause process (%s is old)", f->pid_file);
	else if (r < 0)
		shared_put(
			u, "pause", SHARED_UNKNOWN, NULL, "%s: %s", why.what, strerrordesc_np(-r));
	else if (r == 0)
		shared_put(u, "pause", SHARED_MISSING, &migrate,
			"podman's pause process (pid %d, in %s) is older than the view, and its "
			"mount namespace does not have it as it is now",
			(int)f->pause, f->pid_file);
	else
		shared_put(u, "pause", SHARED_OK, NULL,
			"podman's pause process (pid %d) has the view", (int)f->pause);
}

/*
 * --- maps ----------------------------------------------------------------------------------------
 */

/* podman takes the first store that has a layer: the one with the map stands before the plain one.
 */
static bool serves_keep_id(const struct podman_subject *u)
{
	const struct podman_store_facts *plain = podman_store_of(u);

	for (size_t i = 0; i < u->facts.stores.len; i++) {
		const struct podman_store_facts *f = &u->facts.stores.items[i];

		if (u->views.items[i] && f->keep_id && f->position &&
			(!plain || !plain->position || f->position < plain->position))
			return true;
	}
	return false;
}

static void put_maps(struct podman_subject *u)
{
	const struct podman_view *v = podman_view_of(u);
	const struct podman_store_facts *f = podman_store_of(u);
	const bool plain = v && f->position && !f->mapped && v->map_known && u->has_map &&
		idmap_equal(&v->map, &u->map);
	const bool keep_id = serves_keep_id(u);

	if (plain)
		shared_put(u, "plain", SHARED_OK, NULL, "podman run uses the layers of the store");
	else
		shared_put(u, "plain", SHARED_NOTE, NULL, "no view serves podman run as it is now");
	if (keep_id)
		shared_put(u, "keep-id", SHARED_OK, NULL,
			"podman run --userns=keep-id uses the layers of the store");
	else
		shared_put(u, "keep-id", SHARED_NOTE, NULL,
			"no view serves podman run --userns=keep-id: podman copies the image each "
			"time, and changes all owners");
	shared_put(u, "auto", SHARED_NOTE, NULL,
		"podman run --userns=auto needs podman's own copy, because its range is chosen when "
		"the container starts; to use the store, %s",
		keep_id ? "omit --userns, or name --userns=keep-id" : "omit --userns");
}

void podman_put_settings(struct podman_subject *u)
{
	put_conf(u);
	put_storage(u);
	put_pause(u);
	put_maps(u);
}
