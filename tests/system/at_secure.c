/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * at_secure CMD [ARG]...: run CMD with AT_SECURE set, as the kernel does for a transition of
 * SELinux or AppArmor: the word in the auxiliary vector, on the new program's stack, is changed
 * before its first instruction. AT_SECURE_ROOT: its root.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t read_all(pid_t pid, const char *name, char *to, size_t max)
{
	char path[64];
	size_t n = 0;
	ssize_t r;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY);
	while (fd >= 0 && (r = read(fd, to + n, max - n)) > 0)
		n += (size_t)r;
	close(fd);
	return n;
}

static void set_secure(pid_t pid)
{
	static char maps[1 << 16], auxv[4096], stack[1 << 20];
	unsigned long from = 0, to = 0;
	size_t n = read_all(pid, "auxv", auxv, sizeof(auxv)), at = 0;
	unsigned long *words;
	char path[64], *line;
	ssize_t have;
	int mem;

	maps[read_all(pid, "maps", maps, sizeof(maps) - 1)] = '\0';
	for (line = maps; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char *end = strchr(line, '\n');

		if (end && end - line > 7 && !strncmp(end - 7, "[stack]", 7))
			from = strtoul(line, &line, 16), to = strtoul(line + 1, NULL, 16);
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	mem = open(path, O_RDWR);
	have = pread(
		mem, stack, to - from < sizeof(stack) ? to - from : sizeof(stack), (off_t)from);
	line = have > 0 && n ? memmem(stack, (size_t)have, auxv, n) : NULL;
	for (words = (unsigned long *)auxv; line && at + 2 <= n / sizeof(*words); at += 2) {
		unsigned long one = 1;

		if (words[at] != AT_SECURE)
			continue;
		if (pwrite(mem, &one, sizeof(one),
			    (off_t)(from + (size_t)(line - stack) + (at + 1) * sizeof(one))) ==
			sizeof(one))
			return;
	}
	fprintf(stderr, "at_secure: cannot change the auxiliary vector\n");
	kill(pid, SIGKILL);
}

int main(int argc, char **argv)
{
	pid_t pid = argc > 1 ? fork() : -1;
	int status;

	if (pid == 0) {
		if (getenv("AT_SECURE_ROOT") && chroot(getenv("AT_SECURE_ROOT")) < 0)
			_exit(125);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 126;
	if (WIFSTOPPED(status)) {
		set_secure(pid);
		ptrace(PTRACE_DETACH, pid, 0, 0);
		waitpid(pid, &status, 0);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
