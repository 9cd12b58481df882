/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain: gather the facts about a file and the directories on its path. */

#include "explain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/posix_acl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/sys.h"
#include "../idmap/userns_self.h"
#include "explain_priv.h"

/*
 * --- inodes ----------------------------------------------------------------------------------
 */

static int read_record(int fd, mode_t mode, struct record *ret)
{
	char link[32], text[RECORD_MAX];
	ssize_t n;

	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return 0; /* other types have no user.* attributes, xattr(7) */
	n = getxattr(fd_proc_path(fd, link), RECORD_XATTR, text, sizeof(text));
	if (n < 0)
		return errno == ENODATA || errno == EOPNOTSUPP ? 0 :
			errno == ERANGE                        ? -EINVAL :
								 -errno;
	return record_parse(text, (size_t)n, ret) < 0 ? -EINVAL : 1;
}

/* Read the disk side of a file on an ID-mapped mount. */
static int read_raw(int fd, struct explain_inode *n)
{
	scoped_fd int raw = -1;
	struct err ignored = ERR_INIT;
	int r = unmapped_clone(fd, n->path, &raw, &ignored);

	if (r < 0) {
		log_verbose("%s: %s: %s", n->path, ignored.what, ignored.why);
		return r;
	}
	if (n->recorded == -EACCES) /* not even root may read it if the owner has no mapping */
		n->recorded = read_record(raw, n->seen.mode, &n->record);
	return explain_read_meta(raw, n->path, &n->disk, NULL);
}

/* Compute the disk side from the seen side; map is NULL if there is no map or it is unknown. */
static int infer_disk(const struct idmap *map, struct explain_inode *n)
{
	n->disk = n->seen;
	n->disk.access = n->disk.dflt = (struct acl){ .items = NULL };
	if (acl_copy(&n->seen.access, &n->disk.access) < 0 ||
		acl_copy(&n->seen.dflt, &n->disk.dflt) < 0)
		return -ENOMEM;
	if (!map)
		return 0;
	n->uid_lost = !idmap_uid_disk(map, n->seen.uid, &n->disk.uid);
	n->gid_lost = !idmap_gid_disk(map, n->seen.gid, &n->disk.gid);
	explain_infer_acl(map, &n->disk.access);
	explain_infer_acl(map, &n->disk.dflt);
	if (n->disk.cap.present && !n->disk.cap.root_unmapped &&
		!idmap_uid_disk(map, n->seen.cap.root, &n->disk.cap.root))
		n->disk.cap.root_unmapped = true;
	return 0;
}

/*
 * Decide whether an overflow id that is seen is the disk id. On a mount without a map, the user
 * namespace of this process may lack the id.
 */
static void judge_overflow(const struct explanation *x, struct explain_inode *n)
{
	const struct idmap *own = &x->caller.own_map;
	uint32_t id;

	if (n->how == DISK_PLAIN && x->caller.initial)
		return;
	if (n->seen.uid == x->overflow_uid && !n->uid_lost) {
		n->uid_lost = n->how == DISK_PLAIN && !idmap_uid_seen(own, x->overflow_uid, &id);
		n->uid_shown = !n->uid_lost;
	}
	if (n->seen.gid == x->overflow_gid && !n->gid_lost) {
		n->gid_lost = n->how == DISK_PLAIN && !idmap_gid_seen(own, x->overflow_gid, &id);
		n->gid_shown = !n->gid_lost;
	}
}

/*
 * Compute what an id may be that is seen as the overflow id. A map that cannot be read may or may
 * not have the id; a partial one may have it in a hidden line. real: this user namespace has the
 * overflow id, too.
 */
static unsigned may_be(const struct explanation *x, const struct explain_mount *m, bool lost,
	bool shown, bool real)
{
	const bool here = x->caller.initial;

	if (m->kind == MOUNT_MAP_NONE)
		return here ? 0 : BE_ELSEWHERE | (shown ? BE_OVERFLOW : 0);
	if (m->kind == MOUNT_MAP_HIDDEN || m->map_partial)
		return BE_LOST | (here ? 0 : BE_ELSEWHERE) | (here || real ? BE_OVERFLOW : 0);
	return BE_LOST | (shown && !lost ? BE_OVERFLOW : 0);
}

/* If the map is known, BE_OVERFLOW means the disk id that the map shows as the overflow id. */
static void judge_doubt(const struct explanation *x, struct explain_inode *n)
{
	const struct explain_mount *m = &x->mounts.items[n->mount];
	const struct idmap *own = &x->caller.own_map;
	const bool here = x->caller.initial, known = m->kind == MOUNT_MAP_KNOWN && !m->map_partial;
	uint32_t id;

	if (n->how == DISK_READ || m->kind == MOUNT_MAP_OVERLAY)
		return;
	if (n->seen.uid == x->overflow_uid && (n->uid_lost || n->uid_shown))
		n->uid_may = (struct explain_may){
			.be = may_be(x, m, n->uid_lost, n->uid_shown,
				here || idmap_uid_seen(own, x->overflow_uid, &id)),
			.overflow = known ? n->disk.uid : x->overflow_uid,
		};
	if (n->seen.gid == x->overflow_gid && (n->gid_lost || n->gid_shown))
		n->gid_may = (struct explain_may){
			.be = may_be(x, m, n->gid_lost, n->gid_shown,
				here || idmap_gid_seen(own, x->overflow_gid, &id)),
			.overflow = known ? n->disk.gid : x->overflow_gid,
		};
	if (m->kind == MOUNT_MAP_HIDDEN || m->map_partial) {
		n->uid_doubt = n->uid_may.be != 0;
		n->gid_doubt = n->gid_may.be != 0;
	}
}

/*
 * An id that is seen, but is in no line of a partial map, is in one that is hidden. (The kernel
 * shows lines by their first id, with the count that they have elsewhere.)
 */
static void judge_hidden_line(const struct explanation *x, struct explain_inode *n)
{
	if (!x->mounts.items[n->mount].map_partial)
		return;
	if (n->uid_lost && n->seen.uid != x->overflow_uid) {
		n->uid_lost = false;
		n->how = DISK_UNKNOWN;
	}
	if (n->gid_lost && n->seen.gid != x->overflow_gid) {
		n->gid_lost = false;
		n->how = DISK_UNKNOWN;
	}
}

static int find_disk(struct explanation *x, int fd, struct explain_inode *n, struct err *e)
{
	const struct explain_mount *m = &x->mounts.items[n->mount];
	uint32_t id;

	if (m->kind == MOUNT_MAP_KNOWN && read_raw(fd, n) == 0) {
		/* It is a filesystem of this user namespace, so that the map has no other ids. */
		x->mounts.items[n->mount].map_partial = false;
		n->how = DISK_READ;
		n->uid_lost = !idmap_uid_seen(&m->map, n->disk.uid, &id);
		n->gid_lost = !idmap_gid_seen(&m->map, n->disk.gid, &id);
		return 0;
	}
	n->how = m->kind == MOUNT_MAP_KNOWN ? DISK_INFERRED :
		m->kind == MOUNT_MAP_NONE   ? DISK_PLAIN :
					      DISK_UNKNOWN;
	if (infer_disk(m->kind == MOUNT_MAP_KNOWN ? &m->map : NULL, n) < 0)
		return err_nomem(e);
	judge_hidden_line(x, n);
	judge_overflow(x, n);
	judge_doubt(x, n);
	return 0;
}

/*
 * Flags that not even root can pass (ioctl_iflags(2)), and the change time. Filesystems that have
 * these flags report them here.
 */
static void read_flags(int fd, struct explain_inode *n)
{
	struct statx s;

	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_CTIME | STATX_NLINK, &s) < 0)
		return;
	n->removed = S_ISDIR(n->seen.mode) && s.stx_mask & STATX_NLINK && !s.stx_nlink;
	n->immutable = s.stx_attributes & STATX_ATTR_IMMUTABLE;
	n->append = s.stx_attributes & STATX_ATTR_APPEND;
	n->ctime = s.stx_ctime.tv_sec;
	n->ctime_nsec = s.stx_ctime.tv_nsec;
}

/*
 * Ask the kernel for the access of this process: its answer depends on ids that cannot be read, so
 * it says something about them, for every caller.
 */
static void ask_kernel(const struct explanation *x, int fd, struct explain_inode *n)
{
	static const int modes[] = { R_OK, W_OK, X_OK };

	if (S_ISLNK(n->seen.mode) ||
		(n->seen.uid != x->overflow_uid && n->seen.gid != x->overflow_gid))
		return;
	n->asked = true;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		n->access[i] =
			faccessat(fd, "", modes[i], AT_EACCESS | AT_EMPTY_PATH) < 0 ? errno : 0;
		n->asked &= n->access[i] == 0 || n->access[i] == EACCES || n->access[i] == EROFS ||
			n->access[i] == EPERM;
	}
}

static int add_inode(struct explanation *x, int fd, const char *path, struct err *e)
{
	struct explain_inode n = { .path = strdup(path) };
	int r = n.path ? explain_read_meta(fd, path, &n.seen, e) : err_nomem(e);

	if (r == 0)
		r = explain_mount_find(x, fd, n.seen.mount, path, &n.mount, e);
	if (r == 0) {
		n.recorded = read_record(fd, n.seen.mode, &n.record);
		read_flags(fd, &n);
		ask_kernel(x, fd, &n);
		if (x->mounts.items[n.mount].kind == MOUNT_MAP_OVERLAY && S_ISDIR(n.seen.mode) &&
			!x->elsewhere)
			n.search = explain_try_search(fd);
		r = find_disk(x, fd, &n, e);
	}
	if (r == 0 && x->inodes.len)
		n.mount_point = n.mount != explain_file(x)->mount;
	if (r == 0 && VEC_ADD(&x->inodes, n) < 0)
		r = err_nomem(e);
	if (r < 0) {
		free(n.path);
		meta_done(&n.seen);
		meta_done(&n.disk);
	}
	return r;
}

/*
 * Add each directory of the path, which comes from the kernel and has no links, from the root on.
 * Returns 0, -ESTALE if the path leads to another file than want, or -errno.
 */
static int follow(struct explanation *x, const char *path, const struct meta *want, struct err *e)
{
	scoped_buf struct buf whole = BUF_INIT;
	scoped_fd int at = explain_elsewhere_root(x);
	scoped_free char *copy = NULL;
	int r;

	if (at < 0)
		return -ESTALE;
	buf_printf(&whole, "%s%s", x->root, path);
	copy = buf_take(&whole);
	r = copy ? add_inode(x, at, *x->root ? x->root : "/", e) : err_nomem(e);
	for (char *p = copy ? copy + strlen(x->root) : NULL; r == 0 && p && *p;) {
		char *name = p + strspn(p, "/"), *end = name + strcspn(name, "/"), rest = *end;
		int next;

		if (!*name)
			break;
		*end = 0;
		next = explain_elsewhere_next(x, at, name);
		if (next < 0)
			return -ESTALE;
		close(at);
		at = next;
		r = add_inode(x, at, copy, e);
		*end = rest;
		p = end;
	}
	if (r == 0 &&
		(!meta_same_inode(&explain_file(x)->seen, want) ||
			explain_file(x)->seen.mount != want->mount))
		return -ESTALE;
	return r;
}

static void forget_inodes(struct explanation *x)
{
	for (size_t i = 0; i < x->inodes.len; i++) {
		free(x->inodes.items[i].path);
		meta_done(&x->inodes.items[i].seen);
		meta_done(&x->inodes.items[i].disk);
		explain_below_done(&x->inodes.items[i]);
	}
	x->inodes.len = 0;
}

/* In another mount namespace, nothing is tried: a layer may be one that never answers. */
static void list_merged(struct explanation *x, int fd)
{
	struct explain_inode *n = &x->inodes.items[x->inodes.len - 1];

	if (!x->elsewhere && x->mounts.items[n->mount].kind == MOUNT_MAP_OVERLAY &&
		S_ISDIR(n->seen.mode))
		n->list = explain_try_list(fd);
}

/*
 * Links are followed, because the question is what the kernel does with the path. Only metadata is
 * read. The file is opened once, and all facts are about that file.
 */
static int gather(struct explanation *x, int fd, const char *path, struct err *e)
{
	struct meta want = { .known = 0 };
	char link[32], real[PATH_MAX];
	ssize_t n;
	int r = meta_stat(fd, "", &want);

	if (r < 0)
		return err_set(e, -r, path, "cannot stat");
	r = explain_elsewhere_find(x, fd, e);
	if (r < 0)
		return r;
	n = readlink(fd_proc_path(fd, link), real, sizeof(real) - 1);
	if (n < 0)
		return err_set(e, errno, path, "cannot determine its path");
	real[n] = 0;
	r = real[0] == '/' ? follow(x, real, &want, e) : -ESTALE;
	if (r == 0)
		list_merged(x, fd);
	if (r != -ESTALE)
		return r;

	log_verbose("the directories on its path cannot be reached from here (another root "
		    "or mount namespace)");
	forget_inodes(x);
	x->detached = true;
	return add_inode(x, fd, path, e);
}

static int open_asked(const char *path, int *ret_fd, struct err *e)
{
	int r;

	*ret_fd = open(path, O_PATH | O_CLOEXEC);
	if (*ret_fd >= 0)
		return 0;
	r = err_path(e, errno, path, "cannot open");
	if (r == -EACCES)
		err_try(e, "run it as root or as a user with access, plus --as %u:%u", geteuid(),
			getegid());
	else if (r == -ENOENT && strstr(path, "/overlay/") && strstr(path, "/merged/"))
		err_try(e,
			"podman mounts containers of ordinary users in a mount namespace of its "
			"own: name a process of the container (podman inspect -f "
			"'{{.State.Pid}}' NAME), as /proc/PID/root/..., or use podman unshare");
	return r;
}

/*
 * --- facts for the rules ---------------------------------------------------------------------
 */

/*
 * The id that the rules get for one that is seen as the overflow id and is unknown, unless
 * explain_answer_of() tries others: none (UINT32_MAX) if a map has lost it, and an id that no
 * process has if only the user namespace of this process lacks it.
 */
static uint32_t fact_id(const struct explain_inode *n, uint32_t id, bool lost, bool shown)
{
	if (n->how == DISK_READ || (!lost && !shown))
		return id;
	return n->how == DISK_PLAIN ? UINT32_MAX - 1 : UINT32_MAX;
}

static void state_facts(struct explanation *x)
{
	for (size_t i = 0; i < x->mounts.len; i++) {
		struct explain_mount *m = &x->mounts.items[i];

		if (m->kind == MOUNT_MAP_KNOWN && !m->map_partial)
			m->facts.map = &m->map;
	}

	for (size_t i = 0; i < x->inodes.len; i++) {
		struct explain_inode *n = &x->inodes.items[i];
		const struct explain_mount *m = &x->mounts.items[n->mount];
		/* If not all of the map is known, the rules get the seen side. */
		const struct meta *from =
			m->kind == MOUNT_MAP_NONE || m->facts.map ? &n->disk : &n->seen;

		n->facts = (struct perm_inode){
			.mode = n->seen.mode,
			.access = from->access,
			.cap = from->cap,
			.mount = &m->facts,
			.uid = fact_id(n, from->uid, n->uid_lost, n->uid_shown),
			.gid = fact_id(n, from->gid, n->gid_lost, n->gid_shown),
			.immutable = n->immutable,
			.append = n->append,
			.removed = n->removed,
		};
		if (m->kind == MOUNT_MAP_OVERLAY)
			explain_stack_facts(x, n);
	}
}

static int not_stacked(const char *path, struct err *e)
{
	(void)err_say(e, EINVAL, path,
		"is not on an overlay, so there are no layers of an image below it");
	err_try(e, "omit --image, or name a path where the image is mounted");
	return -EINVAL;
}

/* The map that was given is that of a mount whose map the kernel does not show. */
static int check_given(const struct explanation *x, const struct explain_question *q, struct err *e)
{
	const struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];

	const struct idmap *known = m->recorded && !q->layers ? &m->layers_map :
		m->kind == MOUNT_MAP_KNOWN && !m->map_partial ? &m->map :
								NULL;

	if (!q->map || (!known && m->kind != MOUNT_MAP_NONE))
		return 0;
	if (m->kind == MOUNT_MAP_NONE && !idmap_is_identity(q->map)) {
		(void)err_say(e, EINVAL, q->path, "is on a mount that has no map");
		err_try(e, "omit -m, or name a path where the files are mounted with a map");
		return -EINVAL;
	}
	if (known && !idmap_equal(q->map, known)) {
		(void)err_say(e, EINVAL, q->path, "is on a mount with another map than that of -m");
		err_try(e, "omit -m: the map of this mount is known");
		return -EINVAL;
	}
	return 0;
}

/* Use the given map for the mount of the file. */
static int use_given(struct explanation *x, const struct idmap *map, struct err *e)
{
	const size_t mount = explain_file(x)->mount;
	struct explain_mount *m = &x->mounts.items[mount];

	if (!map || (m->kind != MOUNT_MAP_HIDDEN && !m->map_partial))
		return 0;
	if (m->kind == MOUNT_MAP_KNOWN)
		idmap_done(&m->map);
	m->kind = MOUNT_MAP_NONE; /* until there is one to free */
	if (idmap_copy(map, &m->map, e) < 0)
		return err_nomem(e);
	m->kind = MOUNT_MAP_KNOWN;
	m->map_partial = !x->caller.initial; /* it cannot say which ids are seen elsewhere */
	for (size_t i = 0; i < x->inodes.len; i++) {
		struct explain_inode *n = &x->inodes.items[i];

		if (n->mount != mount || n->how == DISK_READ)
			continue;
		meta_done(&n->disk);
		n->how = DISK_INFERRED;
		n->uid_lost = n->gid_lost = n->uid_shown = n->gid_shown = false;
		n->uid_may = n->gid_may = (struct explain_may){ 0 };
		if (infer_disk(&m->map, n) < 0)
			return err_nomem(e);
		judge_overflow(x, n);
		judge_doubt(x, n);
	}
	return 0;
}

int explain_look(const struct explain_question *q, struct explanation *ret, struct err *e)
{
	enum mount_map_kind kind;
	scoped_fd int fd = -1;
	int r;

	*ret = (struct explanation){ .layer = NULL };
	ret->overflow_uid = userns_overflow_id(false);
	ret->overflow_gid = userns_overflow_id(true);
	r = explain_caller_look(q->as, q->userns, &ret->caller, e);
	if (r == 0)
		r = open_asked(q->path, &fd, e);
	if (r == 0)
		r = gather(ret, fd, q->path, e);
	if (r < 0)
		return r;
	kind = ret->mounts.items[explain_file(ret)->mount].kind;
	if (q->layers && kind != MOUNT_MAP_OVERLAY)
		return not_stacked(q->path, e);
	r = check_given(ret, q, e);
	if (r == 0)
		r = use_given(ret, q->map, e);
	if (r == 0)
		r = explain_stacks_look(ret, q, e);
	if (r < 0)
		return r;
	state_facts(ret);
	return explain_chain_look(ret, fd, e);
}

void explain_done(struct explanation *x)
{
	explain_stacks_done(x);
	explain_chain_done(x);
	explain_elsewhere_done(x);
	forget_inodes(x);
	VEC_DONE(&x->inodes);
	for (size_t i = 0; i < x->mounts.len; i++) {
		struct explain_mount *m = &x->mounts.items[i];

		free(m->target);
		free(m->type);
		free(m->source);
		free(m->options);
		free(m->fs_options);
		idmap_done(&m->map);
		idmap_done(&m->layers_map);
	}
	VEC_DONE(&x->mounts);
	VEC_DONE(&x->caller.groups);
	VEC_DONE(&x->caller.group_ids);
	VEC_DONE(&x->caller.self_groups);
	idmap_done(&x->caller.userns_map);
	idmap_done(&x->caller.own_map);
	idmap_done(&x->caller.outer_map);
	free(x->layer);
	free(x->marked);
}
