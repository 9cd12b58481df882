/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check verify: report layers of a store that one kind of mount shows wrongly. */

#include "shift_check_marks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../lib/base/log.h"
#include "../lib/store/image_store.h"
#include "../lib/store/store_layer.h"

static const char both[] =
	"layer %.20s... has opaque directories with both marks, %" PRIu64
	" in number: an overlay copies up the mark that it does not read, and another kind of "
	"mount then hides what is below; %s";

static const char one[] = "layer %.20s... has opaque directories with %s alone, %" PRIu64
			  " in number: a mount %s shows what they hide; %s";

static void fill(
	const char *layer, const struct layer_marks *m, const char *remedy, struct finding *ret)
{
	const bool trusted = m->trusted_alone;
	const size_t size = sizeof(ret->detail);

	*ret = (struct finding){ .class = FINDING_MARKS };
	if (m->trusted_alone || m->user_alone)
		(void)snprintf(ret->detail, size, one, layer,
			trusted ? "trusted.overlay.opaque" : "user.overlay.opaque",
			trusted ? m->trusted_alone : m->user_alone,
			trusted ? "with userxattr or in a user namespace" :
				  "by root without userxattr",
			remedy); /* fits */
	else
		(void)snprintf(ret->detail, size, both, layer, m->trusted, remedy); /* fits */
}

int check_layer_marks(const struct store *s, const char *path, struct finding *ret, struct err *e)
{
	const char *name = strrchr(path, '/') + 1; /* path is absolute */
	struct layer_marks marks;
	struct store_layer l;
	int r = store_layer_read(s, name, &l, e);

	if (r < 0)
		return r;
	r = store_layer_marks(s, &l, &marks, e);
	store_layer_done(&l);
	if (r < 0 || !(marks.trusted || marks.user))
		return r;
	fill(name, &marks, "image-unpack --upgrade repairs it", ret);
	return 1;
}

struct store_report {
	void (*found)(struct finding *f, const char *path, void *arg);
	void *arg;
};

static int report(const char *id, const struct layer_marks *marks, void *arg)
{
	const struct store_report *r = arg;
	struct finding f;
	char path[96];

	(void)snprintf(path, sizeof(path), "overlay/%s/diff", id); /* fits: 64 digits */
	fill(id, marks, "image-unpack stores whiteouts instead", &f);
	r->found(&f, path, r->arg);
	return 0;
}

int check_store_marks(int fd, const char *path,
	void (*found)(struct finding *f, const char *path, void *arg), void *arg, uint64_t *dirs,
	struct err *e)
{
	struct store_report rep = { found, arg };
	struct image_store_sum sum;
	int r = image_store_marks(fd, report, &rep, &sum, e);

	if (r < 0) {
		err_prefix(e, "'%s': the marks of the layers", path);
		return r;
	}
	if (!layer_marks_are_readable())
		log_info("'%s': only root of the host can read trusted.overlay.opaque: whether "
			 "layers have it is not known",
			path);
	if (dirs)
		*dirs += sum.all.dirs;
	return 0;
}
