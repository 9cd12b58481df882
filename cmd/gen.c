/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gen: `shiftbox --gen KIND` writes what comes from the tables: manual blocks, completions, JSON.
 */

#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/fd.h"
#include "../lib/base/optdoc.h"

enum { PAGE_MAX = 1 << 20, COMMANDS_MAX = 16 };

static size_t sets_of(const struct cmd *cmd, struct opt_set sets[static 3])
{
	size_t n = 0;

	sets[n++] = (struct opt_set){ cmd->opts, NULL };
	sets[n++] = (struct opt_set){ common_opts, NULL };
	if (cmd->flags & CMD_DRY_RUN)
		sets[n++] = (struct opt_set){ dry_run_opts, NULL };
	return n;
}

/* --- the manual ----------------------------------------------------------------------------- */

enum block { BLOCK_NONE, BLOCK_OPTIONS, BLOCK_SYNOPSIS, BLOCK_ITEMS };

/* The block that the line (n bytes) begins or ends, as word says. */
static enum block block_mark(const char *line, size_t n, const char *word)
{
	static const struct {
		const char *name;
		enum block block;
	} names[] = {
		{ "options", BLOCK_OPTIONS },
		{ "synopsis", BLOCK_SYNOPSIS },
		{ "items", BLOCK_ITEMS },
	};
	char mark[64];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int len = snprintf(mark, sizeof(mark), ".\\\" %s %s", word, names[i].name);

		if (n == (size_t)len && !memcmp(line, mark, n))
			return names[i].block;
	}
	return BLOCK_NONE;
}

/* The page of shiftbox itself documents the options that all commands have. */
static int write_block(enum block block, const struct cmd *cmd, FILE *f)
{
	struct opt_set sets[3] = { { common_opts, NULL }, { dry_run_opts, NULL } };
	size_t n = cmd ? sets_of(cmd, sets) : 2;

	if (block == BLOCK_OPTIONS)
		return optdoc_mdoc(sets, n, f);
	if (block == BLOCK_ITEMS)
		return cmd && cmd->item ? optdoc_mdoc_items(cmd->item, f) : -ENOENT;
	return cmd ? optdoc_mdoc_synopsis(cmd->name, cmd->synopsis, f) : -ENOENT;
}

static int gen_mdoc(const struct cmd *cmd, const char *file, FILE *f, struct err *e)
{
	scoped_buf struct buf page = BUF_INIT;
	enum block in = BLOCK_NONE;
	int r;

	r = fd_read_file(AT_FDCWD, file, PAGE_MAX, &page, e);
	if (r < 0)
		return r;

	for (const char *line = buf_get(&page); *line;) {
		size_t n = strcspn(line, "\n");
		enum block begins = block_mark(line, n, "BEGIN");

		if (begins && in)
			return err_say(
				e, EINVAL, file, "a generated block begins inside of another one");
		if (in && block_mark(line, n, "END") == in)
			in = BLOCK_NONE;
		if (!in && fprintf(f, "%.*s\n", (int)n, line) < 0)
			return err_set(e, errno, "standard output", "cannot write the page");
		if (begins) {
			r = write_block(begins, cmd, f);
			if (r < 0)
				return err_set(e, -r, file, "cannot generate the block");
			in = begins;
		}
		line += n;
		line += *line == '\n';
	}
	return in ? err_say(e, EINVAL, file, "a generated block does not end") : 0;
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void json_option(const struct opt *o, bool common, struct out *out)
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
	if (o->excl)
		out_u64(out, "excludes_group", o->excl);
	out_bool(out, "common", common);
	out_end(out);
}

static void json_command(const struct cmd *cmd, struct out *out)
{
	struct opt_set sets[3];
	size_t n = sets_of(cmd, sets);

	out_begin(out, NULL);
	out_str(out, "name", cmd->name);
	out_str(out, "brief", cmd->brief);
	out_array(out, "synopsis");
	for (size_t i = 0; cmd->synopsis[i]; i++)
		out_str(out, NULL, cmd->synopsis[i]);
	out_array_end(out);
	out_array(out, "options");
	for (size_t s = 0; s < n; s++)
		for (const struct opt *o = sets[s].opts; o->name; o++)
			json_option(o, s > 0, out);
	out_array_end(out);
	out_end(out);
}

static int gen_json(struct err *e)
{
	struct out *out = out_new(STDOUT_FILENO, true, false);
	int r;

	if (!out)
		return err_nomem(e);
	for (size_t i = 0; commands[i]; i++)
		json_command(commands[i], out);
	r = out_flush(out);
	out_free(out);
	return r < 0 ? err_set(e, -r, "standard output", "cannot write the tables") : 0;
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
	struct opt_set sets[COMMANDS_MAX][3];
	size_t n = 0;

	for (; commands[n]; n++) {
		const struct cmd *c = commands[n];

		if (n == COMMANDS_MAX)
			return err_say(
				e, E2BIG, NULL, "there are more than %d commands", COMMANDS_MAX);
		cmds[n] = (struct optdoc_cmd){
			.name = c->name,
			.brief = c->brief,
			.sets = sets[n],
			.n_sets = sets_of(c, sets[n]),
			.operand_comp = c->operand_comp,
			.operand_words = c->operand_words,
		};
	}
	if (shells[shell].write(cmds, n, stdout) < 0)
		return err_set(e, errno, "standard output", "cannot write the completions");
	return 0;
}

int gen_main(const char *kind, const char *name, const char *file, struct err *e)
{
	if (!strcmp(kind, "json"))
		return gen_json(e);
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (!strcmp(kind, shells[i].kind))
			return gen_shell(i, e);
	if (strcmp(kind, "mdoc"))
		return err_usage(e, "--gen: '%s' is none of: mdoc bash zsh fish json", kind);

	if (!name || !file)
		return err_usage(e, "--gen mdoc needs a command's name and a manual page");
	if (!strcmp(name, "shiftbox"))
		return gen_mdoc(NULL, file, stdout, e);
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return gen_mdoc(commands[i], file, stdout, e);
	return err_usage(e, "unknown command '%s'", name);
}
