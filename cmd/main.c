/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shiftbox: find the command, read its options, run it, report. */

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
#include "../lib/base/hint.h"
#include "../lib/base/log.h"
#include "../lib/base/optdoc.h"
#include "../lib/ns/guard.h"

#define CMD(name) extern const struct cmd cmd_##name;
#include "cmds.h"
#undef CMD

#define CMD(name) &cmd_##name,
const struct cmd *const commands[] = {
#include "cmds.h"
	NULL
};
#undef CMD

struct common_args {
	bool json, verbose, quiet, help, version, dry_run;
	int color;
};

enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

const struct opt common_opts[] = {
	OPT_FLAG(struct common_args, json, "json", 0, "Print results and errors as JSON"),
	OPT_FLAG(struct common_args, verbose, "verbose", 'v', "Say each step, choice and fallback on stderr", .excl = 255),
	OPT_FLAG(struct common_args, quiet, "quiet", 'q', "Print nothing but results and errors", .excl = 255),
	OPT_CHOICE(struct common_args, color, "color", 0, "WHEN", "auto always never", "Colour the output"),
	OPT_FLAG(struct common_args, help, "help", 'h', "Show this help and exit"),
	OPT_FLAG(struct common_args, version, "version", 'V', "Show the version and exit"),
	OPT_END
};

const struct opt dry_run_opts[] = {
	OPT_FLAG(struct common_args, dry_run, "dry-run", 'n', "Show what would be done and change nothing"),
	OPT_END
};

static struct {
	const char *name;
	bool verbose, quiet;
} messages = { .name = "shiftbox" };

/* May run on several threads: one message, one write. */
static PRINTF(2, 0) void print_message(enum log_level level, const char *fmt, va_list ap)
{
	scoped_free char *s = NULL;

	if (level == LOG_VERBOSE && !messages.verbose)
		return;
	if (level == LOG_INFO && messages.quiet)
		return;
	if (vasprintf(&s, fmt, ap) < 0) {
		s = NULL;
		return;
	}
	(void)fprintf(stderr, "shiftbox %s: %s%s\n", messages.name, level == LOG_WARN ? "warning: " : "", s);
}

static void print_field(const char *title, const char *text)
{
	scoped_buf struct buf b = BUF_INIT;

	if (!text[0])
		return;
	buf_escaped(&b, text, strlen(text));
	(void)fprintf(stderr, "  %-5s %s\n", title, buf_get(&b) ? buf_get(&b) : "(out of memory)");
}

static int report(const struct cmd *cmd, struct err *e, bool json)
{
	scoped_buf struct buf b = BUF_INIT;
	int status = e->usage ? STATUS_USAGE : STATUS_FAILED;

	hint_fill(e);
	if (e->usage && !e->hint[0])
		err_try(e, "shiftbox%s%s --help", cmd ? " " : "", cmd ? cmd->name : "");
	if (json) {
		(void)out_error_json(STDERR_FILENO, cmd ? cmd->name : "", e); /* nowhere left to say it */
		return status;
	}

	buf_printf(&b, "shiftbox%s%s: ", cmd ? " " : "", cmd ? cmd->name : "");
	if (e->on[0]) {
		buf_char(&b, '\'');
		buf_escaped(&b, e->on, strlen(e->on));
		buf_str(&b, "': ");
	}
	buf_escaped(&b, e->what, strlen(e->what));
	if (e->num)
		buf_printf(&b, ": %s", strerrordesc_np(e->num) ? strerrordesc_np(e->num) : "unknown error");
	(void)fprintf(stderr, "%s\n", buf_get(&b) ? buf_get(&b) : "out of memory");
	print_field("why:", e->why);
	print_field("try:", e->hint);
	return status;
}

static bool use_color(int when, int fd)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	if (when != COLOR_AUTO)
		return when == COLOR_ALWAYS;
	return isatty(fd) && term && strcmp(term, "dumb") && !(no_color && *no_color);
}

static int check_operands(const struct cmd *cmd, const struct operands *o, struct err *e)
{
	if (o->len < cmd->operands_min)
		return err_usage(e, o->len ? "too few operands" : "an operand is missing");
	if (o->len > cmd->operands_max)
		return err_usage(e, "unexpected operand '%s'", o->items[cmd->operands_max]);
	return 0;
}

static int run_parsed(const struct cmd *cmd, void *args, const struct common_args *common,
		      struct operands *operands, struct err *e)
{
	struct ctx ctx = {
		.name = cmd->name, .operands = *operands, .verbose = common->verbose, .quiet = common->quiet,
		.dry_run = common->dry_run, .json = common->json, .color_err = use_color(common->color, STDERR_FILENO),
	};
	int r, flushed;

	r = check_operands(cmd, operands, e);
	if (r < 0)
		return r;
	if (cmd->flags & CMD_ROOT_GUARD) {
		r = guard_install(e);
		if (r < 0)
			return r;
	}
	ctx.out = out_new(STDOUT_FILENO, common->json, use_color(common->color, STDOUT_FILENO));
	if (!ctx.out)
		return err_nomem(e);

	messages.verbose = common->verbose;
	messages.quiet = common->quiet;
	r = cmd->run(args, &ctx, e);
	flushed = out_flush(ctx.out);
	out_free(ctx.out);
	if (r >= 0 && flushed < 0)
		return err_set(e, -flushed, "standard output", "cannot write the results");
	return r;
}

static int run_command(const struct cmd *cmd, char **argv)
{
	scoped_free void *args = calloc(1, cmd->args_size ? cmd->args_size : 1);
	struct common_args common = { .color = COLOR_AUTO };
	struct opt_set sets[] = {
		{ cmd->opts, args }, { common_opts, &common }, { dry_run_opts, &common },
	};
	size_t n_sets = cmd->flags & CMD_DRY_RUN ? 3 : 2;
	struct operands operands = { 0 };
	static struct err e;
	int r;

	messages.name = cmd->name;
	if (!args) {
		(void)err_nomem(&e);
		return report(cmd, &e, false);
	}
	if (cmd->init)
		cmd->init(args);

	r = opt_parse(sets, n_sets, argv, cmd->flags & CMD_STOP_EARLY, &operands, &e);
	if (r == 0 && common.help)
		r = optdoc_help(cmd->name, cmd->brief, cmd->synopsis, sets, n_sets, stdout) < 0
			? err_set(&e, errno, "standard output", "cannot write the help") : 0;
	else if (r == 0 && common.version)
		r = printf("shiftbox %s\n", VERSION) < 0 ? err_set(&e, errno, "standard output", "cannot write") : 0;
	else if (r == 0)
		r = run_parsed(cmd, args, &common, &operands, &e);

	if (r < 0)
		r = report(cmd, &e, common.json);
	operands_done(&operands);
	if (cmd->done)
		cmd->done(args);
	opt_args_done(cmd->opts, args);
	return r;
}

static const struct cmd *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* `shiftbox --install DIR`: a link there for each command, to this very binary. */
static int install_links(const char *dir, struct err *e)
{
	char self[4096];
	scoped_fd int fd = -1;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return err_set(e, errno, "/proc/self/exe", "cannot find this program");
	self[n] = '\0';
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, dir, "cannot open the directory");

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

static void print_usage(FILE *f)
{
	(void)fprintf(f, "Usage: shiftbox COMMAND [ARGUMENT]...\n"
		      "       shiftbox --list | --install DIR | --help | --version\n\n"
		      "Commands:\n");
	for (size_t i = 0; commands[i]; i++)
		(void)fprintf(f, "  %-16s %s\n", commands[i]->name, commands[i]->brief);
	(void)fprintf(f, "\n`shiftbox COMMAND --help` tells the rest.\n");
}

static int run_own(char **argv)
{
	static struct err e;
	const char *word = argv[1] ? argv[1] : "--help";
	int r = 0;

	if (!strcmp(word, "--list")) {
		for (size_t i = 0; commands[i]; i++)
			(void)puts(commands[i]->name);
	} else if (!strcmp(word, "--install")) {
		r = argv[2] && !argv[3] ? install_links(argv[2], &e) : err_usage(&e, "--install needs one directory");
	} else if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
		print_usage(stdout);
	} else if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		(void)printf("shiftbox %s\n", VERSION);
	} else if (!strcmp(word, "--gen")) {
		r = argv[2] ? gen_main(argv[2], argv[3], argv[3] ? argv[4] : NULL, &e) : err_usage(&e, "--gen needs a kind");
	} else {
		r = err_usage(&e, "unknown command '%s'", word);
		err_try(&e, "shiftbox --list");
	}
	return r < 0 ? report(NULL, &e, false) : r;
}

/* Descriptors 0 to 2 must exist, or a file that is opened later would get the output of errors. */
static void open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_NOCTTY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd); /* it held nothing */
}

int main(int argc, char **argv)
{
	const char *self = argc > 0 && argv[0] ? argv[0] : "shiftbox";
	const char *base = strrchr(self, '/') ? strrchr(self, '/') + 1 : self;
	const struct cmd *cmd;
	int status;

	open_standard_fds();
	(void)signal(SIGPIPE, SIG_IGN); /* a closed pipe is reported as an error */
	log_set_sink(print_message);

	cmd = find_command(base);
	if (!cmd && argc > 1 && argv[1][0] != '-') {
		cmd = find_command(argv[1]);
		argv += !!cmd;
	}
	status = cmd ? run_command(cmd, argv) : run_own(argv);

	if (fflush(stdout) != 0 && status == STATUS_DONE) {
		(void)fprintf(stderr, "shiftbox: cannot write to standard output: %s\n", strerrordesc_np(errno));
		status = STATUS_FAILED;
	}
	return status;
}
