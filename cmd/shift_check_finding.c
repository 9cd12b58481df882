/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check verify: print findings and the summary. */

#include "shift_check.h"

#include <stdio.h>
#include <string.h>

#include "../lib/base/plural.h"
#include "../lib/check/verify.h"

static void put_meta(struct out *out, const char *side, const struct meta *m)
{
	static const struct {
		const char *key;
		unsigned bit;
	} ids[] = { { "uid", META_UID }, { "gid", META_GID } };
	char key[32];

	if (!m)
		return;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		(void)snprintf(
			key, sizeof(key), "%s_%s", side, ids[i].key); /* fits: our own words */
		if (m->known & ids[i].bit)
			out_u64(out, key, ids[i].bit == META_UID ? m->uid : m->gid);
	}
	(void)snprintf(key, sizeof(key), "%s_mode", side);
	if (m->known & META_MODE)
		out_mode(out, key, m->mode);
	(void)snprintf(key, sizeof(key), "%s_type", side);
	if (m->known & META_TYPE)
		out_str(out, key, compare_type_name(m->mode));
}

static void put_json(struct out *out, const struct finding *f, const char *path, size_t path_len)
{
	char name[16];

	out_begin(out, NULL);
	out_str(out, "class", finding_word(f->class));
	out_bytes(out, "path", path, path_len);
	put_meta(out, "disk", f->disk);
	put_meta(out, "seen", f->seen);
	if (f->has_uid)
		out_u64(out, "expected_uid", f->expected_uid);
	if (f->has_gid)
		out_u64(out, "expected_gid", f->expected_gid);
	if (f->errnum)
		out_str(out, "errno", err_name(f->errnum, name));
	out_str(out, "detail", f->detail);
	out_end(out);
}

void check_put_finding(struct out *out, const char *root, const struct finding *f)
{
	scoped_buf struct buf path = BUF_INIT, text = BUF_INIT, detail = BUF_INIT;

	buf_str(&path, root);
	if (*f->path && path.len && path.data[path.len - 1] != '/')
		buf_char(&path, '/');
	buf_str(&path, f->path);
	if (!path.oom) /* otherwise the summary and the exit status still include it */
		buf_escaped(&text, buf_get(&path), path.len);
	buf_escaped(&detail, f->detail, strlen(f->detail));
	if (buf_get(&text) && out_json(out))
		put_json(out, f, path.data, path.len);
	else if (buf_get(&text) && buf_get(&detail))
		out_line(out, "%s%s%s: %s: %s", out_color(out) ? "\033[1;31m" : "",
			finding_word(f->class), out_color(out) ? "\033[0m" : "", text.data,
			buf_get(&detail));
	(void)out_flush(out); /* a failure is reported when the command ends */
}

void check_put_mount(
	struct out *out, const char *path, const struct idmap *map, const struct mount_words *w)
{
	scoped_buf struct buf shown = BUF_INIT, text = BUF_INIT;

	idmap_print(map, &shown);
	buf_escaped(&text, path, strlen(path));
	if (!buf_get(&shown) || !buf_get(&text))
		return; /* out of memory: its findings are still printed */
	out_begin(out, NULL);
	out_str(out, "mount", path);
	out_bool(out, "compared", !w->detail);
	out_str(out, w->detail ? "detail" : "map", w->detail ? w->detail : shown.data);
	out_end(out);
	if (!w->only_json)
		out_line(out, "mount: %s: %s%s", text.data, w->detail ? "" : "map ",
			w->detail ? w->text : shown.data);
}

void check_put_summary(struct out *out, const struct verify_counts *c, bool partial, bool quiet)
{
	scoped_buf struct buf b = BUF_INIT;
	uint64_t total = verify_total(c);

	out_begin(out, NULL);
	out_begin(out, "summary");
	out_u64(out, "entries", c->entries);
	out_u64(out, "vanished", c->vanished);
	out_u64(out, "mounts_not_entered", c->mounts);
	if (partial)
		out_bool(out, "map_partial", true);
	out_begin(out, "findings");
	for (size_t i = 0; i < FINDING_CLASSES; i++)
		out_u64(out, finding_word(i), c->findings[i]);
	out_end(out);
	out_end(out);
	out_end(out);

	buf_printf(&b, "%llu %s checked, ", (unsigned long long)c->entries,
		plural(c->entries, "entry", "entries"));
	buf_printf(&b, total ? "%llu %s" : "no findings", (unsigned long long)total,
		plural(total, "finding", "findings"));
	for (size_t i = 0, n = 0; i < FINDING_CLASSES; i++)
		if (c->findings[i])
			buf_printf(&b, "%s%llu %s", n++ ? ", " : ": ",
				(unsigned long long)c->findings[i], finding_word(i));
	if (c->vanished)
		buf_printf(&b, " (%llu vanished meanwhile)", (unsigned long long)c->vanished);
	if (c->mounts)
		buf_printf(&b, " (%llu %s below not entered)", (unsigned long long)c->mounts,
			plural(c->mounts, "mount", "mounts"));
	if (quiet)
		return;
	if (buf_get(&b))
		out_line(out, "%s", b.data);
	if (partial && c->findings[FINDING_UNMAPPED])
		out_line(out,
			"note: lines of the map with ids that this user namespace does not have "
			"cannot be read here: what is reported as unmapped may be in one of them");
}
