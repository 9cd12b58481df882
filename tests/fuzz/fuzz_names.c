/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names of entries, one a line: on top of a small layer they make a layer in which no
 * whiteout's name is seen, a whiteout stands only where it hides something, and no path leads out.
 * A line that begins with '/' is a directory, with '=' a hard link to "d/f", else a file.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/layer/entry.h"
#include "../../lib/layer/layer.h"
#include "../../lib/layer/layer_limits.h"
#include "../../lib/layer/layer_process.h"
#include "../../lib/layer/layer_resolve.h"
#include "../../lib/layer/lowerdirs.h"
#include "../../lib/tar/tar_name.h"
#include "fuzz.h"
#include "tar.h"

enum { LINES = 40 };

static const char base_lines[] = "/d\nd/f\n/d/e\nd/e/g\nx\n.hidden\n/d/.wh\n...\nlower/implied";

struct stream {
	uint8_t data[(3 * LINES + 2) * TAR_BLOCK];
	size_t size;
};

static void put(
	struct stream *s, const char *name, size_t len, char type, const char *link, size_t size)
{
	tar_header(s->data + s->size, name, len, type, link, size);
	s->size += TAR_BLOCK;
}

/*
 * Whatever the line is, the bytes of the name get to the reader: through GNU's header for long
 * ones.
 */
static void put_line(struct stream *s, const char *line, size_t len)
{
	char type = *line == '/' ? '5' : *line == '=' ? '1' : '0';

	if (type != '0') {
		line++;
		len--;
	}
	if (len > 99 && len < TAR_BLOCK) {
		put(s, "long", 4, 'L', "", len + 1);
		memcpy(s->data + s->size, line, len);
		s->size += TAR_BLOCK;
	}
	put(s, line, len, type, type == '1' ? "d/f" : "", 0);
}

static void put_lines(struct stream *s, const char *text, size_t size)
{
	const char *end = text + size;

	for (int i = 0; i < LINES && text < end; i++) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((nl ? nl : end) - text);

		if (len > 0)
			put_line(s, text, len);
		text += len + 1;
	}
	s->size += 2 * TAR_BLOCK;
}

static void normal(const char *raw)
{
	scoped_buf struct buf once = BUF_INIT, twice = BUF_INIT;
	const char *p;

	if (tar_name_normal(raw, &once, NULL) < 0)
		return;
	p = buf_get(&once);
	FUZZ_CHECK(*p != '/' && !strstr(p, "//") && (!*p || p[strlen(p) - 1] != '/') &&
		strlen(p) <= 65535);
	FUZZ_CHECK(tar_name_normal(p, &twice, NULL) == 0 && !strcmp(p, buf_get(&twice)));
	for (; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		FUZZ_CHECK(n <= 255 && !(n == 1 && *p == '.') && !(n == 2 && !memcmp(p, "..", 2)));
		p += n;
	}
}

static bool is_dir_below(const char *path, size_t len, const struct lower *lower)
{
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	char *copy = strndup(path, len);
	int r = copy ? lower_find(lower, copy, &hit, NULL) : -ENOMEM;

	free(copy);
	return r == 1 && S_ISDIR(hit.st.st_mode);
}

/* Everything below dir, a directory of the layer whose path is in b. */
static void look(int dir, struct buf *b, const struct lower *lower)
{
	size_t len = b->len;
	DIR *d = fdopendir(dir);
	bool opaque;
	struct stat st;

	FUZZ_CHECK(d);
	opaque = fgetxattr(dir, "trusted.overlay.opaque", NULL, 0) >= 0;
	for (struct dirent *n; (n = readdir(d));) {
		if (!strcmp(n->d_name, ".") || !strcmp(n->d_name, ".."))
			continue;
		FUZZ_CHECK(strncmp(n->d_name, ".wh.", 4) != 0 &&
			fstatat(dirfd(d), n->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0);
		buf_str(b, len ? "/" : "");
		buf_str(b, n->d_name);
		if (S_ISDIR(st.st_mode))
			look(openat(dirfd(d), n->d_name,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
				b, lower);
		else if (S_ISCHR(st.st_mode))
			FUZZ_CHECK(
				st.st_rdev == 0 && !opaque && is_dir_below(buf_get(b), len, lower));
		b->len = len;
		b->data[len] = '\0';
	}
	(void)closedir(d);
}

static int unpack(
	const char *text, size_t size, int top, const char *name, const struct lower *lower)
{
	const struct layer_options o = { .limits = layer_default_limits };
	struct stream *s = calloc(1, sizeof(*s));
	struct tar_stream in;
	struct layer *l = NULL;
	struct err e = ERR_INIT;
	int r;

	FUZZ_CHECK(s);
	put_lines(s, text, size);
	in = (struct tar_stream){ s->data, s->size };
	r = layer_apply(tar_give, &in, &(struct layer_dir){ top, name }, &o, &l, &e);
	if (r == 0)
		r = layer_resolve_lower(l, lower, &e);
	if (r == 0)
		r = layer_finish(l, &e);
	FUZZ_CHECK(r == 0 || e.set);
	layer_free(l);
	free(s);
	return r;
}

static char top_path[] = "/dev/shm/shiftbox-fuzz-XXXXXX";
static int top = -1, base = -1;

static void remove_top(void)
{
	struct err e = ERR_INIT;

	(void)fd_remove_tree(top, "base", &e); /* a leftover in a temporary directory, at worst */
	(void)rmdir(top_path);
}

static void make_base(void)
{
	struct err e = ERR_INIT;

	(void)layer_process_prepare(&e); /* without privilege only part of it works */
	FUZZ_CHECK(mkdtemp(top_path) && fd_open_dir(AT_FDCWD, top_path, &top, &e) == 0);
	(void)atexit(remove_top);
	FUZZ_CHECK(unpack(base_lines, sizeof(base_lines) - 1, top, "base",
			   &(struct lower){ .n = 0 }) == 0);
	FUZZ_CHECK(fd_open_dir(top, "base", &base, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct lower lower = { .dirfds = &base, .n = 1 };
	scoped_buf struct buf path = BUF_INIT;
	char *text = strndup((const char *)data, size);
	struct err e = ERR_INIT;
	int fd;

	if (top < 0)
		make_base();
	FUZZ_CHECK(text);
	normal(text);
	buf_str(&path, "");
	if (unpack((const char *)data, size, top, "layer", &lower) == 0) {
		FUZZ_CHECK(fd_open_dir(top, "layer", &fd, &e) == 0);
		look(fd, &path, &lower);
	}
	FUZZ_CHECK(fd_remove_tree(top, "layer", &e) == 0);
	free(text);
	return 0;
}
