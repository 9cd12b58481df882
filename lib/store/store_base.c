/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_base: stores whose disk ids are shifted by a base. */

#include "store_base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/num.h"
#include "../mount/clone.h"
#include "store_dir.h"
#include "store_layer.h"
#include "store_lock.h"
#include "store_priv.h"

#define FILE_NAME "base"
#define FILE_NEW "tmp/base"

enum { TEXT_MAX = 64 };

static int fault(int num, const char *s, const char *why, struct err *e)
{
	(void)err_say(e, num, s, "is not a valid base for disk ids: %s", why);
	if (e)
		e->usage = true;
	return -num;
}

int store_base_parse(const char *s, struct store_base *ret, struct err *e)
{
	const char *colon = strchrnul(s, ':');
	uint64_t base, count = STORE_BASE_COUNT;

	if (num_u64_n(s, (size_t)(colon - s), &base) < 0 ||
		(*colon && num_u64(colon + 1, &count) < 0))
		return fault(EINVAL, s, "it should be BASE or BASE:COUNT", e);
	if (!base || !count)
		return fault(EINVAL, s, "neither BASE nor COUNT may be 0", e);
	if (base > UINT32_MAX - 1 || count > UINT32_MAX - base)
		return fault(ERANGE, s, "its ids would be greater than 4294967294", e);

	*ret = (struct store_base){ (uint32_t)base, (uint32_t)count };
	return 0;
}

const struct store_base *store_base(const struct store *s)
{
	return &s->base;
}

int store_base_map(const struct store *s, struct idmap *ret, struct err *e)
{
	const struct idrange r = { .disk = 0, .seen = s->base.base, .count = s->base.count };

	return idmap_from_ranges(&r, 1, &r, 1, ret, e);
}

int store_base_inverse(const struct store *s, struct idmap *ret, struct err *e)
{
	const struct idrange r = { .disk = s->base.base, .seen = 0, .count = s->base.count };

	return s->base.count ? idmap_from_ranges(&r, 1, &r, 1, ret, e) : idmap_identity(ret, e);
}

static int read_file(const struct store *s, struct store_base *ret, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	int r;

	*ret = (struct store_base){ .count = 0 };
	r = store_read_file(s, FILE_NAME, TEXT_MAX, &b, e);
	if (r <= 0)
		return r;
	if (b.len && b.data[b.len - 1] == '\n')
		b.data[--b.len] = '\0';
	if (!b.len || strlen(b.data) != b.len || store_base_parse(b.data, ret, NULL) < 0)
		return store_file_damaged(s, FILE_NAME,
			"it must have the store's base, the number that was given to --base", e);
	return 0;
}

int store_base_choose(struct store *s, const struct store_base *want, struct err *e)
{
	int r = read_file(s, &s->base, e);

	if (r < 0 || !want)
		return r;
	if (s->base.count && (s->base.base != want->base || s->base.count != want->count)) {
		r = err_say(e, EEXIST, s->path, "the store has the base %u:%u, not %u:%u",
			s->base.base, s->base.count, want->base, want->count);
		err_try(e, "omit --base: the store remembers its own; or name another store");
		return r;
	}
	s->base = *want;
	return 0;
}

static int refuse_unshifted(const struct store *s, struct err *e)
{
	int r = err_say(e, ENOTEMPTY, s->path, "the store has layers without a base");

	err_why(e,
		"their disk ids are those of the image, and the base holds for all layers of a "
		"store");
	err_try(e, "name another store for layers with a base");
	return r;
}

int store_base_may_write(const struct store *s, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	struct store_base there;
	int r;

	r = read_file(s, &there, e);
	if (r < 0 || there.count)
		return r; /* if another process has written it, store_base_check() compares */
	r = store_dir_list(s->layers, s->path, &names, e);
	if (r < 0)
		return r;
	return names.len ? refuse_unshifted(s, e) : 1;
}

static int write_file(const struct store *s, struct err *e)
{
	char text[TEXT_MAX];
	int n, r = store_base_may_write(s, e);

	if (r <= 0)
		return r;
	n = snprintf(text, sizeof(text), "%u:%u\n", s->base.base, s->base.count);
	(void)unlinkat(s->fd, FILE_NEW, 0); /* left by a killed process: the lock is held */
	r = fd_write_file(s->fd, FILE_NEW, 0644, text, (size_t)n, e);
	if (r < 0)
		return r;
	if (renameat(s->fd, FILE_NEW, s->fd, FILE_NAME) < 0)
		return err_set(e, errno, s->path, "cannot note the store's base");
	return fd_sync(s->fd, s->path, e);
}

int store_base_write(const struct store *s, struct err *e)
{
	int r = store_lock(s, STORE_IMAGES, LOCK_EXCLUSIVE, e);

	if (r < 0)
		return r;
	r = write_file(s, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r;
}

int store_base_check(const struct store *s, struct err *e)
{
	struct store_base now;
	int r = read_file(s, &now, e);

	if (r == 0 && (now.base != s->base.base || now.count != s->base.count))
		r = err_say(
			e, EBUSY, s->path, "another process has given the store a base meanwhile");
	return r;
}

int store_base_open_layer(const struct store *s, const char *path, int *ret_fd, struct err *e)
{
	struct mount_map map = { .wish = MAP_SET };
	scoped_fd int fd = -1;
	int r = store_layer_open(s, path, &fd, e);

	if (r < 0)
		return r;
	if (!s->base.count) {
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
	r = store_base_inverse(s, &map.map, e);
	if (r == 0)
		r = clone_private(fd, path, &map, ret_fd, e);
	idmap_done(&map.map);
	return r;
}
