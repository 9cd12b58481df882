/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gzip: compress to a file. */

#include "gzip.h"

#include <stdlib.h>

#include "../base/fd.h"
#include "gzip_priv.h"

enum { OUT_SIZE = 64 << 10 };

const struct gzip_library *const gzip_all[] = {
#ifdef WITH_ISAL
	&gzip_isal,
#endif
	&gzip_zlib,
	NULL,
};

struct gzip {
	const struct gzip_library *l;
	void *state;
	int fd;
	uint8_t out[OUT_SIZE];
};

struct gzip *gzip_new(const struct gzip_library *l, int fd)
{
	struct gzip *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->l = l;
	g->fd = fd;
	g->state = l->open();
	if (g->state)
		return g;
	free(g);
	return NULL;
}

static int run(struct gzip *g, const void *p, size_t n, bool end)
{
	struct gunzip_io io = { .in = p, .in_n = n };
	bool done = false;
	int r = 0;

	while (r == 0 && !done) {
		io.out = g->out;
		io.out_n = OUT_SIZE;
		done = g->l->run(g->state, &io, end);
		r = fd_write_all(g->fd, g->out, OUT_SIZE - io.out_n);
	}
	return r;
}

int gzip_add(struct gzip *g, const void *p, size_t n)
{
	return run(g, p, n, false);
}

int gzip_end(struct gzip *g)
{
	return run(g, "", 0, true);
}

void gzip_free(struct gzip *g)
{
	if (g)
		g->l->free(g->state);
	free(g);
}
