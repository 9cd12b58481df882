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
#include "as_user.h"

#define IMAGES "overlay-images/images.json"
#define LAYERS "overlay-layers/layers.json"
#define STORES "storage.options.additionalimagestores"

enum { FIELDS_MAX = 1 << 20, PID_FILE_MAX = 32, ANSWER_TIME = 30000 /* ms */ };

/* The child. */
struct inquiry {
	const struct user *user;
	const struct strv *paths;
	bool self; /* the caller asks about itself: its environment counts */
	char home[4096];
	struct toml_doc *conf; /* the user's, or NULL */
	struct strv named;     /* its additional image stores */
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

static const char *variable(const struct inquiry *q, const char *name)
{
	const char *value = q->self ? env_get(name) : NULL;

	return value && *value ? value : NULL;
}

/*
 * --- storage.conf ------------------------------------------------------------------------------
 */

/* Parse a file of settings. Returns 0, -ENOENT, or another -errno with e filled. */
static int read_toml(const char *path, struct toml_doc **ret, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	scoped_fd int fd = -1;
	int r = path_open_regular(path, &fd, e);

	if (r == 0)
		r = fd_read_all(fd, path, TOML_MAX_BYTES, &text, e);
	if (r == 0)
		r = toml_parse(buf_get(&text), text.len, path, ret, e);
	return r;
}

/* The user's file, as containers-storage looks for it (types/utils.go, DefaultConfigFile()). */
static bool conf_path(const struct inquiry *q, char *ret, size_t size)
{
	const char *file = variable(q, "CONTAINERS_STORAGE_CONF"),
		   *config = variable(q, "XDG_CONFIG_HOME");
	int n = file   ? snprintf(ret, size, "%s", file) :
		config ? snprintf(ret, size, "%s/containers/storage.conf", config) :
			 snprintf(ret, size, "%s/.config/containers/storage.conf", q->home);

	return n > 0 && (size_t)n < size;
}

static void say_conf(struct inquiry *q)
{
	struct err why = ERR_INIT;
	scoped_buf struct buf text = BUF_INIT;
	char path[4352];
	int r;

	if (!conf_path(q, path, sizeof(path)))
		return;
	say(q, "conf", path);
	if (variable(q, "CONTAINERS_STORAGE_CONF"))
		say(q, "conf-env", "1");
	if (!toml_is_built()) {
		say_number(q, "conf-state", PODMAN_CONF_UNREAD);
		return;
	}
	r = read_toml(path, &q->conf, &why);
	if (r == 0)
		r = toml_strs(q->conf, STORES, path, &q->named, &why);
	say_number(q, "conf-state",
		r == 0               ? PODMAN_CONF_READ :
			r == -ENOENT ? PODMAN_CONF_NONE :
				       PODMAN_CONF_BAD);
	if (r == 0 || r == -ENOENT)
		return;
	buf_printf(&text, "%s%s%s", why.what, why.num ? ": " : "",
		why.num ? strerrordesc_np(why.num) : "");
	if (buf_get(&text))
		say(q, "conf-why", text.data);
}

/* A string of the document; NULL if it has none of this name. */
static const char *setting(const struct toml_doc *t, const char *key)
{
	const char *value = NULL;

	if (!t || toml_str(t, key, "", &value, NULL) < 0 || !value || !*value)
		return NULL;
	return value;
}

/*
 * Of the system's file, an ordinary user gets the driver and the place of the storage
 * (getRootlessStorageOpts()), unless there is a file of the user's.
 */
static void say_storage(struct inquiry *q)
{
	static const char *const files[] = { "/etc/containers/storage.conf",
		"/usr/share/containers/storage.conf" };
	scoped_toml struct toml_doc *system = NULL;
	struct err ignored = ERR_INIT;
	const char *driver, *program, *root, *data = variable(q, "XDG_DATA_HOME");
	char path[4352];
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_LEN(files) && toml_is_built() && r == -ENOENT; i++)
		r = read_toml(files[i], &system, &ignored);
	driver = setting(q->conf ? q->conf : system, "storage.driver");
	program = setting(q->conf, "storage.options.overlay.mount_program");
	if (!program)
		program = setting(q->conf, "storage.options.mount_program");
	root = setting(q->conf, "storage.graphroot");
	if (!root)
		root = setting(q->conf ? q->conf : system, "storage.rootless_storage_path");
	if (!root &&
		snprintf(path, sizeof(path), "%s%s/containers/storage", data ? data : q->home,
			data ? "" : "/.local/share") < (int)sizeof(path))
		root = path;
	if (variable(q, "STORAGE_DRIVER"))
		driver = variable(q, "STORAGE_DRIVER");
	if (driver)
		say(q, "driver", driver);
	if (program)
		say(q, "mount-program", program);
	if (!root || strchr(root, '$')) /* podman would expand it */
		return;
	say(q, "graphroot", root);
	for (size_t i = 0; i < 2; i++) {
		static const char *const drivers[] = { "vfs", "overlay" };
		char dir[4400];

		(void)snprintf(dir, sizeof(dir), "%s/%s-images", root, drivers[i]); /* fits */
		if (access(dir, F_OK) == 0)
			say(q, drivers[i], "1");
	}
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
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fd_check_regular(fd, path, NULL) < 0 ||
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
	const char *own = variable(q, "XDG_RUNTIME_DIR");
	char dir[64];

	if (own) {
		(void)say_pause(q, own);
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

static void look_at_layers(const char *dir, uint32_t uid, struct podman_store_facts *f)
{
	scoped_json struct json *layers = NULL;

	if (read_list(dir, LAYERS, &layers) < 0)
		return;
	for (size_t i = 0; i < doc_len(layers) && !f->keep_id; i++) {
		const struct json *layer;

		if (doc_item_object(layers, i, "layers", LAYERS, &layer, NULL) < 0 ||
			!doc_has(layer, "uidmap"))
			continue;
		f->mapped = true;
		f->keep_id = keeps_id(layer, uid);
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
	look_at_layers(path, q->user->uid, &f);
	(void)snprintf(text, sizeof(text), "%d %llu %zu %d", f.num, (unsigned long long)f.images,
		f.position, f.counted | f.mapped << 1 | f.keep_id << 2); /* fits */
	say(q, "store", text);
}

/* Nothing that is open in root's process is left to this one. */
static _Noreturn void inquire(struct inquiry *q, int out)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || fd_let_go(out, out, -1) < 0 ||
		as_user_become(q->user) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		chdir("/") < 0)
		_exit(1);
	say_conf(q);
	say_storage(q);
	say_any_pause(q);
	for (size_t i = 0; i < q->paths->len; i++)
		say_store(q, q->paths->items[i]);
	_exit(!buf_get(&q->out) || fd_write_all(out, q->out.data, q->out.len) < 0);
}

/*
 * --- the caller's side
 * -----------------------------------------------------------------------------
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
			.keep_id = n[3] & 4 });
}

static int take_text(const char *value, char **ret)
{
	free(*ret);
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

static int take(const char *key, const char *value, struct podman_facts *f)
{
	const struct {
		const char *key;
		char **text;
	} texts[] = { { "conf", &f->conf }, { "conf-why", &f->conf_why }, { "driver", &f->driver },
		{ "mount-program", &f->mount_program }, { "graphroot", &f->graphroot },
		{ "pid-file", &f->pid_file } };
	const struct {
		const char *key;
		bool *flag;
	} flags[] = { { "conf-env", &f->conf_env }, { "vfs", &f->has_vfs },
		{ "overlay", &f->has_overlay } };
	uint32_t n;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!strcmp(key, texts[i].key))
			return take_text(value, texts[i].text);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (!strcmp(key, flags[i].key)) {
			*flags[i].flag = true;
			return 0;
		}
	if (!strcmp(key, "store"))
		return take_store(value, f);
	if (num_u32(value, &n) < 0)
		return -EPROTO;
	if (!strcmp(key, "pause"))
		f->pause = (pid_t)n;
	else if (!strcmp(key, "conf-state") && n <= PODMAN_CONF_UNREAD)
		f->conf_state = (enum podman_conf_state)n;
	else
		return -EPROTO;
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

static int find_home(struct inquiry *q, struct err *e)
{
	scoped_buf struct buf home = BUF_INIT;
	const char *own = variable(q, "HOME");
	int r = own ? 0 : names_home(q->user->uid, &home, e);

	if (r < 0)
		return r;
	(void)snprintf(q->home, sizeof(q->home), "%s", own ? own : buf_get(&home));
	return 0;
}

/* The files may be on a filesystem of the user, whose server does not answer. */
static int wait_for(pid_t pid, const struct user *user, struct err *e)
{
	int status;

	if (!subprocess_ends(pid, ANSWER_TIME)) {
		(void)kill(pid, SIGKILL); /* it is our child */
		return -ETIMEDOUT;
	}
	status = subprocess_wait(pid);
	if (status == 0)
		return 0;
	return err_say(e, EPROTO, user->name,
		"the process that reads the settings of this user has failed (status %d)", status);
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
	r = wait_for(pid, q->user, e);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = err_set(e, errno, NULL, "cannot read what a process has found");
	return r < 0 ? r : fd_read_all(fd, "podman", FIELDS_MAX, ret, e);
}

static int set_silent(const struct strv *paths, struct podman_facts *f, struct err *e)
{
	f->conf_state = PODMAN_CONF_SILENT;
	for (size_t i = 0; i < paths->len; i++)
		if (VEC_ADD(&f->stores, (struct podman_store_facts){ .num = ETIMEDOUT }) < 0)
			return err_nomem(e);
	return 0;
}

int podman_facts_get(
	const struct user *user, const struct strv *paths, struct podman_facts *ret, struct err *e)
{
	struct inquiry q = { .user = user, .paths = paths, .self = user->uid == getuid() };
	scoped_podman_facts struct podman_facts f = { .conf_state = PODMAN_CONF_NONE };
	scoped_buf struct buf fields = BUF_INIT;
	int r = find_home(&q, e);

	if (r == 0)
		r = ask(&q, &fields, e);
	if (r == -ETIMEDOUT)
		r = set_silent(paths, &f, e);
	else if (r == 0)
		r = take_all(&fields, &f);
	if (r == 0 && f.stores.len != paths->len)
		r = -EPROTO;
	if (r == -EPROTO && e && !e->set)
		return err_say(e, EPROTO, user->name,
			"the process that reads the settings of this user prints nonsense");
	if (r < 0)
		return r == -ENOMEM ? err_nomem(e) : r;
	*ret = f;
	f = (struct podman_facts){ .conf_state = PODMAN_CONF_NONE };
	return 0;
}

void podman_facts_done(struct podman_facts *f)
{
	free(f->conf);
	free(f->conf_why);
	free(f->driver);
	free(f->mount_program);
	free(f->graphroot);
	free(f->pid_file);
	VEC_DONE(&f->stores);
	*f = (struct podman_facts){ .conf_state = PODMAN_CONF_NONE };
}
