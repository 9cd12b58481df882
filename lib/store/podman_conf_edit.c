/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_conf_edit: what a user's storage.conf says, and the same with a view. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/path.h"
#include "../base/toml.h"
#include "podman_conf_priv.h"

#define STORES "storage.options.additionalimagestores"

/* The text from which the user's file is made. */
struct conf_source {
	struct buf path; /* of the file that podman reads, or reads if it exists */
	struct buf text;
	bool exists;
};

static void source_done(struct conf_source *s)
{
	buf_done(&s->path);
	buf_done(&s->text);
}

#define scoped_source __attribute__((cleanup(source_done)))

/* Append the first of $DIR and HOME/REST that is there, and the file. */
static void print_path(
	const char *dir, const char *home, const char *rest, const char *file, struct buf *ret)
{
	if (dir)
		buf_printf(ret, "%s/%s", dir, file);
	else
		buf_printf(ret, "%s/%s/%s", strcmp(home, "/") ? home : "", rest, file);
}

/*
 * --- without a file of the user ----------------------------------------------------------------
 */

/* The first file of the system. Returns 1 with *ret set, 0 or -errno. */
static int parse_system(struct toml_doc **ret, struct err *e)
{
	static const char *const paths[] = { "/etc/containers/storage.conf",
		"/usr/share/containers/storage.conf" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		scoped_buf struct buf text = BUF_INIT;
		int r = podman_conf_read(paths[i], &text, e);

		if (r > 0)
			r = toml_parse(buf_get(&text), text.len, paths[i], ret, e);
		else if (r == 0)
			continue;
		return r < 0 ? r : 1;
	}
	return 0;
}

/* Replace what podman replaces in a path of storage.conf. Returns false if it is not known. */
static bool expand(const char *path, const struct podman_conf_want *want,
	const struct podman_env *env, struct buf *ret)
{
	const struct {
		const char *word, *value;
	} words[] = { { "$HOME", env->home }, { "${HOME}", env->home },
		{ "$USER", want->user.name }, { "${USER}", want->user.name }, { "$UID", NULL },
		{ "${UID}", NULL } };

	for (const char *p = path; *p;) {
		size_t i = 0;

		while (i < ARRAY_LEN(words) &&
			strncmp(p, words[i].word, strlen(words[i].word)) != 0)
			i++;
		if (i == ARRAY_LEN(words)) {
			if (*p == '$')
				return false;
			buf_char(ret, *p++);
			continue;
		}
		p += strlen(words[i].word);
		if (words[i].value)
			buf_str(ret, words[i].value);
		else
			buf_printf(ret, "%u", want->user.uid);
	}
	return true;
}

/*
 * podman's defaults for this user: storage/types/options.go, getRootlessStorageOpts(). Of the
 * system's file, the driver and rootless_storage_path count.
 */
static int print_defaults(const struct podman_conf_want *want, const struct podman_env *env,
	struct buf *ret, struct err *e)
{
	scoped_buf struct buf runroot = BUF_INIT, graphroot = BUF_INIT;
	scoped_toml struct toml_doc *sys = NULL;
	const char *driver = NULL, *path = NULL;
	int r = parse_system(&sys, e);

	if (r > 0)
		r = toml_str(sys, "storage.driver", "storage.conf", &driver, e);
	if (r == 0 && sys)
		r = toml_str(sys, "storage.rootless_storage_path", "storage.conf", &path, e);
	if (r < 0)
		return r;
	if (!path || !*path || !expand(path, want, env, &graphroot)) {
		buf_reset(&graphroot);
		print_path(env->data_home, env->home, ".local/share", "containers/storage",
			&graphroot);
	}
	if (env->runtime_dir)
		buf_printf(&runroot, "%s/containers", env->runtime_dir);
	else
		buf_printf(&runroot, "/run/user/%u/containers", want->user.uid);
	if (!buf_get(&runroot) || !buf_get(&graphroot))
		return err_nomem(e);
	buf_str(ret, "[storage]\n");
	r = toml_print_str("driver", driver && *driver ? driver : "overlay", "driver", ret, e);
	if (r == 0)
		r = toml_print_str("runroot", buf_get(&runroot), "runroot", ret, e);
	if (r == 0)
		r = toml_print_str("graphroot", buf_get(&graphroot), "graphroot", ret, e);
	buf_str(ret, "\n[storage.options]\n");
	return r < 0 ? r : buf_get(ret) ? 0 : err_nomem(e);
}

static int find_source(const struct podman_conf_want *want, const struct podman_env *env,
	struct conf_source *ret, struct err *e)
{
	int r;

	if (env->storage_conf)
		buf_str(&ret->path, env->storage_conf);
	else
		print_path(env->config_home, env->home, ".config", "containers/storage.conf",
			&ret->path);
	if (!buf_get(&ret->path))
		return err_nomem(e);
	if (*buf_get(&ret->path) != '/')
		return err_say(e, EINVAL, buf_get(&ret->path),
			"the path of storage.conf must begin with /");
	r = podman_conf_read(buf_get(&ret->path), &ret->text, e);
	ret->exists = r > 0;
	return r == 0 ? print_defaults(want, env, &ret->text, e) : r < 0 ? r : 0;
}

/*
 * --- obstacles ----------------------------------------------------------------------------------
 */

static int refuse_driver(const char *on, const char *driver, struct err *e)
{
	(void)err_say(e, EOPNOTSUPP, on, "podman of this user has the storage driver %s", driver);
	err_why(e, "with it, podman cannot read the images of the view, whose driver is overlay");
	return -EOPNOTSUPP;
}

static int check_driver(
	const struct toml_doc *t, const char *path, const struct podman_env *env, struct err *e)
{
	const char *driver = NULL;
	int r = toml_str(t, "storage.driver", path, &driver, e);

	if (r < 0)
		return r;
	if (env->driver)
		driver = env->driver;
	if (!driver || !*driver || !strcmp(driver, "overlay") || !strcmp(driver, "overlay2"))
		return 0;
	r = refuse_driver(path, driver, e);
	err_try(e,
		"remove what the user has stored (podman system reset, as the user), and then "
		"the line of the driver (or STORAGE_DRIVER)");
	return r;
}

static bool has_dir(const char *root, const char *name)
{
	scoped_buf struct buf path = BUF_INIT;
	struct stat st;

	buf_printf(&path, "%s/%s", root, name);
	return buf_get(&path) && path_stat(buf_get(&path), true, &st) == 0 && S_ISDIR(st.st_mode);
}

/* podman goes on with the driver of a store that exists, whatever storage.conf says. */
static int check_store(const struct toml_doc *t, const char *path,
	const struct podman_conf_want *want, const struct podman_env *env, struct err *e)
{
	scoped_buf struct buf root = BUF_INIT;
	const char *text = NULL;
	int r = toml_str(t, "storage.graphroot", path, &text, e);

	if (r == 0 && (!text || !*text))
		r = toml_str(t, "storage.rootless_storage_path", path, &text, e);
	if (r < 0)
		return r;
	if (!text || !*text)
		print_path(env->data_home, env->home, ".local/share", "containers/storage", &root);
	else if (!expand(text, want, env, &root))
		return 0;
	if (!buf_get(&root))
		return err_nomem(e);
	if (!has_dir(buf_get(&root), "vfs-layers") || has_dir(buf_get(&root), "overlay-layers"))
		return 0;
	r = refuse_driver(buf_get(&root), "vfs, of which a store is there", e);
	err_try(e,
		"remove that store: podman system reset, as the user; the images and containers "
		"in it are lost");
	return r;
}

/*
 * --- the entry ----------------------------------------------------------------------------------
 */

static int add_view(const struct toml_doc *t, const struct conf_source *s,
	const struct podman_conf_want *want, struct podman_conf *ret, struct err *e)
{
	const char *path = buf_get(&s->path);
	scoped_strv struct strv stores = { 0 };
	int r = toml_strs(t, STORES, path, &stores, e);

	if (r < 0)
		return r;
	if (!strv_has(&stores, want->view)) {
		ret->changed = true;
		return toml_add_str(t, STORES, want->view, path, &ret->text, e);
	}
	buf_add(&ret->text, s->text.data, s->text.len);
	return buf_get(&ret->text) ? 0 : err_nomem(e);
}

/* podman's own defaults do not reach the libraries that commit: "runroot must be set". */
static int look_for_roots(
	const struct toml_doc *t, const char *path, struct podman_conf *ret, struct err *e)
{
	static const char *const keys[] = { "storage.runroot", "storage.graphroot" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(keys) && r == 0; i++) {
		const char *value = NULL;

		r = toml_str(t, keys[i], path, &value, e);
		ret->lacks_roots |= !value || !*value;
	}
	return r;
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

int podman_conf_edit(const struct podman_conf_want *want, const struct podman_env *env,
	struct podman_conf *ret, struct err *e)
{
	scoped_source struct conf_source s = { .exists = false };
	scoped_toml struct toml_doc *t = NULL;
	const char *path;
	int r = want->write ? check_place(env, e) : 0;

	if (r == 0)
		r = find_source(want, env, &s, e);
	if (r < 0)
		return r;
	path = buf_get(&s.path);
	r = toml_parse(buf_get(&s.text), s.text.len, path, &t, e);
	if (r == 0)
		r = check_driver(t, path, env, e);
	if (r == 0)
		r = check_store(t, path, want, env, e);
	if (r == 0)
		r = look_for_roots(t, path, ret, e);
	if (r == 0)
		r = add_view(t, &s, want, ret, e);
	if (r < 0)
		return r;
	ret->exists = s.exists;
	ret->changed |= !s.exists;
	ret->path = s.path;
	s.path = BUF_INIT;
	if (!want->write || want->dry_run || !ret->changed)
		return 0;
	r = podman_conf_write(path, &ret->text, e);
	ret->written = r == 0;
	return r;
}
