/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podman_facts: read what podman of a user reads. The child process writes fields: a key and a
 * value, each with a NUL at its end.
 */

#include "podman_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/env.h"
#include "../base/fd.h"
#include "../base/json.h"
#include "../base/num.h"
#include "../base/path.h"
#include "../base/subprocess.h"
#include "../base/toml.h"
#include "../idmap/as_user.h"
#include "../store/podman_maps.h"

#define STORES "storage.options.additionalimagestores"
#define IMAGES "overlay-images/images.json"
#define LAYERS "overlay-layers/layers.json"

enum { FIELDS_MAX = 1 << 20, PID_FILE_MAX = 32, ANSWER_TIME = 30000 /* ms */ };

/* What the child process asks, and what it has to say. */
struct inquiry {
	const struct user *user;
	const char *view; /* that was asked about */
	const struct strv *paths;
	const char *runtime_dir; /* of the caller, if it asks about itself; or NULL */
	const struct podman_conf *conf;
	struct strv named; /* the additional image stores of storage.conf */
	struct buf out;
};

static void say(struct inquiry *q, const char *key, const char *value)
{
	buf_add(&q->out, key, strlen(key) + 1);
	buf_add(&q->out, value, strlen(value) + 1);
}

static void say_number(struct inquiry *q, const char *key, long long value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", value); /* fits */
	say(q, key, text);
}

/*
 * --- the pause process ---------------------------------------------------------------------------
 */

static bool say_pause(struct inquiry *q, const char *dir)
{
	scoped_buf struct buf text = BUF_INIT;
	char path[4200];
	uint32_t pid;
	scoped_fd int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/libpod/tmp/pause.pid", dir);
	if (path_open_regular(path, &fd, NULL) < 0 ||
		fd_read_all(fd, path, PID_FILE_MAX, &text, NULL) < 0 || !buf_get(&text))
		return false;
	text.data[strcspn(buf_get(&text), "\n")] = '\0';
	/* The number may be that of another user's process by now. */
	if (num_u32(text.data, &pid) < 0 || pid < 2 || pid > INT32_MAX || kill((pid_t)pid, 0) < 0)
		return false;
	say(q, "pid-file", path);
	say_number(q, "pause", pid);
	return true;
}

/* podman's directories for what does not outlive a boot, of older and newer versions. */
static void say_any_pause(struct inquiry *q)
{
	static const char *const dirs[] = { "/run/user/", "/tmp/podman-run-", "/tmp/storage-run-" };
	char dir[64];

	if (q->runtime_dir) {
		(void)say_pause(q, q->runtime_dir);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		(void)snprintf(dir, sizeof(dir), "%s%u", dirs[i], q->user->uid); /* fits */
		if (say_pause(q, dir))
			return;
	}
}

/*
 * --- stores --------------------------------------------------------------------------------------
 */

/* Returns 0, -EFBIG, or another -errno. */
static int read_list(const char *dir, const char *name, struct json **ret)
{
	scoped_buf struct buf path = BUF_INIT, text = BUF_INIT;
	struct err ignored = ERR_INIT;
	scoped_fd int fd = -1;
	int r;

	buf_printf(&path, "%s/%s", dir, name);
	if (!buf_get(&path))
		return -ENOMEM;
	r = path_open_regular(path.data, &fd, &ignored);
	if (r == 0)
		r = fd_read_all(fd, path.data, JSON_MAX_BYTES, &text, &ignored);
	if (r == 0)
		r = doc_parse_array(buf_get(&text), text.len, name, ret, &ignored);
	return r;
}

/* In containers-storage's form: is the container's id of the user the one outside? */
static bool keeps_id(const struct json *layer, uint32_t uid)
{
	const struct json *map = NULL;

	if (doc_array(layer, "uidmap", LAYERS, true, &map, NULL) < 0)
		return false;
	for (size_t i = 0; i < doc_len(map); i++) {
		const struct json *x;
		uint64_t inside, outside;

		if (doc_item_object(map, i, "uidmap", LAYERS, &x, NULL) == 0 &&
			doc_u64(x, "container_id", LAYERS, true, &inside, NULL) == 0 &&
			doc_u64(x, "host_id", LAYERS, true, &outside, NULL) == 0 && inside == uid &&
			outside == 0)
			return true;
	}
	return false;
}

/*
 * Is the layer there? Where its view is not mounted, a link leads to nothing. Where it is, the user
 * is not root's counterpart, and may enter it in podman's user namespace alone.
 */
static bool has_diff(const char *dir, const struct json *layer)
{
	scoped_buf struct buf path = BUF_INIT;
	const char *id = NULL;
	struct stat st;
	int r;

	if (doc_str(layer, "id", LAYERS, true, &id, NULL) < 0 || strchr(id, '/'))
		return false;
	buf_printf(&path, "%s/overlay/%s/diff", dir, id);
	if (!buf_get(&path))
		return false;
	r = path_stat(path.data, true, &st);
	return r == 0 || r == -EACCES;
}

static void look_at_layers(
	const char *dir, uint32_t uid, bool *mapped, struct podman_store_facts *f)
{
	scoped_json struct json *layers = NULL;

	if (read_list(dir, LAYERS, &layers) < 0)
		return;
	for (size_t i = 0; i < doc_len(layers) && !f->keep_id; i++) {
		const struct json *layer;

		if (doc_item_object(layers, i, "layers", LAYERS, &layer, NULL) < 0 ||
			!doc_has(layer, "uidmap"))
			continue;
		*mapped = true;
		f->keep_id = keeps_id(layer, uid) && has_diff(dir, layer);
	}
}

/* The position of the path among the stores that storage.conf names, from 1; 0: it is not there. */
static size_t position(const struct inquiry *q, const char *path)
{
	const size_t n = strlen(path);

	for (size_t i = 0; i < q->named.len; i++) {
		const char *name = q->named.items[i];

		if (!strncmp(name, path, n) && !name[n + strspn(name + n, "/")])
			return i + 1;
	}
	return 0;
}

/* Below a view that is not mounted, the name is a link (store/podman_below.h). */
static void look_at_maps(const struct inquiry *q, const char *dir, struct podman_store_facts *f)
{
	char maps[PODMAN_MAPS_PATH];
	scoped_buf struct buf path = BUF_INIT;
	struct stat st;

	buf_printf(&path, "%s/%s", dir, podman_maps_path(q->user->uid, maps));
	if (!buf_get(&path))
		return;
	if (!f->position) {
		f->position = position(q, buf_get(&path));
		f->maps_named = f->position;
	}
	if (path_stat(path.data, false, &st) == 0 && S_ISDIR(st.st_mode))
		look_at_layers(buf_get(&path), q->user->uid, &f->maps, f);
}

/* The file has the view where the new text has another store. */
static void put_back(struct inquiry *q)
{
	for (size_t i = 0; i < q->named.len; i++) {
		char *view = strcmp(q->named.items[i], buf_get(&q->conf->store)) == 0 ?
			strdup(q->view) :
			NULL;

		if (!view)
			continue;
		free(q->named.items[i]);
		q->named.items[i] = view;
	}
}

/*
 * The text of the user is parsed by the user's process. What was added to it is its last store.
 */
static void find_named(struct inquiry *q)
{
	scoped_toml struct toml_doc *t = NULL;
	const struct buf *text = &q->conf->text;

	if (!text->len || toml_parse(text->data, text->len, "storage.conf", &t, NULL) < 0 ||
		toml_strs(t, STORES, "storage.conf", &q->named, NULL) < 0)
		return;
	if (q->conf->exists && !q->conf->changed)
		return;
	if (q->conf->replaced) {
		put_back(q);
		return;
	}
	if (q->named.len)
		free(q->named.items[--q->named.len]);
}

static void say_store(struct inquiry *q, const char *path)
{
	scoped_json struct json *images = NULL;
	struct podman_store_facts f = { .num = 0 };
	char text[96];
	int r = read_list(path, IMAGES, &images);

	f.counted = r == 0;
	f.num = r < 0 && r != -EFBIG ? -r : 0;
	f.images = r == 0 ? doc_len(images) : 0;
	f.position = position(q, path);
	look_at_layers(path, q->user->uid, &f.mapped, &f);
	look_at_maps(q, path, &f);
	(void)snprintf(text, sizeof(text), "%d %llu %zu %d", f.num, (unsigned long long)f.images,
		f.position,
		f.counted | f.mapped << 1 | f.keep_id << 2 | f.maps << 3 |
			f.maps_named << 4); /* fits */
	say(q, "store", text);
}

/* Nothing that is open in root's process is left to this one. */
static _Noreturn void inquire(struct inquiry *q, int out)
{
	if (fd_let_go(&out, 1, -1) < 0 || as_user_drop(q->user, NULL) < 0 || chdir("/") < 0)
		_exit(1);
	find_named(q);
	say_any_pause(q);
	for (size_t i = 0; i < q->paths->len; i++)
		say_store(q, q->paths->items[i]);
	_exit(!buf_get(&q->out) || fd_write_all(out, q->out.data, q->out.len) < 0);
}

/*
 * --- the caller's side ---------------------------------------------------------------------------
 */

static int take_store(const char *value, struct podman_facts *f)
{
	uint64_t n[4] = { 0 };
	const char *p = value;

	for (size_t i = 0; i < ARRAY_LEN(n); i++, p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");

		if (num_u64_n(p, len, &n[i]) < 0)
			return -EPROTO;
		p += len;
	}
	return VEC_ADD(&f->stores,
		(struct podman_store_facts){ .num = (int)n[0],
			.images = n[1],
			.position = n[2],
			.counted = n[3] & 1,
			.mapped = n[3] & 2,
			.keep_id = n[3] & 4,
			.maps = n[3] & 8,
			.maps_named = n[3] & 16 });
}

static int take_text(const char *value, char **ret)
{
	free(*ret);
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

static int take(const char *key, const char *value, struct podman_facts *f)
{
	uint32_t n;

	if (!strcmp(key, "store"))
		return take_store(value, f);
	if (!strcmp(key, "pid-file"))
		return take_text(value, &f->pid_file);
	if (strcmp(key, "pause") != 0 || num_u32(value, &n) < 0)
		return -EPROTO;
	f->pause = (pid_t)n;
	return 0;
}

static int take_all(const struct buf *fields, struct podman_facts *f)
{
	for (size_t at = 0; at < fields->len;) {
		const char *key = fields->data + at, *value = key + strlen(key) + 1;
		int r = value < fields->data + fields->len ? take(key, value, f) : -EPROTO;

		if (r < 0)
			return r;
		at += strlen(key) + strlen(value) + 2;
	}
	return 0;
}

/*
 * The files may be on a filesystem of the user, whose server does not answer; and the user can kill
 * the process.
 */
static int wait_for(pid_t pid)
{
	if (!subprocess_ends(pid, ANSWER_TIME)) {
		(void)kill(pid, SIGKILL); /* it is our child */
		return -ETIMEDOUT;
	}
	return subprocess_wait(pid) == 0 ? 0 : -ETIMEDOUT;
}

static int ask(struct inquiry *q, struct buf *ret, struct err *e)
{
	scoped_fd int fd = memfd_create("podman", MFD_CLOEXEC);
	pid_t pid = fd < 0 ? -1 : fork();
	int r;

	if (pid < 0)
		return err_set(e, errno, NULL, "cannot start a process");
	if (pid == 0)
		inquire(q, fd);
	r = wait_for(pid);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = err_set(e, errno, NULL, "cannot read what a process has found");
	return r < 0 ? r : fd_read_all(fd, "podman", FIELDS_MAX, ret, e);
}

/* The files may be on a filesystem of the user: it has not answered. */
static int set_silent(const struct strv *paths, struct podman_facts *f, struct err *e)
{
	f->silent = true;
	for (size_t i = 0; i < paths->len; i++)
		if (VEC_ADD(&f->stores, (struct podman_store_facts){ .num = ETIMEDOUT }) < 0)
			return err_nomem(e);
	return 0;
}

static int look(const struct user *user, const char *view, const struct strv *paths,
	struct podman_facts *f, struct err *e)
{
	struct inquiry q = { .user = user, .view = view, .paths = paths, .conf = &f->conf };
	scoped_buf struct buf fields = BUF_INIT;
	int r;

	if (user->uid == getuid())
		q.runtime_dir = env_get("XDG_RUNTIME_DIR");
	if (q.runtime_dir && !*q.runtime_dir)
		q.runtime_dir = NULL;
	r = ask(&q, &fields, e);
	if (r == -ETIMEDOUT)
		return set_silent(paths, f, e);
	if (r == 0)
		r = take_all(&fields, f);
	if (r == 0 && f->stores.len != paths->len)
		r = -EPROTO;
	if (r == -EPROTO && e && !e->set)
		return err_say(e, EPROTO, user->name,
			"the process that looks at the files of this user prints nonsense");
	return r == -ENOMEM ? err_nomem(e) : r;
}

int podman_facts_get(const struct user *user, const char *view, const struct strv *paths,
	struct podman_facts *ret, struct err *e)
{
	const struct podman_conf_want want = {
		.user = *user, .caller = user->uid == geteuid(), .view = view
	};
	struct podman_facts f = { .silent = false };
	int r;

	f.conf_fault = podman_conf_make(&want, &f.conf, &f.why);
	r = f.conf_fault == -ENOMEM        ? err_nomem(e) :
		f.conf_fault == -ETIMEDOUT ? set_silent(paths, &f, e) :
					     look(user, view, paths, &f, e);
	if (r < 0)
		podman_facts_done(&f);
	else
		*ret = f;
	return r;
}

void podman_facts_done(struct podman_facts *f)
{
	podman_conf_done(&f->conf);
	free(f->pid_file);
	VEC_DONE(&f->stores);
	*f = (struct podman_facts){ .silent = false };
}
