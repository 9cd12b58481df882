/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A command in a user namespace, with the broker in a process of its own. */

#include "broker_box.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/fdmsg.h"
#include "../../lib/broker/broker.h"
#include "../../lib/idmap/userns.h"
#include "test.h"

const char box_dir[] = "/mnt";
static bool made;

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		test_fail(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
}

/*
 * The command: become root of a new user namespace, install the filter, send the listener, and do
 * the work, which returns the exit status.
 */
static _Noreturn void command(int socket, const struct broker *b, int (*work)(void))
{
	struct err e = ERR_INIT;
	int listener = -1;
	char ready;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || write(socket, "u", 1) != 1 ||
		read(socket, &ready, 1) != 1)
		_exit(201);
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ||
		chdir(box_dir) < 0)
		_exit(202);
	if (broker_filter(b, &listener, &e) < 0 || fdmsg_send(socket, "l", 1, &listener, 1) < 0)
		_exit(203);
	(void)close(listener);
	(void)close(socket);
	_exit(work());
}

static void serve(struct broker *b, int listener, int userns)
{
	struct err e = ERR_INIT;
	struct out *out = out_new(1, true, false);

	if (broker_serve(b, listener, userns, &e) < 0) {
		fprintf(stderr, "# broker: %s: %s\n", e.on, e.what);
		_exit(1);
	}
	broker_report(b, out);
	_exit(out_flush(out) < 0);
}

void box_make_dir(void)
{
	REQUIRE(unshare(CLONE_NEWNS) == 0 &&
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	REQUIRE(mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755,uid=100000,gid=100000") == 0);
	made = true;
}

/* One run: its processes, and the descriptors that lead to them. */
struct box {
	struct broker *broker;
	pid_t command, server;
	int userns, out[2]; /* out: what the broker reports */
};

static void make_broker(const char *const *rules, const char *audit, struct broker **ret)
{
	static const char *const words[] = { "b:0:100000:65536" };
	scoped_idmap struct idmap map = { 0 };
	scoped_strv struct strv list = { 0 };
	struct broker_config config = {
		.rules = &list, .audit = audit, .map = &map, .privileged = true
	};
	struct err e = ERR_INIT;

	for (; *rules; rules++)
		REQUIRE(strv_add(&list, *rules) == 0);
	REQUIRE(idmap_parse(words, 1, NULL, &map, &e) == 0);
	if (!CHECK(broker_new(&config, ret, &e) == 0))
		fprintf(stderr, "# %s %s\n", e.on, e.what);
	REQUIRE(*ret);
}

static void write_maps(pid_t pid)
{
	static const char *const names[] = { "uid_map", "gid_map" };
	char path[64];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, names[i]);
		write_file(path, "0 100000 65536\n");
	}
}

/* Start the command, and the broker once the command has sent its listener. */
static void start(struct box *box, int (*work)(void))
{
	struct err e = ERR_INIT;
	int pair[2], listener = -1;
	size_t n = 0;
	char byte;

	REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0 &&
		pipe2(box->out, O_CLOEXEC) == 0);
	box->command = fork();
	if (box->command == 0)
		command(pair[1], box->broker, work);
	(void)close(pair[1]);
	REQUIRE(read(pair[0], &byte, 1) == 1);
	write_maps(box->command);
	/* Open the namespace now: a command that ends at once leaves nothing to open. */
	REQUIRE(userns_open_pid(box->command, &box->userns, &e) == 0);
	REQUIRE(write(pair[0], "g", 1) == 1);
	REQUIRE(fdmsg_receive(pair[0], &byte, 1, &listener, &n) == 1 && n == 1);
	box->server = fork();
	if (box->server == 0) {
		(void)dup2(box->out[1], 1);
		serve(box->broker, listener, box->userns);
	}
	(void)close(listener);
	(void)close(pair[0]);
	(void)close(box->out[1]);
}

int box_run(const char *const *rules, const char *audit, int (*work)(void), char *said,
	size_t said_size)
{
	struct box box = { .userns = -1 };
	int status = -1, served = -1;
	size_t n = 0;
	ssize_t got;

	if (geteuid() != 0)
		SKIP("needs root");
	if (!made)
		box_make_dir();
	make_broker(rules, audit, &box.broker);
	start(&box, work);
	CHECK_INT(waitpid(box.command, &status, 0), box.command);
	for (; n + 1 < said_size && (got = read(box.out[0], said + n, said_size - 1 - n)) > 0;
		n += (size_t)got)
		;
	if (said_size)
		said[n] = '\0';
	(void)close(box.out[0]);
	CHECK_INT(waitpid(box.server, &served, 0), box.server);
	CHECK_INT(served, 0);
	(void)close(box.userns);
	broker_free(box.broker);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const char *box_at(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", box_dir, name);
	return path;
}

int box_node_is(const char *name, mode_t mode, unsigned major, unsigned minor, uid_t owner)
{
	struct stat st;

	if (lstat(box_at(name), &st) < 0)
		return 0;
	return st.st_mode == mode && st.st_rdev == makedev(major, minor) && st.st_uid == owner &&
		st.st_gid == owner;
}
