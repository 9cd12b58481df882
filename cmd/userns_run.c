/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* userns-run: run a command as root of a user namespace, on a root of its own. */

#include "userns_run.h"

#include "../lib/base/fd.h"
#include "../lib/base/subprocess.h"
#include "../lib/broker/broker.h"
#include "../lib/broker/rule.h"
#include "../lib/idmap/userns.h"
#include "../lib/mount/options.h"
#include "../lib/ns/seal.h"
#include "habits.h"

enum { EXCL_ROOT = 1 };

static const struct opt_form forms[] = {
	{ .name = "running a command",
		.synopsis = OPT_SYNOPSIS("[-m MAP]... [-r DIR | -i image:NAME] [-o OPTIONS]... "
					 "[-b SRC:DST[:WORD]]... [--] CMD...",
			"[-m MAP]... -i image:NAME [-o OPTIONS]... [-b SRC:DST[:WORD]]...") },
	{ .name = NULL },
};

static const struct opt userns_opts[] = {
	OPT_LIST(struct userns_args, maps, "map", 'm', "MAP", "Set the ids the command runs with",
		.example = MAP_EXAMPLES, .comp = COMP_MAP,
		.more = "Several maps are joined. See MAPS."),
	OPT_FLAG(struct userns_args, strict, "strict-map", 0,
		"Refuse maps that cover only users or only groups",
		.more = "Without the option, the other kind keeps its ids."),

	OPT_STR(struct userns_args, rootfs, "rootfs", 'r', "DIR", "Use this directory as the root",
		.filled = true, .heading = "The root", .comp = COMP_DIR, .excl = EXCL_ROOT),
	OPT_STR(struct userns_args, image, "image", 'i', "image:NAME",
		"Use a stored image as the root", .comp = COMP_IMAGE, .filled = true,
		.excl = EXCL_ROOT, .more = "The prefix image: may be omitted."),
	OPT_LIST(struct userns_args, options, "options", 'o', "OPTIONS",
		"Set mount options for the root, as in mount-idmapped", .comp = COMP_OPTIONS,
		.values = mount_options_words, .needs = "rootfs image",
		.more = "Without upper=DIR, changes to an image are kept in memory and end with "
			"the command."),
	OPT_STORE(struct userns_args, store, .filled = true),
	OPT_LIST(struct userns_args, binds, "bind", 'b', "SRC:DST[:WORD]",
		"Make SRC visible as DST; WORD: ro rw dev public map[=MAP]",
		.more = "WORD is ro, rw, dev, public, map or map=MAP. See BINDS."),
	OPT_FLAG(struct userns_args, read_only, "read-only", 0, "Make the root read-only",
		.more = "This does not apply to /dev, /tmp, /run and binds."),
	OPT_FLAG(struct userns_args, resolv_conf, "resolv-conf", 0,
		"Make the host's /etc/resolv.conf visible in the root"),

	OPT_STR(struct userns_args, workdir, "workdir", 'w', "DIR",
		"Start in this directory of the root", .filled = true, .heading = "The command",
		.more = "The default is the working directory of the image, or /. On the host's "
			"own tree, it is the current directory; if the command cannot enter "
			"that, a warning says why, and it starts in /. A DIR that cannot be "
			"entered is an error."),
	OPT_LIST(struct userns_args, env, "env", 'e', "NAME[=VALUE]",
		"Set an environment variable, or keep the caller's",
		.more = "The VALUE is visible in the output of ps, unless NAME is given alone."),
	OPT_STR(struct userns_args, user, "user", 'u', "USER[:GROUP]",
		"Run as this user of the namespace", .comp = COMP_USER, .filled = true,
		.more = "Names are those of the root's /etc/passwd and /etc/group. The default is "
			"root."),
	OPT_STR(struct userns_args, hostname, "hostname", 0, "NAME",
		"Set the host name in the namespace", .filled = true),
	OPT_CHOICE(struct userns_args, net, "net", 0, "NET", "host none",
		"Use the host's network, or only a loopback device"),
	OPT_FLAG(struct userns_args, new_privs, "new-privs", 0,
		"Honour set-uid bits and file capabilities"),
	OPT_FLAG(struct userns_args, pipe, "pipe", 0, "Do not allocate a terminal",
		.more = "By default, the command gets a new terminal if standard input and output "
			"are terminals."),

	OPT_LIST(struct userns_args, allow, "allow", 0, "RULE",
		"Carry out calls that the kernel would refuse", .heading = "Rules",
		.more = "See RULES.", .comp = COMP_WORDS, .words = RULE_WORDS, .shown = RULE_FORMS),
	OPT_STR(struct userns_args, policy, "policy", 0, "FILE", "Read rules from this file",
		.filled = true, .comp = COMP_FILE),
	OPT_STR(struct userns_args, audit, "audit", 0, "FILE",
		"Write each decision to this file, as JSON", .filled = true, .comp = COMP_FILE,
		.needs = "allow policy"),
	OPT_END,
};

/* newuidmap(1) refused the map of -m. */
static void own_map_would_do(const struct subids *ids, struct err *e)
{
	const struct idranges *u = &ids->map.uid;
	const struct idrange *last = &u->items[u->len - 1];

	if (last->count > 1)
		err_try(e,
			"omit -m: %s has the ids %u-%u, which are used without it; "
			"shiftbox shift-check subid shows all grants",
			ids->user.name[0] ? ids->user.name : "the user", last->seen,
			last->seen + (last->count - 1));
}

static int run_as_user(struct userns_args *a, struct err *e)
{
	int r = run_container(&a->spec, -1, e);

	if (r >= 0 || a->caller != RUN_BY_USER)
		return r;
	/* Explain a failure with -m too: it may have the same causes. */
	if (a->ids.map.uid.len || subids_get(&a->ids, NULL) == 0)
		subids_explain(&a->ids, e);
	if (a->maps.len && a->ids.map.uid.len && e && !strcmp(e->op, "newidmap"))
		own_map_would_do(&a->ids, e);
	return r;
}

/*
 * With privileges, another process makes the mounts: it continues to the chown guard and
 * userns_run(), and reports its own errors. The command, which may call chown, descends from this
 * process.
 */
static int userns_before(void *args, struct ctx *ctx, struct err *e)
{
	struct userns_args *a = args;
	int r;

	/* With RUN_BY_ROOT no id of the command is the host's root, which owns the program's file.
	 */
	if (run_caller() != RUN_BY_ROOT)
		seal_self();
	r = userns_run_spec(a, ctx, e);
	if (r < 0)
		return r;
	if (!a->spec.privileged)
		return run_as_user(a, e);

	r = run_stage_open(&a->stage, e);
	if (r < 0)
		return r;
	r = subprocess_fork("makes the mounts", e);
	if (r == SUBPROCESS_CHILD)
		return BEFORE_GO_ON;
	return r == 0 ? run_container(&a->spec, a->stage, e) : r;
}

static int userns_run(void *args, struct ctx *ctx, struct err *e)
{
	const struct userns_args *a = args;
	int r = run_stage(&a->spec, a->stage, e);

	(void)ctx;
	userns_cache_done();
	return r;
}

static void userns_done(void *args)
{
	struct userns_args *a = args;

	broker_free(a->spec.broker);
	out_free(a->spec.report);
	run_spec_done(&a->spec);
	strv_done(&a->image_command);
	idmap_done(&a->ids.map);
	store_close(a->opened);
	cleanup_fd(&a->stage);
}

static void userns_init(void *args)
{
	struct userns_args *a = args;

	a->stage = -1;
}

const struct cmd cmd_userns_run = {
	.name = "userns-run",
	.brief = "Run a command as root of a user namespace",
	.forms = forms,
	.opts = userns_opts,
	.habits = userns_run_habits,
	.args_size = sizeof(struct userns_args),
	.operands_max = SIZE_MAX,
	.operand_comp = COMP_COMMAND,
	.flags = CMD_STOP_EARLY | CMD_ROOT_GUARD,
	.stopped = "the command was not started; nothing is left",
	.status_failed = STATUS_NOT_RUN,
	.init = userns_init,
	.before = userns_before,
	.run = userns_run,
	.done = userns_done,
};
