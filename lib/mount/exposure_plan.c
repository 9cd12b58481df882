/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exposure_plan: check plans of each kind for ids that they give away. */

#include "exposure.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../idmap/userns_self.h"
#include "device.h"
#include "info.h"
#include "probe.h"
#include "reachable.h"

/* In a line of a table an option has no -o. */
static const char *dash_o(const struct mount_plan *p)
{
	return p->of_line ? "the option " : "-o ";
}

const char *exposure_word(const struct mount_plan *p)
{
	return p->of_line ? "the option public" : "-o public";
}

/*
 * --- filesystems -------------------------------------------------------------------------------
 */

/* A mount of the filesystem by which other users reach it. */
struct other_mount {
	const struct mount_plan *p;
	const struct device *d;
	char *target;
};

/* Open the root of the mount, if the target still leads to it. */
static int open_mount(const struct mount_info *there)
{
	scoped_fd int fd = -1;
	struct statx stx;

	if (path_open(there->target, O_PATH | O_NOFOLLOW, "cannot open the mount", NULL, &fd,
		    NULL) < 0 ||
		statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) < 0 ||
		stx.stx_mnt_id != (uint64_t)there->id)
		return -1;
	return TAKE_FD(fd);
}

/*
 * On an ID-mapped mount, set-uid files of disk id 0 belong to the map's root, so members of that
 * id's group may reach them.
 */
static gid_t group_of(const struct mount_info *there)
{
	uint32_t gid;

	return there->map_known && idmap_gid_seen(&there->map, 0, &gid) ? gid : REACHABLE_NO_GROUP;
}

static int look_at(const struct mount_info *there, void *arg)
{
	struct other_mount *w = arg;
	const struct mount_map *map = &w->p->map;
	bool ours = there->mapped && !strcmp(there->target, w->p->target) &&
		(!there->map_known || idmap_equal(&there->map, &map->map));
	scoped_fd int fd = -1;

	if (ours || !device_shows(w->p, w->d, there))
		return 0;
	fd = open_mount(there);
	/*
	 * A mount that another one covers cannot be judged: no path leads to it now, but a process
	 * may have its working directory there.
	 */
	if (fd >= 0 &&
		(reachable_mount_has(fd, ST_NOSUID) || reachable_closed(fd, group_of(there))))
		return 0;
	w->target = strdup(there->target);
	return w->target ? 1 : -ENOMEM;
}

int exposure_check_device(
	const struct mount_plan *p, const struct device *d, struct strv *warnings, struct err *e)
{
	struct exposure_facts f = {
		.public_ = p->public_, .only_warn = p->only_warn, .read_only = d->read_only
	};
	struct other_mount w = { .p = p, .d = d };
	struct exposure x = { .verdict = EXPOSURE_NONE };
	int r = 0;

	if (p->map.wish != MAP_SET)
		return 0;
	f.read_only |= p->flags.set & MOUNT_ATTR_RDONLY;
	f.user_ns = !f.read_only && !f.public_ && !userns_is_initial();
	x = exposure_judge(&p->map.map, &f);
	if (x.verdict != EXPOSURE_NONE)
		r = mount_info_each(NULL, look_at, &w, e);
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r > 0)
		r = exposure_report(&x, p->source, w.target, exposure_word(p), warnings, e);
	free(w.target);
	return r;
}

/*
 * --- plans -------------------------------------------------------------------------------------
 */

static int check_bind(const struct mount_plan *p, struct strv *warnings, struct err *e)
{
	scoped_submounts struct submounts below = { 0 };
	struct exposure_source s = {
		.name = p->source,
		.fd = -1,
		.map = &p->map,
		.flags = &p->flags,
		.public_ = p->public_,
		.only_warn = p->only_warn,
		.own_mode_counts = true,
		.word = exposure_word(p),
		.warnings = warnings,
	};

	if (!p->source_open)
		return 0; /* mounting reports why */
	if (p->recursive && rbind_list(p->source_fd, p->source, &below, NULL) == 0)
		s.below = &below;
	s.fd = p->source_fd;
	return exposure_check(&s, e);
}

static int check_device(const struct mount_plan *p, struct strv *warnings, struct err *e)
{
	scoped_device struct device d = DEVICE_INIT;

	return device_open(p, &d, NULL) < 0 ? 0 : exposure_check_device(p, &d, warnings, e);
}

static int check_inside(const struct mount_plan *p, struct strv *warnings, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < p->inside.len && r == 0; i++)
		if (p->inside.items[i].plan->kind != MOUNT_OVERLAY)
			r = exposure_check_plan(p->inside.items[i].plan, warnings, e);
	return r;
}

void exposure_warn_stack(const struct mount_plan *p, struct strv *warnings)
{
	scoped_place struct place at = PLACE_INIT;

	if (p->kind == MOUNT_OVERLAY &&
		path_find(p->target, p->follow, "cannot find the target", &at, NULL) == 0)
		exposure_warn_target(p, at.dirfd, true, warnings);
}

int exposure_check_plan(const struct mount_plan *p, struct strv *warnings, struct err *e)
{
	int r = check_inside(p, warnings, e);

	if (r < 0)
		return r;
	switch (p->kind) {
	case MOUNT_BIND:
		return check_bind(p, warnings, e);
	case MOUNT_FS:
		return check_device(p, warnings, e);
	case MOUNT_OVERLAY:
		exposure_warn_stack(p, warnings);
		break;
	}
	return 0;
}

/*
 * --- the target of a stack ---------------------------------------------------------------------
 */

void exposure_warn_target(const struct mount_plan *p, int dir, bool in_dir, struct strv *warnings)
{
	uint32_t uid = p->root_uid, gid = p->root_gid;
	bool seen = true;
	gid_t group;

	if (p->kind != MOUNT_OVERLAY || p->flags.set & MOUNT_ATTR_NOSUID || p->public_ ||
		p->for_command || !userns_is_initial())
		return;
	if (p->map.wish == MAP_SET)
		seen = idmap_uid_seen(&p->map.map, p->root_uid, &uid) &&
			idmap_gid_seen(&p->map.map, p->root_gid, &gid);
	/*
	 * The group of the stack's own root may reach it: it gains nothing by running programs
	 * there.
	 */
	group = seen ? gid : REACHABLE_NO_GROUP;
	if (in_dir ? reachable_closed_in(dir, group) : reachable_closed(dir, group))
		return;
	log_warn_later(warnings,
		"'%s': set-uid programs of the stack run for all users who can reach it, as the "
		"stack's root (host id %u) or another of its ids: mount it below a directory that "
		"is closed to them (chmod 0700, or chmod 0710 and group %u), give %snosuid, or "
		"specify %spublic if that is intended",
		p->target, uid, gid, dash_o(p), dash_o(p));
}
