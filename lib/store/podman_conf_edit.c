/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_conf_edit: what a user's storage.conf says, and the same with a view. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/path.h"
#include "../base/toml.h"
#include "podman_conf_priv.h"
#include "podman_maps.h"

#define STORES "storage.options.additionalimagestores"

/* The text from which the user's file is made. */
struct conf_source {
	struct buf path; /* of the file that podman reads, or reads if it exists */
	struct buf text;
	bool exists;
	struct stat st;               /* of the file */
	struct podman_roots defaults; /* without the file */
	struct toml_doc *system;      /* the system's file; or NULL */
	const char *system_path;
};

static void source_done(struct conf_source *s)
{
	buf_done(&s->path);
	buf_done(&s->text);
	podman_roots_done(&s->defaults);
	toml_free(s->system);
}

#define scoped_source __attribute__((cleanup(source_done)))

/*
 * --- without a file of the user ----------------------------------------------------------------
 */

static int parse_system(struct conf_source *ret, struct err *e)
{
	static const char *const paths[] = { "/etc/containers/storage.conf",
		"/usr/share/containers/storage.conf" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		scoped_buf struct buf text = BUF_INIT;
		struct stat st;
		int r = podman_conf_read(paths[i], &text, &st, e);

		ret->system_path = paths[i];
		if (r != 0)
			return r < 0 ?
				r :
				toml_parse(buf_get(&text), text.len, paths[i], &ret->system, e);
	}
	return 0;
}

/*
 * podman's defaults for this user: storage/types/options.go, getRootlessStorageOpts(). Of the
 * system's file, the driver and rootless_storage_path count.
 */
static int print_defaults(struct conf_source *s, struct err *e)
{
	const char *path = buf_get(&s->path), *driver = NULL;
	int r = s->system ? toml_str(s->system, "storage.driver", s->system_path, &driver, e) : 0;

	buf_str(&s->text, "[storage]\n");
	if (r == 0)
		r = toml_print_str("driver", driver && *driver ? driver : "overlay", s->system_path,
			&s->text, e);
	if (r == 0)
		r = toml_print_str("runroot", buf_get(&s->defaults.run), path, &s->text, e);
	if (r == 0)
		r = toml_print_str("graphroot", buf_get(&s->defaults.graph), path, &s->text, e);
	buf_str(&s->text, "\n[storage.options]\n");
	return r < 0 ? r : buf_get(&s->text) ? 0 : err_nomem(e);
}

static int find_defaults(const struct podman_conf_want *want, const struct podman_env *env,
	struct conf_source *s, struct err *e)
{
	int r = parse_system(s, e);
	const struct podman_look system = {
		.want = want, .env = env, .path = s->system_path, .toml = s->system
	};

	return r == 0 ? podman_roots_default(&system, &s->defaults, e) : r;
}

static int find_source(const struct podman_conf_want *want, const struct podman_env *env,
	struct conf_source *ret, struct err *e)
{
	const char *path;
	int r;

	if (env->storage_conf)
		buf_str(&ret->path, env->storage_conf);
	else
		podman_conf_path(env->config_home, env->home, ".config", "containers/storage.conf",
			&ret->path);
	path = buf_get(&ret->path);
	if (!path)
		return err_nomem(e);
	if (*path != '/')
		return err_say(e, EINVAL, path, "the path of storage.conf must begin with /");
	r = podman_conf_read(path, &ret->text, &ret->st, e);
	ret->exists = r > 0;
	if (r >= 0)
		r = find_defaults(want, env, ret, e);
	return r == 0 && !ret->exists ? print_defaults(ret, e) : r;
}

/*
 * --- the entry ----------------------------------------------------------------------------------
 */

/* Does the view that is mounted there show a store of this user? Below it there is a link. */
static bool shows_maps(const char *path)
{
	struct stat st;

	return path_stat(path, false, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What storage.conf is to name: the view, or the user's store in it. */
static int choose_store(const struct podman_conf_want *want, const struct strv *stores,
	struct buf *ret, struct err *e)
{
	char maps[PODMAN_MAPS_PATH];

	buf_printf(ret, "%s/%s", want->view, podman_maps_path(want->user.uid, maps));
	if (!buf_get(ret))
		return err_nomem(e);
	if (want->maps || strv_has(stores, ret->data) || shows_maps(ret->data))
		return 0;
	buf_reset(ret);
	buf_str(ret, want->view);
	return buf_get(ret) ? 0 : err_nomem(e);
}

/* The user's store has the images of the view, too: podman would list them twice. */
static int name_store(const struct toml_doc *t, const struct conf_source *s, const char *view,
	const struct strv *stores, struct podman_conf *ret, struct err *e)
{
	const char *path = buf_get(&s->path), *store = buf_get(&ret->store);
	const struct toml_replacement with = { STORES, view, store };

	if (!strv_has(stores, store)) {
		ret->changed = true;
		ret->replaced = strv_has(stores, view);
		return ret->replaced ? toml_replace_str(t, &with, path, &ret->text, e) :
				       toml_add_str(t, STORES, store, path, &ret->text, e);
	}
	buf_add(&ret->text, s->text.data, s->text.len);
	return buf_get(&ret->text) ? 0 : err_nomem(e);
}

static int check_place(const struct podman_env *env, struct err *e)
{
	if (!env->storage_conf)
		return 0;
	(void)err_say(e, EINVAL, env->storage_conf,
		"CONTAINERS_STORAGE_CONF names this file instead of the user's storage.conf");
	err_why(e, "processes without this variable, such as services, do not read it");
	err_try(e, "unset the variable, or omit --write and put the text there");
	return -EINVAL;
}

/* Look at what podman will read: of a file that does not exist, what the system's says. */
static int look(const struct podman_conf_want *want, const struct podman_env *env,
	const struct conf_source *s, const struct toml_doc *t, struct buf *notes, struct err *e)
{
	const struct podman_look l = { .want = want,
		.env = env,
		.path = s->exists || !s->system ? buf_get(&s->path) : s->system_path,
		.toml = t };

	return podman_conf_look(&l, &s->defaults, notes, e);
}

int podman_conf_edit(const struct podman_conf_want *want, const struct podman_env *env,
	struct podman_conf *ret, struct err *e)
{
	scoped_source struct conf_source s = { .exists = false };
	scoped_toml struct toml_doc *t = NULL;
	scoped_strv struct strv stores = { 0 };
	struct podman_conf_want named = *want;
	const char *path;
	int r = want->write ? check_place(env, e) : 0;

	if (r == 0)
		r = find_source(want, env, &s, e);
	if (r < 0)
		return r;
	path = buf_get(&s.path);
	r = toml_parse(buf_get(&s.text), s.text.len, path, &t, e);
	if (r == 0)
		r = toml_strs(t, STORES, path, &stores, e);
	if (r == -EINVAL && t)
		err_try(e, "add \"%s\" in an editor", want->view);
	if (r == 0)
		r = choose_store(want, &stores, &ret->store, e);
	named.view = buf_get(&ret->store);
	if (r == 0)
		r = look(&named, env, &s, t, &ret->notes, e);
	if (r == 0)
		r = name_store(t, &s, want->view, &stores, ret, e);
	if (r < 0)
		return r;
	ret->exists = s.exists;
	ret->changed |= !s.exists;
	if (want->write && !want->dry_run && ret->changed) {
		r = podman_conf_write(path, &ret->text, s.exists ? &s.st : NULL, e);
		ret->written = r == 0;
	}
	ret->path = s.path;
	s.path = BUF_INIT;
	return r;
}
