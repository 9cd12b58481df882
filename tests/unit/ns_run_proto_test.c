/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fdmsg.h"
#include "../../lib/ns/run_proto.h"
#include "test.h"

static int ends[2];

static void make_pair(void)
{
	REQUIRE(run_proto_pair(ends, NULL) == 0);
}

TEST(a_message_arrives_whole_and_with_its_descriptor)
{
	const struct run_msg sent = { .kind = RUN_MSG_SIGNAL, .value = 15, .group = true };
	struct run_msg got = { .kind = 0 };
	struct stat want, st;
	int pipe_ends[2], fd = -1;

	make_pair();
	REQUIRE(pipe(pipe_ends) == 0);
	REQUIRE(run_proto_send(ends[0], &sent, pipe_ends[0]) == 0);
	REQUIRE(run_proto_send(ends[0], &(struct run_msg){ .kind = RUN_MSG_GO }, -1) == 0);
	CHECK_INT(run_proto_receive(ends[1], &got, &fd), 1);
	CHECK(got.kind == RUN_MSG_SIGNAL && got.value == 15 && got.group);
	REQUIRE(fd >= 0 && fstat(fd, &st) == 0 && fstat(pipe_ends[0], &want) == 0);
	CHECK(st.st_ino == want.st_ino && st.st_dev == want.st_dev);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK_INT(run_proto_receive(ends[1], &got, &fd), 1);
	CHECK_INT(got.kind, RUN_MSG_GO);
	CHECK_INT(fd, -1);
}

TEST(only_a_failure_carries_an_error)
{
	struct run_msg sent = { .kind = RUN_MSG_ENDED }, got = { .kind = 0 };
	int fd;

	make_pair();
	(void)err_set(&sent.e, ENOENT, "/on", "cannot do it");
	REQUIRE(run_proto_send(ends[0], &sent, -1) == 0);
	sent.kind = RUN_MSG_FAILED;
	REQUIRE(run_proto_send(ends[0], &sent, -1) == 0);
	CHECK_INT(run_proto_receive(ends[1], &got, &fd), 1);
	CHECK(!got.e.set);
	CHECK_INT(run_proto_receive(ends[1], &got, &fd), 1);
	CHECK_INT(got.e.num, ENOENT);
	CHECK_STR(got.e.on, "/on");
	CHECK_STR(got.e.what, "cannot do it");
}

TEST(the_death_of_the_other_process_ends_the_stream_and_is_no_error_to_tell)
{
	const struct run_msg go = { .kind = RUN_MSG_GO };
	struct err e = ERR_INIT;
	struct run_msg got;
	int fd;

	make_pair();
	REQUIRE(run_proto_send(ends[1], &go, -1) == 0); /* stays unread: ECONNRESET */
	(void)close(ends[0]);
	CHECK_INT(run_proto_receive(ends[1], &got, &fd), 0);
	CHECK_INT(run_proto_receive(ends[1], &got, &fd), 0);
	CHECK_INT(run_proto_send(ends[1], &go, -1), -EPIPE);
	CHECK_INT(run_proto_tell(ends[1], &go, &e), 0);
	CHECK_INT(run_proto_tell(-1, &go, &e), -EBADF);
	CHECK(e.set);
}

TEST(a_malformed_message_is_refused_with_its_descriptors)
{
	const struct run_msg go = { .kind = RUN_MSG_GO };
	const int two[] = { 0, 1 };
	int next = dup(0), fd;
	struct run_msg got;

	make_pair();
	(void)close(next);
	next = dup(0);
	(void)close(next);
	REQUIRE(send(ends[0], "go", 2, 0) == 2);
	CHECK_INT(run_proto_receive(ends[1], &got, &fd), -EPROTO);
	REQUIRE(fdmsg_send(ends[0], &go, offsetof(struct run_msg, e), two, 2) == 0);
	CHECK_INT(run_proto_receive(ends[1], &got, &fd), -EPROTO);
	CHECK_INT(fd, -1);
	CHECK_INT(dup(0), next); /* nothing was left open */
}
