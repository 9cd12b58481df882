/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack: unpack images into a store, with one directory in overlay format per layer. */

#include "image_unpack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../lib/base/buf.h"
#include "../lib/base/log.h"
#include "../lib/image/bundle.h"
#include "../lib/image/unpack.h"
#include "../lib/layer/layer_limits.h"
#include "../lib/store/store.h"
#include "../lib/store/store_base.h"
#include "../lib/store/store_image.h"
#include "../lib/store/store_mount.h"
#include "../lib/store/store_prune.h"
#include "habits.h"

static int parse_platform(void *dst, const char *val, struct err *e)
{
	return platform_parse(val, dst, e);
}

static int parse_base(void *dst, const char *val, struct err *e)
{
	return store_base_parse(val, dst, e);
}

/* The actions of the command. */
enum { FORM_STORE, FORM_FLAT, FORM_SCAN, FORM_BUNDLE, FORM_ADMIN, FORM_TAGS };
enum {
	IN_STORE = 1 << FORM_STORE,
	IN_FLAT = 1 << FORM_FLAT,
	IN_BUNDLE = 1 << FORM_BUNDLE,
	IN_ADMIN = 1 << FORM_ADMIN,
	UNPACKS = IN_STORE | IN_FLAT,
	READS = UNPACKS | 1 << FORM_SCAN,
	ASKS = READS | IN_ADMIN | 1 << FORM_TAGS, /* a registry; of IN_ADMIN it is --show */
};

enum { EXCL_MODE = 1 };

static const struct opt_form forms[] = {
	{ "unpacking into a store", NULL, NULL, NULL,
		OPT_SYNOPSIS("[-s STORE] [--base BASE[:COUNT] [--public]] [-N NAME] SOURCE",
			"[-s STORE] [--base BASE[:COUNT] [--public]] -N NAME LAYER.tar...") },
	{ "--flat", NULL, "flat", "Unpack all layers into one directory",
		OPT_SYNOPSIS("--flat DIR [-m MAP] [--replace] [--public] SOURCE | LAYER.tar...") },
	{ "--scan", NULL, "scan", "Report what an image needs, without unpacking it",
		OPT_SYNOPSIS("--scan SOURCE | LAYER.tar...") },
	{ "--bundle", NULL, "bundle", "Create an OCI bundle from a stored image",
		OPT_SYNOPSIS("[-s STORE] --bundle DIR [-m MAP] [-t] [--public] NAME [-- CMD...]") },
	{ "--list, --show, --verify, --remove, --prune", NULL, "list show verify remove prune",
		"Inspect the images of a store, or remove them",
		OPT_SYNOPSIS("[-s STORE] --list | --show NAME | --verify NAME | --remove NAME | "
			     "--prune") },
	{ "--tags", NULL, "tags", "List the tags of a repository in a registry",
		OPT_SYNOPSIS("--tags docker://HOST/PATH", "--show SOURCE --remote") },
	{ .name = NULL },
};

static const struct opt image_unpack_opts[] = {
	OPT_STORE(struct unpack_args, store, .forms = IN_STORE | IN_BUNDLE | IN_ADMIN,
		.instead = "omit --store: --flat and --scan use no store"),
	OPT_STR(struct unpack_args, name, "name", 'N', "NAME", "Name the image", .forms = IN_STORE,
		.filled = true,
		.instead = "write the name of a stored image after the option that uses it, "
			   "as in --show NAME",
		.more = "The default is the file name of the source without its extension, "
			"followed by :REF if one was given (for REPO:TAG, the part after the last "
			"slash). An existing image of that name is replaced in one step, after the "
			"new image has been unpacked and verified."),
	OPT_FUNC(struct unpack_args, base, "base", 0, "BASE[:COUNT]", parse_base,
		"Create a store whose on-disk ids start at BASE", .forms = IN_STORE,
		.instead = "a store remembers its base; for a flat tree, give the ids with --map",
		.more = "Id I of an image is stored as BASE+I, for I below COUNT (default 65536); "
			"higher ids are refused. See STORES WITH A BASE."),
	OPT_FLAG(struct unpack_args, open_to_all, "public", 0,
		"Allow set-id files and devices that others can reach",
		.forms = IN_STORE | IN_FLAT | IN_BUNDLE, .needs = "base",
		.instead = "--public is for --flat, --bundle and --base",
		.more = "With --flat and --bundle, set-uid and set-gid files, file capabilities "
			"and devices are allowed where other users can reach them. With --base, "
			"other users may read the store, which must be on a nosuid mount. See "
			"OPEN PLACES."),

	OPT_STR(struct unpack_args, flat, "flat", 0, "DIR", "Unpack all layers into one directory",
		.heading = "Other actions", .forms = IN_FLAT, .excl = EXCL_MODE, .comp = COMP_DIR,
		.more = "DIR must either not exist or be an empty directory. The tree appears in "
			"one step, after it has been unpacked and verified. No store is used."),
	OPT_FLAG(struct unpack_args, scan, "scan", 0, "Report what the image needs; write nothing",
		.forms = 1 << FORM_SCAN, .excl = EXCL_MODE,
		.more = "All layers are read and verified. The report lists, for each layer and "
			"for the whole image, the entries, sizes, highest ids, devices, set-id "
			"files, capabilities, ACLs and whiteouts; then each owner, and the "
			"smallest map that covers the image. No store is used."),
	OPT_STR(struct unpack_args, bundle, "bundle", 0, "DIR",
		"Create an OCI bundle from a stored image", .forms = IN_BUNDLE, .excl = EXCL_MODE,
		.comp = COMP_DIR, .operands = COMP_IMAGE,
		.more = "DIR must either not exist or be an empty directory. The words after NAME "
			"replace the image's Cmd. See BUNDLES."),
	OPT_FLAG(struct unpack_args, list, "list", 'l', "List the images of the store",
		.forms = IN_ADMIN, .excl = EXCL_MODE,
		.more = "An image that is damaged is reported; the others are listed, and the exit "
			"status is 1."),
	OPT_STR(struct unpack_args, show, "show", 0, "NAME", "Show an image and its layers",
		.comp = COMP_IMAGE, .filled = true, .forms = IN_ADMIN, .excl = EXCL_MODE),
	OPT_STR(struct unpack_args, verify, "verify", 0, "NAME",
		"Check the layers of a stored image", .comp = COMP_IMAGE, .filled = true,
		.forms = IN_ADMIN, .excl = EXCL_MODE,
		.more = "Every file is compared with the header in the archive of its layer: "
			"existence, type, owner, mode, size, device number and link target. File "
			"contents, times and extended attributes are not checked, and a missing "
			"whiteout is not detected. The image's documents (config.json and others) "
			"must be there and valid."),
	OPT_STR(struct unpack_args, remove, "remove", 0, "NAME",
		"Remove an image, but not its layers", .comp = COMP_IMAGE, .filled = true,
		.forms = IN_ADMIN, .excl = EXCL_MODE,
		.more = "An image is not removed while an overlay with the source image:NAME and "
			"with layers of this store is mounted. If the kernel does not show the "
			"layers of a mount, an image of that name in another store counts too. "
			"Only mount namespaces that the caller can see, and that belong to root or "
			"to the owner of the store, are considered: in their own namespaces, other "
			"users can give a mount any name."),
	OPT_FLAG(struct unpack_args, prune, "prune", 0,
		"Remove layers that neither an image nor a mount uses", .forms = IN_ADMIN,
		.excl = EXCL_MODE,
		.more = "A mounted layer, such as one of an image that has been replaced since, is "
			"kept if the caller can see the mount in a mount namespace of root or of "
			"the store's owner. In the namespaces of other users, a layer "
			"counts as mounted if its directory is mounted, or if an overlay names a "
			"path to it in a store that is open to these users; copies of a stack "
			"that exist only in such a namespace do not count. Namespaces without a "
			"process are not seen, and only root sees those of other users."),

	OPT_STR(struct unpack_args, tags, "tags", 0, "SOURCE",
		"List the tags of a repository in a registry", .filled = true,
		.forms = 1 << FORM_TAGS, .excl = EXCL_MODE),

	OPT_U32(struct unpack_args, jobs, "jobs", 'j', "N",
		"Unpack up to N layers at the same time", .heading = "Unpacking", .forms = UNPACKS,
		.more = "The default is the number of processors."),
	OPT_FUNC(struct unpack_args, platform, "platform", 0, "OS/ARCH[/VARIANT]", parse_platform,
		"Select this platform of an image that has several", .forms = READS,
		.more = "The default is the platform of this machine. If the option is given, an "
			"image for another platform is refused; otherwise a warning is printed."),
	OPT_SIZE(struct unpack_args, max_bytes, "max-bytes", 0, "SIZE",
		"Refuse layers with more file data than this", .forms = READS,
		.more = "All data that is read counts, including entries that are skipped, "
			"extension headers, and the files of lower layers that hard links copy; "
			"holes do not. With --flat, the limit applies to all layers together."),
	OPT_SIZE(struct unpack_args, max_entries, "max-entries", 0, "N",
		"Refuse layers with more entries than this", .forms = READS,
		.more = "With --flat, the limit applies to all layers together."),
	OPT_FLAG(struct unpack_args, keep_security, "keep-security", 0,
		"Also set security.selinux, security.ima and security.evm", .forms = UNPACKS,
		.more = "By default these attributes are skipped, because they belong to the "
			"machine that the image was made on."),
	OPT_CHOICE(struct unpack_args, caps, "caps", 0, "HOW", "keep rebase",
		"Choose how to store version-3 file capabilities", .forms = UNPACKS,
		.more = "Such capabilities take effect only in user namespaces with a certain "
			"root id. keep, the default, stores them as the layer has them; rebase "
			"assigns them to the image's root. See CAPABILITIES."),
	OPT_CHOICE(struct unpack_args, devices, "devices", 0, "HOW", "make skip",
		"Choose what to do with device nodes", .forms = UNPACKS,
		.more = "make, the default, fails where device nodes cannot be created: in a user "
			"namespace, and so for an ordinary user. skip omits them; the first ones "
			"are named, and the summary has their number. With --flat and a map, skip "
			"is the default; a store with a base never contains devices."),
	OPT_CHOICE(struct unpack_args, unmapped, "unmapped", 0, "HOW", "refuse skip overflow",
		"Choose what to do with owners that have no id here", .forms = UNPACKS,
		.more = "In a user namespace an owner may have no id. refuse, the default, fails "
			"and names the first such entry and a remedy. skip omits such entries. "
			"overflow gives them to 65534, or to 0 if there is no 65534, and clears "
			"set-id bits that would take effect for another id. See ORDINARY USERS."),
	OPT_FLAG(struct unpack_args, no_sync, "no-sync", 0, "Do not wait until the data is on disk",
		.forms = UNPACKS,
		.more = "By default, the layers are on disk before they are published. With this "
			"option, a power failure may leave a published layer with empty files; use "
			"it for scratch stores only. Killing the program is safe either way."),

	OPT_FLAG(struct unpack_args, remote, "remote", 0, "Show an image that is not in the store",
		.heading = "Registries", .forms = IN_ADMIN, .needs = "show",
		.instead = "--remote is for --show: --show docker://HOST/PATH:TAG --remote",
		.more = "NAME is a source, and only its documents are read. The digest is the one "
			"that the program computed."),
	OPT_STR(struct unpack_args, authfile, "authfile", 0, "FILE",
		"Read the credentials for registries from FILE", .comp = COMP_FILE, .filled = true,
		.forms = ASKS,
		.more = "The default is REGISTRY_AUTH_FILE in the environment, or else the files "
			"of containers-auth.json(5). See REGISTRIES."),
	OPT_STR(struct unpack_args, cert_dir, "cert-dir", 0, "DIR",
		"Use the certificates in DIR for registries", .comp = COMP_DIR, .filled = true,
		.forms = ASKS,
		.more = "Certificates of CAs (*.crt) are trusted beside those of the system; a "
			"certificate of the client (*.cert) and its key (*.key) are shown to the "
			"registry alone. The files are in PEM."),
	OPT_LIST(struct unpack_args, insecure, "insecure", 0, "HOST[:PORT]",
		"Do not verify this server; allow http: to it", .forms = ASKS,
		.more = "The name is that of the registry, or of its token server, as their "
			"addresses have it. Others are verified as before. What is fetched is "
			"checked against digests, but with a tag the first digest comes over this "
			"connection, and a password could be read."),
	OPT_U32(struct unpack_args, retry, "retry", 0, "N", "Try N times to fetch something",
		.forms = ASKS,
		.more = "The default is 6, with longer and longer pauses. The number counts tries "
			"that receive less than 1 MiB."),

	OPT_FLAG(struct unpack_args, no_resume, "no-resume", 0,
		"Keep nothing of an interrupted download", .forms = IN_STORE,
		.instead = "omit --no-resume: only a store keeps what has arrived",
		.more = "By default, layers of 16 MiB and more are also written to partial/ in the "
			"store while they arrive, so that the next run goes on from there. Such "
			"files are removed when the image is complete, by --prune, or after a "
			"week."),

	OPT_LIST(struct unpack_args, maps, "map", 'm', "MAP",
		"Create the flat tree or the bundle for this map", .example = MAP_EXAMPLES,
		.comp = COMP_MAP, .heading = "Flat trees and bundles", .forms = IN_FLAT | IN_BUNDLE,
		.instead = "give the map when the image is mounted: the ids in a store are those "
			   "of its images",
		.more = "The ids of the image are the map's disk ids, as they are in a store. With "
			"--flat, the files of the tree belong to the map's seen ids: DIR contains "
			"what an image mounted with this map would show. With --bundle, the stack "
			"is mounted with this map; an ordinary user omits it, see BUNDLES. Several "
			"maps are joined. See shiftbox-idmap(7)."),
	OPT_FLAG(struct unpack_args, replace, "replace", 0, "Replace whatever DIR contains",
		.forms = IN_FLAT,
		.instead = "omit --replace: an image in a store is replaced "
			   "without it",
		.more = "DIR is replaced in one step, after the new tree has been "
			"unpacked and verified. The previous contents are then deleted."),
	OPT_FLAG(struct unpack_args, terminal, "terminal", 't',
		"Run the bundle's program on a terminal", .forms = IN_BUNDLE,
		.instead = "omit -t: it is --terminal, for --bundle; the name of an image is "
			   "-N NAME"),
	OPT_END,
};

static void unpack_init(void *args)
{
	struct unpack_args *a = args;

	a->max_bytes = layer_default_limits.bytes;
	a->max_entries = layer_default_limits.entries;
	a->devices = DEVICES_UNSAID;
}

/* An operand where none is taken; after --list it may be the name of an image. */
static int surplus(const struct unpack_args *a, const char *word, struct err *e)
{
	(void)err_usage_try(e, "omit it", "unexpected operand '%s'", word);
	if (a->list)
		err_try(e,
			"--list lists all images, and takes no names; shiftbox image-unpack --show "
			"%s shows one image",
			word);
	else if (!a->prune)
		err_try(e, "name one image at a time");
	return -EINVAL;
}

static int run_on_image(
	struct store *s, const struct unpack_args *a, struct ctx *ctx, struct err *e)
{
	if (a->show)
		return unpack_show(s, a->show, ctx, e);
	if (a->verify)
		return unpack_verify(s, a->verify, ctx, e);
	return unpack_remove(s, a->remove, ctx, e);
}

/* r: the error in e. An image that is not there is not unpacked in order to look at it. */
static int advise_names(int r, struct err *e)
{
	if (r == -ENOENT && !strncmp(e->hint, "unpack one by", strlen("unpack one by")))
		err_try(e, "name an image that is there, or the store that has it (--store)");
	return r;
}

static int run_on_store(struct unpack_args *a, struct ctx *ctx, struct err *e)
{
	scoped_store struct store *own = NULL;
	struct store *s = a->opened;
	int r = 0;

	if (ctx->operands.len && !a->bundle)
		return surplus(a, ctx->operands.items[0], e);
	if (a->show && a->remote)
		return unpack_show_remote(a, ctx, e);
	if (!s) {
		r = store_open(a->store, 0, &own, e);
		s = own;
	}
	if (r < 0)
		return r;
	if (a->bundle) {
		const struct bundle_options want = {
			.dir = a->bundle, .terminal = a->terminal, .open_to_all = a->open_to_all
		};

		return unpack_bundle(s, &want, &a->maps, ctx, e);
	}
	if (a->list)
		return unpack_list(s, ctx, e);
	if (a->prune)
		return unpack_prune(s, ctx, e);
	return advise_names(run_on_image(s, a, ctx, e), e);
}

/*
 * An ordinary user needs a user namespace with several ids to create, remove or inspect files of
 * other owners. Mounts of the user's other processes cannot be seen from inside it, so they are
 * searched before it is entered.
 */
static int image_unpack_before(void *args, struct ctx *ctx, struct err *e)
{
	struct unpack_args *a = args;
	bool unpacks = UNPACKS >> ctx->form & 1 && ctx->operands.len;
	int r = 0;

	if (geteuid() != 0 && a->base.count) {
		r = err_say(e, EPERM, NULL, "--base needs root on the host");
		err_try(e,
			"omit --base: the store of an ordinary user has the user's subordinate "
			"ids");
		return r;
	}
	if (geteuid() == 0 || !(unpacks || a->verify || a->remove || a->prune))
		return BEFORE_GO_ON;
	if (a->remove || a->prune)
		r = store_open(a->store, 0, &a->opened, e);
	if (r == 0 && a->remove)
		r = store_mount_refuse(a->opened, a->remove, e);
	if (r == 0 && a->prune)
		r = store_prune_begin(a->opened, e);
	if (r == 0)
		r = unpack_enter(a, unpacks, e);
	return r < 0 ? r : BEFORE_GO_ON;
}

static void image_unpack_done(void *args)
{
	struct unpack_args *a = args;

	store_close(a->opened);
	idmap_done(&a->ids.map);
	idmap_done(&a->userns);
}

static int image_unpack_run(void *args, struct ctx *ctx, struct err *e)
{
	struct unpack_args *a = args;

	if (ctx->form != FORM_BUNDLE && ctx->form != FORM_TAGS)
		subids_tell_ignored(); /* not in a user namespace, which subids_get() came before */
	if (ctx->form == FORM_ADMIN || ctx->form == FORM_BUNDLE)
		return run_on_store(a, ctx, e);
	if (ctx->form == FORM_SCAN)
		return unpack_run_scan(a, ctx, e);
	if (ctx->form == FORM_TAGS)
		return ctx->operands.len ? surplus(a, ctx->operands.items[0], e) :
					   unpack_tags(a, ctx, e);
	return unpack_run(a, ctx, e);
}

const struct cmd cmd_image_unpack = {
	.name = "image-unpack",
	.brief = "Unpack an image into a store, layer by layer, without chown",
	.forms = forms,
	.opts = image_unpack_opts,
	.habits = image_unpack_habits,
	.args_size = sizeof(struct unpack_args),
	.operands_max = SIZE_MAX,
	.operand_comp = COMP_FILE,
	.flags = CMD_DRY_RUN | CMD_ROOT_GUARD,
	.stopped = "the store keeps only what is complete; the next run removes the rest",
	.init = unpack_init,
	.before = image_unpack_before,
	.run = image_unpack_run,
	.done = image_unpack_done,
};
