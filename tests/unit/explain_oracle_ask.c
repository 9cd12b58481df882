/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel answers to somebody with random credentials. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explain_oracle.h"
#include "test.h"

static bool set_caps(unsigned caps)
{
	static const struct {
		unsigned bit;
		int cap;
	} all[] = {
		{ PERM_CAP_DAC_OVERRIDE, CAP_DAC_OVERRIDE },
		{ PERM_CAP_DAC_READ_SEARCH, CAP_DAC_READ_SEARCH },
		{ PERM_CAP_FOWNER, CAP_FOWNER },
		{ PERM_CAP_CHOWN, CAP_CHOWN },
		{ PERM_CAP_FSETID, CAP_FSETID },
	};
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 }, { 0 } };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (caps & all[i].bit)
			d[0].effective |= 1u << all[i].cap;
	d[0].permitted = d[0].effective;
	return syscall(SYS_capset, &h, d) == 0;
}

bool oracle_become(const struct trial *t)
{
	const struct perm_cred *c = &t->cred;
	gid_t groups[GROUPS_ROOM];
	uint32_t uid, gid, id;

	if (t->user && setns(t->user->fd, CLONE_NEWUSER) < 0)
		return false;
	if (t->mount_facts.foreign && unshare(CLONE_NEWNS) < 0)
		return false;
	for (size_t i = 0; i < c->n_groups; i++) {
		if (!perm_ns_gid(c->userns, c->groups[i], &id))
			return false;
		groups[i] = id;
	}
	if (!perm_ns_uid(c->userns, c->uid, &uid) || !perm_ns_gid(c->userns, c->gid, &gid) ||
		prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS) < 0 ||
		setgroups(c->n_groups, groups) < 0 || setresgid(gid, gid, gid) < 0 ||
		setresuid(uid, uid, uid) < 0 || prctl(PR_SET_SECUREBITS, 0) < 0)
		return false;
	umask(0);
	return set_caps(c->caps) &&
		(!c->no_new_privs || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

static int try_open(const struct trial *t, int flags)
{
	int fd = openat(t->mount->fd, "d/f", flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char entries[512];

	if (fd < 0)
		return errno == ENXIO ? 0 : errno; /* a FIFO without a reader: it may be opened */
	/* Directories are listed. */
	if (S_ISDIR(t->file.facts.mode) &&
		syscall(SYS_getdents64, fd, entries, sizeof(entries)) < 0)
		return errno;
	return 0;
}

static int try_exec(const struct trial *t)
{
	char name[] = "f", *argv[] = { name, NULL };

	if (S_ISDIR(t->file.facts.mode))
		return fchdir(t->mount->fd) == 0 && chdir("d/f") == 0 ? 0 : errno;
	(void)syscall(SYS_execveat, t->mount->fd, "d/f", argv, argv + 1, 0);
	return errno;
}

static int try_create(const struct trial *t)
{
	int fd = t->mount->fd, r;

	switch (t->way) {
	case 0:
		r = mkdirat(fd, "d/n", 0755);
		break;
	case 1:
		r = mknodat(fd, "d/n", S_IFIFO | 0644, 0);
		break;
	case 2:
		r = symlinkat("x", fd, "d/n");
		break;
	default:
		r = openat(fd, "d/n", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	}
	return r < 0 ? errno : 0;
}

static int try_op(const struct trial *t)
{
	static const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 2 } };
	int fd = t->mount->fd;

	switch (t->op) {
	case PERM_READ:
		return try_open(t, O_RDONLY);
	case PERM_WRITE:
		return try_open(t, O_WRONLY);
	case PERM_EXEC:
		return try_exec(t);
	case PERM_CREATE:
		return try_create(t);
	case PERM_UNLINK:
		return unlinkat(fd, "d/f", S_ISDIR(t->file.facts.mode) ? AT_REMOVEDIR : 0) < 0 ?
			errno :
			0;
	case PERM_RENAME:
		return renameat(fd, "d/f", fd, "d/g") < 0 ? errno : 0;
	case PERM_CHMOD:
		return fchmodat(fd, "d/f", 0640, 0) < 0 ? errno : 0;
	case PERM_UTIMES:
		return utimensat(fd, "d/f", times, 0) < 0 ? errno : 0;
	case PERM_TOUCH:
		return utimensat(fd, "d/f", NULL, 0) < 0 ? errno : 0;
	case PERM_CHOWN:
		return fchownat(fd, "d/f", t->chown.set_uid ? t->chown.uid : (uid_t)-1,
			       t->chown.set_gid ? t->chown.gid : (gid_t)-1, 0) < 0 ?
			errno :
			0;
	case PERM_OPS:
		break;
	}
	return BROKEN;
}

int oracle_ask(const struct trial *t, struct oracle_became *ret)
{
	int status = 0, answer[2];
	pid_t pid;

	REQUIRE(pipe2(answer, O_CLOEXEC) == 0);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		if (dup2(answer[1], ORACLE_FD) < 0 || !oracle_become(t))
			_exit(BROKEN);
		_exit(try_op(t));
	}
	close(answer[1]);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	*ret = (struct oracle_became){ 0 };
	if (t->op == PERM_EXEC && S_ISREG(t->file.facts.mode) && WIFEXITED(status) &&
		WEXITSTATUS(status) == 0)
		REQUIRE(read(answer[0], ret, sizeof(*ret)) == sizeof(*ret));
	close(answer[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : BROKEN;
}
