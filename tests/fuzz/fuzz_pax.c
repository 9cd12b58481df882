/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as the body of a pax header: what is taken is within bounds, the same however it is cut
 * into headers, and the same as what the reader of layers gives out of an entry behind that header.
 */

#include <sys/stat.h>

#include "../../lib/layer/entry.h"
#include "../../lib/layer/layer_limits.h"
#include "../../lib/tar/tar_pax.h"
#include "fuzz.h"
#include "tar.h"

static void sound(const struct tar_pax *x, const char *data, size_t size)
{
	if (x->path) /* of a record that was refused, only for a message */
		FUZZ_CHECK(x->path >= data && x->path_len <= size &&
			x->path <= data + size - x->path_len);
	if (x->has_uid)
		FUZZ_CHECK(x->uid != UINT32_MAX);
	if (x->has_gid)
		FUZZ_CHECK(x->gid != UINT32_MAX);
	if (x->has_time)
		FUZZ_CHECK(x->nsec < 1000000000);
	if (x->has_size)
		FUZZ_CHECK(x->size <= INT64_MAX - TAR_BLOCK);
	FUZZ_CHECK(x->acl_access <= (65536 - 4) / 8 && x->acl_default <= (65536 - 4) / 8);
}

/* The records of two headers, one after the other, are those of one with both. */
static void in_two_parts(const struct tar_pax *whole, const char *data, size_t size)
{
	struct tar_pax x = { .path = NULL };
	const char *key = NULL, *nl = memchr(data, '\n', size);
	size_t first = nl ? (size_t)(nl + 1 - data) : 0;

	if (tar_pax_parse(&x, data, first, &key))
		return; /* the newline stands inside a value */
	FUZZ_CHECK(!tar_pax_parse(&x, data + first, size - first, &key));
	FUZZ_CHECK(x.has_uid == whole->has_uid && x.uid == whole->uid &&
		x.has_gid == whole->has_gid && x.gid == whole->gid);
	FUZZ_CHECK(x.has_size == whole->has_size && x.size == whole->size && x.sec == whole->sec &&
		x.nsec == whole->nsec);
	FUZZ_CHECK(x.path == whole->path && x.path_len == whole->path_len);
}

static void behind_it(const struct tar_pax *x, const char *wrong, const char *data, size_t size)
{
	const struct layer_options o = { .limits = layer_default_limits };
	size_t padded = (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK,
	       total = padded + 5 * TAR_BLOCK;
	uint8_t *stream = calloc(1, total);
	struct tar_stream s = { .data = stream, .size = total };
	struct entry_reader *r = NULL;
	struct layer_entry en;
	struct err e = ERR_INIT;
	mode_t loose = x->acl_access ? S_IRWXG : 0; /* the mask's */
	int got;

	FUZZ_CHECK(stream);
	tar_header(stream, "pax", 3, 'x', "", size);
	memcpy(stream + TAR_BLOCK, data, size);
	tar_header(stream + TAR_BLOCK + padded, "first", 5, '0', "", 0);
	tar_header(stream + 2 * TAR_BLOCK + padded, "second", 6, '5', "", 0);
	got = entry_open(tar_give, &s, &o, &r, &e); /* reads ahead */
	if (got == 0)
		got = entry_next(r, &en, &e);
	FUZZ_CHECK(got >= 0 || e.set);
	FUZZ_CHECK(!(wrong && got > 0)); /* what tar_pax refuses is refused */
	if (got > 0) {
		FUZZ_CHECK(en.uid == (x->has_uid ? x->uid : 0) &&
			en.gid == (x->has_gid ? x->gid : 0) && (en.mode | loose) == (0644 | loose));
		FUZZ_CHECK(en.sec == (x->has_time ? x->sec : 7) &&
			en.nsec == (x->has_time ? x->nsec : 0));
		FUZZ_CHECK(*en.path != '/' && strlen(en.path) <= 65535);
		FUZZ_CHECK(x->has_path || !strcmp(en.raw, "first"));
		/* No part of the header is taken for the next entry. */
		if (!x->has_size && entry_next(r, &en, &e) > 0)
			FUZZ_CHECK(!strcmp(en.path, "second") && en.uid == 0 && en.sec == 7);
	}
	entry_close(r);
	free(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tar_pax x = { .path = NULL };
	const char *key = NULL, *wrong;

	if (size > 100000)
		return 0;
	wrong = tar_pax_parse(&x, (const char *)data, size, &key);
	sound(&x, (const char *)data, size);
	if (!wrong)
		in_two_parts(&x, (const char *)data, size);
	behind_it(&x, wrong, (const char *)data, size);
	return 0;
}
