/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run a fuzz target over files that were found before: those on the command line, or for a program
 * called fuzz_NAME those of tests/fuzz/corpus/NAME. A fault is an abort, of the target or a sanitizer.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/fd.h"
#include "fuzz.h"

enum { INPUT_MAX = 1 << 20 };

static int replay(int dirfd, const char *name)
{
	scoped_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (fd_read_file(dirfd, name, INPUT_MAX, &b, &e) < 0) {
		printf("%s: %s\n", e.on, e.what);
		return -1;
	}
	return LLVMFuzzerTestOneInput((const uint8_t *)buf_get(&b), b.len);
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

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	char path[256];

	(void)snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", name + (strncmp(name, "fuzz_", 5) ? 0 : 5));
	if (argc < 2)
		return replay_dir(path) < 0;
	for (int i = 1; i < argc; i++)
		if (replay(AT_FDCWD, argv[i]) < 0)
			return 1;
	return 0;
}
