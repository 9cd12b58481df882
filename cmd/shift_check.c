/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shift-check: what is the owner of a file, seen through an ID-mapped mount, and is it right? Maps,
 * grants, kernels.
 */

#include "shift_check.h"

#include <errno.h>
#include <string.h>

#include "../lib/check/compare.h"
#include "../lib/explain/perm.h"
#include "../lib/idmap/idmap_forms.h"

/* Options that only some of the subcommands take. */
enum takes {
	TAKES_MAP = 1,
	TAKES_SIDES = 2,
	TAKES_STORE = 4,
	TAKES_THREADS = 8,
	TAKES_FINDINGS = 16,
	TAKES_FORMS = 32,
	TAKES_NAMESPACES = 64,
	TAKES_IMAGE = 128,
	TAKES_CALLER = 256,
};

/*
 * To add a subcommand: a line here, a word in WORDS, a line of the synopsis, a file
 * cmd/shift_check_WORD.c.
 */
static const struct subcommand {
	const char *word, *operands;
	size_t min, max;
	unsigned takes;
	int (*run)(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
} subcommands[] = {
	/* the first one is meant when no word is given */
	{ "verify", "PATH", 1, 1,
		TAKES_MAP | TAKES_SIDES | TAKES_IMAGE | TAKES_STORE | TAKES_THREADS |
			TAKES_FINDINGS,
		check_verify },
	{ "explain", "PATH", 1, 1, TAKES_IMAGE | TAKES_STORE | TAKES_CALLER, check_explain },
	{ "list", "PATH", 0, 1, TAKES_NAMESPACES, check_list },
	{ "map", "MAP", 0, SIZE_MAX, TAKES_STORE | TAKES_THREADS | TAKES_FORMS, check_map },
	{ "subid", "USER", 0, 1, 0, check_subid },
	{ "host", "PATH", 0, 1, 0, check_host },
};

#define WORDS "verify explain list map subid host"

static int parse_class(void *dst, const char *val, struct err *e)
{
	unsigned *only = dst;
	int i = opt_word_index(FINDING_WORDS, val);

	if (i < 0)
		return err_usage(
			e, "'%s' is no class of findings: they are %s", val, FINDING_WORDS);
	*only |= 1U << i;
	return 0;
}

static int parse_form(void *dst, const char *val, struct err *e)
{
	unsigned *to = dst;
	int i = opt_word_index(IDMAP_FORM_WORDS, val);

	if (i < 0)
		return err_usage(e, "'%s' is no form of a map: they are %s", val, IDMAP_FORM_WORDS);
	*to = (unsigned)i + 1;
	return 0;
}

static int parse_op(void *dst, const char *val, struct err *e)
{
	unsigned *op = dst;
	int i = opt_word_index(PERM_OP_WORDS, val);

	if (i < 0)
		return err_usage(e, "'%s' is no operation: they are %s", val, PERM_OP_WORDS);
	*op = (unsigned)i + 1;
	return 0;
}

static const struct opt shift_check_opts[] = {
	OPT_LIST(struct check_args, maps, "map", 'm', "MAP",
		"Expect this map between disk ids and seen ids",
		.more = "Needed where the mount cannot tell its map: for overlays, and before "
			"Linux 6.15. Where it can, a mount with another map is a finding. May be "
			"given more than once. See MAPS in mount-idmapped(8)."),
	OPT_STR(struct check_args, source, "source", 0, "DIR",
		"Take the disk side from this directory", .comp = COMP_DIR, .excl = 1,
		.more = "The tree below the ID-mapped mount, or a copy of it. The default is the "
			"mount of PATH without its map (Linux 6.15)."),
	OPT_STR(struct check_args, spec, "spec", 0, "FILE",
		"Take the disk side from this mtree(5) specification", .comp = COMP_FILE,
		.excl = 1),
	OPT_STR(struct check_args, image, "image", 0, "NAME",
		"Take the disk side from this image in the store", .excl = 1,
		.more = "The specifications of its layers are merged as the layers are; ACLs and "
			"capabilities come from the layers themselves."),
	OPT_STORE(struct check_args, store),
	OPT_U32(struct check_args, threads, "threads", 'j', "N", "Use this many threads",
		.more = "The default, 0, is one for each processor. Eight or more pay where the "
			"disk has to be read."),
	OPT_FUNC(struct check_args, only, "only", 0, "CLASS", parse_class,
		"Report only findings of this class", .comp = COMP_WORDS, .words = FINDING_WORDS,
		.more = "May be given more than once."),
	OPT_U32(struct check_args, max_findings, "max-findings", 0, "N",
		"Stop after this many findings", .more = "The default, 0, is no limit."),
	OPT_FLAG(struct check_args, summary, "summary", 0, "Print only the summary"),
	OPT_FLAG(struct check_args, submounts, "submounts", 0, "Enter the mounts below PATH too",
		.more = "Each is listed, and compared with its own map."),
	OPT_FLAG(struct check_args, all_namespaces, "all-namespaces", 0,
		"List the mounts of all mount namespaces",
		.more = "Those of all processes that the caller may look into; for all of them, "
			"that takes root."),
	OPT_FUNC(struct check_args, to, "to", 0, "FORM", parse_form,
		"Print the map as another tool takes it", .comp = COMP_WORDS,
		.words = IDMAP_FORM_WORDS),
	OPT_FLAG(
		struct check_args, invert, "invert", 0, "Exchange the sides of the map", .excl = 2),
	OPT_STR(struct check_args, compose, "compose", 0, "MAP2",
		"Apply this map to what the first one shows", .excl = 2),
	OPT_STR(struct check_args, diff, "diff", 0, "MAP2",
		"Tell which disk ids this map shows otherwise", .excl = 2),
	OPT_STR(struct check_args, cover, "cover", 0, "TREE",
		"Find the smallest map for this directory or image:NAME", .excl = 2,
		.comp = COMP_DIR,
		.more = "With MAP, the part of MAP that is needed; ids that MAP has nothing for "
			"are findings."),
	OPT_STR(struct check_args, as, "as", 0, "UID[:GID[,GID...]]",
		"Explain what this user may do",
		.more = "Numbers, or names of this system; a name alone brings its groups with it. "
			"User 0 is taken to have all capabilities of its user namespace, others "
			"none. The default is the caller as he is, or with --userns its root."),
	OPT_STR(struct check_args, userns, "userns", 0, "pid:N",
		"Explain it for the user namespace of this process",
		.more = "The ids of --as are then those of that namespace."),
	OPT_FUNC(struct check_args, op, "op", 0, "OPERATION", parse_op,
		"Explain only this; the exit status tells if it works", .comp = COMP_WORDS,
		.words = PERM_OP_WORDS),
	OPT_END
};

static const char *const shift_check_synopsis[] = {
	"[verify] [-m MAP]... [--submounts] [--source DIR | --spec FILE | --image NAME [-s STORE]] "
	"PATH",
	"explain [--as UID[:GID[,GID...]]] [--userns pid:N] [--op OPERATION] [--image NAME [-s "
	"STORE]] PATH",
	"list [--all-namespaces] [PATH]",
	"map [--to FORM] [--invert | --compose MAP2 | --diff MAP2] MAP...",
	"map [--to FORM] --cover DIR|image:NAME [-s STORE] [MAP...]", "subid [USER]", "host [PATH]",
	NULL
};

static const struct subcommand *find(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(subcommands); i++)
		if (!strcmp(subcommands[i].word, word))
			return &subcommands[i];
	return NULL;
}

/* An option that was given and that the subcommand does not take, or NULL. */
static const char *foreign(const struct check_args *a, unsigned takes)
{
	const struct {
		unsigned bit;
		const char *name;
		bool given;
	} options[] = {
		{ TAKES_MAP, "map", a->maps.len > 0 },
		{ TAKES_SIDES, "source", a->source },
		{ TAKES_SIDES, "spec", a->spec },
		{ TAKES_IMAGE, "image", a->image },
		{ TAKES_STORE, "store", a->store },
		{ TAKES_THREADS, "threads", a->threads },
		{ TAKES_FINDINGS, "only", a->only },
		{ TAKES_FINDINGS, "max-findings", a->max_findings },
		{ TAKES_FINDINGS, "summary", a->summary },
		{ TAKES_FINDINGS, "submounts", a->submounts },
		{ TAKES_FORMS, "to", a->to },
		{ TAKES_FORMS, "invert", a->invert },
		{ TAKES_FORMS, "compose", a->compose },
		{ TAKES_FORMS, "diff", a->diff },
		{ TAKES_FORMS, "cover", a->cover },
		{ TAKES_NAMESPACES, "all-namespaces", a->all_namespaces },
		{ TAKES_CALLER, "as", a->as },
		{ TAKES_CALLER, "userns", a->userns },
		{ TAKES_CALLER, "op", a->op },
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (options[i].given && !(takes & options[i].bit))
			return options[i].name;
	return NULL;
}

/* These two call newuidmap and newgidmap, to see whether they work. */
static int shift_check_before(void *args, struct ctx *ctx, struct err *e)
{
	const char *word = ctx->operands.items[0];

	(void)args;
	(void)e;
	return !strcmp(word, "subid") || !strcmp(word, "host") ? BEFORE_GO_ON_SETUID : BEFORE_GO_ON;
}

static int shift_check_run(void *args, struct ctx *ctx, struct err *e)
{
	const struct subcommand *sub = find(ctx->operands.items[0]);
	char **operands = ctx->operands.items + (sub != NULL);
	size_t n = ctx->operands.len - (sub != NULL);

	const char *option;

	if (!sub)
		sub = &subcommands[0];
	option = foreign(args, sub->takes);
	if (option)
		return err_usage(e, "%s takes no --%s", sub->word, option);
	if (n < sub->min) {
		(void)err_usage(e, "%s needs %s", sub->word, sub->operands);
		err_try(e, "write ./%s for a file of that name", sub->word);
		return -EINVAL;
	}
	if (n > sub->max)
		return err_usage(e, "unexpected operand '%s'", operands[sub->max]);
	return sub->run(args, ctx, operands, e);
}

const struct cmd cmd_shift_check = {
	.name = "shift-check",
	.brief = "Check owners and ID maps",
	.synopsis = shift_check_synopsis,
	.opts = shift_check_opts,
	.args_size = sizeof(struct check_args),
	.operands_min = 1,
	.operands_max = SIZE_MAX,
	.operand_comp = COMP_WORDS,
	.operand_words = WORDS,
	.flags = CMD_ROOT_GUARD,
	.before = shift_check_before,
	.run = shift_check_run,
};
