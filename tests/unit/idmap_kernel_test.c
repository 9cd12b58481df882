/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel and we accept the same maps in numbers. The one exception is the kernel's: it cuts a
 * number of more than 32 bits, so that 4294967296 is 0 to it; we refuse those.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/vec.h"
#include "../../lib/idmap/idmap.h"
#include "../../lib/idmap/userns.h"
#include "test.h"

enum { ROUNDS = 400 };

/* Whether a new namespace takes the text as its uid_map. */
static bool kernel_accepts(const struct buf *text)
{
	int ready[2], fd;
	char path[64], c;
	ssize_t n;
	pid_t pid;

	REQUIRE(pipe(ready) == 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	REQUIRE(pid > 0 && read(ready[0], &c, 1) == 1);
	(void)close(ready[0]);
	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	n = write(fd, text->len ? text->data : "", text->len);
	(void)close(fd);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return n > 0 && (size_t)n == text->len;
}

static bool we_accept(const char *text)
{
	struct idmap m = { 0 };
	bool r = idmap_parse(&text, 1, NULL, &m, NULL) == 0;

	idmap_done(&m);
	return r;
}

/* A text of 170 lines of 24 bytes, and one more line at its front. */
static void long_text(const char *front, char column, char line, struct buf *b)
{
	for (const char *p = front; *p; p++)
		buf_char(b, *p == ' ' ? column : *p);
	for (uint32_t i = 0; i < 170; i++)
		buf_printf(b, "%c%u%c%u%c1", line, 4000000000u + 2 * i, column, 4000000000u + 2 * i,
			column);
}

static void check_userns(const char *text)
{
	scoped_idmap struct idmap m = { 0 };
	struct err e = ERR_INIT;
	int fd;

	REQUIRE(idmap_parse(&text, 1, NULL, &m, &e) == 0);
	CHECK_INT(userns_get(&m, &fd, &e), 0);
	userns_cache_done();
}

TEST(idmap_and_the_kernel_agree_on_the_last_byte)
{
	/* 15 and 16 bytes, for texts of 4095 and 4096 */
	static const struct {
		const char *front;
		size_t bytes;
		bool accept;
	} t[] = {
		{ "100000 100000 1", 4095, true },
		{ "1000000 100000 1", 4096, false },
	};

	test_need_initial_root();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		scoped_buf struct buf ours = BUF_INIT, kernels = BUF_INIT;

		long_text(t[i].front, ':', ';', &ours);
		long_text(t[i].front, ' ', '\n', &kernels);
		CHECK_INT(kernels.len, t[i].bytes);
		CHECK_INT(we_accept(buf_get(&ours)), t[i].accept);
		CHECK_INT(kernel_accepts(&kernels), t[i].accept);
		if (t[i].accept)
			check_userns(buf_get(&ours));
	}
}

/* Columns "D S N", ranges set apart by '/'. */
static void both_forms(const char *ranges, struct buf *ours, struct buf *kernels)
{
	for (const char *p = ranges; *p; p++) {
		buf_char(ours, *p == ' ' ? ':' : *p == '/' ? ';' : *p);
		buf_char(kernels, *p == '/' ? '\n' : *p);
	}
}

static bool compare(const char *ranges, bool kernel_is_lax)
{
	scoped_buf struct buf ours = BUF_INIT, kernels = BUF_INIT;
	bool we, it;

	both_forms(ranges, &ours, &kernels);
	we = we_accept(buf_get(&ours));
	it = kernel_accepts(&kernels);
	if (kernel_is_lax ? we : we != it)
		test_fail(__FILE__, __LINE__, "'%s': we %s, the kernel %s", ranges,
			we ? "accept" : "refuse", it ? "accepts" : "refuses");
	if (kernel_is_lax)
		CHECK(it); /* the exception is still one */
	return it;
}

TEST(idmap_and_the_kernel_agree_on_edges)
{
	static const char *const edges[] = {
		"0 0 1",
		"0 0 0",
		"0 0 4294967295",
		"1 0 4294967294",
		"1 0 4294967295",
		"0 1 4294967294",
		"0 1 4294967295",
		"4294967294 0 1",
		"4294967294 0 2",
		"4294967295 0 1",
		"0 4294967294 1",
		"0 4294967294 2",
		"0 4294967295 1",
		"-1 0 1",
		"+1 0 1",
		"0x10 0 1",
		"1x 0 1",
		"0 0 1x",
		"0 0",
		"0",
		"007 08 09",
		"x 0 1",
		"0 0 -1",
		"0 0 1 1",
		"0 0 5/5 5 5",
		"0 0 5/4 5 5",
		"0 0 5/5 4 5",
		"0 100 10/5 200 10",
		"0 0 10/20 5 10",
		"0 1000 1/1000 0 1",
		"5 5 1/0 0 5",
		"0 0 1/0 0 1",
		"0 0 1/4294967294 1 1",
		"10 10 4294967285",
		"10 10 4294967286",
	};

	test_need_initial_root();
	for (size_t i = 0; i < ARRAY_LEN(edges); i++)
		(void)compare(edges[i], false);
	(void)compare("4294967296 0 1", true);
	(void)compare("0 4294967296 1", true);
	(void)compare("0 0 4294967297", true);
}

TEST(idmap_and_the_kernel_agree_on_random_ranges)
{
	static const uint32_t pool[] = {
		0,
		1,
		2,
		3,
		9,
		10,
		11,
		65535,
		65536,
		4294967285u,
		4294967293u,
		4294967294u,
		4294967295u,
	};
	uint64_t seed = 20240;
	size_t accepted = 0;

	test_need_initial_root();
	for (size_t round = 0; round < ROUNDS; round++) {
		scoped_buf struct buf b = BUF_INIT;
		size_t n;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		n = 1 + (seed >> 60) % 4;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < 3; k++) {
				uint32_t v;

				seed = seed * 6364136223846793005u + 1442695040888963407u;
				/* mostly small, so that some pass, with an edge now and then */
				v = (seed >> 32) % 16 == 0 ? pool[(seed >> 40) % ARRAY_LEN(pool)] :
							     (seed >> 40) % (k == 2 ? 5 : 40);
				buf_printf(&b, "%s%u", k ? " " : i ? "/" : "", v);
			}
		accepted += compare(buf_get(&b), false);
	}
	CHECK(accepted > ROUNDS / 5 && accepted < ROUNDS * 4 / 5);
}

TEST(idmap_and_the_kernel_agree_on_how_much_is_too_much)
{
	static const struct {
		uint32_t n, first;
		bool accept;
	} t[] = {
		{ 340, 0, true },
		{ 341, 0, false },
		{ 170, 4000000000u, true },
		{ 171, 4000000000u, false },
	};

	test_need_initial_root();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		scoped_buf struct buf ours = BUF_INIT, kernels = BUF_INIT;

		for (uint32_t k = 0; k < t[i].n; k++) {
			buf_printf(&ours, "%u:%u:1 ", t[i].first + 2 * k, t[i].first + 2 * k);
			buf_printf(&kernels, "%s%u %u 1", k ? "\n" : "", t[i].first + 2 * k,
				t[i].first + 2 * k);
		}
		CHECK_INT(we_accept(buf_get(&ours)), t[i].accept);
		CHECK_INT(kernel_accepts(&kernels), t[i].accept);
	}
}
