/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAULT_OOM_H
#define FAULT_OOM_H

#include "../unit/test.h"

/*
 * Run the scenario again and again, with its first allocation failing, then its second, and so on,
 * until a run needs none that fails. A run in which one failed must return -ENOMEM, the last one 0.
 * The program is built with the address sanitizer, which complains about what a failed run left
 * behind. A scenario registers itself with OOM(name) { ... return r; }.
 */
void oom_check(int (*scenario)(void));

#define OOM(id) \
	static int oom_##id(void); \
	TEST(oom_##id) \
	{ \
		oom_check(oom_##id); \
	} \
	static int oom_##id(void)

#endif
