/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../../lib/idmap/userns.h"
#include "../../lib/ns/rootless.h"

static struct idmap map_of(const struct idrange *uid, const struct idrange *gid, size_t n)
{
	struct idmap m;

	REQUIRE(idmap_from_ranges(uid, n, gid, n, &m, NULL) == 0);
	return m;
}

static void become_nobody(void)
{
	if (geteuid() != 0)
		return;
	REQUIRE(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
	/* Else /proc/self is root's, as newuidmap sees it. */
	REQUIRE(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

TEST(rootless_with_one_id_needs_no_program_and_is_the_same_process)
{
	struct idrange uid = { 0, 0, 1 }, gid = { 0, 0, 1 };
	struct idmap m, own;
	pid_t pid = getpid();
	struct err e = ERR_INIT;

	become_nobody();
	uid.seen = geteuid();
	gid.seen = getegid();
	m = map_of(&uid, &gid, 1);
	if (rootless_enter(&m, CLONE_NEWNS, &e) < 0)
		SKIP("needs user namespaces");
	CHECK_INT(getpid(), pid);
	CHECK_INT(geteuid(), 0);
	CHECK_INT(getgid(), 0);
	CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_INT(unshare(CLONE_NEWNS), 0); /* the capability is there */
	REQUIRE(userns_map_own(&own, &e) == 0);
	CHECK(idmap_equal(&own, &m));
	idmap_done(&m);
	idmap_done(&own);
}

TEST(rootless_of_root_takes_any_map_and_the_root_that_it_says)
{
	const struct idrange r[] = { { 0, 100000, 1000 }, { 5000, 200000, 5 } };
	struct idmap m, own;
	struct err e = ERR_INIT;

	if (geteuid() != 0)
		SKIP("needs root");
	m = map_of(r, r, 2);
	REQUIRE(rootless_enter(&m, 0, &e) == 0);
	CHECK_INT(geteuid(), 0);
	CHECK_INT(getegid(), 0);
	REQUIRE(userns_map_own(&own, &e) == 0);
	CHECK(idmap_equal(&own, &m));
	idmap_done(&m);
	idmap_done(&own);
}

TEST(rootless_without_a_root_in_the_map_is_refused_before_anything_happens)
{
	const struct idrange r = { 1, 100000, 1000 };
	struct idmap m = map_of(&r, &r, 1), own;
	struct err e = ERR_INIT;

	CHECK_INT(rootless_enter(&m, 0, &e), -EINVAL);
	CHECK_HAS(e.what, "has no root");
	if (geteuid() == 0) { /* still where it was */
		REQUIRE(userns_map_own(&own, &e) == 0);
		CHECK(!idmap_equal(&own, &m));
		idmap_done(&own);
	}
	idmap_done(&m);
}

TEST(rootless_ids_that_are_not_granted_are_refused_by_the_program)
{
	const struct idrange uid[] = { { 0, 0, 1 }, { 1, 4000000000U, 10 } };
	struct idrange own[2] = { uid[0], uid[1] };
	struct idmap m;
	struct err e = ERR_INIT;

	become_nobody();
	own[0].seen = geteuid();
	m = map_of(own, own, 2);
	CHECK(rootless_enter(&m, 0, &e) < 0);
	if (!strcmp(e.op, "userns"))
		SKIP("needs user namespaces");
	CHECK_STR(e.op, "newidmap");
	idmap_done(&m);
}
