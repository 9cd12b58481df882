/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* main: find the command, parse its options, run it, and report errors. */

#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/base/buf.h"
#include "../lib/base/env.h"
#include "../lib/base/guard.h"
#include "../lib/base/hint.h"
#include "../lib/base/log.h"
#include "../lib/base/optdoc.h"
#include "../lib/base/path.h"
#include "../lib/base/privilege.h"
#include "../lib/base/term.h"
#include "../lib/base/wrap.h"
#include "../lib/idmap/userns.h"
#include "../lib/idmap/userns_self.h"
#include "advice.h"
#include "mount_helper.h"
#include "signals.h"
#include "subids.h"

enum { FIELD_INDENT = 8 };

/* With the commit, which only this file is compiled with: other files need not follow each one. */
#ifndef VERSION_BUILT
#define VERSION_BUILT VERSION
#endif

static const char *command_name = "shiftbox";
static bool pipe_kills; /* the caller lets SIGPIPE end this program */
static bool environment_ignored;
static bool color_messages; /* those on standard error */

#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

/* The sequence if messages have colours, else nothing. */
static const char *in_color(const char *sequence)
{
	return color_messages ? sequence : "";
}

/* Several threads may log at once, so each message is written by one call. */
static void print_message(enum log_level level, const char *text)
{
	const bool warns = level == LOG_WARN;

	(void)fprintf(stderr, "shiftbox %s: %s%s%s%s\n", command_name,
		warns ? in_color(YELLOW) : "", warns ? "warning: " : "",
		warns ? in_color(PLAIN) : "", text);
}

/* Print the message as JSON, for --json. */
static void print_message_json(enum log_level level, const char *text)
{
	static const char *const levels[] = {
		[LOG_WARN] = "warning", [LOG_INFO] = "note", [LOG_VERBOSE] = "verbose"
	};

	if (out_message_json(STDERR_FILENO, command_name, levels[level], text) < 0)
		print_message(level, text);
}

/* wrap: break the text into the lines of the terminal; not what will be copied. */
static void print_field(const char *title, const char *text, bool wrap)
{
	scoped_buf struct buf b = BUF_INIT, lines = BUF_INIT;
	size_t width = wrap ? term_columns(STDERR_FILENO) : 0;

	if (!text[0])
		return;
	buf_escaped(&b, text, strlen(text));
	if (buf_get(&b))
		wrap_text(&lines, b.data, &(struct wrap){ FIELD_INDENT, FIELD_INDENT, width });
	(void)fprintf(stderr, "  %s%-5s%s %s\n", in_color(BOLD), title, in_color(PLAIN),
		buf_get(&b) && buf_get(&lines) ? lines.data : "(out of memory)");
}

/* Tell which directory on the way of a path is closed. */
static void name_closed(struct err *e)
{
	scoped_idmap struct idmap own = { .gid_assumed = false };
	scoped_buf struct buf dir = BUF_INIT;
	uint32_t outside;

	if (e->num != EACCES || strcmp(e->op, "open") != 0 || !e->on[0] || e->why[0] ||
		!path_closed(e->on, &dir))
		return;
	if (!userns_is_nested() || userns_map_own(&own, NULL) < 0 ||
		!idmap_uid_seen(&own, (uint32_t)geteuid(), &outside))
		buf_printf(&dir, " is closed to user %u", (unsigned)geteuid());
	else if (subids_entered())
		buf_printf(&dir, " is closed to user %u", outside);
	else
		buf_printf(&dir, " is closed to user %u, who is %u outside of this user namespace",
			(unsigned)geteuid(), outside);
	if (buf_get(&dir))
		err_why(e, "%s", dir.data);
}

/* r: the error that e describes */
static int report(const struct cmd *cmd, int r, struct err *e, bool json)
{
	scoped_buf struct buf b = BUF_INIT, on = BUF_INIT;
	int status = cmd && cmd->status_failed ? cmd->status_failed :
		e->usage                       ? STATUS_USAGE :
						 STATUS_FAILED;

	if (cmd && cmd->failed && r < 0)
		status = cmd->failed(r, e);
	if (status == STATUS_DONE)
		return status;
	name_closed(e);
	advise_missing(e);
	hint_fill(e);
	if (e->usage && !e->hint[0])
		err_try(e, "shiftbox%s%s --help", cmd ? " " : "", cmd ? cmd->name : "");
	if (json) {
		(void)out_error_json(
			STDERR_FILENO, cmd ? cmd->name : "", e); /* a failure cannot be reported */
		return status;
	}

	buf_printf(&b, "%sshiftbox%s%s:%s ", in_color(RED), cmd ? " " : "", cmd ? cmd->name : "",
		in_color(PLAIN));
	buf_escaped(&b, e->place, strlen(e->place));
	buf_str(&b, e->place[0] ? ": " : "");
	if (e->on[0]) {
		buf_char(&b, '\'');
		buf_name(&on, e->on);
		buf_escaped(&b, buf_get(&on) ? buf_get(&on) : "", on.len);
		buf_str(&b, "': ");
	}
	buf_escaped(&b, e->what, strlen(e->what));
	if (e->num)
		buf_printf(&b, ": %s",
			strerrordesc_np(e->num) ? strerrordesc_np(e->num) : "unknown error");
	(void)fprintf(stderr, "%s\n", buf_get(&b) ? buf_get(&b) : "out of memory");
	print_field("why:", e->why, true);
	print_field("try:", e->hint, false);
	return status;
}

static bool use_color(int when, int fd)
{
	const char *no_color = env_get("NO_COLOR");

	if (when != COLOR_AUTO)
		return when == COLOR_ALWAYS;
	return term_moves(fd) && !(no_color && *no_color);
}

static int operand_missing(const struct cmd *cmd, struct err *e)
{
	scoped_buf struct buf words = BUF_INIT;

	(void)err_usage(e, "an operand is missing");
	for (const struct opt_form *f = cmd->forms; f->name; f++)
		if (f->word)
			buf_printf(&words, "%s%s", words.len ? ", " : "", f->word);
	if (words.len && buf_get(&words))
		err_try(e, "shiftbox %s --help; the first operand is one of: %s", cmd->name,
			buf_get(&words));
	return -EINVAL;
}

static int check_operands(const struct cmd *cmd, const struct operands *o, struct err *e)
{
	if (o->len < cmd->operands_min)
		return operand_missing(cmd, e);
	if (o->len > cmd->operands_max)
		return err_usage(e, "unexpected operand '%s'", o->items[cmd->operands_max]);
	return 0;
}

/* The output is a closed pipe: end as other programs do, unless the caller ignores SIGPIPE. */
static void end_by_pipe(void)
{
	if (!pipe_kills)
		return;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)raise(SIGPIPE);
}

static int output_failed(int num, const char *what, struct err *e)
{
	int r;

	if (num == EPIPE)
		end_by_pipe();
	r = err_set(e, num, "standard output", "%s", what);
	if (r == -ENOSPC)
		err_try(e, "free space where standard output goes to");
	if (r == -EBADF) {
		err_why(e, "it is closed, or open for reading only");
		err_try(e, "send it to a file or to /dev/null: >FILE, not >&-");
	}
	return r;
}

static int run_parsed(const struct cmd *cmd, const struct opt_set *sets, size_t n_sets,
	const struct opt_line *line, struct err *e)
{
	void *args = sets[0].args;
	const struct common_args *common = sets[1].args;
	int selected = opt_form_selected(cmd->forms, line);
	struct ctx ctx = {
		.name = cmd->name,
		.form = selected >= 0 ? (size_t)selected :
			cmd->form     ? cmd->form(args, &line->operands) :
					0,
		.operands = line->operands,
		.verbose = common->verbose,
		.quiet = common->quiet,
		.dry_run = common->dry_run,
		.json = common->json,
		.color_err = use_color(common->color, STDERR_FILENO),
	};
	int r, flushed, before = BEFORE_GO_ON;

	if (common->json)
		log_set_sink(print_message_json);
	signals_start(cmd->name, common->json, cmd->stopped);
	r = check_operands(cmd, &line->operands, e);
	if (r == 0)
		r = opt_form_check(cmd->forms, ctx.form, line, sets, n_sets, e);
	if (r < 0)
		return r;
	log_set_level(common->verbose ? LOG_VERBOSE : common->quiet ? LOG_WARN : LOG_INFO);
	if (environment_ignored)
		log_verbose("the environment is ignored: a security module started this program "
			    "with more rights than its caller has (AT_SECURE)");
	if (cmd->before) {
		before = cmd->before(args, &ctx, e);
		if (before != BEFORE_GO_ON && before != BEFORE_GO_ON_SETUID)
			return before;
	}
	if (cmd->flags & CMD_ROOT_GUARD) {
		r = guard_install(before == BEFORE_GO_ON_SETUID, e);
		if (r < 0)
			return r;
	}
	ctx.out = out_new(STDOUT_FILENO, common->json, use_color(common->color, STDOUT_FILENO));
	if (!ctx.out)
		return err_nomem(e);
	if (cmd->flags & CMD_ONLY_READS)
		out_on_closed(ctx.out, end_by_pipe);

	r = cmd->run(args, &ctx, e);
	flushed = out_flush(ctx.out);
	out_free(ctx.out);
	signals_raise(); /* after a signal, if the command has cleaned up */
	return r < 0 || flushed == 0 ? r : output_failed(-flushed, "cannot write the results", e);
}

/* A usage error may come before --json was parsed: look for it in argv. */
static bool asks_for_json(char **argv)
{
	while (*++argv && strcmp(*argv, "--"))
		if (!strcmp(*argv, "--json"))
			return true;
	return false;
}

static int print_version(bool json, struct err *e)
{
	struct out *o;
	int r;

	if (!json)
		return printf("shiftbox %s\n", VERSION_BUILT) < 0 ? -EIO : 0;
	o = out_new(STDOUT_FILENO, true, false);
	if (!o)
		return err_nomem(e);
	out_begin(o, NULL);
	out_str(o, "program", "shiftbox");
	out_str(o, "program_version", VERSION_BUILT);
	out_end(o);
	r = out_flush(o);
	out_free(o);
	errno = -r;
	return r;
}

/* The answers to --help and --version, or else the command itself. */
static int answer(const struct cmd *cmd, const struct opt_set *sets, size_t n_sets,
	const struct opt_line *line, struct err *e)
{
	const struct common_args *common = sets[1].args;
	struct optdoc_cmd doc = cmd_doc(cmd, sets, n_sets);

	int r;

	if (common->help && common->json)
		r = gen_help_json(cmd, e);
	else if (common->help)
		r = optdoc_help(&doc, opt_form_selected(cmd->forms, line),
			term_columns(STDOUT_FILENO), stdout);
	else if (common->version)
		r = print_version(common->json, e);
	else
		return run_parsed(cmd, sets, n_sets, line, e);
	return r < 0 && !e->set ? output_failed(errno, "cannot write", e) : r;
}

static int run_command(const struct cmd *cmd, char **argv)
{
	scoped_free void *args = calloc(1, cmd->args_size ? cmd->args_size : 1);
	struct common_args common = { .color = COLOR_AUTO };
	struct opt_set sets[CMD_SETS_MAX];
	size_t n_sets = cmd_sets(cmd, args, &common, sets);
	struct opt_line line = { .operands = { .len = 0 } };
	static struct err e;
	int r;

	command_name = cmd->name;
	if (!args) {
		r = err_nomem(&e);
		return report(cmd, r, &e, false);
	}
	if (cmd->init)
		cmd->init(args);

	r = opt_parse(sets, n_sets, argv, cmd->flags & CMD_STOP_EARLY, &line, &e);
	color_messages = use_color(common.color, STDERR_FILENO);
	if (r == 0)
		r = answer(cmd, sets, n_sets, &line, &e);

	if (r < 0) {
		advise_operand(cmd, &line.operands, &e);
		advise_option(cmd, argv, &e);
		r = report(cmd, r, &e, common.json || asks_for_json(argv));
	} else if ((r == STATUS_NO_EXEC || r == STATUS_NO_COMMAND) && e.set)
		(void)report(cmd, 0, &e, common.json);
	opt_line_done(&line);
	if (cmd->done)
		cmd->done(args);
	opt_args_done(cmd->opts, args);
	return r;
}

static bool own_json; /* --json was given to shiftbox itself */

static const struct cmd *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* `shiftbox --install DIR`: make a link to this binary in DIR for each command. */
static int install_links(const char *dir, struct err *e)
{
	char self[4096];
	scoped_fd int fd = -1;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int r;

	if (n < 0)
		return err_set(e, errno, "/proc/self/exe", "cannot find this program");
	self[n] = '\0';
	r = path_open(dir, O_PATH | O_DIRECTORY, "cannot open the directory", NULL, &fd, e);
	if (r < 0)
		return r;

	for (size_t i = 0; commands[i]; i++) {
		const char *name = commands[i]->name;
		char old[4096];
		ssize_t len = readlinkat(fd, name, old, sizeof(old) - 1);

		if (len >= 0 && len == n && !memcmp(old, self, (size_t)n))
			continue;
		if (symlinkat(self, fd, name) < 0)
			return err_set(e, errno, name, "cannot make the link in %s", dir);
	}
	return 0;
}

static int own_install(char **operands, struct err *e)
{
	return install_links(operands[0], e);
}

static int own_list(char **operands, struct err *e)
{
	(void)operands;
	if (own_json)
		return gen_list_json(e);
	for (size_t i = 0; commands[i]; i++)
		(void)puts(commands[i]->name); /* main() checks stdout */
	return 0;
}

static int own_help(char **operands, struct err *e)
{
	(void)operands;
	if (own_json)
		return gen_list_json(e);
	(void)printf("Usage: shiftbox COMMAND [ARGUMENT]...\n"
		     "       shiftbox --list | --install DIR | --help | --version\n\n"
		     "Commands:\n");
	for (size_t i = 0; commands[i]; i++)
		(void)printf("  %-16s %s\n", commands[i]->name, commands[i]->brief);
	(void)printf("\nSee `shiftbox COMMAND --help`.\n");
	return 0;
}

/* `shiftbox help [COMMAND]` */
static int own_help_of(char **operands, struct err *e)
{
	const struct cmd *cmd = operands[0] ? find_command(operands[0]) : NULL;
	char *argv[] = { operands[0], (char *)"--help", NULL };

	if (cmd)
		return run_command(cmd, argv);
	if (!operands[0])
		return own_help(operands, e);
	(void)err_usage(e, "unknown command '%s'", operands[0]);
	advise_command(operands[0], NULL, e);
	return -EINVAL;
}

static int own_version(char **operands, struct err *e)
{
	(void)operands;
	return print_version(own_json, e);
}

static int own_gen(char **operands, struct err *e)
{
	return gen_main(operands[0], operands[1], operands[1] ? operands[2] : NULL, e);
}

/* The options of shiftbox without a command. */
static const struct {
	const char *name, *short_name;
	size_t operands_min, operands_max;
	int (*run)(char **operands, struct err *e);
} own[] = {
	{ "--list", NULL, 0, 0, own_list }, { "--install", NULL, 1, 1, own_install },
	{ "--help", "-h", 0, 0, own_help }, { "--version", "-V", 0, 0, own_version },
	{ "help", NULL, 0, 1, own_help_of }, { "version", NULL, 0, 0, own_version },
	{ "--gen", NULL, 1, 3, own_gen }, /* for `make gen` */
};

static int run_own(const char *word, char **operands)
{
	static struct err e;
	size_t n = 0;
	int r;

	while (operands[n])
		n++;
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (strcmp(word, own[i].name) &&
			(!own[i].short_name || strcmp(word, own[i].short_name)))
			continue;
		if (n < own[i].operands_min) {
			r = err_usage(&e, "%s: an operand is missing", own[i].name);
			if (own[i].run == own_install)
				err_try(&e, "write it after the option: --install DIR");
		} else if (n > own[i].operands_max)
			r = err_usage(&e, "%s: unexpected operand '%s'", own[i].name,
				operands[own[i].operands_max]);
		else
			r = own[i].run(operands, &e);
		if (r < 0 && !e.set)
			r = output_failed(errno, "cannot write", &e);
		return r < 0 ? report(NULL, r, &e, own_json) : r;
	}
	(void)err_usage(&e, "unknown %s '%s'", word[0] == '-' ? "option" : "command", word);
	advise_command(word, operands, &e);
	return report(NULL, -EINVAL, &e, own_json);
}

/* argv: shiftbox, and no command. --json may stand anywhere. */
static int run_without_command(char **argv)
{
	size_t n = 1;

	own_json = asks_for_json(argv);
	for (size_t i = 1; argv[i]; i++)
		if (!own_json || strcmp(argv[i], "--json") != 0)
			argv[n++] = argv[i];
	argv[n] = NULL;
	return n > 1 ? run_own(argv[1], argv + 2) : run_own("--help", argv + 1);
}

static int run_mount_helper(int argc, char **argv)
{
	struct cmd cmd = *find_command("mount-idmapped");
	scoped_strv struct strv words = { 0 };
	static struct err e;
	int r = mount_helper_argv(argc, argv, &words, &e);

	cmd.failed = mount_helper_failed;
	if (r > 0)
		return STATUS_DONE;
	return r < 0 ? report(&cmd, r, &e, false) : run_command(&cmd, words.items);
}

/*
 * Open descriptors 0 to 2 if they are closed, so that no file opened later gets the output or the
 * errors. Each is opened in the wrong direction, so that reading 0 or writing 1 or 2 still fails
 * with EBADF.
 */
static void open_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null",
				fd == STDIN_FILENO ? O_WRONLY :
						     O_RDONLY); /* gets the lowest number: fd */
}

/*
 * Refuse to run with more rights than the caller has (set-uid, file capabilities), before anything
 * else; under AT_SECURE, ignore the environment.
 */
static int check_privilege(const struct cmd *cmd)
{
	static struct privilege p;
	static struct err e;
	int r;

	privilege_read(&p);
	r = privilege_judge(&p, &e);
	if (r < 0)
		return report(cmd, r, &e, false);
	environment_ignored = r == 1;
	if (environment_ignored)
		env_forget();
	return STATUS_DONE;
}

int main(int argc, char **argv)
{
	const struct cmd *cmd;
	const char *base;
	int status;

	if (argc < 1)
		return STATUS_USAGE; /* old kernels allow an empty argv */
	base = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	open_standard_fds();
	/* A command that changes something is finished even if the output is a closed pipe. */
	pipe_kills = signal(SIGPIPE, SIG_IGN) != SIG_IGN;
	(void)signal(SIGXFSZ, SIG_IGN); /* at the limit of ulimit -f, a write fails with EFBIG */
	(void)signal(
		SIGCHLD, SIG_DFL); /* if the caller ignores it, children cannot be waited for */
	log_set_sink(print_message);

	cmd = find_command(base);
	if (!cmd && argc > 2 && !strcmp(argv[1], "--json") && find_command(argv[2])) {
		argv[1] = argv[2]; /* the option may stand before the command */
		argv[2] = (char *)"--json";
	}
	if (!cmd && argc > 1 && argv[1][0] != '-') {
		cmd = find_command(argv[1]);
		argv += !!cmd;
	}
	status = check_privilege(cmd);
	if (status != STATUS_DONE)
		return status;
	if (!strcmp(base, "mount.shiftbox"))
		status = run_mount_helper(argc, argv);
	else if (cmd)
		status = run_command(cmd, argv);
	else
		status = run_without_command(argv);

	if ((fflush(stdout) != 0 || ferror(stdout)) && status == STATUS_DONE) {
		if (errno == EPIPE)
			end_by_pipe();
		static struct err e;

		(void)output_failed(errno, "cannot write", &e);
		status = report(cmd, -EIO, &e, own_json);
	}
	return status;
}
