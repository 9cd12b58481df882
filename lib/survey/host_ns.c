/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_ns: try whether ordinary users may create user namespaces and map ids into them. */

#include "host_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/subprocess.h"
#include "grants.h"
#include "userns_rules.h"

enum { NOBODY = 65534 };

static const struct host_feature feature_unprivileged = { "namespaces",
	"unprivileged user namespaces", "3.8" },
				 feature_helpers = { "namespaces", "newuidmap, newgidmap", NULL };

/*
 * Create a user namespace in a child; as_other: as an unprivileged user. Returns 0, its errno, or
 * 254 if that user does not exist in this user namespace.
 */
static int try_userns(bool as_other)
{
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (pid == 0) {
		if (as_other &&
			(setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
				setresuid(NOBODY, NOBODY, NOBODY) < 0))
			_exit(254);
		_exit(unshare(CLONE_NEWUSER) < 0 ? errno : 0);
	}
	return subprocess_wait(pid);
}

static void put_userns(struct host *h)
{
	scoped_buf struct buf why = BUF_INIT;
	bool root = geteuid() == 0;
	int num = try_userns(root);

	userns_rules_print(&why);
	if (num == 0)
		host_row(h, feature_unprivileged, HOST_YES, "tried as %s",
			root ? "uid 65534" : "the caller");
	else if (num == 254)
		host_row(h, feature_unprivileged, HOST_NOT_TRIED,
			"there is no ordinary user to try it as in this user namespace");
	else
		host_row(h, feature_unprivileged, HOST_NO, "%s%s%s", strerrordesc_np(num),
			why.len ? ": " : "", buf_get(&why) ? buf_get(&why) : "");
}

static void put_rules(struct host *h)
{
	scoped_buf struct buf lsm = BUF_INIT;
	struct userns_rule r;

	for (size_t i = 0; userns_rules_get(i, &r); i++)
		host_row(h, (struct host_feature){ "namespaces", r.sysctl, NULL }, HOST_INFO,
			"%s%s%s", r.value, r.forbids ? ": " : "", r.forbids ? r.meaning : "");
	if (fd_read_file(AT_FDCWD, "/sys/kernel/security/lsm", 4096, &lsm, NULL) == 0)
		host_row(h, (struct host_feature){ "namespaces", "security modules", NULL },
			HOST_INFO, "%s", buf_get(&lsm));
}

struct helper {
	struct host *h;
	size_t bad;
};

static void put_helper(const struct grant_finding *f, void *arg)
{
	struct helper *x = arg;

	x->bad++;
	host_row(x->h, feature_helpers, HOST_NO, "%s%s%s", f->file ? f->file : "",
		f->file ? " " : "", f->detail);
}

void host_namespaces(struct host *h)
{
	struct helper x = { .h = h };
	struct grants_check c = { .fn = put_helper, .arg = &x };

	put_userns(h);
	put_rules(h);
	if (grants_check_helpers(&c, NULL) == 0 && !x.bad)
		host_row(h, feature_helpers, HOST_YES,
			"installed, with their privileges; shift-check subid tries them");
}
