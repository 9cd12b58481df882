/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The credentials that the broker acts with. */

#include "broker_creds.h"

#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/caps.h"
#include "../base/sys.h"

static const uint64_t always =
	CAP_BIT(CAP_SYS_PTRACE) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID);

/* CAP_SYS_PTRACE: to read the memory of callers. */
static uint64_t needed(const struct rules *rules)
{
	uint64_t keep = CAP_BIT(CAP_SYS_PTRACE);

	if (rules_privileged(rules))
		keep |= CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_DAC_OVERRIDE);
	if (rules_privileged(rules) && rules_find(rules, RULE_MOUNT))
		keep |= CAP_BIT(CAP_SYS_ADMIN) | CAP_BIT(CAP_SYS_CHROOT);
	if (rules_find(rules, RULE_MKNOD) || rules_find(rules, RULE_MKNOD_SAFE))
		keep |= CAP_BIT(CAP_MKNOD);
	return keep;
}

int broker_creds_protect(void)
{
	return prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? errno : 0;
}

int broker_creds_leave_keyring(struct err *e)
{
	if (sys_keyctl_join_session(NULL) >= 0 || errno == ENOSYS)
		return 0;
	return err_set(e, errno, NULL, "cannot join a new session keyring");
}

static int set_caps(uint64_t permitted, uint64_t effective)
{
	const struct caps c = { .permitted = permitted, .effective = effective };

	return caps_set(&c);
}

static int set_effective(struct broker_creds *c, uint64_t caps)
{
	int num;

	caps &= c->had;
	if (caps == c->effective)
		return 0;
	num = set_caps(c->had, caps);
	c->effective = num ? c->effective : caps;
	return num;
}

int broker_creds_start(struct broker_creds *c, const struct rules *rules, struct err *e)
{
	struct caps own;
	int num;

	*c = (struct broker_creds){ .umask = 077 };
	(void)umask(c->umask);
	/* Keep capabilities when the fsuid changes (capabilities(7)). */
	if (rules_privileged(rules) && prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0)
		return err_set(e, errno, NULL, "cannot keep capabilities when ids change");
	num = caps_get(&own);
	if (num < 0)
		return err_set(e, -num, NULL, "cannot read the broker's capabilities");
	c->had = own.permitted & needed(rules);
	c->effective = c->had & always;
	num = set_caps(c->had, c->effective);
	if (num == 0)
		num = -broker_creds_protect();
	return num ? err_set(e, -num, NULL, "cannot give up the broker's capabilities") : 0;
}

/* setfsuid(2) does not report failure: a second call returns the id in effect. */
static int set_ids(
	struct broker_creds *c, uint32_t uid, uint32_t gid, const uint32_t *groups, size_t n)
{
	if (c->known && c->uid == uid && c->gid == gid && c->n_groups == n &&
		memcmp(c->groups, groups, n * sizeof(*groups)) == 0)
		return 0;
	c->known = false;
	if (n > CALLER_GROUPS_MAX || setgroups(n, groups) < 0 ||
		setresgid((gid_t)-1, gid, (gid_t)-1) < 0)
		return -EPERM;
	(void)sys_setfsuid(uid);
	if (broker_creds_protect() || (uint32_t)sys_setfsuid(uid) != uid)
		return -EPERM;
	c->uid = uid;
	c->gid = gid;
	memmove(c->groups, groups, n * sizeof(*groups));
	c->n_groups = n;
	c->known = true;
	return 0;
}

int broker_creds_as_caller(struct broker_creds *c, const struct caller *caller)
{
	int num = set_effective(c, always);

	if (caller->umask != c->umask)
		(void)umask(c->umask = caller->umask);
	return num ? num : set_ids(c, caller->uid, caller->gid, caller->groups, caller->n_groups);
}

int broker_creds_walk(struct broker_creds *c)
{
	return set_effective(c, always & ~CAP_BIT(CAP_SYS_PTRACE));
}

int broker_creds_override(struct broker_creds *c)
{
	return set_effective(c, always | CAP_BIT(CAP_DAC_OVERRIDE));
}

int broker_creds_own(struct broker_creds *c)
{
	int num = set_ids(c, geteuid(), getgid(), c->groups, 0);

	return num ? num : set_effective(c, UINT64_MAX);
}
