/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stored_layer: find the directory of a layer in a store. */

#include "stored_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/path.h"

#define IN_STORE "podman/overlay/"
#define ABOVE "../" IN_STORE
#define BELOW "/diff"

enum { DIGITS = STORED_LAYER_ID - 1, TRIES = 4 };

static bool is_id(const char *s)
{
	return strspn(s, "0123456789abcdef") >= DIGITS;
}

static void copy_id(const char *s, char ret[static STORED_LAYER_ID])
{
	memcpy(ret, s, DIGITS);
	ret[DIGITS] = '\0';
}

const char *stored_layer_link(const char *id, char buf[static STORED_LAYER_LINK])
{
	(void)snprintf(buf, STORED_LAYER_LINK, ABOVE "%.64s" BELOW, id); /* fits */
	return buf;
}

int stored_layer_id(int layers, const char *name, char ret[static STORED_LAYER_ID])
{
	char text[STORED_LAYER_LINK], right[STORED_LAYER_LINK];
	ssize_t n = readlinkat(layers, name, text, sizeof(text) - 1);

	if (n < 0)
		return errno == EINVAL ? 0 : -errno;
	text[n] = '\0';
	if (strncmp(text, ABOVE, strlen(ABOVE)) || !is_id(text + strlen(ABOVE)) ||
		strcmp(text, stored_layer_link(text + strlen(ABOVE), right)) != 0)
		return -ELOOP;
	copy_id(text + strlen(ABOVE), ret);
	return 1;
}

/* The path of the directory below STORE, at this moment. */
static int path_of(int store, const char *name, char ret[static STORED_LAYER_PATH])
{
	char entry[STORED_LAYER_PATH], id[STORED_LAYER_ID];
	int r;

	(void)snprintf(entry, sizeof(entry), "layers/%.100s", name); /* fits */
	r = stored_layer_id(store, entry, id);
	if (r < 0)
		return r;
	if (r > 0)
		(void)snprintf(ret, STORED_LAYER_PATH, IN_STORE "%s" BELOW, id); /* fits */
	else
		memcpy(ret, entry, sizeof(entry));
	return 0;
}

bool stored_layer_exists(int store, const char *name)
{
	scoped_fd int fd = -1;

	return stored_layer_open(store, name, O_PATH, &fd, NULL) == 0;
}

/* One process may give a layer to podman, or take it back, while another looks for it. */
static bool is_moved(int r)
{
	return r == -ENOENT || r == -ELOOP || r == -ENOTDIR;
}

int stored_layer_open(int store, const char *name, int flags, int *ret_fd, struct err *e)
{
	struct err own = ERR_INIT;
	char path[STORED_LAYER_PATH];
	int r = -ENOENT;

	for (int i = 0; i < TRIES && is_moved(r); i++) {
		own = ERR_INIT;
		r = path_of(store, name, path);
		if (r == 0)
			r = fd_open_beneath(store, path, flags | O_DIRECTORY, ret_fd, &own);
		else
			(void)err_set(&own, -r, name, "cannot open the layer");
	}
	if (r < 0 && e)
		*e = own;
	return r;
}

bool stored_layer_id_in(const char *path, char ret[static STORED_LAYER_ID])
{
	static const char above[] = "overlay/";

	for (const char *p = path, *q; (p = strstr(p, above)); p++) {
		q = p + strlen(above);
		if ((p > path && p[-1] != '/') || !is_id(q) ||
			strncmp(q + DIGITS, BELOW, strlen(BELOW)) != 0)
			continue;
		if (q[DIGITS + strlen(BELOW)] && q[DIGITS + strlen(BELOW)] != '/')
			continue;
		copy_id(q, ret);
		return true;
	}
	return false;
}

bool stored_layer_may_be(const char *shown, const char *dir)
{
	char is[STORED_LAYER_ID], want[STORED_LAYER_ID];
	scoped_place struct place at = PLACE_INIT;
	const char *slash = strrchr(dir, '/'), *name = slash ? slash + 1 : dir;

	shown += *shown == '/';
	if (!strncmp(shown, "layers/", strlen("layers/")))
		shown += strlen("layers/");
	if (!strncmp(shown, "sha256-", strlen("sha256-")))
		return !strcmp(shown, name);
	if (strncmp(shown, IN_STORE, strlen(IN_STORE)) != 0 || !stored_layer_id_in(shown, is))
		return true;
	if (path_find(dir, false, "cannot find the layer", &at, NULL) < 0)
		return true;
	return stored_layer_id(at.dirfd, at.name, want) == 1 && !strcmp(is, want);
}
