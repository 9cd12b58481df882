/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_limits: limits on the size of layers. */

#include "layer_limits.h"

#include <errno.h>
#include <string.h>

#include "layer_priv.h"

enum { KEPT_MAX = 256 << 20 };

const struct layer_limits layer_default_limits = {
	.bytes = (uint64_t)256 << 30,
	.entries = 4000000,
	.xattr_bytes = 1 << 20,
};

int layer_limits_exceeded(
	const char *on, bool shared, const char *option, uint64_t limit, struct err *e)
{
	const char *what = !strcmp(option, "--max-bytes") ?
		"bytes of file data and extension headers" :
		"entries";

	(void)err_say(e, EFBIG, on, "the %s more than %llu %s",
		shared ? "layers have together" : "layer has", (unsigned long long)limit, what);
	err_try(e, "if this is expected, raise the limit with %s", option);
	return -EFBIG;
}

int layer_limits_count_entry(struct layer *l, const char *on, struct err *e)
{
	if (__atomic_add_fetch(&l->o.totals->entries, 1, __ATOMIC_RELAXED) > l->o.limits.entries)
		return layer_limits_exceeded(
			on, l->o.totals->shared, "--max-entries", l->o.limits.entries, e);
	layer_count(l, entries, 1);
	return 0;
}

int layer_limits_count_hidden(struct layer *l, const char *on, struct err *e)
{
	if (__atomic_add_fetch(&l->o.totals->entries, 1, __ATOMIC_RELAXED) <= l->o.limits.entries) {
		layer_count(l, hidden, 1);
		return 0;
	}
	(void)layer_limits_exceeded(
		on, l->o.totals->shared, "--max-entries", l->o.limits.entries, e);
	err_why(e, "the directory hides names of the layers below, and each one needs a whiteout");
	return -EFBIG;
}

int layer_limits_count_kept(struct layer *l, const char *on, size_t bytes, struct err *e)
{
	if (__atomic_add_fetch(&l->o.totals->kept, bytes, __ATOMIC_RELAXED) <= KEPT_MAX)
		return 0;
	return err_say(e, EFBIG, on,
		"targets of links and attributes of directories have more than %d bytes in all",
		(int)KEPT_MAX);
}
