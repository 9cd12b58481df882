/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* caps: the capability sets of the calling thread. */

#include "caps.h"

#include "sys.h"

int caps_get(struct caps *ret)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	if (sys_capget(&head, d) < 0)
		return -errno;

	*ret = (struct caps){
		.effective = (uint64_t)d[1].effective << 32 | d[0].effective,
		.permitted = (uint64_t)d[1].permitted << 32 | d[0].permitted,
		.inheritable = (uint64_t)d[1].inheritable << 32 | d[0].inheritable,
	};
	return 0;
}

int caps_set(const struct caps *c)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	for (int i = 0; i < 2; i++)
		d[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(c->effective >> (32 * i)),
			.permitted = (uint32_t)(c->permitted >> (32 * i)),
			.inheritable = (uint32_t)(c->inheritable >> (32 * i)),
		};
	return sys_capset(&head, d) < 0 ? -errno : 0;
}

bool caps_has(int cap)
{
	struct caps c = { 0 };

	return caps_get(&c) == 0 && c.effective & CAP_BIT(cap);
}
