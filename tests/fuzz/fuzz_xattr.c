/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An attribute's name up to a NUL, and its value: whatever a layer asks for, nothing that is kept
 * speaks to overlayfs or is more than Linux can store, and every capability that is kept means what
 * it is checked against later.
 */

#include <sys/stat.h>

#include "../../lib/base/filecap.h"
#include "../../lib/layer/layer_limits.h"
#include "../../lib/layer/xattr.h"
#include "fuzz.h"

static bool speaks(const char *name)
{
	static const char *const spaces[] = { "trusted.overlay.", "user.overlay." };

	for (size_t i = 0; i < 2; i++)
		if (!strncmp(name, spaces[i], strlen(spaces[i])) &&
			strncmp(name + strlen(spaces[i]), "overlay.", 8) != 0)
			return true;
	return false;
}

static void kept(const struct xattr *a, mode_t type)
{
	struct filecap cap;

	FUZZ_CHECK(!speaks(a->name) && strlen(a->name) <= 255 && a->size <= 65536);
	FUZZ_CHECK(S_ISREG(type) || S_ISDIR(type) || strncmp(a->name, "user.", 5) != 0 ||
		strstr(a->name, ".overlay."));
	if (!strcmp(a->name, "security.capability"))
		FUZZ_CHECK(filecap_parse(a->value, a->size, &cap) == 0 && cap.present &&
			cap.root != UINT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const mode_t types[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO };
	struct layer_options o = { .limits = layer_default_limits };
	struct xattrs x = { .items = NULL };
	struct xattr_file file = { .on = "entry", .o = &o };
	struct err e = ERR_INIT;
	const uint8_t *nul;

	if (size < 2 || !(nul = memchr(data + 1, '\0', size - 1)))
		return 0;
	file.type = types[data[0] & 3];
	o.keep_security = data[0] & 4;
	o.user_xattr = data[0] & 8;
	for (int times = 0; times < 2; times++) {
		size_t before = x.len, n = size - (size_t)(nul + 1 - data);

		if (xattrs_add(&x, (const char *)data + 1, nul + 1, n, &file, &e) < 0)
			FUZZ_CHECK(e.set && x.len == before);
		FUZZ_CHECK(!times || x.len == before); /* a name is kept once */
	}
	for (size_t i = 0; i < x.len; i++)
		kept(&x.items[i], file.type);
	xattrs_done(&x);
	return 0;
}
