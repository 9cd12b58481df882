/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credential: find the credential for a registry in files and helpers. */

#include "credential.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/env.h"
#include "../base/fd.h"
#include "../base/path.h"
#include "../base/subprocess.h"
#include "auth_file.h"

enum { FILE_MAX = 1 << 20, HELPER_SECONDS = 10, HELPER_MAX = 64 << 10, PATH_SIZE = 4096 };

extern char **environ;

void credential_wipe(struct credential *c)
{
	explicit_bzero(c, sizeof(*c));
}

/* --- Helpers --- */

/* Can root alone write to the file or directory? */
static bool is_roots(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/*
 * Open the program docker-credential-NAME. Directories that other users than root can write to do
 * not count, so PATH is not searched.
 */
static int open_helper(const char *name, int *ret)
{
	static const char *const dirs[] = { "/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin",
		"/usr/sbin", "/sbin" };
	char file[CREDENTIAL_HELPER + 32];

	(void)snprintf(file, sizeof(file), "docker-credential-%s", name); /* fits */
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		scoped_fd int dir = -1, fd = -1;

		if (path_open(dirs[i], O_PATH | O_DIRECTORY, "", NULL, &dir, NULL) < 0 ||
			!is_roots(dir))
			continue;
		fd = openat(dir, file, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || !is_roots(fd) || faccessat(fd, "", X_OK, AT_EMPTY_PATH) < 0)
			continue;
		*ret = TAKE_FD(fd);
		return 0;
	}
	return -ENOENT;
}

struct helper_run {
	int program;
	const char *name, *server;
};

/* In the child: read the server's name from a pipe, as the protocol requires, and write to out. */
static int exec_helper(void *arg, int out)
{
	const struct helper_run *h = arg;
	char path[32], *argv[] = { (char *)(uintptr_t)h->name, (char[]){ "get" }, NULL };
	size_t n = strlen(h->server);
	int in[2];

	if (pipe2(in, O_CLOEXEC) < 0 || write(in[1], h->server, n) != (ssize_t)n ||
		close(in[1]) < 0 || dup2(in[0], STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		return 126;
	signals_default();
	(void)alarm(HELPER_SECONDS); /* it remains set across execve(2) */
	/* A script is read by name, so the descriptor must remain open. */
	if (fcntl(h->program, F_SETFD, 0) < 0)
		return 126;
	(void)execve(fd_proc_path(h->program, path), argv, environ);
	return 127;
}

/* Returns 1 and fills ret, 0 if the helper knows no credential, or -errno. */
static int ask_helper(
	const struct helper_run *h, const char *doc, struct credential *ret, struct err *e)
{
	scoped_buf struct buf out = BUF_INIT;
	int status = subprocess_call(exec_helper, (void *)(uintptr_t)h, HELPER_MAX, &out);

	if (status < 0)
		return err_set(e, -status, doc, "cannot run the credential helper");
	if (status == 128 + SIGALRM)
		return err_say(e, ETIMEDOUT, doc,
			"the credential helper did not answer within %d seconds", HELPER_SECONDS);
	if (status == 1 && buf_get(&out) && strstr(out.data, "not found"))
		return 0; /* "credentials not found in native keychain" */
	if (status != 0) {
		/* What it printed could be a secret. */
		(void)err_say(e, EIO, doc, "the credential helper failed with status %d", status);
		err_try(e, "try it: echo %s | %s get", h->server, doc);
		return -EIO;
	}
	if (!buf_get(&out))
		return err_nomem(e);
	status = auth_helper_answer(out.data, out.len, doc, ret, e);
	explicit_bzero(out.data, out.len);
	return status < 0 ? status : 1;
}

static int use_helper(
	const char *name, const struct credential_query *q, struct credential *ret, struct err *e)
{
	scoped_fd int program = -1;
	char doc[CREDENTIAL_HELPER + 32];
	struct helper_run h = { .name = doc, .server = q->host };
	int r = open_helper(name, &program);

	(void)snprintf(doc, sizeof(doc), "docker-credential-%s", name); /* fits */
	if (r < 0) {
		r = err_say(e, ENOENT, doc, "cannot find the credential helper");
		err_why(e,
			"it must be in /usr/local/bin, /usr/bin or /usr/sbin, and only root may be "
			"able to write to it and to its directory");
		return r;
	}
	h.program = program;
	r = ask_helper(&h, doc, ret, e);
	if (r == 0 && !strcmp(q->host, "docker.io")) {
		h.server = "https://index.docker.io/v1/"; /* docker's name of the hub */
		r = ask_helper(&h, doc, ret, e);
	}
	return r;
}

/* --- Files --- */

/* Refuse a file that another user may have written. */
static int check_owner(int fd, const char *path, struct err *e)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the file of credentials");
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		r = err_say(e, EPERM, path, "the file of credentials belongs to another user");
		err_why(e, "it belongs to uid %u", st.st_uid);
		err_try(e, "name one of your own with --authfile");
		return r;
	}
	/* The group's bits are the mask of an ACL: without them no ACL permits writing. */
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		r = err_say(e, EPERM, path, "other users can write to the file of credentials");
		err_try(e, "chmod go-w %s", path);
		return r;
	}
	return 0;
}

static int read_file(const char *path, struct buf *ret, struct err *e)
{
	scoped_fd int fd = -1;
	int r = path_open_regular(path, &fd, e);

	if (r == 0)
		r = check_owner(fd, path, e);
	return r == 0 ? fd_read_all(fd, path, FILE_MAX, ret, e) : r;
}

/* A file of credentials. */
struct auth_place {
	char path[PATH_SIZE];
	bool legacy, required;
};

/* Returns 1 and fills ret, 0 if the file does not exist or has no credential, or -errno. */
static int ask_file(const struct auth_place *p, const struct credential_query *q,
	struct credential *ret, struct err *e)
{
	const struct auth_query a = { .host = q->host, .path = q->path, .legacy = p->legacy };
	scoped_buf struct buf text = BUF_INIT;
	char helper[CREDENTIAL_HELPER] = "";
	struct err own = ERR_INIT;
	int r = read_file(p->path, &text, &own);

	if (r == -ENOENT && !p->required)
		return 0;
	if (r < 0) {
		if (e)
			*e = own;
		return r;
	}
	if (!text.len)
		return 0; /* an empty file is one without entries, to docker, too */
	r = auth_file_helper(buf_get(&text), text.len, p->path, &a, helper, e);
	if (r > 0)
		r = use_helper(helper, q, ret, e);
	if (r == 0)
		r = auth_file_find(buf_get(&text), text.len, p->path, &a, ret, e);
	explicit_bzero(text.data, text.len);
	return r;
}

/* Make a place of a directory and a name; false: the directory is not known, or too long. */
static bool place_in(const char *dir, const char *name, struct auth_place *ret)
{
	int n;

	if (!dir || *dir != '/')
		return false;
	n = snprintf(ret->path, sizeof(ret->path), "%s/%s", dir, name);
	return n > 0 && (size_t)n < sizeof(ret->path);
}

/* Fill the places of containers-auth.json(5), in its order. Returns their number. */
static size_t default_places(struct auth_place ret[static 4])
{
	const char *home = env_get("HOME"), *run = env_get("XDG_RUNTIME_DIR");
	const char *config = env_get("XDG_CONFIG_HOME"), *docker = env_get("DOCKER_CONFIG");
	char own[64];
	size_t n = 0;

	(void)snprintf(own, sizeof(own), "/run/containers/%u", geteuid()); /* fits */
	if (run && *run ? place_in(run, "containers/auth.json", &ret[n]) :
			  place_in(own, "auth.json", &ret[n]))
		n++;
	if (config && *config ? place_in(config, "containers/auth.json", &ret[n]) :
				place_in(home, ".config/containers/auth.json", &ret[n]))
		n++;
	if (docker && *docker ? place_in(docker, "config.json", &ret[n]) :
				place_in(home, ".docker/config.json", &ret[n]))
		n++;
	if (place_in(home, ".dockercfg", &ret[n]))
		ret[n++].legacy = true;
	return n;
}

int credential_find(const struct credential_query *q, struct credential *ret, char *from,
	size_t size, struct err *e)
{
	static struct auth_place places[4]; /* large; the process calls this once */
	const char *named = q->authfile ? q->authfile : env_get("REGISTRY_AUTH_FILE");
	size_t n = 1;
	int r = 0;

	*ret = (struct credential){ .kind = CREDENTIAL_NONE };
	if (named && *named) {
		places[0].required = true;
		if ((size_t)snprintf(places[0].path, sizeof(places[0].path), "%s", named) >=
			sizeof(places[0].path))
			return err_set(
				e, ENAMETOOLONG, named, "cannot read the file of credentials");
	} else {
		n = default_places(places);
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = ask_file(&places[i], q, ret, e);
		if (r > 0)
			(void)snprintf(from, size, "%s", places[i].path); /* for a message */
	}
	if (r <= 0)
		credential_wipe(ret);
	return r < 0 ? r : 0;
}
