/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_IMAGE_UNPACK_H
#define CMD_IMAGE_UNPACK_H

#include "../lib/base/cleanup.h"
#include "../lib/layer/layer.h"
#include "../lib/source/platform.h"
#include "../lib/store/store_base.h"
#include "cmd.h"
#include "subids.h"

struct bundle_options;
struct source;
struct source_options;
struct unpack_result;
struct store;

/* What the options set. */
struct unpack_args {
	const char *store, *name, *flat, *show, *verify, *remove, *bundle, *tags;
	const char *authfile, *cert_dir;
	struct strv maps, insecure;
	uint32_t retry;
	struct store_base base;
	struct platform platform;
	bool platform_given;
	uint32_t jobs;
	uint64_t max_bytes, max_entries;
	int caps;
	int unmapped; /* enum unmapped_policy */
	int devices;  /* enum unpack_devices */
	bool keep_security, no_sync, replace, open_to_all, scan, list, prune, terminal;
	bool remote, no_resume;

	/* Set by before(), for an ordinary user. */
	struct store *opened; /* for --remove and --prune; or NULL */
	struct subids ids;    /* the user's */
	struct idmap userns;  /* of the user namespace that was entered */
};

enum { CAPS_KEEP, CAPS_REBASE };
enum unpack_devices { DEVICES_UNSAID = -1, DEVICES_MAKE, DEVICES_SKIP };

/* All that return int return like run() of struct cmd, unless it says otherwise. */

/* image-unpack SOURCE and --flat. Ends the process if a signal asked it to stop. */
MUST_CHECK int unpack_run(struct unpack_args *a, struct ctx *ctx, struct err *e);

/* image-unpack --scan: open the source, and print what the image needs of the machine. */
MUST_CHECK int unpack_run_scan(struct unpack_args *a, struct ctx *ctx, struct err *e);
MUST_CHECK int unpack_scan(
	const struct source *src, const struct layer_options *o, struct ctx *ctx, struct err *e);

/* How the options say that a source is opened. Without --platform, it is this machine's. */
struct source_options unpack_source_options(struct unpack_args *a);

/* image-unpack --tags, and --show with --remote. */
MUST_CHECK int unpack_tags(struct unpack_args *a, struct ctx *ctx, struct err *e);
MUST_CHECK int unpack_show_remote(struct unpack_args *a, struct ctx *ctx, struct err *e);

/* image-unpack --list and --show. */
MUST_CHECK int unpack_list(struct store *s, struct ctx *ctx, struct err *e);
MUST_CHECK int unpack_show(struct store *s, const char *name, struct ctx *ctx, struct err *e);

/* image-unpack --verify: compare the image's layers with their specifications. */
MUST_CHECK int unpack_verify(struct store *s, const char *name, struct ctx *ctx, struct err *e);

/* image-unpack --remove and --prune: remove, or with --dry-run print what would be removed. */
MUST_CHECK int unpack_remove(struct store *s, const char *name, struct ctx *ctx, struct err *e);
MUST_CHECK int unpack_prune(struct store *s, struct ctx *ctx, struct err *e);

/*
 * image-unpack --bundle: make a bundle of the image that the first operand names, for the maps;
 * want gives dir, terminal and open_to_all.
 */
MUST_CHECK int unpack_bundle(struct store *s, const struct bundle_options *want,
	const struct strv *maps, struct ctx *ctx, struct err *e);

/*
 * For an ordinary user, before the chown guard is installed: learn the caller's subordinate ids
 * (a->ids) and enter a user namespace that has them, as its root. To unpack with a map, enter a
 * mount namespace too. 0, or -errno.
 */
MUST_CHECK int unpack_enter(struct unpack_args *a, bool unpacks, struct err *e);

/*
 * Find out which ids the current user namespace has, and what becomes of files with others.
 * *ret refers to a->userns and a->ids. 0, or -errno.
 */
MUST_CHECK int unpack_ids(struct unpack_args *a, struct layer_ids *ret, struct err *e);

/* Print how many entries were omitted or got other owners. */
void unpack_print_omitted(
	const struct unpack_args *a, const struct ctx *ctx, const struct unpack_result *u);

#endif
