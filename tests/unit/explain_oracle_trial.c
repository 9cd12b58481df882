/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random facts for the oracle, and how they are made true on a filesystem. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "explain_oracle.h"
#include "test.h"

/*
 * --- facts ---------------------------------------------------------------------------------------
 */

/* An id that exists on that filesystem. */
static uint32_t disk_id(struct trial *t, bool gid)
{
	const struct perm_userns *ns = t->mount->fs->userns;
	uint32_t id, ignored;

	do
		id = rng_id(&t->rng);
	while (ns && !(gid ? idmap_gid_seen : idmap_uid_seen)(ns->map, id, &ignored));
	return id;
}

static void random_acl(struct trial *t, struct object *o)
{
	struct acl *a = &o->facts.access;
	size_t users = rng_below(&t->rng, 4), groups = rng_below(&t->rng, 4);

	a->items = o->acl;
	a->len = 0;
	o->acl[a->len++] = (struct acl_entry){ .tag = ACL_USER_OBJ };
	for (size_t i = 0; i < users; i++)
		o->acl[a->len++] = (struct acl_entry){ .tag = ACL_USER, .id = disk_id(t, false) };
	o->acl[a->len++] = (struct acl_entry){ .tag = ACL_GROUP_OBJ };
	for (size_t i = 0; i < groups; i++)
		o->acl[a->len++] = (struct acl_entry){ .tag = ACL_GROUP, .id = disk_id(t, true) };
	o->acl[a->len++] = (struct acl_entry){ .tag = ACL_MASK };
	o->acl[a->len++] = (struct acl_entry){ .tag = ACL_OTHER };
	for (size_t i = 0; i < a->len; i++)
		o->acl[i].perm = rng_percent(&t->rng, 40) ? 7 : rng_below(&t->rng, 8);
	/*
	 * The same user twice: the kernel takes the first, so keep the order in which they are
	 * sorted.
	 */
	acl_sort(a);
}

void oracle_random_object(struct trial *t, struct object *o, bool dir)
{
	static const mode_t dir_modes[] = { 0755, 0777, 0777, 01777, 01777, 0700, 0750, 02775, 0711,
		03777 };
	static const mode_t file_modes[] = { 0644, 0755, 0600, 0666, 0777, 04755, 02755, 06755,
		04711, 0640 };
	static const mode_t types[] = { S_IFREG, S_IFREG, S_IFREG, S_IFREG, S_IFREG, S_IFDIR,
		S_IFDIR, S_IFIFO, S_IFCHR, S_IFREG };
	struct perm_inode *n = &o->facts;

	n->mode = dir ? dir_modes[rng_below(&t->rng, 10)] : file_modes[rng_below(&t->rng, 10)];
	if (rng_percent(&t->rng, 30))
		n->mode = rng_below(&t->rng, 010000);
	n->mode |= dir ? S_IFDIR : types[rng_below(&t->rng, 10)];
	n->uid = disk_id(t, false);
	n->gid = disk_id(t, true);
	n->mount = &t->mount_facts;
	if (rng_percent(&t->rng, 30))
		random_acl(t, o);
	if (S_ISREG(n->mode) && !t->mount->fs->userns && rng_percent(&t->rng, 40)) {
		o->v3 = rng_percent(&t->rng, 70);
		n->cap = (struct filecap){
			.present = true,
			.effective = true,
			.permitted = 1u << ORACLE_CAP,
			.root = o->v3 && rng_percent(&t->rng, 80) ? rng_id(&t->rng) : 0,
		};
	}
}

/*
 * Somebody who exists in the caller's namespace; often somebody whom the file or the directory
 * concerns.
 */
static uint32_t caller_id(struct trial *t, bool gid)
{
	bool (*const exists)(const struct perm_userns *, uint32_t, uint32_t *) =
		gid ? perm_ns_gid : perm_ns_uid;
	bool (*const seen)(const struct perm_mount *, uint32_t, uint32_t *) =
		gid ? perm_gid : perm_uid;
	const struct object *o = rng_percent(&t->rng, 60) ? &t->file : &t->dir;
	uint32_t disk = gid ? o->facts.gid : o->facts.uid, id, ignored;

	if (o->facts.access.len && rng_percent(&t->rng, 50))
		disk = o->acl[rng_below(&t->rng, (uint32_t)o->facts.access.len)].id;
	if (rng_percent(&t->rng, 55) && seen(&t->mount_facts, disk, &id) &&
		exists(t->cred.userns, id, &ignored))
		return id;
	do
		id = rng_id(&t->rng);
	while (!exists(t->cred.userns, id, &ignored));
	return id;
}

void oracle_random_cred(struct trial *t, const struct world *w)
{
	struct perm_cred *c = &t->cred;

	if (rng_percent(&t->rng, 50))
		t->user = &w->users[rng_below(&t->rng, ARRAY_LEN(w->users))];
	c->userns = t->user ? &t->user->ns : NULL;
	c->uid = caller_id(t, false);
	c->gid = caller_id(t, true);
	c->groups = t->groups;
	c->n_groups = rng_below(&t->rng, GROUPS_ROOM + 1);
	for (size_t i = 0; i < c->n_groups; i++)
		t->groups[i] = caller_id(t, true);
	c->caps = rng_percent(&t->rng, 40) ? 0 :
		rng_percent(&t->rng, 40)   ? PERM_CAPS_ALL :
					     rng_below(&t->rng, PERM_CAPS_ALL + 1);
	c->no_new_privs = rng_percent(&t->rng, 10);
}

/* Owners that exist in the caller's namespace or not, that the caller has, or the file. */
static uint32_t new_owner(struct trial *t, bool gid)
{
	bool (*const in_ns)(const struct perm_userns *, uint32_t, uint32_t *) =
		gid ? perm_ns_gid : perm_ns_uid;
	bool (*const seen)(const struct perm_mount *, uint32_t, uint32_t *) =
		gid ? perm_gid : perm_uid;
	const struct perm_inode *n = &t->file.facts;
	uint32_t id, ret;

	if (rng_percent(&t->rng, 20) && seen(&t->mount_facts, gid ? n->gid : n->uid, &id) &&
		in_ns(t->cred.userns, id, &ret))
		return ret;
	if (rng_percent(&t->rng, 30) &&
		in_ns(t->cred.userns, gid ? t->cred.gid : t->cred.uid, &ret))
		return ret;
	if (gid && t->cred.n_groups && rng_percent(&t->rng, 30) &&
		in_ns(t->cred.userns, t->groups[0], &ret))
		return ret;
	return rng_id(&t->rng);
}

void oracle_random_chown(struct trial *t)
{
	uint32_t which = rng_below(&t->rng, 3);

	t->chown = (struct perm_chown){ .set_uid = which != 1, .set_gid = which != 0 };
	t->chown.uid = new_owner(t, false);
	t->chown.gid = new_owner(t, true);
}

/* Flags of the file or of the directory. */
void oracle_random_flags(struct trial *t, bool immutable, bool append)
{
	const bool dir = rng_percent(&t->rng, 40);
	struct perm_inode *n = dir ? &t->dir.facts : &t->file.facts;

	if (!dir && !S_ISDIR(n->mode))
		n->mode = (n->mode & 07777) | S_IFREG;
	n->immutable = immutable;
	n->append = append;
}

void oracle_random_trial(struct trial *t, const struct world *w, uint64_t seed)
{
	*t = (struct trial){ .rng = { .state = seed } };
	(void)rng_next(&t->rng);
	t->mount = &w->mounts[rng_below(&t->rng, WORLD_MOUNTS)];
	t->mount_facts = t->mount->facts;
	t->mount_facts.fs_ro = t->mount->fs == &w->fs[FS_READ_ONLY] && rng_percent(&t->rng, 25);
	t->op = rng_percent(&t->rng, 15) ? PERM_EXEC : rng_below(&t->rng, PERM_OPS);
	t->way = rng_below(&t->rng, 4);
	oracle_random_object(t, &t->dir, true);
	oracle_random_object(t, &t->file, false);
	oracle_random_cred(t, w);
	if (t->op == PERM_EXEC && rng_percent(&t->rng, 70)) {
		t->dir.facts.mode |= 0111;
		t->file.facts.mode = (t->file.facts.mode & 07777) | S_IFREG | 0111;
		t->mount_facts.foreign = rng_percent(&t->rng, 15);
	}
	if (rng_percent(&t->rng, 10))
		oracle_random_flags(t, rng_percent(&t->rng, 50), rng_percent(&t->rng, 50));
	oracle_random_chown(t);
	if (!S_ISREG(t->file.facts.mode))
		t->file.facts.cap.present = false;
}

/*
 * --- making them true ----------------------------------------------------------------------------
 */

/* How this process, in the initial namespace and without a map, sees a disk id. */
uint32_t oracle_raw_uid(const struct trial *t, uint32_t disk)
{
	const struct perm_mount raw = { .fs_userns = t->mount->fs->userns };
	uint32_t id = 0;

	REQUIRE(perm_uid(&raw, disk, &id));
	return id;
}

uint32_t oracle_raw_gid(const struct trial *t, uint32_t disk)
{
	const struct perm_mount raw = { .fs_userns = t->mount->fs->userns };
	uint32_t id = 0;

	REQUIRE(perm_gid(&raw, disk, &id));
	return id;
}

static void set_acl(const struct trial *t, int fd, const struct acl *a)
{
	struct {
		struct posix_acl_xattr_header h;
		struct posix_acl_xattr_entry e[ACL_ROOM];
	} x = {
		.h = { .a_version = POSIX_ACL_XATTR_VERSION },
	};
	char path[32];

	for (size_t i = 0; i < a->len; i++) {
		const struct acl_entry *e = &a->items[i];

		x.e[i].e_tag = e->tag;
		x.e[i].e_perm = e->perm;
		x.e[i].e_id = e->tag == ACL_USER ? oracle_raw_uid(t, e->id) :
			e->tag == ACL_GROUP      ? oracle_raw_gid(t, e->id) :
						   UINT32_MAX;
	}
	REQUIRE(setxattr(fd_proc_path(fd, path), "system.posix_acl_access", &x,
			sizeof(x.h) + a->len * sizeof(x.e[0]), 0) == 0);
}

/* Immutable or append-only, or neither. Regular files and directories have these flags. */
void oracle_set_flags(int raw, const char *name, bool immutable, bool append)
{
	scoped_fd int fd = openat(raw, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int flags = (immutable ? FS_IMMUTABLE_FL : 0) | (append ? FS_APPEND_FL : 0), old = 0;

	REQUIRE(fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &old) == 0);
	flags |= old & ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	REQUIRE(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0);
}

static void set_cap(int fd, const struct object *o)
{
	struct vfs_ns_cap_data c = {
		.magic_etc =
			VFS_CAP_FLAGS_EFFECTIVE | (o->v3 ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2),
		.data = { { .permitted = 1u << ORACLE_CAP } },
		.rootid = o->facts.cap.root,
	};
	char path[32];

	REQUIRE(setxattr(fd_proc_path(fd, path), "security.capability", &c,
			o->v3 ? XATTR_CAPS_SZ_3 : XATTR_CAPS_SZ_2, 0) == 0);
}

void oracle_make(const struct trial *t, const char *name, struct object *o)
{
	scoped_fd int fd = -1;
	struct perm_inode *n = &o->facts;
	int raw = t->mount->fs->raw;
	char path[32];
	struct stat st;

	if (S_ISDIR(n->mode))
		REQUIRE(mkdirat(raw, name, 0700) == 0);
	else
		REQUIRE(mknodat(raw, name, (n->mode & S_IFMT) | 0600, makedev(1, 3)) == 0);
	if (S_ISREG(n->mode) && t->op == PERM_EXEC) {
		scoped_fd int w = openat(raw, name, O_WRONLY | O_CLOEXEC);

		REQUIRE(w >= 0 && oracle_program(w));
	}
	fd = openat(raw, name, O_PATH | O_CLOEXEC);
	REQUIRE(fd >= 0);
	REQUIRE(fchownat(fd, "", oracle_raw_uid(t, n->uid), oracle_raw_gid(t, n->gid),
			AT_EMPTY_PATH) == 0);
	REQUIRE(chmod(fd_proc_path(fd, path), n->mode & 07777) == 0);
	if (n->access.len)
		set_acl(t, fd, &n->access);
	if (n->cap.present)
		set_cap(fd, o);
	REQUIRE(fstat(fd, &st) == 0); /* an ACL has changed the mode */
	n->mode = st.st_mode;
}

void oracle_remove_all(const struct trial *t)
{
	static const char *const names[] = { "d/f", "d/g", "d/n", "d" };
	const struct perm_inode *d = &t->dir.facts, *f = &t->file.facts;
	int raw = t->mount->fs->raw;

	if (d->immutable || d->append)
		oracle_set_flags(raw, "d", false, false);
	/* What worked may have renamed it, in an append-only directory not even that. */
	if ((f->immutable || f->append) && faccessat(raw, "d/f", F_OK, 0) == 0)
		oracle_set_flags(raw, "d/f", false, false);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (unlinkat(t->mount->fs->raw, names[i], 0) < 0)
			(void)unlinkat(t->mount->fs->raw, names[i], AT_REMOVEDIR);
}

void oracle_make_trial(struct trial *t)
{
	const struct perm_inode *d = &t->dir.facts, *f = &t->file.facts;
	int raw = t->mount->fs->raw;

	oracle_make(t, "d", &t->dir);
	oracle_make(t, "d/f", &t->file);
	if (f->immutable || f->append)
		oracle_set_flags(raw, "d/f", f->immutable, f->append);
	if (d->immutable || d->append)
		oracle_set_flags(raw, "d", d->immutable, d->append);
}
