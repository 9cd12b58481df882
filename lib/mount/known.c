/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* known: let later commands know what was mounted. */

#include "known.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"
#include "../base/path.h"
#include "../idmap/userns_self.h"
#include "record_store.h"
#include "utab.h"

/* The one map of the mount. NULL: it has none, or keeps the map of its source, which is unknown. */
static const struct idmap *map_of(const struct mount_plan *p, const struct mount_result *r)
{
	if (p->map.wish == MAP_SET)
		return &p->map.map;
	return p->kind != MOUNT_OVERLAY && r->info.map_known ? &r->info.map : NULL;
}

/*
 * The store of an image, two components above a layer (which may be a link); NULL if it is not
 * known.
 */
static char *store_of(const struct mount_plan *p)
{
	scoped_place struct place layer = PLACE_INIT;
	scoped_buf struct buf path = BUF_INIT;
	char *slash;

	if (!p->stored || !p->layers.len ||
		path_find(p->layers.items[0].dir, false, "cannot find it", &layer, NULL) < 0)
		return NULL;
	path_of_fd(layer.dirfd, &path);
	slash = path.len ? strrchr(path.data, '/') : NULL;
	if (!slash || slash == path.data)
		return NULL;
	*slash = '\0';
	return strdup(path.data);
}

static void keep_record(const struct mount_plan *p, const struct mount_result *r)
{
	scoped_mount_record struct mount_record rec = { .mount = 0 };
	struct err e = ERR_INIT;
	int n = mount_record_of_plan(p, &rec, &e);

	rec.upper_plain = r->upper_plain;
	rec.upper_ids = r->upper.ids;
	rec.store = store_of(p);
	if (n == 0)
		n = record_store_put(&rec, &r->info, &e);
	if (n == 0)
		return;
	if (n == -EROFS && geteuid() == 0)
		err_try(&e, "mount /run read-write");
	err_prefix(&e, "the map of '%s' will not be shown later", p->target);
	if (n == -ENOENT && (geteuid() != 0 || !userns_is_initial()))
		log_verbose("%s", e.what);
	else
		log_warn_err(&e);
}

void known_add(const struct mount_plan *p, const struct mount_result *r, const char *others)
{
	const struct idmap *map = map_of(p, r);
	scoped_buf struct buf options = BUF_INIT;

	if (r->unread || r->info.too_large)
		return;
	/* Since Linux 6.15, the kernel shows the map of a bind and of a filesystem. */
	if (p->kind == MOUNT_OVERLAY || p->view[0] || (r->info.mapped && !r->info.map_known))
		keep_record(p, r);
	if (!map || p->for_command || !others)
		return; /* the namespace of a command ends without an unmount */
	/*
	 * mount(8) looks for a line with the source that it has passed. If it finds none, as for a
	 * bind, it adds one, and umount(8) removes only one of the two.
	 */
	if (*others && strcmp(p->source, r->info.source) != 0)
		return;
	buf_printf(&options, "%s%sx-shiftbox.map=", others, *others ? "," : "");
	idmap_print(map, &options);
	if (buf_get(&options))
		utab_note_mount(&r->info, buf_get(&options));
}

void known_remove(const char *path, const struct mount_info *i, bool below)
{
	record_store_remove(i);
	utab_note_umount(path, i, below);
}

bool known_look(const char *target, struct known_mount *ret)
{
	scoped_fd int fd = -1;
	struct statx stx;

	if (path_open(target, O_PATH | O_NOFOLLOW, "cannot open the target", NULL, &fd, NULL) < 0 ||
		statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE,
			&stx) < 0 ||
		!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return false;
	return mount_info_get(fd, &ret->info, NULL) == 0 &&
		record_store_find(&ret->info, NULL, &ret->record);
}

void known_mount_done(struct known_mount *k)
{
	mount_info_done(&k->info);
	mount_record_done(&k->record);
}

void known_write(void)
{
	struct err e = ERR_INIT;

	if (utab_write(&e) < 0) {
		err_prefix(&e, "findmnt(8) does not show the maps of all mounts");
		log_warn_err(&e);
	}
	record_store_done();
}
