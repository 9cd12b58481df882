/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack --podman-conf: a user's storage.conf, with a view of the store. */

#include "image_unpack.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/buf.h"
#include "../lib/base/log.h"
#include "../lib/idmap/names.h"
#include "../lib/mount/view.h"
#include "../lib/store/podman_conf.h"
#include "../lib/store/podman_maps.h"
#include "../lib/store/store.h"

static int refuse_root(struct err *e)
{
	(void)err_say(e, EPERM, NULL, "nothing is set for root");
	err_why(e,
		"storage.conf of root is that of the system, from which podman takes defaults "
		"for all users; and a view has the owners of the user that it is for");
	err_try(e, "name the user: image-unpack --podman-conf VIEW USER");
	return -EPERM;
}

static int find_user(const struct ctx *ctx, struct user *ret, struct err *e)
{
	int r = ctx->operands.len ? names_user(ctx->operands.items[0], ret, e) :
				    names_user_of(geteuid(), ret, e);

	if (r < 0)
		return r;
	if (ret->uid == 0)
		return refuse_root(e);
	if (!ret->has_gid) {
		(void)err_say(e, ENOENT, ctx->operands.len ? ctx->operands.items[0] : NULL,
			"there is no account of user %u", ret->uid);
		return -ENOENT;
	}
	if (geteuid() == 0 || ret->uid == geteuid())
		return 0;
	(void)err_say(e, EPERM, ret->name, "only root can do this for another user");
	err_try(e, "omit the user, or run it as root");
	return -EPERM;
}

static int check_text(const char *view, struct err *e)
{
	if (*view == '/' && !strpbrk(view, ",\"\\"))
		return 0;
	(void)err_usage(e, "'%s' cannot be an additional image store of podman", view);
	err_try(e,
		"name the target of the view, as in " VIEWS_TABLE ": /run/shiftbox/users/%%u; it "
		"begins with /, and has no comma, quote or backslash");
	return -EINVAL;
}

/* An ordinary user can look at a store of the own alone, and has no view of that. */
static int check_view(const struct unpack_args *a, struct podman_conf_want *want, struct err *e)
{
	const char *view = want->view;
	scoped_store struct store *s = NULL;
	int r = geteuid() == 0 ? store_open(a->store, 0, &s, e) : 1;

	if (s)
		r = podman_conf_check_view(s, view, e);
	if (s && r >= 0)
		want->maps = podman_maps_has(s, want->user.uid);
	if (r == 0)
		log_info("'%s': nothing is mounted there now: mount-idmapped -a mounts what %s "
			 "has",
			view, VIEWS_TABLE);
	return r < 0 ? r : 0;
}

static void log_notes(const struct podman_conf *c)
{
	const char *p = buf_get(&c->notes), *const end = p + c->notes.len;

	for (; p < end; p += strlen(p) + 1)
		log_info("%s", p);
}

/* The text of the user's file goes to a terminal escaped, and elsewhere as it is. */
static void print_text(const struct podman_conf *c, struct ctx *ctx)
{
	const bool safe = isatty(STDOUT_FILENO);
	const char *p = buf_get(&c->text);

	while (*p) {
		const int n = (int)strcspn(p, "\n");

		if (safe)
			out_safe_line(ctx->out, "%.*s", n, p);
		else
			out_line(ctx->out, "%.*s", n, p);
		p += n + (p[n] == '\n');
	}
}

static void print_result(const struct unpack_args *a, const struct user *user, const char *view,
	const struct podman_conf *c, struct ctx *ctx)
{
	const char *path = buf_get(&c->path);

	if (ctx->json) {
		out_begin(ctx->out, NULL);
		out_str(ctx->out, "event", "podman_conf");
		out_str(ctx->out, "user", user->name);
		out_str(ctx->out, "view", view);
		out_str(ctx->out, "store", buf_get(&c->store));
		out_str(ctx->out, "path", path);
		out_str(ctx->out, "text", buf_get(&c->text));
		out_bool(ctx->out, "exists", c->exists);
		out_bool(ctx->out, "changed", c->changed);
		out_bool(ctx->out, "written", c->written);
		out_end(ctx->out);
	} else if (!a->write_conf) {
		print_text(c, ctx);
	} else if (!ctx->quiet) {
		out_safe_line(ctx->out, "%s %s",
			c->written         ? "wrote" :
				c->changed ? "would write" :
					     "unchanged:",
			path);
	}
}

int unpack_podman_conf(const struct unpack_args *a, struct ctx *ctx, struct err *e)
{
	scoped_podman_conf struct podman_conf c = { .exists = false };
	scoped_buf struct buf view = BUF_INIT;
	struct podman_conf_want want = { .write = a->write_conf, .dry_run = ctx->dry_run };
	int r = ctx->operands.len > 1 ?
		err_usage(e, "unexpected operand '%s'", ctx->operands.items[1]) :
		find_user(ctx, &want.user, e);

	if (r < 0)
		return r;
	view_expand(a->podman_conf, &want.user, &view);
	if (!buf_get(&view))
		return err_nomem(e);
	want.view = buf_get(&view);
	want.caller = want.user.uid == geteuid();
	r = check_text(want.view, e);
	if (r == 0)
		r = check_view(a, &want, e);
	if (r == 0)
		r = podman_conf_make(&want, &c, e);
	if (r == 0)
		log_notes(&c);
	if (r == 0)
		print_result(a, &want.user, want.view, &c, ctx);
	return r;
}
