/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gen: `shiftbox --gen KIND` writes manual blocks, completions and JSON from the option tables. */

#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/fd.h"
#include "../lib/base/optdoc.h"

enum { PAGE_MAX = 1 << 20, COMMANDS_MAX = 16 };

/* --- the manual ----------------------------------------------------------------------------- */

enum block_kind { BLOCK_NONE, BLOCK_OPTIONS, BLOCK_SYNOPSIS, BLOCK_ITEMS };

struct block {
	enum block_kind kind;
	int part; /* of BLOCK_OPTIONS: a form, or OPTDOC_ALL or OPTDOC_COMMON */
};

/* The part that `options WORD` names: "common", or a subcommand. */
static bool find_part(const struct opt_form *forms, const char *word, size_t n, int *ret)
{
	if (n == 6 && !memcmp(word, "common", n)) {
		*ret = OPTDOC_COMMON;
		return true;
	}
	for (size_t i = 0; i < opt_form_count(forms); i++) {
		if (!forms[i].word || strlen(forms[i].word) != n || memcmp(forms[i].word, word, n))
			continue;
		*ret = (int)i;
		return true;
	}
	return false;
}

/* Returns the block that the line (n bytes) begins or ends; word is "BEGIN" or "END". */
static struct block block_mark(
	const struct opt_form *forms, const char *line, size_t n, const char *word)
{
	static const struct {
		const char *name;
		enum block_kind kind;
	} names[] = {
		{ "options", BLOCK_OPTIONS },
		{ "synopsis", BLOCK_SYNOPSIS },
		{ "items", BLOCK_ITEMS },
	};
	char mark[64];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct block b = { names[i].kind, OPTDOC_ALL };
		size_t len =
			(size_t)snprintf(mark, sizeof(mark), ".\\\" %s %s", word, names[i].name);

		if (n < len || memcmp(line, mark, len))
			continue;
		if (n == len)
			return b;
		if (b.kind == BLOCK_OPTIONS && line[len] == ' ' &&
			find_part(forms, line + len + 1, n - len - 1, &b.part))
			return b;
	}
	return (struct block){ BLOCK_NONE, OPTDOC_ALL };
}

/* The page of shiftbox itself documents the options that all commands have. */
static int write_block(struct block block, const struct cmd *cmd, FILE *f)
{
	static const struct opt none[] = { OPT_END };
	struct opt_set sets[CMD_SETS_MAX] = { { .opts = none, .args = NULL },
		{ .opts = common_opts, .args = NULL }, { .opts = dry_run_opts, .args = NULL } };
	struct optdoc_cmd doc = { .sets = sets, .n_sets = CMD_SETS_MAX };

	if (cmd)
		doc = cmd_doc(cmd, sets, cmd_sets(cmd, NULL, NULL, sets));
	if (block.kind == BLOCK_OPTIONS)
		return optdoc_mdoc(&doc, block.part, f);
	if (block.kind == BLOCK_ITEMS)
		return cmd && cmd->item ? optdoc_mdoc_items(cmd->item, f) : -ENOENT;
	return cmd ? optdoc_mdoc_synopsis(&doc, f) : -ENOENT;
}

static int gen_mdoc(const struct cmd *cmd, const char *file, FILE *f, struct err *e)
{
	scoped_buf struct buf page = BUF_INIT;
	const struct opt_form *forms = cmd ? cmd->forms : NULL;
	struct block in = { BLOCK_NONE, OPTDOC_ALL };
	int r;

	r = fd_read_file(AT_FDCWD, file, PAGE_MAX, &page, e);
	if (r < 0)
		return r;

	for (const char *line = buf_get(&page); *line;) {
		size_t n = strcspn(line, "\n");
		struct block begins = block_mark(forms, line, n, "BEGIN"),
			     ends = block_mark(forms, line, n, "END");

		if (begins.kind && in.kind)
			return err_say(
				e, EINVAL, file, "a generated block begins inside of another one");
		if (in.kind && ends.kind == in.kind && ends.part == in.part)
			in.kind = BLOCK_NONE;
		if (!in.kind && fprintf(f, "%.*s\n", (int)n, line) < 0)
			return err_set(e, errno, "standard output", "cannot write the page");
		if (begins.kind) {
			r = write_block(begins, cmd, f);
			if (r < 0)
				return err_set(e, -r, file, "cannot generate the block");
			in = begins;
		}
		line += n;
		line += *line == '\n';
	}
	return in.kind ? err_say(e, EINVAL, file, "a generated block does not end") : 0;
}

/* --- JSON ----------------------------------------------------------------------------------- */

/* The names of the options that o excludes. */
static void json_excludes(
	const struct opt_set *sets, size_t n, const struct opt *o, struct out *out)
{
	if (!o->excl)
		return;
	out_array(out, "excludes");
	for (size_t s = 0; s < n; s++)
		for (const struct opt *other = sets[s].opts; other->name; other++)
			if (other != o && other->excl & o->excl)
				out_str(out, NULL, other->name);
	out_array_end(out);
}

static void json_option(const struct cmd *cmd, const struct opt_set *sets, size_t n,
	const struct opt *o, struct out *out)
{
	static const char *const types[] = {
		[OPT_TYPE_FLAG] = "flag",
		[OPT_TYPE_STR] = "string",
		[OPT_TYPE_U32] = "u32",
		[OPT_TYPE_SIZE] = "size",
		[OPT_TYPE_LIST] = "list",
		[OPT_TYPE_CHOICE] = "choice",
		[OPT_TYPE_FUNC] = "parsed",
	};
	char letter[2] = { o->letter, '\0' };
	bool common = true;

	for (const struct opt *own = sets[0].opts; own->name; own++)
		common &= own != o;
	out_begin(out, NULL);
	out_str(out, "name", o->name);
	if (o->letter)
		out_str(out, "letter", letter);
	out_str(out, "type", types[o->type]);
	if (o->arg)
		out_str(out, "argument", o->arg);
	out_str(out, "help", o->help);
	if (o->words)
		out_str(out, "words", o->words);
	json_excludes(sets, n, o, out);
	out_bool(out, "common", common);
	if (o->forms) {
		out_array(out, "forms");
		for (size_t i = 0; cmd->forms[i].name; i++)
			if (opt_form_accepts(i, o))
				out_str(out, NULL, cmd->forms[i].name);
		out_array_end(out);
	}
	out_end(out);
}

static void json_command(const struct cmd *cmd, struct out *out)
{
	struct opt_set sets[CMD_SETS_MAX];
	size_t n = cmd_sets(cmd, NULL, NULL, sets);

	out_begin(out, NULL);
	out_str(out, "name", cmd->name);
	out_str(out, "brief", cmd->brief);
	out_array(out, "synopsis");
	for (size_t i = 0; cmd->forms[i].name; i++)
		for (size_t k = 0; cmd->forms[i].synopsis[k]; k++)
			out_str(out, NULL, cmd->forms[i].synopsis[k]);
	out_array_end(out);
	out_array(out, "options");
	for (size_t s = 0; s < n; s++)
		for (const struct opt *o = sets[s].opts; o->name; o++)
			json_option(cmd, sets, n, o, out);
	out_array_end(out);
	out_end(out);
}

static void json_briefs(const struct cmd *only, struct out *out)
{
	(void)only;
	for (size_t i = 0; commands[i]; i++) {
		out_begin(out, NULL);
		out_str(out, "name", commands[i]->name);
		out_str(out, "brief", commands[i]->brief);
		out_end(out);
	}
}

static void json_tables(const struct cmd *only, struct out *out)
{
	for (size_t i = 0; commands[i]; i++)
		if (!only || only == commands[i])
			json_command(commands[i], out);
}

static int print_json(
	void (*print)(const struct cmd *, struct out *), const struct cmd *cmd, struct err *e)
{
	struct out *out = out_new(STDOUT_FILENO, true, false);
	int r;

	if (!out)
		return err_nomem(e);
	print(cmd, out);
	r = out_flush(out);
	out_free(out);
	errno = -r;
	return r < 0 && r != -EPIPE ? err_set(e, -r, "standard output", "cannot write") : r;
}

int gen_help_json(const struct cmd *cmd, struct err *e)
{
	return print_json(json_tables, cmd, e);
}

int gen_list_json(struct err *e)
{
	return print_json(json_briefs, NULL, e);
}

/* --- completions ---------------------------------------------------------------------------- */

static const struct {
	const char *kind;
	int (*write)(const struct optdoc_cmd *cmds, size_t n, FILE *f);
} shells[] = {
	{ "bash", optdoc_bash },
	{ "zsh", optdoc_zsh },
	{ "fish", optdoc_fish },
};

static int gen_shell(size_t shell, struct err *e)
{
	struct optdoc_cmd cmds[COMMANDS_MAX];
	struct opt_set sets[COMMANDS_MAX][CMD_SETS_MAX];
	size_t n = 0;

	for (; commands[n]; n++) {
		const struct cmd *c = commands[n];

		if (n == COMMANDS_MAX)
			return err_say(
				e, E2BIG, NULL, "there are more than %d commands", COMMANDS_MAX);
		cmds[n] = cmd_doc(c, sets[n], cmd_sets(c, NULL, NULL, sets[n]));
	}
	if (shells[shell].write(cmds, n, stdout) < 0)
		return err_set(e, errno, "standard output", "cannot write the completions");
	return 0;
}

int gen_main(const char *kind, const char *name, const char *file, struct err *e)
{
	if (!strcmp(kind, "json"))
		return print_json(json_tables, NULL, e);
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (!strcmp(kind, shells[i].kind))
			return gen_shell(i, e);
	if (strcmp(kind, "mdoc"))
		return err_usage(e, "--gen: '%s' is not one of mdoc, bash, zsh, fish, json", kind);

	if (!name || !file)
		return err_usage(e, "--gen mdoc needs a command's name and a manual page");
	if (!strcmp(name, "shiftbox"))
		return gen_mdoc(NULL, file, stdout, e);
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return gen_mdoc(commands[i], file, stdout, e);
	return err_usage(e, "unknown command '%s'", name);
}
