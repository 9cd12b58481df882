/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack --scan: print what an image requires of the host, without writing a file. */

#include "image_unpack.h"

#include <stddef.h>
#include <string.h>

#include "../lib/base/plural.h"
#include "../lib/idmap/idmap.h"
#include "../lib/image/scan.h"
#include "progress_line.h"

/* The counts that layers and the whole image have: their keys, and the text for people. */
static const struct count {
	const char *key, *word;
	size_t at;
} counts[] = {
#define COUNT(member, word) { #member, word, offsetof(struct scan, member) }
	COUNT(entries, NULL),
	COUNT(files, NULL),
	COUNT(directories, NULL),
	COUNT(symlinks, NULL),
	COUNT(hardlinks, NULL),
	COUNT(devices, "devices"),
	COUNT(fifos, "fifos"),
	COUNT(sockets, "sockets, which are skipped"),
	COUNT(whiteouts, "whiteouts"),
	COUNT(opaques, "opaque directories"),
	COUNT(setuid, "set-user-id files"),
	COUNT(setgid, "set-group-id files"),
	COUNT(capabilities, "files with capabilities"),
	COUNT(acls, "entries with ACLs"),
	COUNT(xattrs, "entries with other attributes"),
	COUNT(bytes, NULL),
	COUNT(largest, NULL),
	COUNT(blob_bytes, NULL),
	COUNT(unpacked, NULL),
#undef COUNT
};

static uint64_t value(const struct scan *s, const struct count *c)
{
	uint64_t v;

	memcpy(&v, (const char *)s + c->at, sizeof(v));
	return v;
}

static void put_owners(struct out *out, const struct scan *s)
{
	for (size_t i = 0; i < s->owners.len; i++) {
		out_begin(out, NULL);
		out_u64(out, "uid", s->owners.items[i].uid);
		out_u64(out, "gid", s->owners.items[i].gid);
		out_u64(out, "count", s->owners.items[i].count);
		out_end(out);
	}
}

/* Add to the open record the members that layers and the image have in common. */
static void put_counts(struct out *out, const struct scan *s)
{
	uint32_t uid, gid;

	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		out_u64(out, counts[i].key, value(s, &counts[i]));
	if (s->largest_path)
		out_str(out, "largest_path", s->largest_path);
	scan_highest(s, &uid, &gid);
	out_u64(out, "highest_uid", uid);
	out_u64(out, "highest_gid", gid);
	out_array(out, "owners");
	put_owners(out, s);
	out_array_end(out);
}

static void put_layer(struct out *out, const struct source *src, size_t i, const struct scan *s)
{
	char size[16], largest[16];

	out_begin(out, NULL);
	out_str(out, "event", "layer");
	out_u64(out, "layer", i + 1);
	out_u64(out, "layers", src->n_layers);
	out_str(out, "name", src->layers[i].name);
	put_counts(out, s);
	if (!out_json(out)) {
		out_u64(out, "n_owners", s->owners.len);
		out_str(out, "size", human_size(s->bytes, size));
		out_str(out, "largest_size", human_size(s->largest, largest));
	}
	out_end(out);
}

static int map_text(const struct scan *sum, struct buf *ret, struct err *e)
{
	scoped_idmap struct idmap map = { .gid_assumed = false };
	int r = scan_map(sum, &map, e);

	if (r < 0)
		return r;
	idmap_print(&map, ret);
	return buf_get(ret) ? 0 : err_nomem(e);
}

static void put_owner_table(struct out *out, const struct scan *sum)
{
	static const struct out_col cols[] = { { "uid", "UID", true }, { "gid", "GID", true },
		{ "count", "ENTRIES", true } };

	if (out_json(out))
		return;
	out_line(out, "%s", "");
	out_table(out, cols, ARRAY_LEN(cols));
	put_owners(out, sum);
	out_table_end(out);
}

static void put_text(
	struct out *out, const struct source *src, const struct scan *sum, const char *map)
{
	scoped_buf struct buf name = BUF_INIT, path = BUF_INIT;
	char size[16];
	uint32_t uid, gid;

	put_owner_table(out, sum);
	buf_escaped(&name, src->name, strlen(src->name));
	buf_escaped(&path, sum->largest_path ? sum->largest_path : "",
		sum->largest_path ? strlen(sum->largest_path) : 0);
	if (!buf_get(&name) || !buf_get(&path))
		return; /* only the summary is lost: the layers have been printed */
	out_line(out, "%s", "");
	out_line(out, "%s: %zu %s, %llu %s, %s of files", buf_get(&name), src->n_layers,
		plural(src->n_layers, "layer", "layers"), (unsigned long long)sum->entries,
		plural(sum->entries, "entry", "entries"), human_size(sum->bytes, size));
	if (sum->largest_path)
		out_line(out, "largest file: %s, %s", buf_get(&path),
			human_size(sum->largest, size));
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		if (counts[i].word && value(sum, &counts[i]))
			out_line(out, "%s: %llu", counts[i].word,
				(unsigned long long)value(sum, &counts[i]));
	scan_highest(sum, &uid, &gid);
	out_line(out, "highest ids: user %u, group %u; a grant of 65536 ids %s", uid, gid,
		uid < 65536 && gid < 65536 ? "is enough" : "does not hold them all");
	out_line(out, "smallest map: %s", map);
}

int unpack_scan(
	const struct source *src, const struct layer_options *o, struct ctx *ctx, struct err *e)
{
	static const struct out_col cols[] = {
		{ "layer", "LAYER", true },
		{ "entries", "ENTRIES", true },
		{ "size", "SIZE", true },
		{ "largest_size", "LARGEST", true },
		{ "highest_uid", "MAX-UID", true },
		{ "highest_gid", "MAX-GID", true },
		{ "n_owners", "OWNERS", true },
		{ "devices", "DEV", true },
		{ "setuid", "SUID", true },
		{ "setgid", "SGID", true },
		{ "capabilities", "CAPS", true },
		{ "acls", "ACLS", true },
		{ "whiteouts", "WHITEOUTS", true },
		{ "name", "NAME", false },
	};
	scoped_scan struct scan sum = { .entries = 0 };
	scoped_buf struct buf map = BUF_INIT;
	int r = 0;

	out_table(ctx->out, cols, ARRAY_LEN(cols));
	for (size_t i = 0; r == 0 && i < src->n_layers; i++) {
		scoped_scan struct scan s = { .entries = 0 };

		r = scan_layer(src, i, o, &s, e);
		if (r == 0)
			r = scan_add(&sum, &s, e);
		if (r == 0)
			put_layer(ctx->out, src, i, &s);
	}
	out_table_end(ctx->out);
	if (r == 0)
		r = map_text(&sum, &map, e);
	if (r < 0)
		return r;

	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "image");
	out_str(ctx->out, "name", src->name);
	out_u64(ctx->out, "layers", src->n_layers);
	put_counts(ctx->out, &sum);
	out_str(ctx->out, "map", buf_get(&map));
	out_end(ctx->out);
	put_text(ctx->out, src, &sum, buf_get(&map));
	return 0;
}
