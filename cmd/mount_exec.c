/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped --exec: a mount for the duration of a command. */

#include "mount_idmapped.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/buf.h"
#include "../lib/base/subprocess.h"
#include "../lib/base/sys.h"
#include "../lib/mount/image_source.h"

static int check_usage(const struct ctx *ctx, struct err *e)
{
	if (ctx->operands.dashdash == ctx->operands.len)
		return err_usage_try(e, "mount-idmapped -e -m MAP SOURCE TARGET -- CMD...",
			"option '--exec' needs a command after --");
	return 0;
}

/* userns-run shows a source to a command of a user, whose own ids its map has. */
static void advise_user(const char *source, struct err *e)
{
	const char *image = image_source_name(source);
	scoped_buf struct buf word = BUF_INIT;

	buf_shell_word(&word, image ? image : source);
	err_try(e, "run as root; as an ordinary user: shiftbox userns-run %s %s%s",
		image ? "-i" : "-b", buf_get(&word) ? buf_get(&word) : "SOURCE",
		image ? " -- CMD" : ":/mnt -- ls -l /mnt");
}

/*
 * New mounts of the host still propagate into the namespace and, above all, unmounts do: the
 * command keeps no mount of the host busy.
 */
static int own_namespace(const struct ctx *ctx, struct err *e)
{
	if (unshare(CLONE_NEWNS) < 0) {
		int r = err_set(e, errno, NULL, "cannot make a mount namespace");

		err_op(e, "unshare");
		if (r == -EPERM && ctx->operands.len)
			advise_user(ctx->operands.items[0], e);
		return r;
	}
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_set(e, errno, "/", "cannot keep mounts from being seen elsewhere");
	return 0;
}

/* Returns on failure only. */
static int become(char **argv, struct err *e)
{
	int num;

	signals_default();
	(void)execvp(argv[0], argv);
	num = errno;
	(void)err_set(e, num, argv[0], "cannot run the command");
	err_op(e, "exec");
	return num == ENOENT ? STATUS_NO_COMMAND : STATUS_NO_EXEC;
}

int mount_exec(void *args, struct ctx *ctx, struct err *e)
{
	const struct mount_args *a = args;
	char **command = ctx->operands.items + ctx->operands.dashdash;
	int r;

	if (!a->exec)
		return BEFORE_GO_ON;
	r = check_usage(ctx, e);
	if (r < 0)
		return r;
	ctx->operands.len = ctx->operands.dashdash;
	if (ctx->dry_run)
		return BEFORE_GO_ON;

	r = own_namespace(ctx, e);
	if (r < 0)
		return r;
	r = subprocess_fork("mounts", e);
	if (r == SUBPROCESS_CHILD)
		return BEFORE_GO_ON;
	return r == STATUS_DONE ? become(command, e) : r;
}
