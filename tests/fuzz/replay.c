/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run a fuzz target over files that were found before: those on the command line, or for a program
 * called fuzz_NAME those of tests/fuzz/corpus/NAME, and over mutations of each, the same ones in
 * every run. A fault is an abort, of the target or a sanitizer.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/fd.h"
#include "fuzz.h"

enum { INPUT_MAX = 1 << 20, MUTATIONS = 1000 };

/* A number below n, which is not 0, from a sequence that depends on *state alone. */
static size_t any(uint64_t *state, size_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(*state >> 33) % n;
}

/* In memory of just its size, so that the sanitizer sees a read beyond it. */
static int run(const char *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	int r;

	if (!copy)
		return -1;
	memcpy(copy, data, size);
	r = LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	return r;
}

/* Change d (size bytes, not 0, in memory of twice as many) a little. Returns its new size. */
static size_t mutate(char *d, size_t size, uint64_t *state)
{
	size_t at = any(state, size), n = any(state, size - at + 1);

	switch (any(state, 5)) {
	case 0:
		return at;
	case 1:
		memmove(d + at, d + at + n, size - at - n);
		return size - n;
	case 2:
		memmove(d + at + n, d + at, size - at);
		return size + n;
	case 3:
		d[at] = (char)(d[at] ^ (1 << any(state, 8)));
		return size;
	default:
		d[at] = (char)any(state, 256);
		return size;
	}
}

static int run_mutations(const struct buf *b)
{
	uint64_t state = b->len;
	char *work = malloc(2 * b->len + 1);
	int r = work ? 0 : -1;

	for (int i = 0; r == 0 && b->len && i < MUTATIONS; i++) {
		size_t n = b->len;

		memcpy(work, buf_get(b), n);
		for (size_t times = any(&state, 4) + 1; times && n && n <= b->len; times--)
			n = mutate(work, n, &state);
		r = run(work, n);
	}
	free(work);
	return r;
}

static int replay(int dirfd, const char *name)
{
	scoped_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (fd_read_file(dirfd, name, INPUT_MAX, &b, &e) < 0) {
		printf("%s: %s\n", e.on, e.what);
		return -1;
	}
	if (run(buf_get(&b), b.len) < 0)
		return -1;
	return run_mutations(&b);
}

static int replay_dir(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	if (!dir) {
		printf("%s: cannot open the directory\n", path);
		return -1;
	}
	for (struct dirent *d; (d = readdir(dir));) {
		if (d->d_name[0] == '.')
			continue;
		if (replay(dirfd(dir), d->d_name) < 0)
			break;
		n++;
	}
	(void)closedir(dir);
	printf("%s: %d inputs\n", path, n);
	return n > 0 ? 0 : -1;
}

/*
 * An endless loop is a fault, too: it uses up 300 s of processor time. SLOW=10 in the environment
 * allows ten times as much, as an emulator needs.
 */
static void limit(void)
{
	const char *slow = getenv("SLOW");
	const rlim_t seconds = 300 * (slow ? strtoul(slow, NULL, 10) : 1);

	(void)setrlimit(RLIMIT_CPU, &(struct rlimit){ seconds, RLIM_INFINITY });
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	char path[256];

	limit();
	(void)snprintf(path, sizeof(path), "tests/fuzz/corpus/%s",
		name + (strncmp(name, "fuzz_", 5) ? 0 : 5));
	if (argc < 2)
		return replay_dir(path) < 0;
	for (int i = 1; i < argc; i++)
		if (replay(AT_FDCWD, argv[i]) < 0)
			return 1;
	return 0;
}
