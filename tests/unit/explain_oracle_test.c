/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What perm_check() predicts is what the kernel does. SEED and N choose the cases (the default is a
 * small run), CASE=i runs one of them again: SEED=7 N=20000 build/unit explain_oracle_test. See
 * new_filesystem() for others than tmpfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/sys.h"
#include "../../lib/explain/explain.h"
#include "explain_oracle.h"
#include "test.h"

/* What happened how often: the rules that decided, and more. */
enum { COUNT_FOUND = PERM_RULES, COUNT_MAPS, COUNT_CALLERS, COUNT_NO_WAY, COUNT_FLAGS, COUNTS };

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
	buf_printf(b, "%s%s", n->immutable ? " immutable" : "", n->append ? " append-only" : "");
}

static void describe(struct buf *b, const struct trial *t)
{
	const struct perm_mount *m = &t->mount_facts;

	buf_printf(b, "%s by %u:%u", perm_op_word(t->op), t->cred.uid, t->cred.gid);
	for (size_t i = 0; i < t->cred.n_groups; i++)
		buf_printf(b, ",%u", t->cred.groups[i]);
	if (t->op == PERM_CHOWN)
		buf_printf(b, " to %d:%d", t->chown.set_uid ? (int)t->chown.uid : -1,
			t->chown.set_gid ? (int)t->chown.gid : -1);
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
	if (t->op == PERM_CHOWN)
		return perm_check_chown(&t->dir.facts, &t->file.facts, &t->cred, &t->chown);
	return perm_check(t->op, &t->dir.facts, &t->file.facts, &t->cred);
}

/* Whose is what was created, on disk? */
static bool created_as(const struct trial *t, const struct perm_verdict *d)
{
	struct stat st;

	if (fstatat(t->mount->fs->raw, "d/n", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return st.st_uid == oracle_raw_uid(t, d->new_uid) &&
		st.st_gid == oracle_raw_gid(t, d->new_gid);
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
	if (explain_look(&(struct explain_question){ .path = path }, &x, NULL) == 0) {
		x.caller.cred = t->cred;
		x.chown = t->chown;
		num = explain_verdict(&x, t->op, &at).num;
		REQUIRE(explain_fix(&x, t->op, way) == 0);
	}
	explain_done(&x);
	return num;
}

/* The words of the way that tell of another caller, or NULL. */
static const char *find_caller(const char *way)
{
	static const char *const words[] = { "do it as ", "setpriv --reuid " };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(way, words[i]))
			return strstr(way, words[i]);
	return NULL;
}

/* "do it as user U, group G" and the like: ids of the caller's namespace. */
static bool works_as(const struct trial *t, const char *words)
{
	struct trial other = *t;
	struct oracle_became b;
	uint32_t uid = 0, gid = 0;

	REQUIRE(!strcmp(words, "do it as root") ||
		sscanf(words, "do it as user %u, group %u", &uid, &gid) == 2 ||
		sscanf(words, "setpriv --reuid %u --regid %u", &uid, &gid) == 2);
	other.cred.caps = uid == 0 ? PERM_CAPS_ALL : 0;
	other.cred.n_groups = 0;
	if (t->user)
		REQUIRE(idmap_uid_seen(&t->user->map, uid, &uid) &&
			idmap_gid_seen(&t->user->map, gid, &gid));
	other.cred.uid = uid;
	other.cred.gid = gid;
	return oracle_ask(&other, &b) == 0;
}

/* "swap the map of PATH: -m 'MAP'", and maybe another caller */
static bool works_swapped(const struct trial *t, const char *words, const char *as)
{
	const char *text = strchr(words, '\'') + 1;
	scoped_free char *copy = strndup(text, strcspn(text, "'"));
	const char *word = copy;
	struct trial other = *t;
	struct world_mount m = *t->mount;
	struct idmap map = { 0 };
	struct oracle_became b;
	bool ok;

	REQUIRE(idmap_parse(&word, 1, NULL, &map, NULL) == 0);
	m.fd = world_remap(t->mount, &map);
	other.mount = &m;
	ok = as ? works_as(&other, as) : oracle_ask(&other, &b) == 0;
	close(m.fd);
	idmap_done(&map);
	return ok;
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
	const char *as = find_caller(way), *map = strstr(way, "extend the map"),
		   *flags = strstr(way, "mount -o"), *swap = strstr(way, "swap the map");
	struct world_mount m = { .fd = -1 };
	struct trial unlocked = flags ? without_flags(w, with_flags, way, &m) : *with_flags;
	const struct trial *t = &unlocked;
	struct oracle_became b;

	seen[flags ? COUNT_FLAGS : map ? COUNT_MAPS : as ? COUNT_CALLERS : COUNT_NO_WAY]++;
	if (swap && !works_swapped(t, swap, as))
		test_fail(__FILE__, __LINE__, "SEED=%llu CASE=%llu: no help: %s",
			(unsigned long long)seed, (unsigned long long)i, way);
	if (flags && !map && !as && !swap && !strstr(way, "chmod") &&
		!strstr(way, "mount-idmapped") && oracle_ask(t, &b) != 0)
		test_fail(__FILE__, __LINE__, "SEED=%llu CASE=%llu: no help: %s",
			(unsigned long long)seed, (unsigned long long)i, way);
	/* One of them: what works has removed the file or made one. */
	if (map && !works_extended(t, map))
		test_fail(__FILE__, __LINE__, "SEED=%llu CASE=%llu: no help: %s",
			(unsigned long long)seed, (unsigned long long)i, way);
	else if (!map && !swap && as && !works_as(t, as))
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

	oracle_make_trial(t);
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
	oracle_remove_all(t);
}

TEST(predictions_are_what_the_kernel_answers)
{
	uint64_t seed = oracle_number("SEED", 1), n = oracle_number("N", 2000),
		 only = oracle_number("CASE", UINT64_MAX);
	unsigned seen[COUNTS] = { 0 };
	struct rng rng = { .state = seed };
	struct world w;

	oracle_enter("N");
	world_make(&w, &rng);

	for (uint64_t i = 0; i < n; i++) {
		struct trial t;

		oracle_random_trial(&t, &w, seed << 32 ^ i);
		if (only == UINT64_MAX || only == i)
			run_trial(&w, &t, seed, i, seen);
	}
	/* A run of any size meets every rule, or it shows nothing. (The last two:
	 * check_explain.bats compares them with the kernel.) */
	for (size_t i = 0; n >= 2000 && only == UINT64_MAX && i < PERM_RULES; i++)
		if (!seen[i] && i != RULE_MOUNTER && i != RULE_COPY_UP && i != RULE_LOWER_DIR &&
			i != RULE_CAP_ROOT && i != RULE_KERNEL_FS && i != RULE_REMOVED)
			test_fail(
				__FILE__, __LINE__, "no case was decided by %s", perm_rule_word(i));
	for (size_t i = COUNT_FOUND; n >= 2000 && only == UINT64_MAX && i < COUNTS; i++)
		if (seen[i] < n / (i == COUNT_FOUND ? 10 : 200))
			test_fail(__FILE__, __LINE__, "only %u of %llu cases: count %zu", seen[i],
				(unsigned long long)n, i - COUNT_FOUND);
	world_done(&w);
}
