/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * explain_stack: what an overlay is made of. The kernel shows neither the maps of the layers nor
 * which layer an inode comes from. Both are known if the names of all layers, as the mount's
 * options have them, lead to the layers. That is believed only if the inode that is found in a
 * layer looks like the one that the overlay shows, with the same inode number and change time. If
 * the caller gives a map, all layers and the upper directory are assumed to have that map.
 * Otherwise it is unknown which ids the overlay can store.
 */

#include "explain_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/caps.h"
#include "../base/fd.h"

/*
 * --- what is unknown -----------------------------------------------------------------------------
 */

/*
 * For an inode that is in no known layer, compute the disk side by the given map, or take the seen
 * side.
 */
static void take_seen(
	const struct explanation *x, const struct explain_stack *s, struct explain_inode *n)
{
	n->real.inode = (struct perm_inode){
		.mode = n->seen.mode,
		.uid = n->seen.uid,
		.gid = n->seen.gid,
		.access = n->seen.access,
		.cap = n->seen.cap,
		.mount = &s->all,
	};
	if (!s->given)
		return;
	n->how = DISK_INFERRED;
	if (!idmap_uid_disk(s->given, n->seen.uid, &n->disk.uid))
		n->uid_lost = n->seen.uid == x->overflow_uid;
	if (!idmap_gid_disk(s->given, n->seen.gid, &n->disk.gid))
		n->gid_lost = n->seen.gid == x->overflow_gid;
	if (n->disk.cap.present && !n->disk.cap.root_unmapped &&
		!idmap_uid_disk(s->given, n->seen.cap.root, &n->disk.cap.root))
		n->disk.cap.root_unmapped = true;
	explain_infer_acl(s->given, &n->disk.access);
	explain_infer_acl(s->given, &n->disk.dflt);
	n->real.inode.uid = n->uid_lost ? UINT32_MAX : n->disk.uid;
	n->real.inode.gid = n->gid_lost ? UINT32_MAX : n->disk.gid;
	n->real.inode.access = n->disk.access;
	n->real.inode.cap = n->disk.cap;
}

/*
 * If it is unknown which lower directories are merged, but known what the mounter may do in them,
 * assume one directory that grants exactly that.
 */
static int add_tried(const struct explain_stack *s, struct explain_inode *n)
{
	const mode_t search = n->search == TRIED_NO ? 0 : 0111,
		     list = n->list == TRIED_NO ? 0 : 0444;

	if (search && list)
		return 0;
	return VEC_ADD(&n->below,
		(struct perm_inode){
			.mode = S_IFDIR | search | list,
			.uid = UINT32_MAX,
			.gid = UINT32_MAX,
			.mount = &s->all,
		});
}

/* Compute what an id of n may be that is seen as the overflow id. */
static struct explain_may overlay_may(const struct explanation *x, const struct explain_stack *s,
	const struct explain_inode *n, bool gid)
{
	const struct perm_inode *real = &n->real.inode;
	const uint32_t overflow = gid ? x->overflow_gid : x->overflow_uid;
	const uint32_t disk = gid ? real->gid : real->uid;
	bool (*const here)(const struct idmap *, uint32_t, uint32_t *) =
		gid ? idmap_gid_seen : idmap_uid_seen;
	struct explain_may may = { .overflow = overflow, .overflow_real = disk };
	uint32_t id;

	if ((gid ? n->seen.gid : n->seen.uid) != overflow)
		return (struct explain_may){ 0 };
	/* Its disk id and the layer's map decide. */
	if (n->found && (real->mount->map || !s->stored))
		return (struct explain_may){ 0 };
	if (s->given && x->caller.initial && idmap_is_identity(s->given))
		return (struct explain_may){ 0 };
	may.be = BE_LOST;
	if (!x->caller.initial)
		may.be |= BE_ELSEWHERE;
	if (x->caller.initial || here(&x->caller.own_map, overflow, &id))
		may.be |= BE_OVERFLOW;
	if (gid ? n->gid_lost : n->uid_lost)
		may.be &= ~(unsigned)BE_OVERFLOW;
	return may;
}

static int judge(
	const struct explanation *x, const struct explain_stack *s, struct explain_inode *n)
{
	uint32_t id;

	if (!n->found)
		take_seen(x, s, n);
	n->real.merged = n->below.len > 0;
	if (!n->found && add_tried(s, n) < 0)
		return -ENOMEM;
	if (n->found && (n->real.inode.mount->map || !s->stored)) {
		n->uid_lost = !perm_uid(n->real.inode.mount, n->disk.uid, &id);
		n->gid_lost = !perm_gid(n->real.inode.mount, n->disk.gid, &id);
	}
	n->uid_may = overlay_may(x, s, n, false);
	n->gid_may = overlay_may(x, s, n, true);
	n->uid_shown = n->uid_may.be & (n->uid_may.be - 1);
	n->gid_shown = n->gid_may.be & (n->gid_may.be - 1);
	if (n->uid_may.be == BE_LOST) {
		n->uid_lost = true;
		n->uid_may.be = 0;
	}
	if (n->gid_may.be == BE_LOST) {
		n->gid_lost = true;
		n->gid_may.be = 0;
	}
	return 0;
}

/*
 * --- trying what the mounter may do --------------------------------------------------------------
 */

/* Is this process allowed? Then a failure after that means that the mounter is not. */
static bool allowed(int fd, int mode)
{
	return faccessat(fd, "", mode, AT_EACCESS | AT_EMPTY_PATH) == 0;
}

enum explain_tried explain_try_search(int fd)
{
	if (!allowed(fd, X_OK))
		return NOT_TRIED;
	if (faccessat(fd, ".shiftbox-explain-no-such-file", F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		errno != ENOENT)
		return TRIED_NO;
	return TRIED_YES;
}

enum explain_tried explain_try_list(int fd)
{
	scoped_fd int dir = -1;
	char link[32];
	long long entries[64];

	if (!allowed(fd, R_OK))
		return NOT_TRIED;
	dir = open(fd_proc_path(fd, link), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return TRIED_NO;
	/* The kernel lists all layers before it returns the first entry. */
	return getdents64(dir, (void *)entries, sizeof(entries)) < 0 ? TRIED_NO : TRIED_YES;
}

/*
 * --- all together ------------------------------------------------------------------------------
 */

static bool has_word(const char *options, const char *word)
{
	const char *p = strstr(options, word);

	return p && (p == options || p[-1] == ',');
}

/* The directory that relative names of layers may begin in: that of the mount point. */
static int base_of(const char *target, struct buf *ret)
{
	const char *slash = strrchr(target, '/');

	buf_add(ret, target, slash && slash > target ? (size_t)(slash - target) : 1);
	return buf_get(ret) ? 0 : -ENOMEM;
}

static int find_layers(
	struct explanation *x, struct explain_stack *s, const struct explain_question *q)
{
	const struct explain_mount *m = &x->mounts.items[s->mount];
	const bool asked_for = s->mount == explain_file(x)->mount;
	scoped_buf struct buf base = BUF_INIT;
	int r = 0;

	if ((asked_for && q->map) || m->recorded) {
		r = idmap_copy(asked_for && q->map ? q->map : &m->layers_map, &s->copy, NULL);
		if (r < 0)
			return r;
		s->given = &s->copy;
	}
	s->all.map = s->given;
	s->unknown = "its layers were given as descriptors, or cannot be reached from here";
	if (x->detached)
		return 0;
	if (asked_for && q->layers)
		r = explain_layers_take(s, q->layers);
	else if (x->elsewhere)
		return 0; /* the names are not those of this mount namespace */
	else if (!s->given && x->caller.initial && caps_has(CAP_SYS_ADMIN) &&
		!has_word(m->fs_options, "metacopy=on") && !has_word(m->fs_options, "userxattr"))
		r = explain_layers_find_named(s, m->fs_options, ".");
	if (r == 0)
		r = explain_layers_look(x, s);
	if (r < 0 || s->known || s->stored || s->given || !x->caller.initial)
		return r;
	r = base_of(m->target, &base);
	if (r == 0)
		r = explain_layers_find_named(s, m->fs_options, base.data);
	return r < 0 ? r : explain_layers_look(x, s);
}

static int state_stack(struct explanation *x, struct explain_stack *s)
{
	const struct explain_mount *m = &x->mounts.items[s->mount];
	const struct explain_layer *top = s->layers.len ? s->layers.items[0] : NULL;

	s->mounter = (struct perm_cred){ .caps = PERM_CAPS_ALL };
	s->has_upper = has_word(m->fs_options, "upperdir=");
	s->facts = (struct perm_overlay){
		.mounter = &s->mounter,
		.upper = !s->has_upper         ? NULL :
			s->known && top->upper ? &top->facts :
			m->upper_plain         ? &s->plain :
						 &s->all,
		.redirect_dir = has_word(m->fs_options, "redirect_dir=on"),
	};
	for (size_t i = 0; i < x->inodes.len; i++)
		if (x->inodes.items[i].mount == s->mount && judge(x, s, &x->inodes.items[i]) < 0)
			return -ENOMEM;
	if (s->mount == explain_file(x)->mount && !explain_file(x)->found)
		x->layer_unknown = s->unknown;
	return 0;
}

static int look_at_stack(
	struct explanation *x, size_t mount, const struct explain_question *q, struct err *e)
{
	struct explain_stack *s = calloc(1, sizeof(*s)),
			     **more = realloc(x->stacks, (x->n_stacks + 1) * sizeof(*more));

	if (more)
		x->stacks = more;
	if (!s || !more) {
		free(s);
		return err_nomem(e);
	}
	s->mount = mount;
	x->stacks[x->n_stacks++] = s;
	return find_layers(x, s, q) < 0 || state_stack(x, s) < 0 ? err_nomem(e) : 0;
}

int explain_stacks_look(struct explanation *x, const struct explain_question *q, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < x->mounts.len; i++)
		if (x->mounts.items[i].kind == MOUNT_MAP_OVERLAY)
			r = look_at_stack(x, i, q, e);
	return r;
}

void explain_stack_facts(struct explanation *x, struct explain_inode *n)
{
	const size_t at = (size_t)(n - x->inodes.items);
	struct perm_inode *f = &n->facts;

	for (size_t i = 0; i < x->n_stacks; i++)
		if (x->stacks[i]->mount == n->mount)
			f->overlay = &x->stacks[i]->facts;
	f->real = &n->real;
	f->uid = n->uid_lost ? UINT32_MAX : n->seen.uid;
	f->gid = n->gid_lost ? UINT32_MAX : n->seen.gid;
	n->real.below = n->below.items;
	n->real.n_below = n->below.len;
	if (at > 0 && x->inodes.items[at - 1].mount == n->mount)
		f->parent = &x->inodes.items[at - 1].facts;
	/* The root of the upper directory is that of the overlay. */
	else if (f->overlay && f->overlay->upper)
		n->real.in_upper = true;
}

struct explain_stack_view explain_stack_view_of(const struct explanation *x, size_t i)
{
	struct explain_stack *s = x->stacks[i];

	return (struct explain_stack_view){
		.overlay = &s->facts,
		.mounter = &s->mounter,
		.upper = &s->all,
		.unknown_map = !s->given && (!s->known || s->stored),
		.unknown_upper = !s->known,
		.mount = s->mount,
	};
}

void explain_stack_pretend(struct explanation *x, size_t mount, bool upper)
{
	static const struct perm_mount another = { .store = PERM_STORE_ALL };

	for (size_t i = 0; i < x->n_stacks; i++)
		if (x->stacks[i]->mount == mount && !x->stacks[i]->has_upper)
			x->stacks[i]->facts.upper = upper ? &another : NULL;
}

void explain_stacks_done(struct explanation *x)
{
	for (size_t i = 0; i < x->n_stacks; i++) {
		explain_layers_forget(x->stacks[i]);
		if (x->stacks[i]->given)
			idmap_done(&x->stacks[i]->copy);
		free(x->stacks[i]);
	}
	free(x->stacks);
	x->stacks = NULL;
	x->n_stacks = 0;
}
