/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What explain answers is what the kernel does, in each class of situations. explain may answer
 * "unknown", but seldom; "yes" and "no" have to be true. ORACLE_CASES is the number of cases of
 * each class, SEED the first of them, CASE=i runs one again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/explain/explain.h"
#include "explain_oracle.h"
#include "test.h"

enum { DOUBTS = 32 };

struct counts {
	const char *class;
	uint64_t seed, wanted, only;
	unsigned cases, yes, no, unknown, unseen;
	unsigned reasons[DOUBTS];
};

/*
 * --- counting ------------------------------------------------------------------------------------
 */

static struct counts counts_new(const char *class)
{
	oracle_enter("ORACLE_CASES");
	return (struct counts){
		.class = class,
		.seed = oracle_number("SEED", 1),
		.wanted = oracle_number("ORACLE_CASES", 250),
		.only = oracle_number("CASE", UINT64_MAX),
	};
}

static void print_counts(const struct counts *c)
{
	static const char *const words[] = { "owner", "storable ids", "upper directory", "mounter",
		"filesystem's namespace" };

	fprintf(stderr,
		"# %s: SEED=%llu: %u cases, %u yes, %u no, %u unknown (%.1f %%); %u more could not "
		"be looked at\n",
		c->class, (unsigned long long)c->seed, c->cases, c->yes, c->no, c->unknown,
		c->cases ? 100.0 * c->unknown / c->cases : 0, c->unseen);
	for (unsigned i = 0; i < DOUBTS; i++) {
		if (!c->reasons[i])
			continue;
		fprintf(stderr, "#   unknown:");
		for (unsigned k = 0; k < 5; k++)
			if (i & 1U << k)
				fprintf(stderr, " %s", words[k]);
		fprintf(stderr, ": %u\n", c->reasons[i]);
	}
}

/* At most 5 % of the cases are unknown; a class seen from inside has more. */
static void counts_done(const struct counts *c, bool inside)
{
	print_counts(c);
	if (c->only != UINT64_MAX)
		return;
	CHECK(c->cases >= c->wanted);
	CHECK(c->yes > c->cases / 20 && c->no > c->cases / 20);
	CHECK(inside || c->unknown * 20 <= c->cases);
}

static bool goes_on(const struct counts *c, uint64_t i)
{
	return c->only == UINT64_MAX ? c->cases < c->wanted && i < c->wanted * 100 : i <= c->only;
}

static bool left_out(const struct counts *c, uint64_t i)
{
	return c->only != UINT64_MAX && i != c->only;
}

/*
 * --- comparing -----------------------------------------------------------------------------------
 */

static bool became_as_told(
	const struct trial *t, const struct explain_answer *a, const struct oracle_became *b)
{
	uint32_t uid, gid, real;

	if (t->op != PERM_EXEC || !S_ISREG(t->file.facts.mode) || a->effects_unknown)
		return true;
	if (!perm_ns_uid(t->cred.userns, a->d.euid, &uid) ||
		!perm_ns_gid(t->cred.userns, a->d.egid, &gid) ||
		!perm_ns_uid(t->cred.userns, t->cred.uid, &real))
		return false;
	if (uid != b->euid || gid != b->egid)
		return false;
	/* Root gets all capabilities, whatever the file says. */
	return uid == 0 || real == 0 ||
		(b->caps[1] >> ORACLE_CAP & 1) == (a->d.filecap == RULE_EFFECT_TAKEN);
}

static bool is_true(const struct trial *t, const struct explain_answer *a, int num,
	const struct oracle_became *b)
{
	switch (a->sure) {
	case EXPLAIN_YES:
		return num == 0 && became_as_told(t, a, b);
	case EXPLAIN_NO:
		return num && (num == a->d.num || a->has_other);
	case EXPLAIN_UNKNOWN:
		return true;
	}
	return false;
}

static void print_object(struct buf *b, const char *name, const struct object *o)
{
	const struct perm_inode *n = &o->facts;

	buf_printf(b, "\n  %s: mode %06o disk %u:%u", name, n->mode, n->uid, n->gid);
	for (size_t i = 0; i < n->access.len; i++)
		buf_printf(b, " acl %u:%u:%u", o->acl[i].tag, o->acl[i].id, o->acl[i].perm);
	buf_printf(b, "%s%s%s", n->cap.present ? " capability" : "",
		n->immutable ? " immutable" : "", n->append ? " append-only" : "");
}

/* What the kernel did in a case, and what else a failure has to tell. */
struct outcome {
	uint64_t i;
	int num;
	struct oracle_became b;
	const char *more;
};

static void compare(struct counts *c, const struct trial *t, const struct explain_answer *a,
	const struct outcome *o)
{
	scoped_buf struct buf text = BUF_INIT;
	const struct oracle_became *b = &o->b;

	c->cases++;
	c->yes += a->sure == EXPLAIN_YES;
	c->no += a->sure == EXPLAIN_NO;
	c->unknown += a->sure == EXPLAIN_UNKNOWN;
	if (a->sure == EXPLAIN_UNKNOWN)
		c->reasons[a->doubts % DOUBTS]++;
	if (is_true(t, a, o->num, b))
		return;
	print_object(&text, "d", &t->dir);
	print_object(&text, "f", &t->file);
	buf_str(&text, o->more);
	test_fail(__FILE__, __LINE__,
		"SEED=%llu CASE=%llu: %s by %u:%u caps %u: explain: %s, errno %d by %s (set-id %s, "
		"capability %s, %u:%u); the kernel: %d, %u:%u caps %x%s",
		(unsigned long long)c->seed, (unsigned long long)o->i, perm_op_word(t->op),
		t->cred.uid, t->cred.gid, t->cred.caps, a->sure == EXPLAIN_YES ? "yes" : "no",
		a->d.num, perm_rule_word(a->d.rule), perm_rule_word(a->d.setid),
		perm_rule_word(a->d.filecap), a->d.euid, a->d.egid, o->num, b->euid, b->egid,
		b->caps[1], text.data);
}

/* The answer for the credentials of the trial; false: the file cannot be looked at. */
static bool answer_for(
	const struct trial *t, const struct explain_question *q, struct explain_answer *ret)
{
	struct explanation x;
	bool ok = explain_look(q, &x, NULL) == 0;

	if (ok) {
		x.caller.cred = t->cred;
		x.chown = t->chown;
		*ret = explain_answer_of(&x, t->op);
	}
	explain_done(&x);
	return ok;
}

/* An answer about path, for the credentials of the trial; false: it cannot be looked at. */
typedef bool answer_fn(
	const struct trial *t, const char *path, const pid_t *pid, struct explain_answer *ret);

static bool answer_as_root(
	const struct trial *t, const char *path, const pid_t *unused, struct explain_answer *ret)
{
	(void)unused;
	return answer_for(t, &(struct explain_question){ .path = path, .as = "0" }, ret);
}

static const char *describe_world(const struct trial *t)
{
	static struct buf b = BUF_INIT;

	buf_reset(&b);
	buf_printf(&b, "\n  %s, mount map ", t->mount->fs->userns ? "tmpfs of a namespace" : "");
	if (t->mount_facts.map)
		idmap_print(t->mount_facts.map, &b);
	buf_str(&b, ", caller in ");
	if (t->user)
		idmap_print(&t->user->map, &b);
	return buf_get(&b);
}

/* Make the trial true, ask explain and the kernel, and compare. pid is for fn. */
static void run_case(struct counts *c, struct trial *t, uint64_t i, answer_fn *fn, const pid_t *pid)
{
	struct explain_answer a;
	struct oracle_became b;
	char path[64];
	bool looked;
	int num;

	oracle_make_trial(t);
	snprintf(path, sizeof(path), "%s/%s", t->mount->path, t->op == PERM_CREATE ? "d" : "d/f");
	looked = fn(t, path, pid, &a);
	num = oracle_ask(t, &b);
	if (looked)
		compare(c, t, &a, &(struct outcome){ i, num, b, describe_world(t) });
	c->unseen += !looked;
	oracle_remove_all(t);
}

/*
 * --- immutable, append-only, nosuid, chown -------------------------------------------------------
 */

enum flag_class { CLASS_IMMUTABLE, CLASS_APPEND, CLASS_NOSUID, CLASS_CHOWN };

static void make_class(struct trial *t, enum flag_class class)
{
	switch (class) {
	case CLASS_IMMUTABLE:
		oracle_random_flags(t, true, rng_percent(&t->rng, 10));
		break;
	case CLASS_APPEND:
		oracle_random_flags(t, false, true);
		break;
	case CLASS_NOSUID:
		t->op = rng_percent(&t->rng, 80) ? PERM_EXEC : t->op;
		t->file.facts.mode = (t->file.facts.mode & 01777) | S_IFREG | 0111 |
			(rng_below(&t->rng, 4) << 10);
		break;
	case CLASS_CHOWN:
		t->op = PERM_CHOWN;
		break;
	}
	if (!S_ISREG(t->file.facts.mode))
		t->file.facts.cap.present = false;
}

static void run_class(const char *name, enum flag_class class)
{
	struct counts c = counts_new(name);
	struct rng rng = { .state = c.seed };
	struct world w;

	world_make(&w, &rng);
	for (uint64_t i = 0; goes_on(&c, i); i++) {
		struct trial t;

		oracle_random_trial(&t, &w, c.seed << 32 ^ i);
		make_class(&t, class);
		if (left_out(&c, i) || t.mount->fs->userns || t.mount_facts.foreign ||
			t.mount_facts.fs_ro || (class == CLASS_NOSUID && !t.mount_facts.nosuid))
			continue;
		run_case(&c, &t, i, answer_as_root, NULL);
	}
	world_done(&w);
	counts_done(&c, false);
}

TEST(answers_are_true_of_immutable_files)
{
	run_class("immutable", CLASS_IMMUTABLE);
}

TEST(answers_are_true_of_append_only_files)
{
	run_class("append-only", CLASS_APPEND);
}

TEST(answers_are_true_on_nosuid_mounts)
{
	run_class("nosuid", CLASS_NOSUID);
}

TEST(answers_are_true_of_chown)
{
	run_class("chown", CLASS_CHOWN);
}

/*
 * --- user namespaces -----------------------------------------------------------------------------
 */

/* Ask from outside, with the words of the options: --userns pid:N --as UID:GID,... */
static bool answer_outside(
	const struct trial *t, const char *path, const pid_t *pid, struct explain_answer *ret)
{
	scoped_buf struct buf as = BUF_INIT;
	struct explanation x;
	char userns[32];
	uint32_t id;
	bool ok;

	snprintf(userns, sizeof(userns), "pid:%d", (int)*pid);
	REQUIRE(perm_ns_uid(t->cred.userns, t->cred.uid, &id));
	buf_printf(&as, "%u:", id);
	REQUIRE(perm_ns_gid(t->cred.userns, t->cred.gid, &id));
	buf_printf(&as, "%u", id);
	for (size_t i = 0; i < t->cred.n_groups; i++) {
		REQUIRE(perm_ns_gid(t->cred.userns, t->cred.groups[i], &id));
		buf_printf(&as, ",%u", id);
	}
	ok = explain_look(
		     &(struct explain_question){
			     .path = path, .as = buf_get(&as), .userns = userns },
		     &x, NULL) == 0;
	if (ok) {
		x.chown = t->chown;
		*ret = explain_answer_of(&x, t->op);
	}
	explain_done(&x);
	return ok;
}

/* A user other than root of the namespace has no capabilities, as --as assumes. */
static void as_options_assume(struct trial *t)
{
	uint32_t id;

	REQUIRE(perm_ns_uid(t->cred.userns, t->cred.uid, &id));
	t->cred.caps = id == 0 ? PERM_CAPS_ALL : 0;
	t->cred.no_new_privs = false;
}

TEST(answers_are_true_of_a_user_namespace_from_outside)
{
	struct counts c = counts_new("from outside");
	struct oracle_sleeper sleepers[WORLD_USERNS + WORLD_NESTED];
	struct rng rng = { .state = c.seed };
	struct world w;

	world_make(&w, &rng);
	for (size_t i = 0; i < ARRAY_LEN(sleepers); i++)
		sleepers[i] = oracle_sleep_in(&w.users[i]);
	for (uint64_t i = 0; goes_on(&c, i); i++) {
		struct trial t;

		oracle_random_trial(&t, &w, c.seed << 32 ^ i);
		if (left_out(&c, i) || t.mount->fs->userns || t.mount_facts.foreign ||
			t.mount_facts.fs_ro || !t.user)
			continue;
		as_options_assume(&t);
		run_case(&c, &t, i, answer_outside, &sleepers[t.user - w.users].pid);
	}
	for (size_t i = 0; i < ARRAY_LEN(sleepers); i++)
		oracle_wake(&sleepers[i]);
	world_done(&w);
	counts_done(&c, false);
}

/* In a child with the trial's credentials, which explains for itself. */
static bool answer_inside(
	const struct trial *t, const char *path, const pid_t *unused, struct explain_answer *ret)
{
	int answer[2], status;
	pid_t pid;

	(void)unused;
	REQUIRE(pipe2(answer, O_CLOEXEC) == 0);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		struct explanation x;
		struct explain_answer a;

		if (!oracle_become(t))
			_exit(2);
		if (explain_look(&(struct explain_question){ .path = path }, &x, NULL) < 0)
			_exit(1);
		x.chown = t->chown;
		a = explain_answer_of(&x, t->op);
		/* The parent compares the ids of its own namespace. */
		(void)perm_ns_uid(x.caller.cred.userns, a.d.euid, &a.d.euid);
		(void)perm_ns_gid(x.caller.cred.userns, a.d.egid, &a.d.egid);
		(void)perm_make_uid(t->cred.userns, a.d.euid, &a.d.euid);
		(void)perm_make_gid(t->cred.userns, a.d.egid, &a.d.egid);
		_exit(write(answer[1], &a, sizeof(a)) == sizeof(a) ? 0 : 2);
	}
	close(answer[1]);
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	REQUIRE(WEXITSTATUS(status) < 2);
	if (WEXITSTATUS(status) == 0)
		REQUIRE(read(answer[0], ret, sizeof(*ret)) == sizeof(*ret));
	close(answer[0]);
	return WEXITSTATUS(status) == 0;
}

TEST(answers_are_true_inside_a_user_namespace)
{
	struct counts c = counts_new("from inside");
	struct rng rng = { .state = c.seed };
	struct world w;

	world_make(&w, &rng);
	for (uint64_t i = 0; goes_on(&c, i); i++) {
		struct trial t;

		oracle_random_trial(&t, &w, c.seed << 32 ^ i);
		if (left_out(&c, i) || t.mount_facts.foreign || t.mount_facts.fs_ro || !t.user)
			continue;
		run_case(&c, &t, i, answer_inside, NULL);
	}
	world_done(&w);
	counts_done(&c, true);
}

/*
 * --- stacks --------------------------------------------------------------------------------------
 */

static void describe_stack(
	struct buf *b, const struct stack_trial *st, const struct oracle_stack *s)
{
	buf_printf(b, "\n  %s%s, upper %d, redirect %d", s->one_map ? "one map" : "maps",
		s->by_image ? " by image" : "", s->has_upper, s->redirect);
	for (size_t i = 0; i < STACK_LAYERS; i++) {
		buf_printf(b, "\n  layer %zu: map ", i);
		if (s->layers[i].mapped)
			idmap_print(&s->layers[i].map, b);
		if (st->depth[i] > 0)
			print_object(b, "  a", &st->a[i]);
		if (st->depth[i] > 1)
			print_object(b, "  d", &st->d[i]);
		if (st->depth[i] > 2)
			print_object(b, "  f", &st->f[i]);
	}
	buf_printf(b, "\n  caller in ");
	if (st->t.user)
		idmap_print(&st->t.user->map, b);
	if (st->t.op == PERM_CHOWN)
		buf_printf(b, " to %d:%d", st->t.chown.set_uid ? (int)st->t.chown.uid : -1,
			st->t.chown.set_gid ? (int)st->t.chown.gid : -1);
}

static void run_stack_trial(
	struct counts *c, const struct oracle_stack *s, struct stack_trial *st, uint64_t i)
{
	scoped_buf struct buf text = BUF_INIT;
	struct explain_answer a;
	struct oracle_became b;
	char path[80], names[2][40], *lower[] = { names[0], names[1] };
	const struct strv layers = { .items = lower, .len = 2 };
	struct explain_question q = { .path = path, .as = "0" };
	bool looked = stack_make_trial(st, s, i);
	int num;

	if (!looked) {
		c->unseen++;
		stack_remove_trial(st, s);
		return;
	}
	snprintf(path, sizeof(path), "%s/%s", st->path, st->t.op == PERM_CREATE ? "d" : "d/f");
	snprintf(names[0], sizeof(names[0]), "%s/l0", s->raw_path);
	snprintf(names[1], sizeof(names[1]), "%s/l1", s->raw_path);
	if (s->one_map)
		q.map = &s->layers[0].map;
	if (s->one_map && s->by_image)
		q.layers = &layers;
	looked = answer_for(&st->t, &q, &a);
	num = oracle_ask(&st->t, &b);
	describe_stack(&text, st, s);
	if (looked)
		compare(c, &st->t, &a, &(struct outcome){ i, num, b, buf_get(&text) });
	c->unseen += !looked;
	stack_remove_trial(st, s);
}

enum { CASES_OF_A_STACK = 100 };

static void run_stacks(const char *name, bool lost)
{
	struct counts c = counts_new(name);
	struct rng rng = { .state = c.seed };
	struct oracle_stack s;
	struct world w;

	world_make(&w, &rng);
	for (uint64_t i = 0; goes_on(&c, i); i++) {
		struct stack_trial st = { .lost = lost };

		if (i % CASES_OF_A_STACK == 0) {
			struct rng of = { .state = c.seed << 32 ^ i };

			if (i)
				stack_done(&s);
			stack_make(&s, &of, lost && i / CASES_OF_A_STACK % 2);
		}
		stack_random(&st, &s, &w, c.seed << 32 ^ i);
		if (!left_out(&c, i))
			run_stack_trial(&c, &s, &st, i);
	}
	stack_done(&s);
	world_done(&w);
	counts_done(&c, false);
}

TEST(answers_are_true_on_a_stack_with_a_map_for_each_layer)
{
	run_stacks("stack, one map per layer", false);
}

TEST(answers_are_true_on_a_stack_with_an_owner_outside_its_map)
{
	run_stacks("stack, owner outside its map", true);
}

/* A case that was wrong once, of the class above. Random cases seldom meet it. */
static void run_kept(const char *name, const char *seed, const char *number)
{
	REQUIRE(setenv("SEED", seed, 1) == 0 && setenv("CASE", number, 1) == 0);
	run_stacks(name, true);
}

/*
 * A new name is looked up in a lower directory whose group has no id in its layer, so that no
 * capability counts, and whose ACL refuses the mounter.
 */
TEST(the_mounter_is_refused_by_the_acl_of_a_lower_directory)
{
	run_kept("stack, an ACL below", "20261201", "683");
}

/*
 * Both ids of a file have no id in its layer: the mounter may be the one that the layer shows it
 * with.
 */
TEST(the_mounter_may_be_the_owner_that_is_seen_as_the_overflow_id)
{
	run_kept("stack, its mounter is the owner", "15", "7548");
}

/*
 * The mounter removes the capability of a file that gets an owner, which the kernel refuses where
 * the owner until then has no id in the upper directory.
 */
TEST(a_capability_of_a_file_without_a_group_cannot_be_removed)
{
	run_kept("stack, a capability and no group", "6", "1365");
}

/* The mounter changes the owner in the upper directory, where it may have no right to do so. */
TEST(the_mounter_cannot_give_a_file_without_a_group_an_owner)
{
	run_kept("stack, a file without a group", "9", "3289");
}

/* The owner of the file and the group of its directory are both the mounter's. */
TEST(the_mounter_may_have_the_user_of_one_inode_and_the_group_of_another)
{
	run_kept("stack, its mounter has both ids", "9", "2948");
}

/* A directory of the upper directory is merged with one below, so that it cannot be renamed. */
TEST(a_directory_of_the_upper_layer_may_be_merged_with_one_below)
{
	run_kept("stack, a directory in two layers", "119", "6719");
}
