/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check: check owners behind ID-mapped mounts, and explain maps, grants and kernels. */

#include "shift_check.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/base/num.h"
#include "../lib/base/path.h"
#include "../lib/check/compare.h"
#include "../lib/explain/perm.h"
#include "../lib/idmap/idmap_forms.h"
#include "../lib/idmap/names.h"
#include "habits.h"
#include "missing_source.h"
#include "subids.h"

/*
 * To add a subcommand: a form here, in `forms` and in `subcommands`, the form in the options that
 * it accepts, and a file cmd/shift_check_WORD.c.
 */
enum { FORM_VERIFY, FORM_EXPLAIN, FORM_LIST, FORM_MAP, FORM_SUBID, FORM_HOST, FORM_SHARED };
enum {
	IN_VERIFY = 1 << FORM_VERIFY,
	IN_EXPLAIN = 1 << FORM_EXPLAIN,
	IN_LIST = 1 << FORM_LIST,
	IN_MAP = 1 << FORM_MAP,
};

enum { EXCL_SIDE = 1, EXCL_MAP = 2, EXCL_DIFF_TO = 4 };

static const struct opt_form forms[] = {
	{ "verify", "verify", NULL,
		"Check that files are seen with the owners that they should have (the default)",
		OPT_SYNOPSIS("[verify] [-m MAP]... [--submounts] "
			     "[--source DIR | --spec FILE | --image NAME [-s STORE]] PATH") },
	{ "explain", "explain", NULL, "Explain who owns a file, and what a user may do with it",
		OPT_SYNOPSIS(
			"explain [--as USER[:GROUP[,GROUP...]]] [--userns pid:N] [--op OPERATION] "
			"[-m MAP]... [--image NAME [-s STORE]] PATH") },
	{ "list", "list", NULL, "List the ID-mapped mounts and their maps",
		OPT_SYNOPSIS("list [--all-namespaces] [PATH]") },
	{ "map", "map", NULL, "Explain a map, change it, or write it for other tools",
		OPT_SYNOPSIS("map [--to FORM] [--invert | --compose MAP2 | --diff MAP2] MAP...",
			"map [--to FORM] --cover DIR|image:NAME [-s STORE] [MAP...]") },
	{ "subid", "subid", NULL, "Find out why newuidmap(1) fails for a user",
		OPT_SYNOPSIS("subid [USER]") },
	{ "host", "host", NULL, "Find out what this machine can do", OPT_SYNOPSIS("host [PATH]") },
	{ "podman", "podman", NULL, "Find out what podman needs to use a shared store",
		OPT_SYNOPSIS("podman [USER]") },
	{ .name = NULL },
};

static const struct subcommand {
	const char *operand;
	size_t min, max;
	int (*run)(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
} subcommands[] = {
	[FORM_VERIFY] = { "PATH", 1, 1, check_verify },
	[FORM_EXPLAIN] = { "PATH", 1, 1, check_explain },
	[FORM_LIST] = { "PATH", 0, 1, check_list },
	[FORM_MAP] = { "MAP", 0, SIZE_MAX, check_map },
	[FORM_SUBID] = { "USER", 0, 1, check_subid },
	[FORM_HOST] = { "PATH", 0, 1, check_host },
	[FORM_SHARED] = { "USER", 0, 1, check_podman },
};

/* what: "a class of findings"; words: those that exist */
static int unknown_word(const char *val, const char *what, const char *words, struct err *e)
{
	struct suggest near = suggest_for(val, strlen(val));
	size_t n = suggest_offer_list(&near, words);

	(void)err_usage(e, "'%s' is not %s", val, what);
	if (n)
		err_try(e, "did you mean %.*s? (known are: %s)", (int)n, near.best, words);
	else
		err_try(e, "write one of: %s", words);
	return -EINVAL;
}

static int parse_class(void *dst, const char *val, struct err *e)
{
	unsigned *only = dst;
	int i = opt_word_index(FINDING_WORDS, val);

	if (i < 0)
		return unknown_word(val, "a class of findings", FINDING_WORDS, e);
	*only |= 1U << i;
	return 0;
}

static int parse_form(void *dst, const char *val, struct err *e)
{
	unsigned *to = dst;
	int i = opt_word_index(IDMAP_FORM_WORDS, val);

	if (i < 0)
		return unknown_word(val, "a form of a map", IDMAP_FORM_WORDS, e);
	*to = (unsigned)i + 1;
	return 0;
}

static int unknown_op(const char *val, struct err *e)
{
	struct suggest near = suggest_for(val, strcspn(val, "="));

	if (!suggest_offer_list(&near, PERM_OP_WORDS " chown") || strcmp(near.best, "chown") != 0)
		return unknown_word(val, "an operation", PERM_OP_WORDS " chown=UID:GID", e);
	(void)err_usage(e, "'%s' is not an operation", val);
	err_try(e, "did you mean chown=UID:GID, chown=UID or chown=:GID?");
	return -EINVAL;
}

static int parse_op(void *dst, const char *val, struct err *e)
{
	struct check_op *op = dst;
	int i = opt_word_index(PERM_OP_WORDS, val);

	if (!strncmp(val, "chown=", strlen("chown="))) {
		struct perm_chown ignored;

		op->op = PERM_CHOWN + 1;
		op->chown = val + strlen("chown=");
		return check_parse_chown(op->chown, &ignored, e);
	}
	if (i < 0 && !strcmp(val, "chown")) {
		(void)err_usage(e, "'chown' needs an owner or group");
		err_try(e, "write --op chown=UID:GID, chown=UID or chown=:GID");
		return -EINVAL;
	}
	if (i < 0)
		return unknown_op(val, e);
	op->op = (unsigned)i + 1;
	op->chown = NULL;
	return 0;
}

static const struct opt shift_check_opts[] = {
	OPT_LIST(struct check_args, maps, "map", 'm', "MAP",
		"Expect this map between disk ids and seen ids", .example = MAP_EXAMPLES,
		.comp = COMP_MAP, .forms = IN_VERIFY | IN_EXPLAIN,
		.more = "Needed where neither the kernel nor a record shows the map of the mount: "
			"for overlays of other programs, for instance. Elsewhere, a mount with "
			"another map is a finding of verify and an error for explain. With "
			"explain, MAP is that of all layers of an overlay and of its upper "
			"directory; MAP none means that they have no map. Several maps are "
			"joined. See shiftbox-idmap(7)."),
	OPT_STR(struct check_args, source, "source", 0, "DIR", "Compare with this directory",
		.comp = COMP_DIR, .forms = IN_VERIFY, .excl = EXCL_SIDE,
		.more = "DIR is the tree below the ID-mapped mount, or a copy of it. The default "
			"is the mount of PATH without its map (Linux 6.15)."),
	OPT_STR(struct check_args, spec, "spec", 0, "FILE",
		"Compare with this mtree(5) specification", .comp = COMP_FILE, .forms = IN_VERIFY,
		.excl = EXCL_SIDE),
	OPT_STR(struct check_args, image, "image", 0, "NAME",
		"Read the disk ids from this stored image", .comp = COMP_IMAGE,
		.forms = IN_VERIFY | IN_EXPLAIN, .excl = EXCL_SIDE,
		.more = "The layers of the image in the store have these ids."),
	OPT_STORE(struct check_args, store, .forms = IN_VERIFY | IN_EXPLAIN | IN_MAP),
	OPT_U32(struct check_args, threads, "threads", 'j', "N", "Use this many threads",
		.forms = IN_VERIFY | IN_MAP,
		.more = "The default, 0, is one for each processor. Eight or more help on cold "
			"caches. With map, only --cover reads files."),
	OPT_FUNC(struct check_args, only, "only", 0, "CLASS", parse_class,
		"Report only findings of this class", .comp = COMP_WORDS, .words = FINDING_WORDS,
		.forms = IN_VERIFY, .more = "The option may be given more than once."),
	OPT_U32(struct check_args, max_findings, "max-findings", 0, "N",
		"Stop after this many findings; 0 prints all", .forms = IN_VERIFY,
		.more = "By default the whole tree is checked, and at most 20 lines are printed: "
			"findings with one cause are one line, and a last line counts the rest. "
			"With --json all findings are printed."),
	OPT_FLAG(struct check_args, summary, "summary", 0, "Print only the summary",
		.forms = IN_VERIFY),
	OPT_FLAG(struct check_args, submounts, "submounts", 0, "Enter the mounts below PATH too",
		.forms = IN_VERIFY, .more = "Each mount is listed, and compared with its own map."),
	OPT_STR(struct check_args, as, "as", 0, "USER[:GROUP[,GROUP...]]",
		"Explain what this user may do", .comp = COMP_USER, .forms = IN_EXPLAIN,
		.more = "The ids are numbers, or names of this system; a user's name alone brings "
			"the user's groups with it. User 0 is assumed to have all capabilities of "
			"its user namespace, other users none. The default is the calling user, "
			"with the current groups and capabilities; with --userns, it is root of "
			"that namespace."),
	OPT_STR(struct check_args, userns, "userns", 0, "pid:N",
		"Explain as seen from this process's user namespace", .forms = IN_EXPLAIN,
		.more = "The ids of --as are then ids of that namespace. "
			"N alone is accepted, too."),
	OPT_FUNC(struct check_args, op, "op", 0, "OPERATION", parse_op,
		"Check this operation only (exit 3 unless it works)", .comp = COMP_WORDS,
		.words = PERM_OP_WORDS " chown=", .shown = PERM_OP_WORDS " chown=UID:GID",
		.forms = IN_EXPLAIN, .more = "The owner follows chown=, as UID:GID, UID or :GID."),
	OPT_FLAG(struct check_args, all_namespaces, "all-namespaces", 0,
		"List the mounts of all mount namespaces", .forms = IN_LIST,
		.more = "These are the namespaces of all processes that the caller may inspect; "
			"only root may inspect all of them."),
	OPT_FUNC(struct check_args, to, "to", 0, "FORM", parse_form,
		"Print the map in the syntax of another tool", .comp = COMP_WORDS,
		.words = IDMAP_FORM_WORDS, .forms = IN_MAP, .excl = EXCL_DIFF_TO),
	OPT_FLAG(struct check_args, invert, "invert", 0, "Swap disk ids and seen ids",
		.forms = IN_MAP, .excl = EXCL_MAP),
	OPT_STR(struct check_args, compose, "compose", 0, "MAP2",
		"Apply this map after the first one", .comp = COMP_MAP, .forms = IN_MAP,
		.excl = EXCL_MAP),
	OPT_STR(struct check_args, diff, "diff", 0, "MAP2",
		"List disk ids that this map translates differently", .comp = COMP_MAP,
		.forms = IN_MAP, .excl = EXCL_MAP | EXCL_DIFF_TO),
	OPT_STR(struct check_args, cover, "cover", 0, "TREE",
		"Find the smallest map for this directory or image:NAME", .comp = COMP_SOURCE,
		.forms = IN_MAP, .excl = EXCL_MAP,
		.more = "With MAP, the result is the part of MAP that is needed; ids that MAP "
			"does not contain are findings."),
	OPT_END,
};

static void shift_check_init(void *args)
{
	struct check_args *a = args;

	a->max_findings = FINDINGS_FIRST;
}

/*
 * subid and host run newuidmap and newgidmap, to see whether these work, and podman looks whether
 * they can.
 */
static int shift_check_before(void *args, struct ctx *ctx, struct err *e)
{
	(void)args;
	(void)e;
	return ctx->form == FORM_SUBID || ctx->form == FORM_HOST || ctx->form == FORM_SHARED ?
		BEFORE_GO_ON_SETUID :
		BEFORE_GO_ON;
}

/* "explain alice FILE" */
static bool advise_as(const char *user, const char *path, struct err *e)
{
	struct user u;
	struct stat st;
	uint32_t id;

	if (path_stat(user, true, &st) == 0 || path_stat(path, true, &st) < 0 ||
		(num_u32(user, &id) < 0 && names_user(user, &u, NULL) < 0))
		return false;
	err_try(e, "a user is named with --as: shiftbox shift-check explain --as %s %s", user,
		path);
	return true;
}

static int surplus(const struct subcommand *sub, const char *word, char **operands, struct err *e)
{
	const char *operand = operands[sub->max];

	(void)err_usage(e, "unexpected operand '%s': %s takes one %s", operand, word, sub->operand);
	if (!strcmp(word, "explain") && advise_as(operands[0], operand, e))
		return -EINVAL;
	err_try(e, "give %s one %s at a time%s", word, sub->operand,
		strcmp(word, "explain") ? "" : "; an operation is written --op write");
	return -EINVAL;
}

/* Several operands without a subcommand: the first is one that does not exist. */
static int no_subcommand(const char *word, struct err *e)
{
	struct suggest near = suggest_for(word, strlen(word));
	const char *say = habit_find(shift_check_habits, word, strlen(word));

	(void)err_usage_try(e, "use verify, explain, list, map, subid, host or podman",
		"'%s' is not a subcommand", word);
	for (const struct opt_form *f = forms; f->name; f++)
		suggest_offer(&near, f->word);
	for (const struct habit *h = shift_check_habits; h->word && !near.best && !say; h++) {
		suggest_offer(&near, h->word);
		say = near.best ? h->say : NULL;
	}
	if (say)
		err_try(e, "%s", say);
	else if (near.best)
		err_try(e, "did you mean shiftbox shift-check %s?", near.best);
	return -EINVAL;
}

static int shift_check_run(void *args, struct ctx *ctx, struct err *e)
{
	const struct subcommand *sub = &subcommands[ctx->form];
	const struct check_args *a = args;
	const char *word = forms[ctx->form].word;
	bool given = !strcmp(ctx->operands.items[0], word); /* verify may be omitted */
	struct stat st;
	char **operands = ctx->operands.items + given;
	size_t n = ctx->operands.len - given;
	int r;

	if (n < sub->min) {
		(void)err_usage(e, "%s needs %s", word, sub->operand);
		err_try(e, "shiftbox shift-check %s %s (for a file named %s: ./%s)", word,
			sub->operand, word, word);
		return -EINVAL;
	}
	if (n > sub->max)
		return given || path_stat(operands[0], true, &st) == 0 ?
			surplus(sub, word, operands, e) :
			no_subcommand(operands[0], e);
	/* verify knows the image of a stack that it can look up. */
	if (ctx->form == FORM_EXPLAIN && a->store && !a->image)
		return err_usage(e, "option '--store' needs --image");
	if (ctx->form != FORM_SUBID) /* its findings have them */
		subids_tell_ignored();
	r = sub->run(args, ctx, operands, e);
	if (r < 0 && (ctx->form == FORM_VERIFY || ctx->form == FORM_EXPLAIN))
		stored_image_advise(operands[0], a->store, e);
	return r;
}

const struct cmd cmd_shift_check = {
	.name = "shift-check",
	.brief = "Check owners and ID maps",
	.forms = forms,
	.opts = shift_check_opts,
	.habits = shift_check_habits,
	.args_size = sizeof(struct check_args),
	.operands_min = 1,
	.operands_max = SIZE_MAX,
	.operand_comp = COMP_WORDS,
	.flags = CMD_ROOT_GUARD | CMD_ONLY_READS,
	.stopped = "nothing was changed",
	.init = shift_check_init,
	.before = shift_check_before,
	.run = shift_check_run,
};
