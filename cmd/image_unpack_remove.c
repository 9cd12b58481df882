/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-unpack --remove, --prune. Is the image mounted? Its mounts are overlays whose source is image:NAME. Of layers that
 * were given as descriptors the kernel tells no paths, so that of two stores with an image of one name it cannot
 * be told whose is mounted: then it counts as this one's. Where it tells the layers' paths, the store is known.
 */

#include "image_unpack.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/base/buf.h"
#include "../lib/image/store.h"
#include "../lib/mount/everywhere.h"
#include "progress.h"

struct search {
	const char *image, *store;
	struct buf where;        /* the first mount that was found */
	pid_t pid;               /* a process that has it; 0: we */
};

/* Do the options name a layer of a store that is there and is another one? */
static bool is_of_another(const char *options, const char *store)
{
	const char *begin = strstr(options, "lowerdir"), *end;
	scoped_free char *path = NULL;
	struct stat theirs, ours;

	begin = begin ? strchr(begin, '=') : NULL;
	end = begin ? strstr(begin, "/layers/sha256-") : NULL;
	if (!end)
		return false;
	path = strndup(begin + 1, (size_t)(end - begin - 1));
	return path && *path == '/' && stat(path, &theirs) == 0 && stat(store, &ours) == 0 &&
	       (theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino);
}

static int look(const struct mount_info *i, pid_t pid, void *arg)
{
	struct search *s = arg;

	if (strcmp(i->type, "overlay") || strncmp(i->source, "image:", 6) || strcmp(i->source + 6, s->image) ||
	    is_of_another(i->options, s->store))
		return 0;
	buf_str(&s->where, i->target);
	s->pid = pid;
	return 1;
}

int unpack_check_unmounted(const struct store *store, const char *name, struct err *e)
{
	struct search s = { .image = name, .store = store_path(store), .where = BUF_INIT };
	int r = mount_info_everywhere(look, &s, e);

	if (r > 0) {
		const char *where = buf_get(&s.where) ? buf_get(&s.where) : "";

		r = err_say(e, EBUSY, name, "the image is mounted");
		if (s.pid) {
			err_why(e, "at '%s', in the mount namespace of process %d", where, (int)s.pid);
			err_try(e, "unmount it there: nsenter -t %d -m umount TARGET", (int)s.pid);
		} else {
			err_why(e, "at '%s'", where);
			err_try(e, "unmount it: shiftbox mount-idmapped -u TARGET");
		}
	}
	buf_done(&s.where);
	return r;
}

int unpack_remove(struct store *s, const char *name, struct ctx *ctx, struct err *e)
{
	struct store_image image;
	int r = store_name_check(name, e);

	if (r == 0)
		r = unpack_check_unmounted(s, name, e);
	if (r < 0)
		return r;
	if (ctx->dry_run) {
		r = store_image_read(s, name, &image, e);
		if (r == 0)
			store_image_done(&image);
	} else {
		r = store_remove(s, name, e);
	}
	if (r == 0 && !ctx->quiet)
		out_line(ctx->out, "%s %s", ctx->dry_run ? "would remove" : "removed", name);
	if (r == 0 && ctx->json) {
		out_begin(ctx->out, NULL);
		out_str(ctx->out, "event", "remove");
		out_str(ctx->out, "name", name);
		out_bool(ctx->out, "removed", !ctx->dry_run);
		out_end(ctx->out);
	}
	return r;
}

static void pruned(const struct store_layer *l, void *arg)
{
	struct ctx *ctx = arg;
	char size[16];

	if (!ctx->quiet)
		out_line(ctx->out, "%s %s, %s", ctx->dry_run ? "would remove" : "removed", l->dir, human_size(l->bytes, size));
	if (!ctx->json)
		return;
	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "prune");
	out_str(ctx->out, "directory", l->dir);
	out_u64(ctx->out, "entries", l->entries);
	out_u64(ctx->out, "bytes", l->bytes);
	out_bool(ctx->out, "removed", !ctx->dry_run);
	out_end(ctx->out);
}

int unpack_prune(struct store *s, struct ctx *ctx, struct err *e)
{
	return store_prune(s, ctx->dry_run, pruned, ctx, e);
}
