/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check verify: report layers of a store that one kind of mount shows wrongly. */

#include "shift_check_marks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../lib/store/store_layer.h"

int check_layer_marks(const struct store *s, const char *path, struct finding *ret, struct err *e)
{
	const char *name = strrchr(path, '/') + 1; /* path is absolute */
	struct layer_marks marks;
	struct store_layer l;
	int r = store_layer_read(s, name, &l, e);

	if (r < 0)
		return r;
	r = store_layer_marks(s, &l, &marks, e);
	store_layer_done(&l);
	if (r < 0 || !(marks.trusted || marks.user))
		return r;
	*ret = (struct finding){ .class = FINDING_MARKS };
	(void)snprintf(ret->detail, sizeof(ret->detail),
		"layer %.20s... has opaque directories with %s alone, %" PRIu64
		" in number: a mount "
		"%s shows what they hide; image-unpack --upgrade repairs it",
		name, marks.trusted ? "trusted.overlay.opaque" : "user.overlay.opaque",
		marks.trusted ? marks.trusted : marks.user,
		marks.trusted ? "with userxattr or in a user namespace" :
				"by root without userxattr");
	return 1;
}
