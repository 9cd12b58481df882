/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_conf_look: what podman makes of a user's storage.conf, and what stands in the way. */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/path.h"
#include "../base/toml.h"
#include "../mount/view.h"
#include "podman_conf_priv.h"

void podman_conf_path(
	const char *dir, const char *home, const char *rest, const char *file, struct buf *ret)
{
	if (dir)
		buf_printf(ret, "%s/%s", dir, file);
	else
		buf_printf(ret, "%s/%s/%s", strcmp(home, "/") ? home : "", rest, file);
}

/*
 * --- runroot and graphroot ----------------------------------------------------------------------
 */

void podman_roots_done(struct podman_roots *r)
{
	buf_done(&r->run);
	buf_done(&r->graph);
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

/* Get the path at a key. Returns 1, 0 if there is none, or -errno. "": it is not known. */
static int get_path(const struct podman_look *l, const char *key, struct buf *ret, struct err *e)
{
	const char *text = NULL;
	int r = l->toml ? toml_str(l->toml, key, l->path, &text, e) : 0;

	if (r < 0 || !text || !*text)
		return r;
	if (!expand(text, l->want, l->env, ret))
		buf_reset(ret);
	return buf_get(ret) ? 1 : err_nomem(e);
}

int podman_roots_default(const struct podman_look *system, struct podman_roots *ret, struct err *e)
{
	const struct podman_env *env = system->env;
	int r = get_path(system, "storage.rootless_storage_path", &ret->graph, e);

	if (r < 0)
		return r;
	if (!*buf_get(&ret->graph))
		podman_conf_path(env->data_home, env->home, ".local/share", "containers/storage",
			&ret->graph);
	if (env->runtime_dir)
		buf_printf(&ret->run, "%s/containers", env->runtime_dir);
	else
		buf_printf(&ret->run, "/run/user/%u/containers", system->want->user.uid);
	return buf_get(&ret->run) && buf_get(&ret->graph) ? 0 : err_nomem(e);
}

static int copy(const struct buf *from, struct buf *ret, struct err *e)
{
	buf_add(ret, from->data, from->len);
	return buf_get(ret) ? 0 : err_nomem(e);
}

/* What the file sets, or else the defaults. "": it is not known. */
static int find_roots(const struct podman_look *l, const struct podman_roots *defaults,
	struct podman_roots *ret, struct err *e)
{
	int r = get_path(l, "storage.runroot", &ret->run, e);

	if (r == 0)
		r = copy(&defaults->run, &ret->run, e);
	if (r >= 0)
		r = get_path(l, "storage.graphroot", &ret->graph, e);
	if (r == 0)
		r = get_path(l, "storage.rootless_storage_path", &ret->graph, e);
	if (r == 0)
		r = copy(&defaults->graph, &ret->graph, e);
	return r < 0 ? r : 0;
}

/*
 * --- obstacles ----------------------------------------------------------------------------------
 */

static int refuse_driver(const char *on, const char *driver, struct err *e)
{
	(void)err_say(e, EOPNOTSUPP, on, "podman of this user has the storage driver %s", driver);
	err_why(e,
		"the images of the view have the driver overlay; with another one, podman fails "
		"with every command if storage.conf has the view");
	return -EOPNOTSUPP;
}

static int check_driver(const struct podman_look *l, struct err *e)
{
	const char *driver = NULL;
	int r = toml_str(l->toml, "storage.driver", l->path, &driver, e);

	if (r < 0)
		return r;
	if (l->env->driver)
		driver = l->env->driver;
	if (!driver || !*driver || !strcmp(driver, "overlay") || !strcmp(driver, "overlay2"))
		return 0;
	r = refuse_driver(l->path, driver, e);
	err_try(e,
		"remove what the user has stored (podman --storage-driver %s system reset, as the "
		"user), and then the line of the driver (or STORAGE_DRIVER)",
		driver);
	return r;
}

static bool has_dir(const char *root, const char *name)
{
	scoped_buf struct buf path = BUF_INIT;
	struct stat st;

	buf_printf(&path, "%s/%s", root, name);
	return buf_get(&path) && path_stat(buf_get(&path), true, &st) == 0 && S_ISDIR(st.st_mode);
}

/* End a note. NUL is the one byte that no value of the file can contain. */
static int noted(struct buf *notes, struct err *e)
{
	buf_char(notes, '\0');
	return buf_get(notes) ? 0 : err_nomem(e);
}

/*
 * podman goes on with the driver that its database names, whatever storage.conf says: the one of
 * the first command. Without a storage.conf that is vfs in podman 4.3.
 */
static int check_store(const char *graph, struct buf *notes, struct err *e)
{
	int r;

	if (!*graph || !has_dir(graph, "vfs-layers"))
		return 0;
	if (has_dir(graph, "overlay-layers")) {
		buf_printf(notes,
			"'%s': has stores of two drivers, vfs and overlay: podman fails if 'podman "
			"info' shows graphDriverName: vfs",
			graph);
		return noted(notes, e);
	}
	r = refuse_driver(graph, "vfs, of which a store is there", e);
	err_try(e,
		"run 'podman --storage-driver vfs system reset' as the user, which removes that "
		"store with its images and containers, and then this command; or set another "
		"graphroot in storage.conf");
	return r;
}

/* Without its store, podman fails with every command. */
static int check_view(const struct podman_look *l, struct buf *notes, struct err *e)
{
	const char *user = l->want->user.name, *view = l->want->view;
	scoped_buf struct buf path = BUF_INIT;
	struct err own = ERR_INIT;
	scoped_fd int fd = -1;
	int r;

	buf_printf(&path, "%s/overlay-layers/layers.json", view);
	if (!buf_get(&path))
		return err_nomem(e);
	r = path_open_regular(buf_get(&path), &fd, &own);
	/* -EWOULDBLOCK: a user whom another view shows the file has a lease on it. */
	if (r == 0 || r == -EWOULDBLOCK || r == -ENOMEM)
		return r == -ENOMEM ? err_nomem(e) : 0;
	if (!l->want->write) {
		buf_printf(notes,
			"'%s': has no store for podman that user '%s' can read, so podman would "
			"fail with every command",
			view, user);
		return noted(notes, e);
	}
	(void)err_say(e, -r, view, "has no store for podman that user '%s' can read", user);
	err_why(e, "if storage.conf names such a directory, podman fails with every command");
	err_try(e, "put a line for it into " VIEWS_TABLE ", and run mount-idmapped -a first");
	return r;
}

/*
 * --- notes --------------------------------------------------------------------------------------
 */

static int note_missing(const struct podman_look *l, struct buf *notes, struct err *e)
{
	static const struct {
		const char *key, *what;
	} wanted[] = {
		{ "storage.driver", "driver: podman may report that with each command" },
		{ "storage.runroot", "runroot: podman commit may fail" },
		{ "storage.graphroot", "graphroot: podman commit may fail" },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(wanted) && r == 0; i++) {
		const char *value = NULL;

		r = toml_str(l->toml, wanted[i].key, l->path, &value, e);
		if (r < 0 || (value && *value))
			continue;
		buf_printf(notes, "'%s': does not set %s", l->path, wanted[i].what);
		r = noted(notes, e);
	}
	return r;
}

static int note_other(const struct podman_look *l, const char *name, const struct buf *is,
	const struct buf *by_default, struct buf *notes, struct err *e)
{
	if (!*buf_get(is) || !strcmp(buf_get(is), buf_get(by_default)))
		return 0;
	buf_printf(notes, "'%s': %s stays '%s'; podman's default for user '%s' is '%s'", l->path,
		name, buf_get(is), l->want->user.name, buf_get(by_default));
	return noted(notes, e);
}

/* podman does not create /run/user/UID, which logind makes for a session. */
static int note_session(
	const struct podman_look *l, const char *runroot, struct buf *notes, struct err *e)
{
	scoped_buf struct buf dir = BUF_INIT;
	struct stat st;

	buf_printf(&dir, "/run/user/%u", l->want->user.uid);
	if (!buf_get(&dir))
		return err_nomem(e);
	if (strncmp(runroot, buf_get(&dir), dir.len) != 0 || runroot[dir.len] != '/' ||
		path_stat(buf_get(&dir), true, &st) == 0)
		return 0;
	buf_printf(notes,
		"'%s': does not exist now, and podman of user '%s' fails without it: it is there "
		"during sessions of the user, and always after 'loginctl enable-linger %s'",
		buf_get(&dir), l->want->user.name, l->want->user.name);
	return noted(notes, e);
}

int podman_conf_look(const struct podman_look *l, const struct podman_roots *defaults,
	struct buf *notes, struct err *e)
{
	scoped_podman_roots struct podman_roots roots = { .run = BUF_INIT, .graph = BUF_INIT };
	int r = check_driver(l, e);

	if (r == 0)
		r = find_roots(l, defaults, &roots, e);
	if (r == 0)
		r = check_store(buf_get(&roots.graph), notes, e);
	if (r == 0)
		r = check_view(l, notes, e);
	if (r == 0)
		r = note_missing(l, notes, e);
	if (r == 0)
		r = note_other(l, "runroot", &roots.run, &defaults->run, notes, e);
	if (r == 0)
		r = note_other(l, "graphroot", &roots.graph, &defaults->graph, notes, e);
	return r == 0 ? note_session(l, buf_get(&roots.run), notes, e) : r;
}
