/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_program: find podman, and its version. */

#include "podman_program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/subprocess.h"

static const char *const places[] = { "/usr/bin/podman", "/usr/local/bin/podman", "/bin/podman" };

static bool is_roots(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & 022);
}

/* Can only root change the program and the directories on the way to it? */
static bool is_kept(const char *path)
{
	char part[64];
	struct stat st;

	for (const char *p = path; p; p = strchr(p + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", p == path ? 1 : (int)(p - path), path);
		if (stat(part, &st) < 0 || !is_roots(&st))
			return false;
	}
	/* A link is its directory's, which was looked at if it is one of these. */
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && is_roots(&st);
}

static int ask(struct podman_program *p, struct err *e)
{
	char *argv[] = { (char *)"podman", (char *)"--version", NULL };
	scoped_buf struct buf text = BUF_INIT;
	int r = subprocess_capture(p->path, argv, &text);

	if (r == -ENOMEM || !buf_get(&text))
		return err_nomem(e);
	if (r == 0 && podman_version_parse(buf_get(&text), &p->version))
		return 0;
	if (r < 0)
		(void)snprintf(p->why, sizeof(p->why), "it cannot be run: %s", strerrordesc_np(-r));
	else
		(void)snprintf(p->why, sizeof(p->why),
			"--version exits with status %d and prints '%.*s'", r,
			(int)strcspn(buf_get(&text), "\n"), buf_get(&text)); /* truncated */
	return 0;
}

int podman_program_look(struct podman_program *ret, struct err *e)
{
	*ret = (struct podman_program){ .path = NULL };
	for (size_t i = 0; i < ARRAY_LEN(places) && !ret->path; i++)
		if (access(places[i], X_OK) == 0)
			ret->path = places[i];
	if (!ret->path)
		return 0;
	if (geteuid() == 0 && !is_kept(ret->path)) {
		(void)snprintf(ret->why, sizeof(ret->why),
			"it is not run, because others than root can change it"); /* fits */
		return 0;
	}
	return ask(ret, e);
}
