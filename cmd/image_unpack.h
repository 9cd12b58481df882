/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_IMAGE_UNPACK_H
#define CMD_IMAGE_UNPACK_H

#include "../lib/layer/layer.h"
#include "cmd.h"

struct bundle_options;
struct source;
struct unpack_result;
struct store;

/* image-unpack --scan: print what the image needs. Returns like a command's run(). */
int unpack_scan(
	const struct source *src, const struct layer_options *o, struct ctx *ctx, struct err *e);

/* image-unpack --list, --show. Return like a command's run(). */
int unpack_list(struct store *s, struct ctx *ctx, struct err *e);
int unpack_show(struct store *s, const char *name, struct ctx *ctx, struct err *e);

/*
 * image-unpack --verify: compare the image's layers with their specifications. Returns like a
 * command's run().
 */
int unpack_verify(struct store *s, const char *name, struct ctx *ctx, struct err *e);

/*
 * image-unpack --remove: -EBUSY with the mount named when an overlay of the image is mounted, in
 * any mount namespace that can be seen.
 */
int unpack_check_unmounted(const struct store *store, const char *name, struct err *e);

/*
 * image-unpack --remove, --prune: told, or with --dry-run only told. Return like a command's run().
 */
int unpack_remove(struct store *s, const char *name, struct ctx *ctx, struct err *e);
int unpack_prune(struct store *s, struct ctx *ctx, struct err *e);

/*
 * image-unpack --bundle: make one of the image that is the first operand. want: dir, terminal,
 * open_to_all. Returns like a command's run().
 */
int unpack_bundle(struct store *s, const struct bundle_options *want, const struct strv *maps,
	struct ctx *ctx, struct err *e);

/*
 * Go on as root of a user namespace with the caller's subordinate ids; for an ordinary user, before
 * the guard. unpacking: say when there is one id only. mounts: in a mount namespace too.
 */
int unpack_enter(bool unpacking, bool mounts, struct err *e);

/*
 * What there is to be known of ids, for layer_options: the map stays until unpack_rootless_done().
 */
int unpack_ids(enum unmapped_policy policy, struct layer_ids *ret, struct err *e);

/* In the summary: what was left out, or given to other ids. */
void unpack_print_left_out(
	enum unmapped_policy policy, const struct ctx *ctx, const struct unpack_result *u);

void unpack_rootless_done(void);

#endif
