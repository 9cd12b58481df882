/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_publish: rename complete layers and images into the store. */

#include "store_publish.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/stop.h"
#include "../base/syncfs.h"
#include "store_image.h"
#include "store_layer.h"
#include "store_lock.h"
#include "store_priv.h"
#include "store_staging.h"
#include "tempdir.h"

/* No fsync(2): one syncfs(2) covers all files. */
static int put_file(int dirfd, const char *name, const void *p, size_t n, struct err *e)
{
	scoped_fd int fd =
		openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_set(e, errno, name, "cannot create the file in the store");
	r = fd_write_all(fd, p, n);
	if (r < 0)
		return err_set(e, -r, name, "cannot write the file in the store");
	return fd_finish(&fd, name, e);
}

/* The content of NAME.json. Older versions read at most 4096 bytes of it. */
static int print_facts(const struct staged_layer *l, struct buf *ret, struct err *e)
{
	scoped_buf struct buf uids = BUF_INIT, gids = BUF_INIT;
	struct json_writer w = { .depth = 0 };
	int r;

	if (l->ids) {
		id_spans_print(&l->ids->uid, &uids);
		id_spans_print(&l->ids->gid, &gids);
	}
	if (!buf_get(&uids) || !buf_get(&gids))
		return err_nomem(e);
	json_write_object(&w, NULL);
	json_write_i64(&w, "entries", (int64_t)l->entries);
	json_write_i64(&w, "bytes", (int64_t)l->bytes);
	json_write_i64(&w, "root_opaque", l->root_opaque);
	json_write_i64(&w, "unmarked", 1);
	if (l->tar_size)
		json_write_i64(&w, "tar_size", (int64_t)l->tar_size);
	if (l->ids) {
		json_write_str(&w, "uids", buf_get(&uids));
		json_write_str(&w, "gids", buf_get(&gids));
	}
	json_write_end(&w);
	r = json_writer_print(&w, JSON_LINE, ret);
	buf_char(ret, '\n');
	return r < 0 || !buf_get(ret) ? err_nomem(e) : 0;
}

static int put_sidecars(const struct store_staging *st, const struct staged_layer *l, struct err *e)
{
	scoped_buf struct buf facts = BUF_INIT;
	char name[32];
	int r = print_facts(l, &facts, e);

	if (r < 0)
		return r;
	if (*l->deps)
		r = put_file(store_staging_plain_fd(st), tempdir_entry(l->i, ".lower", name),
			l->deps, strlen(l->deps), e);
	if (r == 0)
		r = put_file(store_staging_plain_fd(st), tempdir_entry(l->i, ".json", name),
			facts.data, facts.len, e);
	return r;
}

static int same_deps(
	const struct store *s, const char *dir, const char *deps, bool *ret, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	int r = store_layer_deps(s, dir, &b, e);

	if (r == 0)
		*ret = !strcmp(buf_get(&b), deps);
	return r;
}

/* Choose the name of the layer; *ret_there: another process has published it already. */
static int choose_name(const struct store *s, const struct staged_layer *l, char name[static 128],
	bool *ret_there, struct err *e)
{
	char base[DIGEST_NAME], hex[DIGEST_HEX];
	struct digest sum;
	int r;

	/* The variant may be there without the first one, which --upgrade or --prune removes. */
	(void)digest_name(&l->diff_id, base);
	hash_bytes(l->deps, strlen(l->deps), &sum);
	(void)snprintf(name, 128, "%s.%.16s", base, digest_hex(&sum, hex));
	*ret_there = faccessat(s->layers, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (*ret_there)
		return 0;
	if (faccessat(s->layers, base, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		r = same_deps(s, base, l->deps, ret_there, e);
		if (r == 0 && !*ret_there)
			log_verbose("the layer depends on those below it: stored as the variant %s",
				name);
		if (r < 0 || !*ret_there)
			return r;
	} else if (errno != ENOENT) {
		return err_set(e, errno, base, "cannot look for the layer in the store");
	}
	(void)snprintf(name, 128, "%s", base);
	return 0;
}

static bool is_optional(const char *sidecar)
{
	return !strcmp(sidecar, ".lower") || !strcmp(sidecar, STORE_TAR_SPLIT);
}

static int publish_layer(const struct store_staging *st, struct staged_layer *l, struct err *e)
{
	const struct store *s = st->store;
	char name[128], to[144], from[32];
	bool there;
	int r;

	r = choose_name(s, l, name, &there, e);
	if (r < 0)
		return r;
	l->dir = strdup(name);
	if (!l->dir)
		return err_nomem(e);
	if (there)
		return 0;

	/* The directory comes last: its rename makes the layer exist. */
	for (size_t i = 0; store_layer_sidecars[i]; i++) {
		(void)snprintf(to, sizeof(to), "%s%s", name, store_layer_sidecars[i]);
		(void)tempdir_entry(l->i, store_layer_sidecars[i], from);
		if (renameat(store_staging_plain_fd(st), from, s->layers, to) == 0)
			continue;
		if (errno != ENOENT || !is_optional(store_layer_sidecars[i]))
			return err_set(e, errno, to, "cannot move the file into the store");
		(void)unlinkat(s->layers, to,
			0); /* a killed process may have left one, and this layer has none */
	}
	if (renameat2(store_staging_plain_fd(st), tempdir_entry(l->i, "", from), s->layers, name,
		    RENAME_NOREPLACE) < 0)
		return err_set(e, errno, name, "cannot move the layer into the store");
	return 0;
}

static int put_image(
	const struct store_staging *st, const struct staged_image *image, struct err *e)
{
	scoped_strv struct strv dirs = { 0 };
	scoped_buf struct buf lines = BUF_INIT;
	scoped_fd int fd = -1;
	int r;

	if (mkdirat(st->tempdir.fd, "image", 0700) < 0)
		return err_set(e, errno, image->name, "cannot create the image in the store");
	r = fd_open_beneath(st->tempdir.fd, "image", O_RDONLY | O_DIRECTORY, &fd, e);
	if (r == 0)
		r = image->list(image->arg, &dirs, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < dirs.len; i++)
		buf_printf(&lines, "layers/%s\n", dirs.items[i]);
	if (!buf_get(&lines))
		return err_nomem(e);

	r = put_file(fd, "layers", buf_get(&lines), lines.len, e);
	if (r == 0)
		r = put_file(
			fd, "manifest.json", buf_get(image->manifest), image->manifest->len, e);
	if (r == 0)
		r = put_file(fd, "config.json", buf_get(image->config), image->config->len, e);
	return r;
}

static int sync_image(const struct store_staging *st, struct err *e)
{
	static const char *const files[] = { "image/layers", "image/manifest.json",
		"image/config.json", "image" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(files); i++) {
		scoped_fd int fd =
			openat(st->tempdir.fd, files[i], O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		r = fd < 0 ? err_set(e, errno, files[i], "cannot open the file in the store") :
			     fd_sync(fd, files[i], e);
	}
	return r;
}

static int publish_image(struct store_staging *st, const char *name, struct err *e)
{
	const struct store *s = st->store;
	char file[STORE_IMAGE_FILE];
	int r = store_image_file(name, file, e);

	if (r < 0 || renameat2(st->tempdir.fd, "image", s->images, file, RENAME_NOREPLACE) == 0)
		return r;
	if (errno == EEXIST &&
		renameat2(st->tempdir.fd, "image", s->images, file, RENAME_EXCHANGE) == 0)
		return fd_remove_tree(st->tempdir.fd, "image", e); /* the replaced one */
	return err_set(e, errno, name, "cannot move the image into the store");
}

static int publish_locked(struct store_staging *st, struct staged_layer *layers, size_t n,
	const struct staged_image *image, bool sync, struct err *e)
{
	const struct store *s = st->store;
	int r = store_base_check(s, e);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = publish_layer(st, &layers[i], e);
	if (r == 0)
		r = put_image(st, image, e);
	if (r == 0 && sync)
		r = fd_sync(s->layers, s->path, e);
	if (r == 0 && sync)
		r = sync_image(st, e);
	if (r == 0)
		r = publish_image(st, image->name, e);
	if (r == 0 && sync)
		r = fd_sync(s->images, s->path, e);
	return r;
}

int store_publish(struct store_staging *st, struct staged_layer *layers, size_t n,
	const struct staged_image *image, bool sync, struct err *e)
{
	struct store *s = st->store;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_sidecars(st, &layers[i], e);
	if (r < 0)
		return r;
	/*
	 * One call covers all files, including those whose blocks are not allocated yet: ENOSPC is
	 * reported here at the latest.
	 */
	if (sync)
		r = syncfs_wait(st->tempdir.fd, s->path, "cannot write the layers to disk", e);
	if (r == 0)
		r = stop_check(e); /* it may have taken minutes */
	if (r == 0)
		r = store_lock(s, STORE_IMAGES, LOCK_EXCLUSIVE, e);
	if (r < 0)
		return r;
	r = publish_locked(st, layers, n, image, sync, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r;
}
