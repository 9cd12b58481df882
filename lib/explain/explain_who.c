/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * explain_who: the credentials that verdicts are for, and the layer that an overlay's file comes
 * from.
 */

#include "explain_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/num.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../idmap/names.h"
#include "../idmap/userns.h"
#include "../mount/probe.h"

/*
 * --- credentials ---------------------------------------------------------------------------------
 */

static unsigned own_caps(void)
{
	static const struct {
		int cap;
		unsigned bit;
	} all[] = {
		{ CAP_DAC_OVERRIDE, PERM_CAP_DAC_OVERRIDE },
		{ CAP_DAC_READ_SEARCH, PERM_CAP_DAC_READ_SEARCH },
		{ CAP_FOWNER, PERM_CAP_FOWNER },
	};
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 }, { 0 } };
	unsigned caps = 0;

	if (syscall(SYS_capget, &h, d) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (d[0].effective & 1u << all[i].cap)
			caps |= all[i].bit;
	return caps;
}

static int own_groups(struct explain_caller *w, struct err *e)
{
	int n = getgroups(0, NULL);
	scoped_free gid_t *list = n > 0 ? calloc((size_t)n, sizeof(*list)) : NULL;

	if (n > 0 && !list)
		return err_nomem(e);
	n = n > 0 ? getgroups(n, list) : n;
	for (int i = 0; i < n; i++)
		if (VEC_ADD(&w->groups, list[i]) < 0)
			return err_nomem(e);
	return 0;
}

/* A name alone brings its groups with it. */
static int groups_of(const struct user *u, struct explain_caller *w, struct err *e)
{
	gid_t list[256];
	int n = ARRAY_LEN(list);

	if (names_groups(u->name, u->gid, list, &n) < 0)
		return err_say(
			e, E2BIG, u->name, "is in too many groups: give them, UID:GID,GID...");
	for (int i = 0; i < n; i++)
		if (list[i] != u->gid && VEC_ADD(&w->groups, list[i]) < 0)
			return err_nomem(e);
	return 0;
}

static int parse_groups(const char *list, struct explain_caller *w, struct err *e)
{
	bool first = true;

	for (const char *p = list; p; first = false) {
		size_t len = strcspn(p, ",");
		scoped_free char *name = strndup(p, len);
		uint32_t gid;
		int r;

		if (!name)
			return err_nomem(e);
		if (!*name)
			return err_usage(e, "'%s' is no list of groups: GID[,GID...]", list);
		r = num_u32(name, &gid);
		if (r < 0)
			r = names_gid(name, &gid, e);
		if (r < 0)
			return r;
		if (gid == UINT32_MAX)
			return err_usage(e, "%u is no id", gid);
		if (first)
			w->gid = gid;
		else if (VEC_ADD(&w->groups, gid) < 0)
			return err_nomem(e);
		p = p[len] ? p + len + 1 : NULL;
	}
	return 0;
}

static int parse_as(const char *as, struct explain_caller *w, struct err *e)
{
	size_t len = strcspn(as, ":");
	scoped_free char *name = strndup(as, len);
	struct user u = { .uid = 0 };
	int r;

	if (!name)
		return err_nomem(e);
	if (!*name)
		return err_usage(e, "'%s' names no user: UID[:GID[,GID...]]", as);
	r = names_user(name, &u, e);
	if (r < 0)
		return r;
	if (u.uid == UINT32_MAX)
		return err_usage(e, "%u is no id", u.uid);
	w->uid = u.uid;
	w->gid = u.has_gid && !w->userns ? u.gid : u.uid;
	if (as[len])
		return parse_groups(as + len + 1, w, e);
	return u.has_gid && *u.name && !w->userns ? groups_of(&u, w, e) : 0;
}

static int look_at_userns(const char *userns, struct explain_caller *w, struct err *e)
{
	uint32_t pid;

	if (strncmp(userns, "pid:", 4) || num_u32(userns + 4, &pid) < 0 || pid == 0 ||
		pid > INT32_MAX)
		return err_usage(e, "'%s' is no user namespace: pid:N", userns);
	w->userns = (pid_t)pid;
	return userns_map_of_pid(w->userns, &w->userns_map, e);
}

/* The ids that exist here, seen as themselves. */
static int look_at_own(struct explain_caller *w, struct err *e)
{
	struct idmap all = { 0 };
	int r;

	w->initial = probe_initial_userns();
	if (w->initial)
		return 0;
	r = idmap_identity(&all, e);
	if (r == 0)
		r = userns_fit(&all, &w->own_map, e);
	idmap_done(&all);
	w->own.map = &w->own_map;
	return r;
}

static int to_ids(struct explain_caller *w, struct err *e)
{
	const struct idmap *m = w->userns ? &w->userns_map : NULL;
	uint32_t uid = w->uid, gid = w->gid;

	if (m && !idmap_uid_seen(m, w->uid, &uid))
		return err_say(e, EINVAL, NULL,
			"user %u does not exist in the user namespace of process %d", w->uid,
			(int)w->userns);
	if (m && !idmap_gid_seen(m, w->gid, &gid))
		return err_say(e, EINVAL, NULL,
			"group %u does not exist in the user namespace of process %d", w->gid,
			(int)w->userns);
	for (size_t i = 0; i < w->groups.len; i++) {
		uint32_t id = w->groups.items[i];

		if (m && !idmap_gid_seen(m, id, &id))
			return err_say(e, EINVAL, NULL,
				"group %u does not exist in the user namespace of process %d",
				w->groups.items[i], (int)w->userns);
		if (VEC_ADD(&w->group_ids, id) < 0)
			return err_nomem(e);
	}
	w->ns = (struct perm_userns){ .map = &w->userns_map,
		.parent = w->initial ? NULL : &w->own };
	w->cred.uid = uid;
	w->cred.gid = gid;
	w->cred.groups = w->group_ids.items;
	w->cred.n_groups = w->group_ids.len;
	w->cred.userns = w->userns ? &w->ns : w->initial ? NULL : &w->own;
	return 0;
}

int explain_caller_look(const char *as, const char *userns, struct explain_caller *w, struct err *e)
{
	int r = look_at_own(w, e);

	if (r == 0 && userns)
		r = look_at_userns(userns, w, e);
	if (r == 0 && as)
		r = parse_as(as, w, e);
	if (r == 0 && !as && !userns) {
		w->uid = geteuid();
		w->gid = getegid();
		w->cred.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
		r = own_groups(w, e);
	}
	/* Root of a namespace is taken to have its capabilities, and nobody else. */
	w->cred.caps = !as && !userns ? own_caps() : w->uid == 0 ? PERM_CAPS_ALL : 0;
	return r < 0 ? r : to_ids(w, e);
}

/*
 * --- the layer of an overlay ---------------------------------------------------------------------
 */

/* The value of an option of mountinfo, up to its end: "a:b", with backslashes as they are. */
static int add_dirs(const char *value, size_t len, bool many, struct strv *ret)
{
	scoped_buf struct buf dir = BUF_INIT;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && value[i] == '\\' && i + 1 < len) {
			buf_char(&dir, value[++i]);
			continue;
		}
		if (i < len && !(many && value[i] == ':')) {
			buf_char(&dir, value[i]);
			continue;
		}
		if (dir.len && strv_add(ret, dir.data) < 0)
			return -ENOMEM;
		buf_reset(&dir);
	}
	return dir.oom ? -ENOMEM : 0;
}

/* Upper first, then the lower ones as listed: topmost first. */
static int dirs_of_options(const char *options, struct strv *ret)
{
	static const char *const keys[] = { "upperdir=", "lowerdir=", "lowerdir+=" };

	for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
		size_t n = strlen(keys[k]);

		for (const char *p = options; *p;) {
			const char *end = p;

			while (*end && *end != ',')
				end += *end == '\\' && end[1] ? 2 : 1;
			if (!strncmp(p, keys[k], n) &&
				add_dirs(p + n, (size_t)(end - p) - n, k == 1, ret) < 0)
				return -ENOMEM;
			p = end + (*end == ',');
		}
	}
	return 0;
}

/*
 * Do both show the same change time? OverlayFS keeps the number of an inode that it has copied up,
 * whose owner may have been changed since: what it cannot keep is this.
 */
static bool same_ctime(int fd, const char *path)
{
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	struct statx a, b;

	return statx(fd, "", flags | AT_EMPTY_PATH, STATX_CTIME, &a) == 0 &&
		statx(AT_FDCWD, path, flags, STATX_CTIME, &b) == 0 &&
		a.stx_ctime.tv_sec == b.stx_ctime.tv_sec &&
		a.stx_ctime.tv_nsec == b.stx_ctime.tv_nsec;
}

/*
 * The file n in one layer: 1 it is there, 0 it is not, -1 this layer hides all below, or has
 * another one.
 */
static int look_in_layer(
	const char *layer, const char *below, const struct explain_inode *n, struct meta *ret)
{
	scoped_fd int dir = -1, fd = -1;
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int has;

	if (path_open(layer, O_PATH | O_DIRECTORY, "cannot open the layer", NULL, &dir, NULL) == 0)
		fd = sys_openat2(dir, *below ? below : ".", &how);
	if (fd < 0 || meta_stat(fd, "", ret) < 0)
		return 0;
	if (S_ISCHR(ret->mode) && !ret->rdev_major && !ret->rdev_minor)
		return -1; /* a whiteout */
	/* OverlayFS shows the layer's own inode number, where it can. */
	if ((!S_ISDIR(ret->mode) && ret->ino != n->seen.ino) || !same_ctime(fd, n->path))
		return -1;
	has = S_ISLNK(ret->mode) ? 0 : meta_list_xattrs(fd, "");
	if (has > 0)
		(void)meta_read_xattrs(
			fd, "", (unsigned)has, ret); /* what cannot be read is not compared */
	return 1;
}

static bool all_reachable(const struct strv *dirs)
{
	struct stat st;

	for (size_t i = 0; i < dirs->len; i++)
		if (dirs->items[i][0] != '/' || !dirs->items[i][1] ||
			path_stat(dirs->items[i], true, &st) < 0)
			return false;
	return dirs->len > 0;
}

int explain_find_layer(struct explanation *x, const struct strv *layers, struct err *e)
{
	struct explain_inode *n = &x->inodes.items[x->inodes.len - 1];
	const struct explain_mount *m = &x->mounts.items[n->mount];
	size_t prefix = strlen(m->target);
	scoped_strv struct strv named = { .len = 0 };
	const char *below;

	if (!layers && dirs_of_options(m->fs_options, &named) < 0)
		return err_nomem(e);
	if (x->detached || (!layers && !all_reachable(&named))) {
		x->layer_unknown =
			"its layers were given as descriptors, or are not to be found from here";
		return 0;
	}
	layers = layers ? layers : &named;
	below = strncmp(n->path, m->target, prefix) ? "" : n->path + prefix;
	below += strspn(below, "/");
	for (size_t i = 0; i < layers->len; i++) {
		struct meta found = { .known = 0 };
		int r = look_in_layer(layers->items[i], below, n, &found);

		if (r == 0)
			continue;
		if (r < 0) {
			meta_done(&found);
			x->layer_unknown = "what is found in the layers is another file: it was "
					   "changed since, or is in a writable layer";
			return 0;
		}
		meta_done(&n->disk);
		n->disk = found;
		n->how = DISK_LAYER;
		/* Seen as the overflow id, and stored as another one: a map has lost it. */
		n->uid_lost = n->uid_shown && found.uid != x->overflow_uid;
		n->gid_lost = n->gid_shown && found.gid != x->overflow_gid;
		n->uid_shown = n->uid_shown && !n->uid_lost;
		n->gid_shown = n->gid_shown && !n->gid_lost;
		x->layer = strdup(layers->items[i]);
		return x->layer ? 0 : err_nomem(e);
	}
	x->layer_unknown = "it is in none of the layers: it may be in a writable layer";
	return 0;
}
