/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EXPLAIN_EXPLAIN_PRIV_H
#define EXPLAIN_EXPLAIN_PRIV_H

#include "explain.h"

/* Shared by lib/explain/explain*.c only. */

/*
 * Look up the caller: the user of --as in the user namespace of --userns (both may be NULL: see
 * explain_look()), or the calling process. ret contains pointers to itself and must not be moved.
 */
MUST_CHECK int explain_caller_look(
	const char *as, const char *userns, struct explain_caller *ret, struct err *e);

/*
 * Find the layer of the overlay that the file comes from. Sets x->layer and the disk side of the
 * file, or x->layer_unknown. layers: see explain_look().
 */
MUST_CHECK int explain_layer_find(struct explanation *x, const struct strv *layers, struct err *e);

/*
 * What is to succeed: the operation op and, if effect is set (with PERM_EXEC), that the file's
 * set-id bits and capabilities take effect.
 */
struct explain_aim {
	enum perm_op op;
	bool effect;
};

/* Does it succeed, according to the facts in x? */
bool explain_works(const struct explanation *x, struct explain_aim aim);

/* Does an execution that d allows ignore set-id bits or capabilities of the file? */
bool explain_has_ignored(const struct explanation *x, const struct perm_verdict *d);

/*
 * Extend the map of the file's mount so that aim succeeds, and append the command to b. Returns
 * false, with b unchanged, if no extension suffices. The facts in x are restored.
 */
bool explain_fix_map(struct explanation *x, struct explain_aim aim, struct buf *b);

/* Append a blank and the path, escaped for printing. */
void explain_add_path(struct buf *b, const char *path);

#endif
