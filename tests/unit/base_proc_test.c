/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/proc.h"

struct seen {
	size_t calls, own;
	int stop_with;
};

static int count(int proc, const char *name, pid_t pid, void *arg)
{
	struct seen *s = arg;
	char text[32];

	s->calls++;
	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	CHECK_STR(name, text);
	if (pid != getpid())
		return 0;
	s->own++;
	CHECK_INT(faccessat(proc, name, F_OK, 0), 0);
	return s->stop_with;
}

TEST(proc_each_visits_every_process_once)
{
	struct seen s = { 0 };
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	CHECK_INT(proc_each(count, &s, NULL), 0); /* the child is at least a zombie */
	CHECK_INT(s.own, 1);
	CHECK(s.calls >= 2);
	CHECK(waitpid(child, NULL, 0) == child);
}

TEST(proc_each_stops_when_it_is_asked_to_and_returns_why)
{
	static const int values[] = { 1, -ESRCH };

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct seen s = { .stop_with = values[i] };

		CHECK_INT(proc_each(count, &s, NULL), values[i]);
		CHECK_INT(s.own, 1);
	}
}

TEST(proc_processors_is_at_least_one)
{
	CHECK(proc_processors() >= 1);
}
