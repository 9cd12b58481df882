/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* needed_ids: collect the ids that the files of a tree use. */

#include "needed_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <stdlib.h>

#include "../base/proc.h"
#include "dirlist.h"
#include "idset.h"
#include "meta.h"
#include "walk_dirs.h"

struct needed_ids {
	struct idset uid, gid;
	uint64_t entries; /* atomic */
};

struct needed_ids_walk {
	struct needed_ids *c;
	int root;
	uint64_t mount;
	bool attrs_only;
	char **scan; /* buffers, one for each thread */
	struct walk_dirs **dirs;
};

struct needed_ids *needed_ids_new(void)
{
	return calloc(1, sizeof(struct needed_ids));
}

void needed_ids_free(struct needed_ids *c)
{
	if (!c)
		return;
	idset_done(&c->uid);
	idset_done(&c->gid);
	free(c);
}

uint64_t needed_ids_entries(const struct needed_ids *c)
{
	return c->entries;
}

int needed_ids_add_owner(struct needed_ids *c, uint32_t uid, uint32_t gid, struct err *e)
{
	return idset_add(&c->uid, uid) < 0 || idset_add(&c->gid, gid) < 0 ? err_nomem(e) : 0;
}

static int add_acl(struct needed_ids *c, const struct acl *a)
{
	int r = 0;

	for (size_t i = 0; i < a->len && r == 0; i++) {
		if (a->items[i].tag == ACL_USER)
			r = idset_add(&c->uid, a->items[i].id);
		else if (a->items[i].tag == ACL_GROUP)
			r = idset_add(&c->gid, a->items[i].id);
	}
	return r;
}

static int add_attrs(struct needed_ids *c, int dirfd, const char *name, struct meta *m)
{
	int r = meta_list_xattrs(dirfd, name);

	if (r > 0)
		r = meta_read_xattrs(dirfd, name, (unsigned)r, m);
	if (r < 0)
		return r;
	r = add_acl(c, &m->access);
	if (r == 0)
		r = add_acl(c, &m->dflt);
	/* A capability of revision 2 has the root id 0. */
	if (r == 0 && m->cap.present && !m->cap.root_unmapped)
		r = idset_add(&c->uid, m->cap.root);
	return r;
}

/* Returns 1 for a directory of this mount, which is to be entered, 0 for another file, -errno. */
static int add_inode(const struct needed_ids_walk *t, int dirfd, const char *name)
{
	struct meta m;
	int r = meta_stat(dirfd, name, &m);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (m.mount != t->mount)
		return 0;
	(void)__atomic_fetch_add(&t->c->entries, 1, __ATOMIC_RELAXED);
	if (!t->attrs_only)
		r = idset_add(&t->c->uid, m.uid) < 0 || idset_add(&t->c->gid, m.gid) < 0 ? -ENOMEM :
											   0;
	if (r == 0 && !S_ISLNK(m.mode))
		r = add_attrs(t->c, dirfd, name, &m);
	meta_done(&m);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : S_ISDIR(m.mode);
}

static int failed(const struct walk_dir *d, const char *name, int num, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;

	if (num == ENOMEM)
		return err_nomem(e);
	walk_path(d, name, &path);
	return err_set(e, num, buf_get(&path), "cannot read its owner, ACL or capabilities");
}

static int visit(
	struct walk_worker *w, unsigned index, struct walk_dir *d, void *arg, struct err *e)
{
	struct needed_ids_walk *t = arg;
	struct dirlist_reader s = { .buf = t->scan[index] };
	scoped_fd int fd = walk_dirs_open(t->dirs[index], 0, t->root, d, O_RDONLY);
	const char *name;
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EXDEV)
		return 0; /* it vanished, or was replaced by something else */
	if (fd < 0)
		return failed(d, NULL, -fd, e);

	s.fd = fd;
	while ((r = dirlist_next(&s, &name)) > 0) {
		r = add_inode(t, fd, name);
		if (r < 0)
			return failed(d, name, -r, e);
		if (r > 0 && walk_push(w, d, name, NULL) < 0)
			return err_nomem(e);
	}
	walk_dirs_keep(t->dirs[index], 0, d, &fd);
	return r < 0 && r != -ENOENT ? failed(d, NULL, -r, e) : 0;
}

static int run(struct needed_ids_walk *t, unsigned threads, struct err *e)
{
	unsigned n = threads ? threads : proc_processors(), made = 0;
	struct meta top;
	int r = meta_stat(t->root, "", &top);

	if (r < 0)
		return err_set(e, -r, NULL, "cannot stat the top of the tree");
	t->mount = top.mount;
	r = add_inode(t, t->root, "");
	if (r <= 0)
		return r < 0 ? err_set(e, -r, NULL,
				       "cannot read the owner, ACL or capabilities of the top of "
				       "the tree") :
			       0;

	t->scan = calloc(n, sizeof(*t->scan));
	t->dirs = calloc(n, sizeof(*t->dirs));
	for (; t->scan && t->dirs && made < n; made++) {
		t->scan[made] = malloc(DIRLIST_BUFFER);
		t->dirs[made] = walk_dirs_new(n);
		if (!t->scan[made] || !t->dirs[made])
			break;
	}
	r = made ? walk_run(made, NULL, visit, t, e) : err_nomem(e);
	for (unsigned i = 0; t->scan && t->dirs && i < n; i++) {
		free(t->scan[i]);
		walk_dirs_free(t->dirs[i]);
	}
	free(t->scan);
	free(t->dirs);
	return r;
}

int needed_ids_add_tree(struct needed_ids *c, int root, unsigned threads, struct err *e)
{
	struct needed_ids_walk t = { .c = c, .root = root };

	return run(&t, threads, e);
}

int needed_ids_add_tree_attrs(struct needed_ids *c, int root, unsigned threads, struct err *e)
{
	struct needed_ids_walk t = { .c = c, .root = root, .attrs_only = true };

	return run(&t, threads, e);
}

int needed_ids_map(
	const struct needed_ids *c, struct idmap *ret, uint64_t *ret_added, struct err *e)
{
	/* The text of a map is limited, too: try with fewer and fewer ranges. */
	for (size_t max = IDMAP_EXTENTS_MAX; max >= 1; max--) {
		idrange_vec uid = { .len = 0 }, gid = { .len = 0 };
		int64_t more_uid = idset_ranges(&c->uid, max, &uid),
			more_gid = idset_ranges(&c->gid, max, &gid);
		bool empty = !uid.len || !gid.len;
		int r = -ENOMEM;

		if (more_uid >= 0 && more_gid >= 0 && !empty)
			r = idmap_from_ranges(uid.items, uid.len, gid.items, gid.len, ret, e);
		VEC_DONE(&uid);
		VEC_DONE(&gid);
		if (more_uid < 0 || more_gid < 0)
			return err_nomem(e);
		if (empty)
			return err_say(e, ENODATA, NULL, "there are no ids to be covered");
		if (r == -E2BIG)
			continue;
		*ret_added = (uint64_t)more_uid + (uint64_t)more_gid;
		return r;
	}
	return -E2BIG; /* not reached: one range fits */
}
