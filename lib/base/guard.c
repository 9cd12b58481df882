/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guard: a seccomp filter that makes every call of the chown family fail. */

#include "guard.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include <seccomp.h>

#include "log.h"

/* Names, not numbers: libseccomp resolves them for each ABI and skips those that an ABI lacks. */
static const char *const refused[] = {
	"chown",
	"fchown",
	"lchown",
	"fchownat",
	"chown32",
	"fchown32",
	"lchown32",
};

/*
 * The other ABIs that a 64-bit kernel of each architecture runs. ABIs that this libseccomp does not
 * know are skipped.
 */
static const struct {
	uint32_t native, other[2];
} abis[] = {
	{ SCMP_ARCH_X86_64, { SCMP_ARCH_X86, SCMP_ARCH_X32 } },
	{ SCMP_ARCH_AARCH64, { SCMP_ARCH_ARM } },
	{ SCMP_ARCH_PPC64, { SCMP_ARCH_PPC } },
	{ SCMP_ARCH_S390X, { SCMP_ARCH_S390 } },
	{ SCMP_ARCH_MIPS64, { SCMP_ARCH_MIPS, SCMP_ARCH_MIPS64N32 } },
	{ SCMP_ARCH_MIPSEL64, { SCMP_ARCH_MIPSEL, SCMP_ARCH_MIPSEL64N32 } },
	{ SCMP_ARCH_PARISC64, { SCMP_ARCH_PARISC } },
};

static int add_abis(scmp_filter_ctx ctx)
{
	uint32_t native = seccomp_arch_native();
	int r;

	for (size_t i = 0; i < ARRAY_LEN(abis); i++) {
		if (abis[i].native != native)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(abis[i].other) && abis[i].other[k]; k++) {
			r = seccomp_arch_add(ctx, abis[i].other[k]);
			if (r < 0 && r != -EEXIST)
				return r;
		}
	}
	return 0;
}

static int add_rules(scmp_filter_ctx ctx)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		int nr = seccomp_syscall_resolve_name(refused[i]);
		int r;

		if (nr == __NR_SCMP_ERROR)
			continue;
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), nr, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Without CAP_SYS_ADMIN (an ordinary user, or root in a container), a filter requires no_new_privs.
 * An ordinary user who needs a set-uid program gets no filter, which costs little: without
 * CAP_CHOWN a file cannot be given to another user. Root may have that capability, and needs no
 * set-uid program.
 */
static int load(scmp_filter_ctx ctx, bool setuid)
{
	int r = seccomp_load(ctx);

	if (r != -EACCES && r != -EPERM && r != -ECANCELED)
		return r < 0 ? r : 1;
	if (setuid && geteuid() != 0) {
		log_verbose("chown is not filtered: the filter would keep newuidmap from working");
		return 0;
	}
	r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 1);
	if (r == 0)
		r = seccomp_load(ctx);
	return r < 0 ? r : 1;
}

int guard_install(bool setuid, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	if (!ctx)
		return err_nomem(e);

	/* A call of an ABI that is not listed could be a chown: refuse it, too. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	if (r == 0)
		r = add_abis(ctx);
	if (r == 0)
		r = add_rules(ctx);
	if (r == 0)
		r = load(ctx, setuid);
	seccomp_release(ctx);
	if (r < 0) {
		(void)err_set(e, -r, NULL, "cannot install the filter that refuses chown");
		err_op(e, "guard");
	}
	return r;
}
