/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Overlays for the oracle: two lower layers and an upper directory, each with a map of its own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/sys.h"
#include "../../lib/idmap/userns.h"
#include "explain_oracle.h"
#include "test.h"

static const char *const layer_names[STACK_LAYERS] = { "uw", "l0", "l1" };

/* Clone a directory of the tmpfs, with the layer's map. */
static int clone_layer(int raw, const char *name, const struct idmap *map)
{
	struct mount_attr attr = { .propagation = MS_PRIVATE };
	int fd = sys_open_tree(raw, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), userns;

	REQUIRE(fd >= 0);
	if (map) {
		REQUIRE(userns_get(map, &userns, NULL) == 0);
		attr.attr_set = MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns;
	}
	REQUIRE(sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) == 0);
	userns_cache_done();
	return fd;
}

/* The mounter gets ids that can be stored in the upper directory, or it could not make the work. */
static void become_mounter(const struct oracle_stack *s)
{
	const struct idmap *m = s->layers[0].mapped ? &s->layers[0].map : NULL;

	(void)sys_setfsgid(m ? m->gid.items[0].seen : 0);
	(void)sys_setfsuid(m ? m->uid.items[0].seen : 0);
}

static void mount_by_name(struct oracle_stack *s)
{
	char options[512];

	snprintf(options, sizeof(options), "lowerdir=%s:%s", s->layers[1].path, s->layers[2].path);
	if (s->has_upper)
		snprintf(options + strlen(options), sizeof(options) - strlen(options),
			",upperdir=%s/u,workdir=%s/w%s", s->layers[0].path, s->layers[0].path,
			s->redirect ? ",redirect_dir=on" : "");
	become_mounter(s);
	REQUIRE(sys_mount("overlay", s->path, "overlay", 0, options) == 0);
	(void)sys_setfsuid(0);
	(void)sys_setfsgid(0);
}

static void set_dir(int fs, const char *key, int layer, const char *name)
{
	int dir = openat(layer, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	REQUIRE(dir >= 0 && sys_fsconfig(fs, FSCONFIG_SET_FD, key, NULL, dir) == 0);
	close(dir);
}

/* As mount-idmapped does: the layers have no names. */
static void mount_by_descriptor(struct oracle_stack *s, const int fds[static STACK_LAYERS])
{
	scoped_fd int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC), tree = -1;

	REQUIRE(fs >= 0);
	set_dir(fs, "lowerdir+", fds[1], ".");
	set_dir(fs, "lowerdir+", fds[2], ".");
	if (s->has_upper) {
		set_dir(fs, "upperdir", fds[0], "u");
		set_dir(fs, "workdir", fds[0], "w");
	}
	become_mounter(s);
	REQUIRE(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
	(void)sys_setfsuid(0);
	(void)sys_setfsgid(0);
	tree = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	REQUIRE(tree >= 0);
	REQUIRE(sys_move_mount(tree, "", AT_FDCWD, s->path, MOVE_MOUNT_F_EMPTY_PATH) == 0);
}

static void make_path(char path[static 24])
{
	snprintf(path, 24, "/tmp/oracle-XXXXXX");
	REQUIRE(mkdtemp(path) != NULL);
}

static void make_layer(struct oracle_stack *s, size_t i, struct rng *r, int *ret_fd)
{
	struct oracle_layer *l = &s->layers[i];

	l->mapped = s->one_map || rng_percent(r, 80);
	if (l->mapped && s->one_map && i)
		REQUIRE(idmap_copy(&s->layers[0].map, &l->map, NULL) == 0);
	else if (l->mapped)
		oracle_random_map(r, &l->map);
	REQUIRE(mkdirat(s->tmpfs, layer_names[i], 0755) == 0);
	if (i == 0)
		REQUIRE(mkdirat(s->tmpfs, "uw/u", 0755) == 0 &&
			mkdirat(s->tmpfs, "uw/w", 0755) == 0);
	l->raw = openat(s->tmpfs, i ? layer_names[i] : "uw/u", O_PATH | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(l->raw >= 0);
	*ret_fd = clone_layer(s->tmpfs, layer_names[i], l->mapped ? &l->map : NULL);
	if (s->one_map)
		return;
	make_path(l->path);
	REQUIRE(sys_move_mount(*ret_fd, "", AT_FDCWD, l->path, MOVE_MOUNT_F_EMPTY_PATH) == 0);
}

void stack_make(struct oracle_stack *s, struct rng *r, bool one_map)
{
	int fds[STACK_LAYERS];

	*s = (struct oracle_stack){ .one_map = one_map };
	REQUIRE(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0);
	s->by_image = rng_percent(r, 50);
	s->has_upper = !rng_percent(r, 8);
	s->redirect = rng_percent(r, 20);
	s->tmpfs = oracle_new_tmpfs();
	REQUIRE(s->tmpfs >= 0);
	make_path(s->raw_path);
	REQUIRE(sys_move_mount(s->tmpfs, "", AT_FDCWD, s->raw_path, MOVE_MOUNT_F_EMPTY_PATH) == 0);
	make_path(s->path);
	for (size_t i = 0; i < STACK_LAYERS; i++)
		make_layer(s, i, r, &fds[i]);
	if (one_map)
		mount_by_descriptor(s, fds);
	else
		mount_by_name(s);
	for (size_t i = 0; i < STACK_LAYERS; i++)
		close(fds[i]);
}

void stack_done(struct oracle_stack *s)
{
	(void)sys_umount2(s->path, SYS_MNT_DETACH);
	for (size_t i = 0; i < STACK_LAYERS; i++) {
		if (*s->layers[i].path)
			(void)sys_umount2(s->layers[i].path, SYS_MNT_DETACH);
		close(s->layers[i].raw);
		if (s->layers[i].mapped)
			idmap_done(&s->layers[i].map);
	}
	(void)sys_umount2(s->raw_path, SYS_MNT_DETACH);
	close(s->tmpfs);
}

/*
 * --- trees in the layers -------------------------------------------------------------------------
 */

/* An owner that the map of the layer has, or lacks, if there is one. */
static uint32_t owner(struct trial *t, const struct oracle_layer *l, bool gid, bool inside)
{
	uint32_t id = 0, ignored;

	for (size_t i = 0; i < 60; i++) {
		id = rng_id(&t->rng);
		if (!l->mapped ||
			(gid ? idmap_gid_seen : idmap_uid_seen)(&l->map, id, &ignored) == inside)
			break;
	}
	return id;
}

static void random_in_layer(
	struct stack_trial *st, const struct oracle_layer *l, struct object *o, bool dir)
{
	struct trial *t = &st->t;

	oracle_random_object(t, o, dir);
	if (dir && rng_percent(&t->rng, 60))
		o->facts.mode = S_IFDIR | 0777;
	if (rng_percent(&t->rng, 75)) {
		o->facts.uid = owner(t, l, false, true);
		o->facts.gid = owner(t, l, true, true);
	}
	if (rng_percent(&t->rng, 60))
		o->facts.access.len = 0;
}

/* One of those that are seen has an owner outside the map. */
static void lose_owner(struct stack_trial *st, const struct oracle_stack *s)
{
	struct rng *r = &st->t.rng;
	const unsigned which = 1 + rng_below(r, 3);
	struct object *const objects[] = { st->a, st->d, st->f };

	for (size_t i = 0; i < STACK_LAYERS; i++) {
		struct perm_inode *n = &objects[which - 1][i].facts;

		if (st->depth[i] < which)
			continue;
		if (rng_percent(r, 70))
			n->uid = owner(&st->t, &s->layers[i], false, false);
		else
			n->gid = owner(&st->t, &s->layers[i], true, false);
		return;
	}
}

/* Which layer has how much of a/d/f: one of them at least has all. */
static void random_depths(struct stack_trial *st, bool has_upper)
{
	struct rng *r = &st->t.rng;

	for (size_t i = 0; i < STACK_LAYERS; i++)
		st->depth[i] = rng_below(r, 4);
	if (!has_upper)
		st->depth[0] = 0;
	if (st->depth[0] < 3 && st->depth[1] < 3 && st->depth[2] < 3)
		st->depth[1 + rng_below(r, 2)] = 3;
}

void stack_random(
	struct stack_trial *st, const struct oracle_stack *s, const struct world *w, uint64_t seed)
{
	struct trial *t = &st->t;
	const struct oracle_layer *top = NULL;

	*t = (struct trial){ .rng = { .state = seed } };
	(void)rng_next(&t->rng);
	t->mount = &st->mount;
	st->mount.fs = &st->fs;
	random_depths(st, s->has_upper);
	for (size_t i = 0; i < STACK_LAYERS; i++) {
		random_in_layer(st, &s->layers[i], &st->a[i], true);
		st->a[i].facts.mode = S_IFDIR | (rng_percent(&t->rng, 80) ? 0755 : 0777);
		random_in_layer(st, &s->layers[i], &st->d[i], true);
		random_in_layer(st, &s->layers[i], &st->f[i], false);
	}
	if (st->lost)
		lose_owner(st, s);
	for (size_t i = STACK_LAYERS; i-- > 0;) {
		if (st->depth[i] == 3)
			t->file = st->f[i];
		if (st->depth[i] >= 2) {
			t->dir = st->d[i];
			top = &s->layers[i];
		}
	}
	t->mount_facts.map = top->mapped ? &top->map : NULL;
	t->op = rng_percent(&t->rng, 12) ? PERM_EXEC : rng_below(&t->rng, PERM_OPS);
	t->way = rng_below(&t->rng, 4);
	oracle_random_cred(t, w);
	oracle_random_chown(t);
	/* The copies have lists of their own. */
	t->file.facts.access.items = t->file.acl;
	t->dir.facts.access.items = t->dir.acl;
}

/*
 * explain tells a directory of the upper layer from one below by its change time, which two
 * directories share if both are made within a tick of the clock.
 */
static void wait_for_tick(void)
{
	struct timespec first, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &first);
	do
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	while (now.tv_nsec == first.tv_nsec && now.tv_sec == first.tv_sec);
}

bool stack_make_trial(struct stack_trial *st, const struct oracle_stack *s, uint64_t i)
{
	char name[32];

	snprintf(st->name, sizeof(st->name), "a%llu", (unsigned long long)i);
	for (size_t k = 0; k < STACK_LAYERS; k++) {
		struct object *const objects[] = { &st->a[k], &st->d[k], &st->f[k] };
		static const char *const below[] = { "", "/d", "/d/f" };

		st->fs.raw = s->layers[k].raw;
		for (size_t n = 0; n < st->depth[k]; n++) {
			struct object o = *objects[n];

			o.facts.access.items = o.acl;
			snprintf(name, sizeof(name), "%s%s", st->name, below[n]);
			oracle_make(&st->t, name, &o);
		}
		if ((k == 0 || k == STACK_LAYERS - 1) && st->depth[0] && s->by_image)
			wait_for_tick(); /* the first lookup changes the upper layer again */
	}
	snprintf(st->path, sizeof(st->path), "%s/%s", s->path, st->name);
	st->mount.fd = open(st->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/*
	 * OverlayFS marks a merged directory in the upper layer when it is looked up, which fails
	 * if its owner is outside of the map.
	 */
	return st->mount.fd >= 0;
}

void stack_remove_trial(struct stack_trial *st, const struct oracle_stack *s)
{
	if (st->mount.fd >= 0)
		close(st->mount.fd);
	for (size_t k = 0; k < STACK_LAYERS; k++)
		REQUIRE(fd_remove_tree(s->layers[k].raw, st->name, NULL) == 0);
}
