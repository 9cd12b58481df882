/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EXPLAIN_EXPLAIN_PRIV_H
#define EXPLAIN_EXPLAIN_PRIV_H

#include "explain.h"

/* What explain_look() is made of. Private to lib/check. */

/* Who asks: from --as and --userns, or the calling process. ret must stay where it is. */
int explain_caller_look(
	const char *as, const char *userns, struct explain_caller *ret, struct err *e);

/* Which layer the file comes from: fills x->layer and the disk side, or x->layer_unknown. */
int explain_layer_find(struct explanation *x, const struct strv *layers, struct err *e);

#endif
