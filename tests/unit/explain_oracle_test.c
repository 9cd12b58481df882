/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What perm_check() predicts is what the kernel does. SEED and N choose the cases (the default is a
 * small run), CASE=i runs one of them again: SEED=7 N=20000 build/unit explain_oracle_test. See
 * new_filesystem() for others than tmpfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/num.h"
#include "../../lib/base/sys.h"
#include "../../lib/explain/explain.h"
#include "explain_oracle.h"
#include "test.h"

/* What happened how often: the rules that decided, and more. */
enum { COUNT_FOUND = PERM_RULES, COUNT_MAPS, COUNT_CALLERS, COUNT_NO_WAY, COUNT_FLAGS, COUNTS };

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

static void random_object(struct trial *t, struct object *o, bool dir)
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

static void random_cred(struct trial *t, const struct world *w)
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

static void random_trial(struct trial *t, const struct world *w, uint64_t seed)
{
	*t = (struct trial){ .rng = { .state = seed } };
	(void)rng_next(&t->rng);
	t->mount = &w->mounts[rng_below(&t->rng, WORLD_MOUNTS)];
	t->mount_facts = t->mount->facts;
	t->mount_facts.fs_ro = t->mount->fs == &w->fs[FS_READ_ONLY] && rng_percent(&t->rng, 25);
	t->op = rng_percent(&t->rng, 15) ? PERM_EXEC : rng_below(&t->rng, PERM_OPS);
	t->way = rng_below(&t->rng, 4);
	random_object(t, &t->dir, true);
	random_object(t, &t->file, false);
	random_cred(t, w);
	if (t->op == PERM_EXEC && rng_percent(&t->rng, 70)) {
		t->dir.facts.mode |= 0111;
		t->file.facts.mode = (t->file.facts.mode & 07777) | S_IFREG | 0111;
		t->mount_facts.foreign = rng_percent(&t->rng, 15);
	}
	if (!S_ISREG(t->file.facts.mode))
		t->file.facts.cap.present = false;
}

/*
 * --- making them true ----------------------------------------------------------------------------
 */

/* How this process, in the initial namespace and without a map, sees a disk id. */
static uint32_t raw_uid(const struct trial *t, uint32_t disk)
{
	const struct perm_mount raw = { .fs_userns = t->mount->fs->userns };
	uint32_t id = 0;

	REQUIRE(perm_uid(&raw, disk, &id));
	return id;
}

static uint32_t raw_gid(const struct trial *t, uint32_t disk)
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
		x.e[i].e_id = e->tag == ACL_USER ? raw_uid(t, e->id) :
			e->tag == ACL_GROUP      ? raw_gid(t, e->id) :
						   UINT32_MAX;
	}
	REQUIRE(setxattr(fd_proc_path(fd, path), "system.posix_acl_access", &x,
			sizeof(x.h) + a->len * sizeof(x.e[0]), 0) == 0);
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

static void make_object(const struct trial *t, const char *name, struct object *o)
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
	REQUIRE(fchownat(fd, "", raw_uid(t, n->uid), raw_gid(t, n->gid), AT_EMPTY_PATH) == 0);
	REQUIRE(chmod(fd_proc_path(fd, path), n->mode & 07777) == 0);
	if (n->access.len)
		set_acl(t, fd, &n->access);
	if (n->cap.present)
		set_cap(fd, o);
	REQUIRE(fstat(fd, &st) == 0); /* an ACL has changed the mode */
	n->mode = st.st_mode;
}

static void remove_all(const struct trial *t)
{
	static const char *const names[] = { "d/f", "d/g", "d/n", "d" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (unlinkat(t->mount->fs->raw, names[i], 0) < 0)
			(void)unlinkat(t->mount->fs->raw, names[i], AT_REMOVEDIR);
}

/*
 * --- comparing
 * ------------------------------------------------------------------------------------
 */

static void print_object(struct buf *b, const char *name, const struct object *o)
{
	const struct perm_inode *n = &o->facts;

	buf_printf(b, "\n  %s: mode %06o disk %u:%u", name, n->mode, n->uid, n->gid);
	for (size_t i = 0; i < n->access.len; i++)
		buf_printf(b, " acl %u:%u:%u", n->access.items[i].tag, n->access.items[i].id,
			n->access.items[i].perm);
	if (n->cap.present)
		buf_printf(b, " capability, root %u", n->cap.root);
}

static void describe(struct buf *b, const struct trial *t)
{
	const struct perm_mount *m = &t->mount_facts;

	buf_printf(b, "%s by %u:%u", perm_op_word(t->op), t->cred.uid, t->cred.gid);
	for (size_t i = 0; i < t->cred.n_groups; i++)
		buf_printf(b, ",%u", t->cred.groups[i]);
	buf_printf(b, " caps %u%s in ", t->cred.caps, t->cred.no_new_privs ? " no_new_privs" : "");
	if (t->user)
		idmap_print(&t->user->map, b);
	print_object(b, "d", &t->dir);
	print_object(b, "f", &t->file);
	buf_printf(b, "\n  mount:%s%s%s%s%s%s%s map ", m->ro ? " ro" : "", m->fs_ro ? " fs_ro" : "",
		m->nosuid ? " nosuid" : "", m->noexec ? " noexec" : "", m->nodev ? " nodev" : "",
		m->foreign ? " foreign" : "", m->fs_userns ? " userns" : "");
	if (m->map)
		idmap_print(m->map, b);
}

static struct perm_verdict predict(const struct trial *t)
{
	const struct perm_inode top = { .mode = S_IFDIR | 0755, .mount = &t->mount_facts };

	if (t->op == PERM_CREATE)
		return perm_check(t->op, &top, &t->dir.facts, &t->cred);
	return perm_check(t->op, &t->dir.facts, &t->file.facts, &t->cred);
}

/* Whose is what was created, on disk? */
static bool created_as(const struct trial *t, const struct perm_verdict *d)
{
	struct stat st;

	if (fstatat(t->mount->fs->raw, "d/n", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return st.st_uid == raw_uid(t, d->new_uid) && st.st_gid == raw_gid(t, d->new_gid);
}

static bool became(
	const struct trial *t, const struct perm_verdict *d, const struct oracle_became *b)
{
	uint32_t uid, gid, real;

	if (!perm_ns_uid(t->cred.userns, d->euid, &uid) ||
		!perm_ns_gid(t->cred.userns, d->egid, &gid) ||
		!perm_ns_uid(t->cred.userns, t->cred.uid, &real))
		return false;
	if (uid != b->euid || gid != b->egid)
		return false;
	/* Root gets all capabilities, whatever the file says. */
	return uid == 0 || real == 0 ||
		(b->caps[1] >> ORACLE_CAP & 1) == (d->filecap == RULE_EFFECT_TAKEN);
}

static bool agree(
	const struct trial *t, const struct perm_verdict *d, int num, const struct oracle_became *b)
{
	if (num != d->num)
		return false;
	if (num == 0 && t->op == PERM_CREATE)
		return created_as(t, d);
	return num || t->op != PERM_EXEC || !S_ISREG(t->file.facts.mode) || became(t, d, b);
}

/*
 * The facts as they are found by looking, instead of as they were made: the same verdict, and what
 * would change it. What explain_look() cannot know is skipped. BROKEN: not looked at, or not to be
 * seen even by root.
 */
static int explained(const struct trial *t, struct buf *way)
{
	struct explanation x;
	char path[64];
	size_t at;
	int num = BROKEN;

	if (t->mount->fs->userns || t->mount_facts.foreign)
		return BROKEN;
	snprintf(path, sizeof(path), "%s/%s", t->mount->path, t->op == PERM_CREATE ? "d" : "d/f");
	if (explain_look(path, NULL, NULL, NULL, &x, NULL) == 0) {
		x.caller.cred = t->cred;
		num = explain_verdict(&x, t->op, &at).num;
		REQUIRE(explain_fix(&x, t->op, way) == 0);
	}
	explain_done(&x);
	return num;
}

/* "do it as user U, group G": ids of the caller's namespace. */
static bool works_as(const struct trial *t, const char *words)
{
	struct trial other = *t;
	struct oracle_became b;
	uint32_t uid, gid;

	REQUIRE(sscanf(words, "do it as user %u, group %u", &uid, &gid) == 2);
	other.cred.caps = uid == 0 ? PERM_CAPS_ALL : 0;
	other.cred.n_groups = 0;
	if (t->user)
		REQUIRE(idmap_uid_seen(&t->user->map, uid, &uid) &&
			idmap_gid_seen(&t->user->map, gid, &gid));
	other.cred.uid = uid;
	other.cred.gid = gid;
	return oracle_ask(&other, &b) == 0;
}

/* "extend the map of PATH by RANGES" */
static bool works_extended(const struct trial *t, const char *words)
{
	scoped_buf struct buf text = BUF_INIT;
	struct trial other = *t;
	struct world_mount m = *t->mount;
	struct idmap map = { 0 };
	struct oracle_became b;
	const char *both;
	bool ok;

	idmap_print(t->mount_facts.map, &text);
	buf_printf(&text, ";%s", strstr(words, " by ") + 4);
	both = buf_get(&text);
	REQUIRE(idmap_parse(&both, 1, NULL, &map, NULL) == 0);
	m.fd = world_remap(t->mount, &map);
	other.mount = &m;
	ok = oracle_ask(&other, &b) == 0;
	close(m.fd);
	idmap_done(&map);
	return ok;
}

/* The trial without the flags that the way takes away; its mount is m, to be closed. */
static struct trial without_flags(
	struct world *w, const struct trial *t, const char *way, struct world_mount *m)
{
	struct trial other = *t;

	*m = *t->mount;
	/* mount(8) then takes it from the mount as well. */
	if (strstr(way, "remount,rw")) {
		world_set_read_only(w, false);
		m->facts.ro = false;
	}
	m->facts.ro &= !strstr(way, "remount,bind,rw");
	m->facts.noexec &= !strstr(way, "remount,bind,exec");
	m->facts.nodev &= !strstr(way, "remount,bind,dev");
	m->fd = world_remap(m, m->facts.map);
	other.mount = m;
	return other;
}

/* What is told to try works, says the kernel. A changed mode is not tried. */
static void try_ways(struct world *w, const struct trial *with_flags, uint64_t seed, uint64_t i,
	const char *way, unsigned seen[static COUNTS])
{
	const char *as = strstr(way, "do it as"), *map = strstr(way, "extend the map"),
		   *flags = strstr(way, "mount -o");
	struct world_mount m = { .fd = -1 };
	struct trial unlocked = flags ? without_flags(w, with_flags, way, &m) : *with_flags;
	const struct trial *t = &unlocked;
	struct oracle_became b;

	seen[flags ? COUNT_FLAGS : map ? COUNT_MAPS : as ? COUNT_CALLERS : COUNT_NO_WAY]++;
	if (flags && !map && !as && !strstr(way, "chmod") && !strstr(way, "mount-idmapped") &&
		oracle_ask(t, &b) != 0)
		test_fail(__FILE__, __LINE__, "SEED=%llu CASE=%llu: no help: %s",
			(unsigned long long)seed, (unsigned long long)i, way);
	/* One of them: what works has removed the file or made one. */
	if (map && !works_extended(t, map))
		test_fail(__FILE__, __LINE__, "SEED=%llu CASE=%llu: no help: %s",
			(unsigned long long)seed, (unsigned long long)i, way);
	else if (!map && as && !works_as(t, as))
		test_fail(__FILE__, __LINE__, "SEED=%llu CASE=%llu: no help: %s",
			(unsigned long long)seed, (unsigned long long)i, way);
	cleanup_fd(&m.fd);
}

static void run_trial(
	struct world *w, struct trial *t, uint64_t seed, uint64_t i, unsigned seen[static COUNTS])
{
	scoped_buf struct buf text = BUF_INIT, way = BUF_INIT;
	struct oracle_became b;
	struct perm_verdict d;
	int num, found = BROKEN;

	make_object(t, "d", &t->dir);
	make_object(t, "d/f", &t->file);
	if (t->mount_facts.fs_ro)
		world_set_read_only(w, true);
	if (i % 4 == 0)
		found = explained(t, &way);
	num = oracle_ask(t, &b);
	if (num)
		try_ways(w, t, seed, i, buf_get(&way), seen);
	if (t->mount_facts.fs_ro)
		world_set_read_only(w, false);
	d = predict(t);
	seen[d.rule]++;
	if (t->op == PERM_EXEC && d.num == 0 && S_ISREG(t->file.facts.mode)) {
		seen[d.setid]++;
		seen[d.filecap]++;
	}
	if (!agree(t, &d, num, &b)) {
		describe(&text, t);
		test_fail(__FILE__, __LINE__,
			"SEED=%llu CASE=%llu: predicted errno %d by %s, set-id %s (%u:%u), "
			"capability %s, new %u:%u; the kernel says %d, became %u:%u caps %x\n%s",
			(unsigned long long)seed, (unsigned long long)i, d.num,
			perm_rule_word(d.rule), perm_rule_word(d.setid), d.euid, d.egid,
			perm_rule_word(d.filecap), d.new_uid, d.new_gid, num, b.euid, b.egid,
			b.caps[1], text.data);
	}
	if (found != BROKEN && found != num)
		test_fail(__FILE__, __LINE__, "SEED=%llu CASE=%llu: explain says %d, the kernel %d",
			(unsigned long long)seed, (unsigned long long)i, found, num);
	seen[COUNT_FOUND] += found != BROKEN;
	remove_all(t);
}

static uint64_t number(const char *name, uint64_t unset)
{
	const char *s = getenv(name);
	uint64_t n = unset;

	if (s)
		REQUIRE(num_u64(s, &n) == 0);
	return n;
}

TEST(predictions_are_what_the_kernel_answers)
{
	uint64_t seed = number("SEED", 1), n = number("N", 2000), only = number("CASE", UINT64_MAX);
	unsigned seen[COUNTS] = { 0 };
	struct rng rng = { .state = seed };
	struct world w;

	if (geteuid() != 0)
		SKIP("needs root");
	if (getenv("N"))
		(void)alarm(0); /* a long run was asked for */
	REQUIRE(unshare(CLONE_NEWNS) == 0);
	REQUIRE(sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	REQUIRE(sys_mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0);
	umask(0);
	world_make(&w, &rng);

	for (uint64_t i = 0; i < n; i++) {
		struct trial t;

		random_trial(&t, &w, seed << 32 ^ i);
		if (only == UINT64_MAX || only == i)
			run_trial(&w, &t, seed, i, seen);
	}
	/* A run of any size meets every rule, or it shows nothing. */
	for (size_t i = 0; n >= 2000 && only == UINT64_MAX && i < PERM_RULES; i++)
		if (!seen[i])
			test_fail(
				__FILE__, __LINE__, "no case was decided by %s", perm_rule_word(i));
	for (size_t i = COUNT_FOUND; n >= 2000 && only == UINT64_MAX && i < COUNTS; i++)
		if (seen[i] < n / (i == COUNT_FOUND ? 10 : 200))
			test_fail(__FILE__, __LINE__, "only %u of %llu cases: count %zu", seen[i],
				(unsigned long long)n, i - COUNT_FOUND);
	world_done(&w);
}
