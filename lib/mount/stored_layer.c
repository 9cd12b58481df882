/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stored_layer: find the directory of a layer in a store. */

#include "stored_layer.h"

#include <dirent.h>
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
#define DIFF "diff"
#define BELOW "/" DIFF

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

/*
 * One process may give a layer to podman, or take it back, while another looks for it. If it is not
 * there in the end, the store does not have it.
 */
static bool is_moved(int r)
{
	return r == -ENOENT || r == -ELOOP || r == -ENOTDIR;
}

int stored_layer_exists(int store, const char *name, struct err *e)
{
	scoped_fd int fd = -1;
	struct err own = ERR_INIT;
	int r = stored_layer_open(store, name, O_PATH, &fd, &own);

	if (r < 0 && !is_moved(r) && e)
		*e = own;
	return r == 0 ? 1 : is_moved(r) ? 0 : r;
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

/*
 * --- from a directory to its layer -------------------------------------------------------------
 */

static bool is_layer_name(const char *s)
{
	return !strncmp(s, "sha256-", strlen("sha256-")) && strlen(s) < STORED_LAYER_NAME;
}

/* Find the entry of layers/ that is the link to podman's layer id. */
static bool name_of_id(int store, const char *id, char ret[static STORED_LAYER_NAME])
{
	int fd = openat(store, "layers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	char has[STORED_LAYER_ID];
	const struct dirent *d;
	bool found = false;

	if (!list) {
		cleanup_fd(&fd);
		return false;
	}
	while (!found && (d = readdir(list))) {
		found = is_layer_name(d->d_name) && stored_layer_id(fd, d->d_name, has) == 1 &&
			!strcmp(has, id);
		if (found)
			(void)snprintf(ret, STORED_LAYER_NAME, "%s", d->d_name); /* fits */
	}
	(void)closedir(list); /* only read from */
	return found;
}

/* Is the layer that the store has under this name the directory fd, on the mount of the store? */
static bool is_layer_of(int store, const char *name, int fd)
{
	scoped_fd int layer = -1;
	struct statx a, b, at;

	if (stored_layer_open(store, name, O_PATH, &layer, NULL) < 0 ||
		statx(layer, "", AT_EMPTY_PATH, STATX_INO, &a) < 0 ||
		statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &b) < 0 ||
		statx(store, "", AT_EMPTY_PATH, STATX_MNT_ID, &at) < 0)
		return false;
	return a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major &&
		a.stx_dev_minor == b.stx_dev_minor && at.stx_mnt_id == b.stx_mnt_id;
}

bool stored_layer_find(int fd, int *ret_store, char ret_name[static STORED_LAYER_NAME])
{
	scoped_place struct place at = PLACE_INIT;
	scoped_buf struct buf path = BUF_INIT;
	char id[STORED_LAYER_ID];
	scoped_fd int store = -1;
	bool podmans;

	path_of_fd(fd, &path);
	if (!buf_get(&path) || path_place_of(fd, &at) < 0)
		return false;
	podmans = !strcmp(at.name, DIFF) && stored_layer_id_in(path.data, id);
	if (!podmans && !is_layer_name(at.name))
		return false;
	store = openat(at.dirfd, podmans ? "../../.." : "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (store < 0 || (podmans && !name_of_id(store, id, ret_name)))
		return false;
	if (!podmans)
		(void)snprintf(ret_name, STORED_LAYER_NAME, "%.*s", STORED_LAYER_NAME - 1, at.name);
	if (!is_layer_of(store, ret_name, fd))
		return false;
	*ret_store = TAKE_FD(store);
	return true;
}

/*
 * --- what the kernel shows ---------------------------------------------------------------------
 */

/* Can it be the layer of this name? 1, 0, or -1 and podman's id, which has to be compared. */
static int compare_shown(const char *shown, const char *name, char ret_id[static STORED_LAYER_ID])
{
	shown += *shown == '/';
	if (!strncmp(shown, "layers/", strlen("layers/")))
		shown += strlen("layers/");
	if (!strncmp(shown, "sha256-", strlen("sha256-")))
		return !strcmp(shown, name);
	if (strncmp(shown, IN_STORE, strlen(IN_STORE)) != 0 || !stored_layer_id_in(shown, ret_id))
		return 1;
	return -1;
}

bool stored_layer_may_be(const char *shown, const char *dir)
{
	char is[STORED_LAYER_ID], want[STORED_LAYER_ID];
	scoped_place struct place at = PLACE_INIT;
	const char *slash = strrchr(dir, '/');
	int r = compare_shown(shown, slash ? slash + 1 : dir, is);

	if (r >= 0)
		return r;
	if (path_find(dir, false, "cannot find the layer", &at, NULL) < 0)
		return true;
	return stored_layer_id(at.dirfd, at.name, want) == 1 && !strcmp(is, want);
}

bool stored_layer_may_be_open(const char *shown, int fd)
{
	char name[STORED_LAYER_NAME], is[STORED_LAYER_ID], want[STORED_LAYER_ID];
	scoped_buf struct buf path = BUF_INIT;
	scoped_fd int store = -1;
	int r = compare_shown(shown, stored_layer_find(fd, &store, name) ? name : "", is);

	if (r >= 0)
		return r;
	path_of_fd(fd, &path);
	return buf_get(&path) && stored_layer_id_in(path.data, want) && !strcmp(is, want);
}
