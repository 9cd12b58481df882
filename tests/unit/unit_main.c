/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs every TEST, each in a process of its own, and prints TAP. Words on the command line choose
 * by substring. A test that hangs is ended by a limit of processor time, so that it does not matter
 * how busy the machine is, or how slow its emulator; one that waits for ever, by a long alarm.
 */

#include "test.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_SKIP = 77, WHY_MAX = 256 };

/* Seconds; "SLOW=10" in the environment allows ten times as much, as an emulator needs. */
enum { CPU_LIMIT = 120, WALL_LIMIT = 3600 };

static struct test *tests;
static bool failed;
static char *skip_why; /* memory that the tests' processes share with this one */

void test_register(struct test *t)
{
	t->next = tests;
	tests = t;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	failed = true;
	printf("# %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

_Noreturn void test_stop(void)
{
	exit(failed);
}

_Noreturn void test_skip(const char *why)
{
	(void)snprintf(skip_why, WHY_MAX, "%s", why); /* a longer one is cut */
	exit(EXIT_SKIP);
}

void test_need_initial_root(void)
{
	char line[64] = "";
	FILE *f;

	if (geteuid() != 0)
		SKIP("needs root");
	f = fopen("/proc/self/uid_map", "re");
	if (!f || !fgets(line, sizeof(line), f) || !strstr(line, "4294967295"))
		SKIP("needs the initial user namespace");
	(void)fclose(f);
}

static bool chosen(const struct test *t, char **words)
{
	if (!*words)
		return true;
	for (; *words; words++)
		if (strstr(t->name, *words) || strstr(t->file, *words))
			return true;
	return false;
}

/* The limit of processor time is also that of each child of the test alone. */
static void limit(void)
{
	const char *slow = getenv("SLOW");
	const rlim_t times = slow ? strtoul(slow, NULL, 10) : 1;

	(void)setrlimit(RLIMIT_CPU, &(struct rlimit){ CPU_LIMIT * times, RLIM_INFINITY });
	alarm((unsigned)(WALL_LIMIT * times));
}

void test_unlimited(void)
{
	(void)setrlimit(RLIMIT_CPU, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	alarm(0);
}

static int run_one(const struct test *t)
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	skip_why[0] = '\0';
	pid = fork();
	if (pid == 0) {
		limit();
		t->run();
		exit(failed);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	if (WIFSIGNALED(status))
		printf("# killed by signal %d%s\n", WTERMSIG(status),
			WTERMSIG(status) == SIGXCPU ? ": more processor time than is allowed" :
				WTERMSIG(status) == SIGALRM ? ": it took more than an hour" :
							      "");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One line of TAP, with the time that the test took. */
static void report(int n, const struct test *t, int r, double seconds)
{
	printf("%s %d - %s", r == 0 || r == EXIT_SKIP ? "ok" : "not ok", n, t->name);
	if (r == EXIT_SKIP)
		printf(" # SKIP %s\n", skip_why);
	else
		printf(" # %.1fs\n", seconds);
}

int main(int argc, char **argv)
{
	bool strict = getenv("STRICT") && !strcmp(getenv("STRICT"), "1");
	int n = 0, bad = 0;

	(void)argc;
	skip_why = mmap(NULL, WHY_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_why == MAP_FAILED)
		return 1;
	for (const struct test *t = tests; t; t = t->next) {
		double start = now();
		int r;

		if (!chosen(t, argv + 1))
			continue;
		r = run_one(t);
		bad += r != 0 && (r != EXIT_SKIP || strict);
		report(++n, t, r, now() - start);
	}
	printf("1..%d\n", n);
	return bad || !n;
}
