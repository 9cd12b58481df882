/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack --bundle: make a bundle of a stored image for an OCI runtime such as crun. */

#include "image_unpack.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../lib/base/env.h"
#include "../lib/base/subprocess.h"
#include "../lib/idmap/idmap.h"
#include "../lib/idmap/userns.h"
#include "../lib/idmap/userns_self.h"
#include "../lib/image/bundle.h"
#include "../lib/mount/image_source.h"
#include "../lib/store/store_base.h"
#include "signals.h"
#include "subids.h"

static void add_words(struct buf *b, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (i)
			buf_char(b, ' ');
		buf_shell_word(b, words[i]);
	}
}

/* The bundle that was made, or would be. */
struct made_bundle {
	const struct store *store;
	const char *image, *dir;
	const struct strv *maps;
	bool in_namespace; /* it is mounted and run in a user namespace, */
	bool enters;       /* ... which has to be made first */
	const struct bundle_result *result;
};

/* The commands that remain. */
struct commands {
	struct buf mount, run, both;
};

static void cleanup_commands(struct commands *c)
{
	buf_done(&c->mount);
	buf_done(&c->run);
	buf_done(&c->both);
}

/* How a user namespace with the caller's ids is entered, for the commands after it. */
static const char *const enter[] = { "shiftbox", "userns-run", "--", "sh", "-c", NULL };

/*
 * Does the machine mount both versions of cgroups? crun refuses that, even with
 * --cgroup-manager=disabled (libcrun_get_cgroup_mode()).
 */
static bool has_both_cgroups(void)
{
	struct statfs fs;

	return statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == TMPFS_MAGIC &&
		statfs("/sys/fs/cgroup/unified", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

static bool is_installed(const char *program)
{
	scoped_buf struct buf path = BUF_INIT;

	return subprocess_find(program, &path) == 0;
}

/* The runtime of the command that is printed. */
static const char *runtime_name(void)
{
	return has_both_cgroups() || (!is_installed("crun") && is_installed("runc")) ? "runc" :
										       "crun";
}

/*
 * The name of the container: the last component of the image's name, in characters that the
 * runtimes accept (runc's validateID()).
 */
static void add_container(struct buf *b, const char *image)
{
	const char *slash = strrchr(image, '/');

	for (const char *p = slash ? slash + 1 : image; *p; p++)
		buf_char(b, strchr(":@=~%", *p) ? '-' : *p);
}

static int make_commands(const struct made_bundle *b, struct commands *ret, struct err *e)
{
	scoped_buf struct buf source = BUF_INIT, rootfs = BUF_INIT, map = BUF_INIT,
			      state = BUF_INIT, container = BUF_INIT;
	const char *runtime = runtime_name();
	const char *runtime_dir = env_get("XDG_RUNTIME_DIR");

	buf_printf(&source, IMAGE_SOURCE "%s", b->image);
	buf_printf(&rootfs, "%s/rootfs", b->dir);
	for (size_t i = 0; !b->in_namespace && i < b->maps->len; i++) {
		buf_str(&map, i ? " " : "");
		buf_str(&map, b->maps->items[i]);
	}
	buf_printf(&state, "%s/%s", b->dir, runtime);
	add_container(&container, b->image);
	if (!buf_get(&source) || !buf_get(&rootfs) || !buf_get(&map) || !buf_get(&state) ||
		!buf_get(&container))
		return err_nomem(e);

	add_words(&ret->mount,
		(const char *const[]){ "shiftbox", "mount-idmapped", "-s", store_path(b->store),
			"-m", b->in_namespace ? "none" : buf_get(&map), "-o", "ephemeral",
			buf_get(&source), buf_get(&rootfs), NULL });
	buf_printf(&ret->run, "%s ", runtime);
	/* Without that variable the runtime would keep its state in /run, which belongs to the
	 * host. */
	if (b->in_namespace && !(runtime_dir && *runtime_dir)) {
		add_words(&ret->run, (const char *const[]){ "--root", buf_get(&state), NULL });
		buf_char(&ret->run, ' ');
	}
	add_words(
		&ret->run, (const char *const[]){ "run", "-b", b->dir, buf_get(&container), NULL });
	if (b->enters && buf_get(&ret->mount) && buf_get(&ret->run)) {
		scoped_buf struct buf script = BUF_INIT;

		buf_printf(&script, "%s && %s", ret->mount.data, ret->run.data);
		add_words(&ret->both, enter);
		buf_char(&ret->both, ' ');
		buf_shell_word(&ret->both, buf_get(&script) ? script.data : "");
	}
	return buf_get(&ret->mount) && buf_get(&ret->run) && buf_get(&ret->both) ? 0 : err_nomem(e);
}

/*
 * Print a command such that it can be pasted, but escape control characters, which a terminal would
 * act on.
 */
static void show_command(struct out *out, const struct buf *command)
{
	scoped_buf struct buf safe = BUF_INIT;

	for (const char *p = command->data; *p; p++) {
		if ((unsigned char)*p >= ' ' && *p != 0x7f)
			buf_char(&safe, *p);
		else
			buf_escaped(&safe, p, 1);
	}
	out_line(out, "  %s", buf_get(&safe) ? buf_get(&safe) : "(out of memory)");
}

static void show_json(const struct made_bundle *made, const struct commands *c, struct ctx *ctx)
{
	const struct bundle_result *b = made->result;

	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "bundle");
	out_str(ctx->out, "name", made->image);
	out_str(ctx->out, "directory", made->dir);
	out_u64(ctx->out, "uid", b->user.uid);
	out_u64(ctx->out, "gid", b->user.gid);
	out_bool(ctx->out, "needs_writable", b->writable);
	out_str(ctx->out, "mount", buf_get(&c->mount));
	out_str(ctx->out, "run", buf_get(&c->run));
	if (made->enters)
		out_str(ctx->out, "enter", "shiftbox userns-run --");
	out_bool(ctx->out, "made", !ctx->dry_run);
	out_end(ctx->out);
}

static int show(const struct made_bundle *made, struct ctx *ctx, struct err *e)
{
	const struct bundle_result *b = made->result;
	__attribute__((cleanup(cleanup_commands))) struct commands c = { .mount = BUF_INIT };
	int r = make_commands(made, &c, e);

	if (r < 0)
		return r;
	show_json(made, &c, ctx);
	if (ctx->quiet)
		return 0;
	out_line(ctx->out,
		ctx->dry_run ? "would make a bundle of %s, which runs as %u:%u; then:" :
			       "made a bundle of %s, which runs as %u:%u; now:",
		made->image, b->user.uid, b->user.gid);
	if (made->enters) {
		show_command(ctx->out, &c.both);
	} else {
		show_command(ctx->out, &c.mount);
		show_command(ctx->out, &c.run);
	}
	if (has_both_cgroups())
		out_line(ctx->out,
			"This machine has both versions of cgroups, which crun does not support: "
			"the command uses runc.");
	if (!is_installed(runtime_name()))
		out_line(ctx->out, "%s is not installed here; Debian's package %s has it.",
			runtime_name(), runtime_name());
	if (b->writable)
		out_line(ctx->out,
			"The image lacks /proc, /dev or /sys, which the runtime makes: its stack "
			"has to be writable.");
	return 0;
}

/* --- Ids --- */

/* An ordinary user's bundle has all of the user's ids; only root can mount with others. */
static int check_own_map(
	const struct subids *ids, const struct idmap *map, bool given, struct err *e)
{
	if (!given || idmap_equal(&ids->map, map))
		return 0;
	(void)err_say(e, EPERM, NULL,
		"the bundle of an ordinary user has all ids of that user; another map needs root "
		"on the host");
	err_op(e, "bundle");
	err_try(e, "omit --map");
	return -EPERM;
}

static int refuse_base(const struct store *s, struct err *e)
{
	if (!store_base(s)->count)
		return 0;
	(void)err_say(e, EPERM, store_path(s),
		"is a store with a base, whose images only root of the host can mount");
	err_op(e, "bundle");
	err_try(e, "run as root, or unpack the image into a store of your own");
	return -EPERM;
}

/*
 * Which ids the container has. Of an ordinary user it has those that the user's namespace has, as
 * the layers in the user's store have; the same holds for the root of a user namespace, unless it
 * specifies a map.
 */
static int find_ids(const struct store *s, const struct strv *maps, struct made_bundle *made,
	struct idmap *ret, struct err *e)
{
	struct subids ids = { .single = false };
	int r = 0;

	if (maps->len)
		r = idmap_parse((const char *const *)maps->items, maps->len, NULL, ret, e);
	if (r < 0 || (geteuid() == 0 && maps->len))
		return r;
	if (geteuid() == 0 && !userns_is_nested())
		return err_usage_try(e, "add a map, such as -m user:USER or -m +100000",
			"a bundle needs the --map with which its stack will be mounted");
	made->in_namespace = true;
	made->enters = geteuid() != 0;
	r = refuse_base(s, e);
	if (r == 0 && !made->enters)
		return userns_map_own(ret, e);
	if (r == 0)
		r = subids_get(&ids, e);
	if (r == 0)
		r = check_own_map(&ids, ret, maps->len, e);
	if (r == 0 && !maps->len)
		r = idmap_copy(&ids.map, ret, e);
	idmap_done(&ids.map);
	return r;
}

int unpack_bundle(struct store *s, const struct bundle_options *want, const struct strv *maps,
	struct ctx *ctx, struct err *e)
{
	const struct operands *op = &ctx->operands;
	scoped_idmap struct idmap map = { .gid_assumed = false };
	struct made_bundle made = { .store = s, .maps = maps };
	struct bundle_options o = *want;
	struct bundle_result b = { .config = BUF_INIT };
	int r;

	if (!op->len)
		return err_usage_try(e, "--bundle DIR -m user:USER NAME; --list shows the names",
			"the NAME of an image in the store is missing");
	r = find_ids(s, maps, &made, &map, e);
	if (r < 0)
		return r;
	o.map = &map;
	o.in_namespace = made.in_namespace;
	o.dry_run = ctx->dry_run;
	o.image = op->items[0];
	o.args = op->items + 1;
	o.n_args = op->len - 1;
	/* It takes no time, and is not interrupted. */
	signals_catch(SIGNALS_RESTART, "the bundle is complete or absent");
	r = bundle_make(s, &o, &b, e);
	if (r == 0) {
		made.image = o.image;
		made.dir = b.dir ? b.dir : o.dir;
		made.result = &b;
		r = show(&made, ctx, e);
	}
	bundle_result_done(&b);
	return r;
}
