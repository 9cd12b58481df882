/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/syscall.h>

#include <seccomp.h>

#include "../../lib/broker/filter.h"
#include "test.h"

TEST(calls_are_identified_by_abi_and_number)
{
	uint32_t native = seccomp_arch_native();

	CHECK_INT(filter_call_find(native, SYS_mknodat), CALL_MKNODAT);
	CHECK_INT(filter_call_find(native, SYS_fchownat), CALL_FCHOWNAT);
	CHECK_INT(filter_call_find(native, SYS_mount), CALL_MOUNT);
	CHECK_INT(filter_call_find(native, SYS_read), CALL_NONE);
	CHECK_INT(filter_call_find(native, -1), CALL_NONE);
	for (enum filter_call c = CALL_MKNOD; c < CALL_NONE; c++) {
		int nr = seccomp_syscall_resolve_name(filter_call_name(c));

		if (nr != __NR_SCMP_ERROR)
			CHECK_INT(filter_call_find(native, nr), c);
	}
	/* chown() of i386 has 16-bit ids; the call with 32 bits has another number and the same
	 * name. */
	CHECK_INT(filter_call_find(SCMP_ARCH_X86, 212), CALL_CHOWN);
	CHECK_INT(filter_call_find(SCMP_ARCH_X86, 14), CALL_MKNOD);
}
