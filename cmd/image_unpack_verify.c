/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack --verify: are the layers of an image still what their archives said? */

#include "image_unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/base/fd.h"
#include "../lib/base/log.h"
#include "../lib/check/expect.h"
#include "../lib/check/verify.h"
#include "../lib/store/store_base.h"
#include "../lib/store/store_image.h"
#include "../lib/store/store_layer.h"
#include "../lib/tar/mtree.h"

struct job {
	struct ctx *ctx;
	const struct store *store;
	const char *name; /* the layer's directory, below layers/ */
	int fd;           /* it, O_PATH */
	struct expect *expect;
	uint64_t entries, findings; /* of all layers */
};

static void put_finding(struct job *j, const char *class, const char *path, const char *detail)
{
	struct out *out = j->ctx->out;

	j->findings++;
	if (out_json(out)) {
		out_begin(out, NULL);
		out_str(out, "event", "finding");
		out_str(out, "class", class);
		out_str(out, "layer", j->name);
		out_str(out, "path", path);
		out_str(out, "detail", detail);
		out_end(out);
		return;
	}
	out_safe_line(out, "%s: %s/%s: %s", class, j->name, path, detail);
}

static void found(const struct finding *f, void *arg)
{
	put_finding(arg, finding_word(f->class), f->path, f->detail);
}

static bool is_mark(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strncmp(slash ? slash + 1 : path, ".wh.", 4);
}

static int check_link(struct job *j, const struct mtree_entry *s, int fd, struct err *e)
{
	scoped_free char *target = malloc(PATH_MAX);
	ssize_t n;

	if (!target)
		return err_nomem(e);
	n = readlinkat(fd, "", target, PATH_MAX);
	if (n < 0)
		return err_set(e, errno, s->path, "cannot read the link");
	if ((size_t)n != strlen(s->link) || memcmp(target, s->link, (size_t)n) != 0)
		put_finding(j, "link", s->path, "leads somewhere else than its archive said");
	return 0;
}

/*
 * What the comparison of the two trees leaves out: sizes and the targets of links. What is missing
 * is its to tell.
 */
static int check_content(struct job *j, const struct mtree_entry *s, struct err *e)
{
	scoped_fd int fd = -1;
	struct stat st;
	char detail[80];

	if (!s->has_type || is_mark(s->path) ||
		!((S_ISREG(s->type) && s->has_size) || (S_ISLNK(s->type) && s->link)))
		return 0;
	if (fd_open_beneath(j->fd, s->path, O_PATH | O_NOFOLLOW, &fd, NULL) < 0) {
		log_verbose("%s/%s cannot be opened: %s", j->name, s->path, strerror(errno));
		return 0;
	}
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, s->path, "cannot stat the file");
	if ((st.st_mode & S_IFMT) != s->type)
		return 0;
	if (S_ISLNK(s->type))
		return check_link(j, s, fd, e);
	if ((uint64_t)st.st_size != s->size) {
		(void)snprintf(detail, sizeof(detail), "has %llu bytes, its archive said %llu",
			(unsigned long long)st.st_size, (unsigned long long)s->size);
		put_finding(j, "size", s->path, detail);
	}
	return 0;
}

struct reading {
	struct job *j;
	struct err *e;
};

static int read_entry(const struct mtree_entry *s, void *arg)
{
	const struct reading *r = arg;
	int x = expect_add(s, r->j->expect);

	if (x == -ENOMEM)
		return err_nomem(r->e);
	if (x < 0)
		return err_say(r->e, EINVAL, s->path,
			"the layer's specification names a path that leaves it");
	return check_content(r->j, s, r->e);
}

static int check_layer(
	struct job *j, const char *path, const char *spec, const struct idmap *map, struct err *e)
{
	struct verify_options o = { .map = map, .found = found, .arg = j };
	struct verify_counts counts = { .entries = 0 };
	struct reading reading = { j, e };
	scoped_fd int fd = -1, file = -1;
	int r;

	j->name = strrchr(path, '/') + 1; /* an absolute path */
	r = store_layer_open(j->store, path, &fd, e);
	if (r < 0)
		return r;
	j->fd = fd;
	j->expect = expect_new(false);
	if (!j->expect)
		return err_nomem(e);
	r = store_layer_open_spec(j->store, spec, &file, e);
	if (r == 0)
		r = mtree_read(
			&(struct mtree_input){ file, spec, MTREE_ALL, 1 }, read_entry, &reading, e);
	/* A layer without entries has an empty directory, of which nothing is known. */
	if (r == 0 && expect_root(j->expect))
		r = verify_expect(fd, j->expect, NULL, &o, &counts, e);
	expect_free(TAKE_PTR(j->expect));
	j->entries += counts.entries;
	return r;
}

static void put_summary(const struct job *j, const char *name, size_t layers)
{
	struct ctx *ctx = j->ctx;

	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "verify");
	out_str(ctx->out, "name", name);
	out_u64(ctx->out, "layers", layers);
	out_u64(ctx->out, "entries", j->entries);
	out_u64(ctx->out, "findings", j->findings);
	out_end(ctx->out);
	if (ctx->quiet && !j->findings)
		return;
	if (j->findings)
		out_line(ctx->out, "%s: %zu layers, %llu entries checked, %llu findings", name,
			layers, (unsigned long long)j->entries, (unsigned long long)j->findings);
	else
		out_line(ctx->out, "%s: %zu layers, %llu entries checked, nothing found", name,
			layers, (unsigned long long)j->entries);
}

int unpack_verify(struct store *s, const char *name, struct ctx *ctx, struct err *e)
{
	scoped_strv struct strv layers = { 0 }, specs = { 0 };
	scoped_idmap struct idmap map = { .gid_assumed = false };
	struct job j = { .ctx = ctx, .store = s, .fd = -1 };
	int r;

	r = store_base(s)->count ? store_base_map(s, &map, e) : idmap_identity(&map, e);
	if (r == 0)
		r = store_image_layers(s, name, &layers, &specs, e);
	for (size_t i = 0; r == 0 && i < layers.len; i++)
		r = check_layer(&j, layers.items[i], specs.items[i], &map, e);
	if (r < 0)
		return r;

	put_summary(&j, name, layers.len);
	return j.findings ? STATUS_FOUND : STATUS_DONE;
}
