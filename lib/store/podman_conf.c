/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_conf: let a process of the user find and change the user's storage.conf. */

#include "podman_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/env.h"
#include "../base/fd.h"
#include "../base/path.h"
#include "../base/subprocess.h"
#include "../base/toml.h"
#include "../idmap/as_user.h"
#include "podman.h"
#include "podman_conf_priv.h"
#include "podman_priv.h"
#include "store_priv.h"

/* The notes quote values of the file a few times. */
enum { ANSWER_TIME = 30000 /* ms */, ANSWER_MAX = 8 * TOML_MAX_BYTES };

/* What the user's process has found; path, text, store and notes follow. */
struct conf_answer {
	int r;
	bool exists, changed, replaced, written;
	size_t path, text, store, notes; /* their lengths */
	struct err e;
};

/*
 * --- in the user's process ---------------------------------------------------------------------
 */

static int work(const struct podman_conf_want *want, const struct podman_env *env,
	struct podman_conf *ret, struct err *e)
{
	int r = as_user_drop(&want->user, e);

	(void)umask(077);
	if (r == 0 && chdir("/") < 0)
		r = err_set(e, errno, "/", "cannot enter the directory");
	return r == 0 ? podman_conf_edit(want, env, ret, e) : r;
}

static _Noreturn void run_child(
	const struct podman_conf_want *want, const struct podman_env *env, int out)
{
	static struct conf_answer a = { .e = ERR_INIT };
	struct podman_conf c = { .exists = false };

	if (fd_let_go(&out, 1, -1) < 0)
		_exit(126);
	a.r = work(want, env, &c, &a.e);
	a.exists = c.exists;
	a.changed = c.changed;
	a.replaced = c.replaced;
	a.written = c.written;
	a.path = c.path.len;
	a.text = c.text.len;
	a.store = c.store.len;
	a.notes = c.notes.len;
	if (fd_write_all(out, &a, sizeof(a)) < 0 || fd_write_all(out, c.path.data, a.path) < 0 ||
		fd_write_all(out, c.text.data, a.text) < 0 ||
		fd_write_all(out, c.store.data, a.store) < 0 ||
		fd_write_all(out, c.notes.data, a.notes) < 0)
		_exit(126);
	_exit(0);
}

/*
 * --- in the caller's ----------------------------------------------------------------------------
 */

/* The process has read files of the user: what it says is not trusted to be well-formed. */
static void close_texts(struct err *e)
{
	e->op[sizeof(e->op) - 1] = e->on[sizeof(e->on) - 1] = e->place[sizeof(e->place) - 1] = '\0';
	e->what[sizeof(e->what) - 1] = e->why[sizeof(e->why) - 1] = '\0';
	e->hint[sizeof(e->hint) - 1] = '\0';
}

static int read_answer(int fd, struct podman_conf *ret, struct err *e)
{
	scoped_free struct conf_answer *a = malloc(sizeof(*a));
	scoped_buf struct buf b = BUF_INIT;
	const char *p;
	int r;

	if (!a)
		return err_nomem(e);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, errno, NULL, "cannot read what the user's process has found");
	r = fd_read_all(fd, "answer", ANSWER_MAX, &b, e);
	if (r < 0)
		return r;
	if (b.len >= sizeof(*a))
		memcpy(a, buf_get(&b), sizeof(*a));
	if (b.len < sizeof(*a) || a->path > ANSWER_MAX || a->text > ANSWER_MAX ||
		a->store > ANSWER_MAX || a->notes > ANSWER_MAX ||
		b.len != sizeof(*a) + a->path + a->text + a->store + a->notes)
		return err_say(e, EIO, NULL, "the answer of the user's process is not complete");
	close_texts(&a->e);
	if (a->r < 0) {
		if (e)
			*e = a->e;
		return a->r;
	}
	ret->exists = a->exists;
	ret->changed = a->changed;
	ret->replaced = a->replaced;
	ret->written = a->written;
	p = b.data + sizeof(*a);
	buf_add(&ret->path, p, a->path);
	buf_add(&ret->text, p += a->path, a->text);
	buf_add(&ret->store, p += a->text, a->store);
	buf_add(&ret->notes, p + a->store, a->notes);
	return buf_get(&ret->path) && buf_get(&ret->text) && buf_get(&ret->store) &&
			buf_get(&ret->notes) ?
		0 :
		err_nomem(e);
}

static int wait_for(pid_t pid, const struct podman_conf_want *want, struct err *e)
{
	int r;

	if (!subprocess_ends(pid, ANSWER_TIME)) {
		(void)kill(pid, SIGKILL); /* it is our child */
		(void)err_say(e, ETIMEDOUT, want->user.name,
			"the files of the user do not answer within %d seconds",
			ANSWER_TIME / 1000);
		err_why(e,
			"the home directory, or a directory in it, may be served by a process "
			"that has stopped");
		return -ETIMEDOUT;
	}
	r = subprocess_wait(pid);
	if (r == 0)
		return 0;
	return err_say(
		e, EIO, want->user.name, "the process of the user has ended with status %d", r);
}

static int ask(const struct podman_conf_want *want, const struct podman_env *env,
	struct podman_conf *ret, struct err *e)
{
	scoped_fd int fd = memfd_create("storage.conf", MFD_CLOEXEC);
	pid_t pid;
	int r;

	if (fd < 0)
		return err_set(e, errno, NULL, "cannot create a file in memory");
	pid = fork();
	if (pid < 0)
		return err_set(e, errno, NULL, "cannot start a process");
	if (pid == 0)
		run_child(want, env, fd);
	r = wait_for(pid, want, e);
	return r == 0 ? read_answer(fd, ret, e) : r;
}

static const char *env_filled(const char *name)
{
	const char *value = env_get(name);

	return value && *value ? value : NULL;
}

static int find_home(const struct podman_conf_want *want, struct buf *ret, struct err *e)
{
	const char *home = want->caller ? env_filled("HOME") : NULL;
	int r = 0;

	if (home)
		buf_str(ret, home);
	else
		r = names_home(want->user.name, ret, e);
	if (r < 0)
		return r;
	if (!buf_get(ret))
		return err_nomem(e);
	return *buf_get(ret) == '/' ?
		0 :
		err_say(e, EINVAL, buf_get(ret),
			"the home directory of user '%s' must begin with /", want->user.name);
}

int podman_conf_make(const struct podman_conf_want *want, struct podman_conf *ret, struct err *e)
{
	struct podman_conf c = { .exists = false };
	scoped_buf struct buf home = BUF_INIT;
	struct podman_env env = { .home = NULL };
	int r = find_home(want, &home, e);

	if (r < 0)
		return r;
	if (want->caller)
		env = (struct podman_env){ .storage_conf = env_filled("CONTAINERS_STORAGE_CONF"),
			.config_home = env_filled("XDG_CONFIG_HOME"),
			.data_home = env_filled("XDG_DATA_HOME"),
			.runtime_dir = env_filled("XDG_RUNTIME_DIR"),
			.driver = env_filled("STORAGE_DRIVER") };
	env.home = buf_get(&home);
	r = ask(want, &env, &c, e);
	if (r < 0) {
		podman_conf_done(&c);
		return r;
	}
	*ret = c;
	return 0;
}

void podman_conf_done(struct podman_conf *c)
{
	buf_done(&c->path);
	buf_done(&c->text);
	buf_done(&c->store);
	buf_done(&c->notes);
}

int podman_conf_check_view(const struct store *s, const char *view, struct err *e)
{
	scoped_fd int fd = -1;
	struct stat want, is;
	struct statx stx;

	if (!podman_is_wanted(s) || fstatat(s->fd, PODMAN_DIR, &want, AT_SYMLINK_NOFOLLOW) < 0) {
		(void)err_say(e, ENOENT, s->path, "has nothing for podman (" PODMAN_DIR "/)");
		err_try(e, "unpack an image into a store of root's that has no base");
		return -ENOENT;
	}
	if (path_open(view, O_PATH | O_NOFOLLOW, "cannot open the view", NULL, &fd, NULL) < 0 ||
		statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) < 0 ||
		!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	if (fstat(fd, &is) == 0 && same_file(&want, &is))
		return 1;
	(void)err_say(e, EINVAL, view, "is not a mount of '%s/" PODMAN_DIR "'", s->path);
	err_try(e, "name the store that it shows with --store, or another view");
	return -EINVAL;
}
