/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack: one directory in overlay format for each layer of an image, in a store. */

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

static int parse_platform(void *dst, const char *val, struct err *e)
{
	return platform_parse(val, dst, e);
}

static int parse_base(void *dst, const char *val, struct err *e)
{
	return store_base_parse(val, dst, e);
}

enum { EXCL_MODE = 1 };

static const struct opt image_unpack_opts[] = { OPT_STORE(struct unpack_args, store),
	OPT_STR(struct unpack_args, name, "name", 'N', "NAME", "Name the image",
		.more = "The default is the source's file name without its extension, with :REF "
			"when one was given (of REPO:TAG, what follows the last slash). An image "
			"of that name is replaced, at once, when all is unpacked and right."),
	OPT_FUNC(struct unpack_args, base, "base", 0, "BASE[:COUNT]", parse_base,
		"Make a store whose disk ids start at BASE",
		.more = "An image's id I has the disk id BASE+I, for I below COUNT (default "
			"65536); higher ones are refused. See STORES WITH A BASE."),
	OPT_U32(struct unpack_args, jobs, "jobs", 'j', "N",
		"Unpack up to N layers at the same time",
		.more = "The default is the number of processors."),
	OPT_FUNC(struct unpack_args, platform, "platform", 0, "OS/ARCH[/VARIANT]", parse_platform,
		"Choose this platform of an image that has several",
		.more = "The default is that of this machine. An image made for another platform "
			"is refused when this is given; without it there is a warning."),
	OPT_SIZE(struct unpack_args, max_bytes, "max-bytes", 0, "SIZE",
		"Refuse layers with more file data than this",
		.more = "All data that is read counts: also that of entries that are left out, "
			"extension headers, and the files of lower layers that hard links copy. "
			"Holes do not count. With --flat it holds for all layers together."),
	OPT_SIZE(struct unpack_args, max_entries, "max-entries", 0, "N",
		"Refuse layers with more entries than this",
		.more = "With --flat it holds for all layers together."),
	OPT_FLAG(struct unpack_args, keep_security, "keep-security", 0,
		"Apply security.selinux, security.ima and security.evm too",
		.more = "They belong to the machine that the image was made on, so they are left "
			"out otherwise."),
	OPT_CHOICE(struct unpack_args, caps, "caps", 0, "HOW", "keep rebase",
		"Choose what becomes of capabilities of version 3",
		.more = "These hold for user namespaces with a certain root only. keep, the "
			"default: as the layer says. rebase: they become the image's root's. See "
			"CAPABILITIES."),
	OPT_CHOICE(struct unpack_args, devices, "devices", 0, "HOW", "make skip",
		"Say what becomes of devices",
		.more = "make, the default, fails where they cannot be made: in a user namespace, "
			"and so for an ordinary user. skip leaves them out; the first ones are "
			"named, and the summary tells how many there were. With --flat and a map "
			"skip is the default; a store with a base has none."),
	OPT_CHOICE(struct unpack_args, unmapped, "unmapped", 0, "HOW", "refuse skip overflow",
		"Say what becomes of ids that there are not",
		.more = "In a user namespace an owner may have no id. refuse, the default, names "
			"the first such entry and what would help. skip leaves such entries out. "
			"overflow gives them to 65534, or to 0 where there is no 65534, and takes "
			"the set-id bits away that would change hands. See ORDINARY USERS."),
	OPT_FLAG(struct unpack_args, no_sync, "no-sync", 0,
		"Leave it to the kernel when the files reach the disk",
		.more = "Without this the layers are on disk before they are published. With it a "
			"power failure may leave a published layer with empty files: for scratch "
			"stores only. Killing the program is safe either way."),
	OPT_STR(struct unpack_args, flat, "flat", 0, "DIR",
		"Unpack into one directory, all layers applied", .excl = EXCL_MODE,
		.comp = COMP_DIR,
		.more = "DIR must not exist or be empty; it appears, or is replaced, at once when "
			"all is unpacked and right. No store is used."),
	OPT_FLAG(struct unpack_args, replace, "replace", 0,
		"Let the new tree take the place of what DIR holds",
		.more = "With --flat: at once, when all is unpacked and right. What was there is "
			"then removed, all of it."),
	OPT_FLAG(struct unpack_args, open_to_all, "public", 0,
		"Allow what gives rights to all who can reach it",
		.more = "With --flat and --bundle: set-uid and set-gid files, file capabilities "
			"and devices where other users can reach them. With --base: a store that "
			"they can look into, on a mount that is nosuid. See OPEN PLACES."),
	OPT_FLAG(struct unpack_args, scan, "scan", 0,
		"Tell what the image needs, and write nothing", .excl = EXCL_MODE,
		.more = "All layers are read and verified. Printed are, of each and in all: "
			"entries, sizes, the highest ids, devices, set-id files, capabilities, "
			"ACLs and whiteouts; then each owner, and the smallest map that covers the "
			"image. No store is used."),
	OPT_FLAG(struct unpack_args, list, "list", 'l', "List the images of the store",
		.excl = EXCL_MODE),
	OPT_STR(struct unpack_args, show, "show", 0, "NAME", "Show an image and its layers",
		.excl = EXCL_MODE),
	OPT_STR(struct unpack_args, verify, "verify", 0, "NAME",
		"Check the layers of an image in the store", .excl = EXCL_MODE,
		.more = "Every file is compared with what the header in its layer's archive said: "
			"type, owner, mode, size, device, the target of a link, and whether it is "
			"there, and no other. The content of files, their times and attributes are "
			"not looked at, and a whiteout that is gone is not missed."),
	OPT_STR(struct unpack_args, remove, "remove", 0, "NAME",
		"Remove an image, but not its layers", .excl = EXCL_MODE,
		.more = "Refused while it is mounted: an overlay whose source is image:NAME, and "
			"whose layers are of this store, as far as the kernel tells them. Where it "
			"does not tell the store, an image of that name in another store counts "
			"too. Mount namespaces count that the caller can see and that root or the "
			"owner of the store owns; in those of other users, mounts are called what "
			"these users like."),
	OPT_FLAG(struct unpack_args, prune, "prune", 0, "Remove the layers that no image names",
		.excl = EXCL_MODE,
		.more = "Layers that are mounted stay too, in any mount namespace of root or the "
			"store's owner that the caller can see: those of an image that was "
			"replaced since. In the namespaces of other users a layer counts if a "
			"mount is of its directory, or if an overlay names a path to it in a store "
			"that is open to them; a stack that only such a namespace still has a copy "
			"of does not count. Namespaces without a process, and for others than root "
			"those of others, cannot be seen."),
	OPT_STR(struct unpack_args, bundle, "bundle", 0, "DIR",
		"Make an OCI runtime bundle of an image in the store", .excl = EXCL_MODE,
		.comp = COMP_DIR,
		.more = "DIR is made, or must be empty. The words after NAME replace the image's "
			"Cmd. See BUNDLES."),
	OPT_LIST(struct unpack_args, maps, "map", 'm', "MAP",
		"Make the bundle, or the flat tree, for this map",
		.more = "The ids of the image are the map's disk ids, as they are in a store. With "
			"--flat the tree's files belong to its seen ids: DIR holds what an image "
			"mounted with this map would show. With --bundle it is the map that the "
			"stack is mounted with. Several are joined. See shiftbox-idmap(7)."),
	OPT_FLAG(struct unpack_args, terminal, "terminal", 't',
		"Give the bundle's program a terminal of its own"),
	OPT_END };

static const char *const image_unpack_synopsis[] = {
	"[-s STORE] [--base BASE[:COUNT] [--public]] [-N NAME] SOURCE",
	"[-s STORE] [--base BASE[:COUNT] [--public]] -N NAME LAYER.tar...",
	"--flat DIR [-m MAP] [--replace] [--public] SOURCE | LAYER.tar...",
	"--scan SOURCE | LAYER.tar...",
	"[-s STORE] --list | --show NAME | --verify NAME | --remove NAME | --prune",
	"[-s STORE] --bundle DIR -m MAP [-t] [--public] NAME [-- CMD...]", NULL
};

static void unpack_init(void *args)
{
	struct unpack_args *a = args;

	a->max_bytes = layer_default_limits.bytes;
	a->max_entries = layer_default_limits.entries;
	a->devices = DEVICES_UNSAID;
}

static int run_on_store(const struct unpack_args *a, struct ctx *ctx, struct err *e)
{
	scoped_store struct store *own = NULL;
	struct store *s = a->opened;
	int r = 0;

	if (ctx->operands.len && !a->bundle)
		return err_usage(e, "unexpected operand '%s'", ctx->operands.items[0]);
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
	if (a->show)
		return unpack_show(s, a->show, ctx, e);
	if (a->verify)
		return unpack_verify(s, a->verify, ctx, e);
	if (a->remove)
		return unpack_remove(s, a->remove, ctx, e);
	return unpack_prune(s, ctx, e);
}

/* What is asked for. */
enum mode { MODE_STORE = 1, MODE_FLAT = 2, MODE_SCAN = 4, MODE_BUNDLE = 8, MODE_OTHER = 16 };

static enum mode mode_of(const struct unpack_args *a)
{
	if (a->list || a->show || a->verify || a->remove || a->prune)
		return MODE_OTHER;
	return a->bundle ? MODE_BUNDLE : a->scan ? MODE_SCAN : a->flat ? MODE_FLAT : MODE_STORE;
}

/* No option is ignored: one that has nothing to say to what is asked for is refused. */
static int check_uses(const struct unpack_args *a, struct err *e)
{
	const unsigned unpacks = MODE_STORE | MODE_FLAT, reads = unpacks | MODE_SCAN;
	const struct {
		bool given;
		unsigned modes;
		const char *text;
	} uses[] = {
		{ a->store, (unsigned)~(MODE_FLAT | MODE_SCAN),
			"--store is of no use: --flat uses no store, nor does --scan" },
		{ a->name, MODE_STORE,
			"--name is for unpacking into a store; of an image that is there the name "
			"stands beside the option" },
		{ a->base.count, MODE_STORE,
			"--base is for unpacking into a store, which remembers it; of a flat tree "
			"--map says the ids" },
		{ a->maps.len, MODE_FLAT | MODE_BUNDLE,
			"--map is for --bundle and --flat: a store has the ids of its images" },
		{ a->replace, MODE_FLAT,
			"--replace goes with --flat: an image in a store is replaced anyway" },
		{ a->open_to_all, MODE_FLAT | MODE_BUNDLE | (a->base.count ? MODE_STORE : 0),
			"--public is for --flat, --bundle and --base" },
		{ a->terminal, MODE_BUNDLE, "--terminal is for --bundle" },
		{ a->platform.os[0], reads,
			"--platform is for choosing an image to unpack or scan" },
		{ a->max_bytes != layer_default_limits.bytes, reads,
			"--max-bytes is for unpacking and --scan" },
		{ a->max_entries != layer_default_limits.entries, reads,
			"--max-entries is for unpacking and --scan" },
		{ a->jobs, unpacks, "--jobs is for unpacking" },
		{ a->no_sync, unpacks, "--no-sync is for unpacking" },
		{ a->keep_security, unpacks, "--keep-security is for unpacking" },
		{ a->caps != CAPS_KEEP, unpacks, "--caps is for unpacking" },
		{ a->devices != DEVICES_UNSAID, unpacks, "--devices is for unpacking" },
		{ a->unmapped != UNMAPPED_REFUSE, unpacks, "--unmapped is for unpacking" },
	};
	const enum mode mode = mode_of(a);

	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		if (uses[i].given && !(uses[i].modes & mode))
			return err_usage(e, "%s", uses[i].text);
	return 0;
}

/*
 * An ordinary user needs more ids than one wherever files are made, removed or looked at that
 * belong to others. From the user namespace the user's other mounts cannot be seen, so they are
 * looked for before.
 */
static int image_unpack_before(void *args, struct ctx *ctx, struct err *e)
{
	struct unpack_args *a = args;
	bool unpacks = !(a->list || a->show || a->verify || a->remove || a->prune || a->bundle ||
			       a->scan || ctx->dry_run) &&
		ctx->operands.len;
	int r = check_uses(a, e);

	if (r < 0)
		return r;
	if (geteuid() != 0 && a->base.count) {
		r = err_say(e, EPERM, NULL,
			"--base takes root of the machine, who owns ids that are nobody's");
		err_try(e,
			"leave --base away: an ordinary user's store has the user's own "
			"subordinate ids");
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

	if (a->list || a->show || a->verify || a->remove || a->prune || a->bundle)
		return run_on_store(a, ctx, e);
	if (a->scan)
		return unpack_run_scan(a, ctx, e);
	return unpack_run(a, ctx, e);
}

const struct cmd cmd_image_unpack = {
	.name = "image-unpack",
	.brief = "Unpack an image into a store, layer by layer, without chown",
	.synopsis = image_unpack_synopsis,
	.opts = image_unpack_opts,
	.args_size = sizeof(struct unpack_args),
	.operands_max = SIZE_MAX,
	.operand_comp = COMP_FILE,
	.flags = CMD_DRY_RUN | CMD_ROOT_GUARD,
	.init = unpack_init,
	.before = image_unpack_before,
	.run = image_unpack_run,
	.done = image_unpack_done,
};
