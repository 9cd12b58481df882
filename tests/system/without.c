/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * without NUMBER... -- CMD...: run CMD as on a kernel that lacks these system calls (ENOSYS). By
 * number, for calls that are younger than strace; numbers from 424 on are the same on every
 * architecture.
 */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CALLS_MAX = 32 };

int main(int argc, char **argv)
{
	struct sock_filter code[2 * CALLS_MAX + 2];
	struct sock_fprog prog = { .filter = code };
	int i;

	code[prog.len++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (i = 1; i < argc && i <= CALLS_MAX && strcmp(argv[i], "--"); i++) {
		code[prog.len++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned)strtoul(argv[i], NULL, 10), 0, 1);
		code[prog.len++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	}
	code[prog.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (i >= argc - 1 || strcmp(argv[i], "--")) {
		fprintf(stderr, "usage: without NUMBER... -- CMD...\n");
		return 2;
	}
	/* Without no_new_privs where root may, so that set-uid programs still work behind it. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0 &&
		(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)) {
		perror("without: seccomp");
		return 125;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}
