/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../lib/base/fdmsg.h"
#include "test.h"

TEST(a_datagram_that_is_too_large_is_dropped_with_its_descriptors)
{
	static const int none[FDMSG_FDS_MAX + 1];
	int ends[2], fds[FDMSG_FDS_MAX], next;
	char text[4];
	size_t n = 7;

	REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
	CHECK_INT(fdmsg_send(ends[0], "x", 1, none, FDMSG_FDS_MAX + 1), -EINVAL);
	next = dup(0);
	(void)close(next);

	REQUIRE(fdmsg_send(ends[0], "12345", 5, none, FDMSG_FDS_MAX) == 0);
	CHECK_INT(fdmsg_receive(ends[1], text, sizeof(text), fds, &n), -EMSGSIZE);
	CHECK_INT(n, 0);
	CHECK_INT(dup(0), next); /* nothing was left open */
	(void)close(next);

	REQUIRE(fdmsg_send(ends[0], "1234", 4, none, FDMSG_FDS_MAX) == 0);
	CHECK_INT(fdmsg_receive(ends[1], text, sizeof(text), fds, &n), 4);
	CHECK_INT(n, FDMSG_FDS_MAX);
	CHECK(memcmp(text, "1234", 4) == 0 && fds[0] == next);

	(void)close(ends[0]);
	CHECK_INT(fdmsg_receive(ends[1], text, sizeof(text), fds, &n), 0);
	CHECK_INT(fdmsg_send(ends[1], "x", 1, NULL, 0), -EPIPE);
}
