/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unpack_stack: choose which layers of an image its overlay consists of. */

#include "unpack_stack.h"

#include <errno.h>

int unpack_stack_list(const struct stack_layer *layers, size_t n, struct strv *ret)
{
	for (size_t i = n; i-- > 0;) {
		if (!strv_has(ret, layers[i].dir) && strv_add(ret, layers[i].dir) < 0)
			return -ENOMEM;
		if (layers[i].root_opaque)
			return (int)i;
	}
	return 0;
}
