/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_verify: compare the layers of a stored image with their specifications. */

#include "image_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/plural.h"
#include "../check/expect.h"
#include "../check/verify.h"
#include "../store/store_base.h"
#include "../store/store_image.h"
#include "../store/store_layer.h"
#include "../tar/mtree.h"
#include "../tar/whiteout.h"

/* The state of the verification of one layer. */
struct layer_verify {
	const struct store *store;
	const char *name; /* of its directory, below layers/ */
	int fd;           /* of its directory, O_PATH */
	struct expect *expect;
	struct image_verify *total;
};

static void put_finding(
	struct layer_verify *v, const char *class, const char *path, const char *detail)
{
	const struct image_finding f = { class, v->name, path, detail };

	v->total->findings++;
	v->total->found(&f, v->total->arg);
}

static void found(const struct finding *f, void *arg)
{
	put_finding(arg, finding_word(f->class), f->path, f->detail);
}

static bool is_mark(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strncmp(slash ? slash + 1 : path, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX));
}

static int check_link(struct layer_verify *v, const struct mtree_entry *s, int fd, struct err *e)
{
	scoped_free char *target = malloc(PATH_MAX);
	ssize_t n;

	if (!target)
		return err_nomem(e);
	n = readlinkat(fd, "", target, PATH_MAX);
	if (n < 0)
		return err_set(e, errno, s->path, "cannot read the link");
	if ((size_t)n != strlen(s->link) || memcmp(target, s->link, (size_t)n) != 0)
		put_finding(v, "link", s->path, "has another target than in its archive");
	return 0;
}

/*
 * Compare what lib/check does not: sizes and the targets of links. A missing file is reported by
 * lib/check.
 */
static int check_content(struct layer_verify *v, const struct mtree_entry *s, struct err *e)
{
	scoped_fd int fd = -1;
	struct stat st;
	char detail[80];

	if (!s->has_type || is_mark(s->path) ||
		!((S_ISREG(s->type) && s->has_size) || (S_ISLNK(s->type) && s->link)))
		return 0;
	if (fd_open_beneath(v->fd, s->path, O_PATH | O_NOFOLLOW, &fd, NULL) < 0) {
		log_verbose("%s/%s cannot be opened: %s", v->name, s->path, strerror(errno));
		return 0;
	}
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, s->path, "cannot stat the file");
	if ((st.st_mode & S_IFMT) != s->type)
		return 0;
	if (S_ISLNK(s->type))
		return check_link(v, s, fd, e);
	if ((uint64_t)st.st_size != s->size) {
		(void)snprintf(detail, sizeof(detail), "has %llu %s, and %llu in its archive",
			(unsigned long long)st.st_size,
			plural((uint64_t)st.st_size, "byte", "bytes"), (unsigned long long)s->size);
		put_finding(v, "size", s->path, detail);
	}
	return 0;
}

struct spec_reader {
	struct layer_verify *v;
	struct err *e;
};

static int read_entry(const struct mtree_entry *s, void *arg)
{
	const struct spec_reader *r = arg;
	int x = expect_add(s, r->v->expect);

	if (x == -ENOMEM)
		return err_nomem(r->e);
	if (x < 0)
		return err_say(r->e, EINVAL, s->path,
			"the layer's specification names a path outside of the layer");
	return check_content(r->v, s, r->e);
}

/* r, own: the result of reading a document. If it is damaged or missing, report that; return 0. */
static int judge_document(
	struct layer_verify *v, int r, const char *dir, const struct err *own, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT, detail = BUF_INIT;

	if (r == 0)
		return 0;
	if (r != -ENOENT && r != -EINVAL && r != -EBADMSG && r != -EFBIG) {
		if (e)
			*e = *own;
		return r;
	}
	buf_printf(&path, "%s/%s", dir, own->on);
	buf_printf(&detail, "%s%s%s", own->what, own->num ? ": " : "",
		own->num ? strerrordesc_np(own->num) : "");
	if (!buf_get(&path) || !buf_get(&detail))
		return err_nomem(e);
	v->name = "";
	put_finding(v, "document", path.data, detail.data);
	return 0;
}

static int check_documents(struct layer_verify *v, struct store *s, const char *image,
	const struct strv *layers, struct err *e)
{
	scoped_buf struct buf dir = BUF_INIT;
	struct err own = ERR_INIT;
	int r;

	buf_printf(&dir, "images/%s", image);
	if (!buf_get(&dir))
		return err_nomem(e);
	r = judge_document(v, store_image_check(s, image, &own), dir.data, &own, e);
	for (size_t i = 0; r == 0 && i < layers->len; i++) {
		struct store_layer facts;
		const char *name = strrchr(layers->items[i], '/') + 1; /* the path is absolute */

		own = ERR_INIT;
		r = store_layer_read(s, name, &facts, &own);
		if (r == 0)
			store_layer_done(&facts);
		r = judge_document(v, r, "layers", &own, e);
	}
	return r;
}

static int check_layer(struct layer_verify *v, const char *path, const char *spec,
	const struct idmap *map, struct err *e)
{
	struct verify_options o = { .map = map, .found = found, .arg = v };
	struct verify_counts counts = { .entries = 0 };
	struct spec_reader reading = { v, e };
	scoped_fd int fd = -1, file = -1;
	int r;

	v->name = strrchr(path, '/') + 1; /* path is absolute */
	r = store_layer_open(v->store, path, &fd, e);
	if (r < 0)
		return r;
	v->fd = fd;
	v->expect = expect_new(false);
	if (!v->expect)
		return err_nomem(e);
	r = store_layer_open_spec(v->store, spec, &file, e);
	if (r == 0)
		r = mtree_read(
			&(struct mtree_input){ file, spec, MTREE_ALL, 1 }, read_entry, &reading, e);
	if (r < 0 && r != -ENOMEM)
		store_layer_say_try(v->name, e);
	/* The specification of a layer without entries says nothing about its root. */
	if (r == 0 && expect_root(v->expect))
		r = verify_expect(fd, v->expect, NULL, &o, &counts, e);
	expect_free(TAKE_PTR(v->expect));
	v->total->entries += counts.entries;
	return r;
}

int image_verify(struct store *s, const char *name, struct image_verify *v, struct err *e)
{
	scoped_strv struct strv layers = { 0 }, specs = { 0 };
	scoped_idmap struct idmap map = { .gid_assumed = false };
	struct layer_verify layer = { .store = s, .fd = -1, .total = v };
	int r;

	r = store_base(s)->count ? store_base_map(s, &map, e) : idmap_identity(&map, e);
	if (r == 0)
		r = store_image_layers(s, name, &layers, &specs, e);
	if (r == 0)
		r = check_documents(&layer, s, name, &layers, e);
	for (size_t i = 0; r == 0 && i < layers.len; i++, v->layers++)
		r = check_layer(&layer, layers.items[i], specs.items[i], &map, e);
	return r;
}
