/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "optdoc.h"
int optdoc_help(const char *name, const char *brief, const char *const *synopsis,
		const struct opt_set *sets, size_t n_sets, FILE *f)
{
	(void)synopsis; (void)sets; (void)n_sets;
	return fprintf(f, "%s: %s\n", name, brief);
}
