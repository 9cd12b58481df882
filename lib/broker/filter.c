/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The seccomp filter: which calls the kernel passes to the broker. */

#include "filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <seccomp.h>

#include "../base/log.h"
#include "../base/sys.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static const char *const call_names[] = {
	[CALL_MKNOD] = "mknod",
	[CALL_MKNODAT] = "mknodat",
	[CALL_MOUNT] = "mount",
	[CALL_UMOUNT2] = "umount2",
	[CALL_CHOWN] = "chown",
	[CALL_LCHOWN] = "lchown",
	[CALL_FCHOWN] = "fchown",
	[CALL_FCHOWNAT] = "fchownat",
};

/* On i386 and arm, chown() and its kin have 16-bit ids; programs use these since Linux 2.4. */
static const struct {
	const char *name;
	enum filter_call call;
} chown32[] = {
	{ "chown32", CALL_CHOWN },
	{ "lchown32", CALL_LCHOWN },
	{ "fchown32", CALL_FCHOWN },
};

/* libseccomp may not know open_tree_attr yet, so it is refused by number. */
static const char *const mount_api[] = {
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"open_tree",
	"move_mount",
	"mount_setattr",
};
enum { NR_OPEN_TREE_ATTR = 467 };

/* mount(2) with one of these flags creates no filesystem: the kernel decides. */
static const unsigned long no_new_mount[] = {
	MS_REMOUNT,
	MS_BIND,
	MS_SHARED,
	MS_PRIVATE,
	MS_SLAVE,
	MS_UNBINDABLE,
	MS_MOVE,
};

const char *filter_call_name(enum filter_call call)
{
	return call_names[call];
}

enum filter_call filter_call_find(uint32_t arch, int nr)
{
	char *name = seccomp_syscall_resolve_num_arch(arch, nr);
	enum filter_call ret = CALL_NONE;

	for (size_t i = 0; name && i < ARRAY_LEN(call_names); i++)
		if (strcmp(name, call_names[i]) == 0)
			ret = (enum filter_call)i;
	for (size_t i = 0; name && i < ARRAY_LEN(chown32); i++)
		if (strcmp(name, chown32[i].name) == 0)
			ret = chown32[i].call;
	free(name);
	return ret;
}

/* Intercept a call if its arguments match all of cmp. Names that the ABI lacks are skipped. */
static int intercept(
	scmp_filter_ctx ctx, const char *name, unsigned n, const struct scmp_arg_cmp *cmp)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(ctx, SCMP_ACT_NOTIFY, nr, n, cmp);
}

static int refuse(scmp_filter_ctx ctx, int nr)
{
	return nr == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), nr, 0);
}

/*
 * The type is passed in a register, so the filter can test it: creating a FIFO or a regular file
 * never waits for the broker.
 */
static int intercept_mknod(scmp_filter_ctx ctx)
{
	static const mode_t types[] = { S_IFCHR, S_IFBLK };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(types); i++) {
		const struct scmp_arg_cmp mknod_mode =
			SCMP_A1_64(SCMP_CMP_MASKED_EQ, S_IFMT, types[i]);
		const struct scmp_arg_cmp mknodat_mode =
			SCMP_A2_64(SCMP_CMP_MASKED_EQ, S_IFMT, types[i]);

		r = intercept(ctx, "mknod", 1, &mknod_mode);
		if (r == 0)
			r = intercept(ctx, "mknodat", 1, &mknodat_mode);
	}
	return r;
}

static int intercept_mount(scmp_filter_ctx ctx)
{
	unsigned long mask = 0;
	struct scmp_arg_cmp fresh;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(no_new_mount); i++)
		mask |= no_new_mount[i];
	fresh = SCMP_A3_64(SCMP_CMP_MASKED_EQ, mask, 0);
	r = intercept(ctx, "mount", 1, &fresh);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(mount_api); i++)
		r = refuse(ctx, seccomp_syscall_resolve_name(mount_api[i]));
	return r == 0 ? refuse(ctx, NR_OPEN_TREE_ATTR) : r;
}

static int intercept_chown(scmp_filter_ctx ctx)
{
	bool wide =
		seccomp_arch_native() != SCMP_ARCH_X86 && seccomp_arch_native() != SCMP_ARCH_ARM;
	int r = 0;

	for (size_t i = CALL_CHOWN; wide && r == 0 && i <= CALL_FCHOWNAT; i++)
		r = intercept(ctx, call_names[i], 0, NULL);
	for (size_t i = 0; !wide && r == 0 && i < ARRAY_LEN(chown32); i++)
		r = intercept(ctx, chown32[i].name, 0, NULL);
	return r;
}

static int add_rules(scmp_filter_ctx ctx, const struct rules *rs)
{
	int r = refuse(ctx, seccomp_syscall_resolve_name("io_uring_setup"));

	if (r == 0 && (rules_find(rs, RULE_MKNOD) || rules_find(rs, RULE_MKNOD_SAFE)))
		r = intercept_mknod(ctx);
	if (r == 0 && rules_find(rs, RULE_MOUNT))
		r = intercept_mount(ctx);
	if (r == 0 && rules_find(rs, RULE_UMOUNT))
		r = intercept(ctx, call_names[CALL_UMOUNT2], 0, NULL);
	if (r == 0 && (rules_find(rs, RULE_CHOWN_REPORT) || rules_find(rs, RULE_CHOWN_EMULATE)))
		r = intercept_chown(ctx);
	return r;
}

/*
 * Load the program that libseccomp generated. Its version 2.5 cannot set the flag
 * SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV.
 */
static int load(int memfd, struct err *e)
{
	static const unsigned flags[] = {
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		SECCOMP_FILTER_FLAG_NEW_LISTENER,
	};
	struct sock_filter code[BPF_MAXINSNS];
	struct sock_fprog prog = { .filter = code };
	ssize_t n = pread(memfd, code, sizeof(code), 0);
	int fd = -1;

	if (n <= 0 || (size_t)n % sizeof(*code) != 0)
		return err_say(e, EIO, NULL, "cannot read the filter program back");
	prog.len = (unsigned short)((size_t)n / sizeof(*code));
	for (size_t i = 0; fd < 0 && i < ARRAY_LEN(flags); i++) {
		fd = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags[i], &prog);
		if (fd < 0 && errno != EINVAL)
			break;
		if (fd >= 0 && i == 1)
			log_verbose("this kernel lets signals interrupt calls that wait for the "
				    "broker: such a call may run twice");
	}
	if (fd >= 0)
		return fd;
	(void)err_set(e, errno, NULL, "cannot install the seccomp filter of the broker");
	err_op(e, "seccomp");
	if (errno == EBUSY)
		err_why(e,
			"this process already has a seccomp filter with a listener, and the "
			"kernel allows only one");
	return -errno;
}

static int make(const struct rules *rs, scmp_filter_ctx ctx, int memfd)
{
	/*
	 * The filter only adds to what the kernel allows, so a call of another ABI may bypass it:
	 * the kernel then refuses the call itself.
	 */
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);

	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_rules(ctx, rs);
	return r == 0 ? seccomp_export_bpf(ctx, memfd) : r;
}

int filter_install(const struct rules *rs, int *ret_listener, struct err *e)
{
	scoped_fd int memfd = memfd_create("filter", MFD_CLOEXEC);
	scmp_filter_ctx ctx;
	int r;

	if (memfd < 0)
		return err_set(e, errno, NULL, "cannot create a memory file");
	ctx = seccomp_init(SCMP_ACT_ALLOW);
	if (!ctx)
		return err_nomem(e);
	r = make(rs, ctx, memfd);
	seccomp_release(ctx);
	if (r < 0)
		return err_set(e, -r, NULL, "cannot generate the seccomp filter of the broker");
	r = load(memfd, e);
	if (r < 0)
		return r;

	*ret_listener = r;
	return 0;
}
