/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_record: write what was mounted as a small JSON document, and read that. */

#include "mount_record.h"

#include <errno.h>
#include <string.h>

#include <nettle/sha2.h>

#include "../base/json.h"
#include "../base/num.h"

#define DOC "record"

static const char *const kinds[] = {
	[MOUNT_BIND] = "bind", [MOUNT_OVERLAY] = "stack", [MOUNT_FS] = "filesystem"
};
static const char *const uppers[] = {
	[UPPER_NONE] = "none", [UPPER_DIR] = "directory", [UPPER_EPHEMERAL] = "memory"
};

void mount_record_shape(const char *type, const char *source, const char *root, const char *options,
	uint8_t ret[32])
{
	const char *const parts[] = { source, root, options };
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	/* statmount(2) reports "fuse" where mountinfo has "fuse.sshfs". */
	sha256_update(&ctx, strcspn(type, "."), (const uint8_t *)type);
	sha256_update(&ctx, 1, (const uint8_t *)"");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		sha256_update(&ctx, strlen(parts[i]) + 1, (const uint8_t *)parts[i]);
	sha256_digest(&ctx, 32, ret);
}

/*
 * --- of a plan -----------------------------------------------------------------------------------
 */

static int add_map(
	struct mount_record *r, const struct mount_map *m, struct record_map *ret, struct err *e)
{
	struct idmap copy;

	*ret = (struct record_map){ .wish = m->wish };
	if (m->wish != MAP_SET)
		return 0;
	for (size_t i = 0; i < r->maps.len; i++) {
		if (idmap_equal(&r->maps.items[i], &m->map)) {
			ret->at = i;
			return 0;
		}
	}
	if (idmap_copy(&m->map, &copy, e) < 0)
		return -ENOMEM;
	if (VEC_ADD(&r->maps, copy) < 0) {
		idmap_done(&copy);
		return err_nomem(e);
	}
	ret->at = r->maps.len - 1;
	return 0;
}

int mount_record_of_plan(const struct mount_plan *p, struct mount_record *ret, struct err *e)
{
	bool own = false;
	int r = add_map(ret, &p->map, &ret->map, e);

	memcpy(ret->view, p->view, sizeof(ret->view));
	ret->kind = p->kind;
	if (p->kind != MOUNT_OVERLAY)
		return r;
	ret->upper = p->upper_kind;
	for (size_t i = 0; i < p->layers.len; i++)
		own = own || p->layers.items[i].own_map;
	for (size_t i = 0; own && i < p->layers.len && r == 0; i++) {
		struct record_map m = { .wish = MAP_KEEP };

		r = add_map(ret, mount_plan_layer_map(p, i), &m, e);
		if (r == 0 && VEC_ADD(&ret->layers, m) < 0)
			r = err_nomem(e);
	}
	return r;
}

const struct idmap *mount_record_map(const struct mount_record *r)
{
	return r->map.wish == MAP_SET ? &r->maps.items[r->map.at] : NULL;
}

bool mount_record_is_uniform(const struct mount_record *r)
{
	for (size_t i = 0; i < r->layers.len; i++)
		if (r->layers.items[i].wish != r->map.wish || r->layers.items[i].at != r->map.at)
			return false;
	return true;
}

/*
 * --- writing -------------------------------------------------------------------------------------
 */

static const char *map_word(struct record_map m, char buf[static 24])
{
	if (m.wish != MAP_SET)
		return m.wish == MAP_NONE ? "none" : "keep";
	(void)snprintf(buf, 24, "%zu", m.at); /* fits: at most 20 digits */
	return buf;
}

static void write_ranges(struct json_writer *w, const char *key, const struct idranges *r)
{
	scoped_buf struct buf b = BUF_INIT;

	idranges_print_kernel(r, &b);
	if (buf_get(&b))
		json_write_str(w, key, buf_get(&b));
	else
		w->failed = true;
}

static void write_hex(struct json_writer *w, const char *key, const uint8_t *p, size_t n)
{
	scoped_buf struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%02x", p[i]);
	if (buf_get(&b))
		json_write_str(w, key, buf_get(&b));
	else
		w->failed = true;
}

int mount_record_print(const struct mount_record *r, struct buf *ret)
{
	struct json_writer w = { .depth = 0 };
	char word[24];

	json_write_object(&w, NULL);
	json_write_i64(&w, "format", 1);
	json_write_str(&w, "boot", r->boot);
	json_write_i64(&w, "mount", (int64_t)r->mount);
	json_write_i64(&w, "dev", (int64_t)r->dev);
	write_hex(&w, "shape", r->shape, sizeof(r->shape));
	json_write_i64(&w, "userns", (int64_t)r->userns);
	json_write_i64(&w, "mntns", (int64_t)r->mntns);
	json_write_i64(&w, "mntns_id", (int64_t)r->mntns_id);
	json_write_str(&w, "kind", kinds[r->kind]);
	json_write_array(&w, "maps");
	for (size_t i = 0; i < r->maps.len; i++) {
		json_write_object(&w, NULL);
		write_ranges(&w, "uid", &r->maps.items[i].uid);
		write_ranges(&w, "gid", &r->maps.items[i].gid);
		json_write_end(&w);
	}
	json_write_end(&w);
	json_write_str(&w, "map", map_word(r->map, word));
	json_write_array(&w, "layers");
	for (size_t i = 0; i < r->layers.len; i++)
		json_write_str(&w, NULL, map_word(r->layers.items[i], word));
	json_write_end(&w);
	json_write_str(&w, "upper", uppers[r->upper]);
	json_write_bool(&w, "upper_plain", r->upper_plain);
	json_write_i64(&w, "upper_dev", (int64_t)r->upper_ids.dev);
	json_write_i64(&w, "upper_ino", (int64_t)r->upper_ids.ino[0]);
	json_write_i64(&w, "work_ino", (int64_t)r->upper_ids.ino[1]);
	if (r->view[0])
		json_write_str(&w, "view", r->view);
	json_write_end(&w);
	return json_writer_print(&w, JSON_ASCII, ret);
}

/*
 * --- reading -------------------------------------------------------------------------------------
 */

static int bad(const char *key, struct err *e)
{
	return err_say(e, EINVAL, DOC, "the value of '%s' is not valid", key);
}

/* Find the word of key in a table. Returns its index or -EINVAL. */
static int read_word(
	const struct json *o, const char *key, const char *const *words, size_t n, struct err *e)
{
	const char *s;
	int r = doc_str(o, key, DOC, true, &s, e);

	for (size_t i = 0; i < n && r == 0; i++)
		if (!strcmp(s, words[i]))
			return (int)i;
	return r < 0 ? r : bad(key, e);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_shape(const struct json *o, uint8_t ret[32], struct err *e)
{
	const char *s;
	int r = doc_str(o, "shape", DOC, true, &s, e);

	if (r < 0)
		return r;
	if (strlen(s) != 64)
		return bad("shape", e);
	for (size_t i = 0; i < 32; i++) {
		int high = hex_digit(s[2 * i]), low = hex_digit(s[2 * i + 1]);

		if (high < 0 || low < 0)
			return bad("shape", e);
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int read_maps(const struct json *o, struct mount_record *r, struct err *e)
{
	const struct json *maps, *m;
	int n = doc_array(o, "maps", DOC, true, &maps, e);

	for (size_t i = 0; n == 0 && i < doc_len(maps); i++) {
		const char *uid, *gid;
		struct idmap map;

		n = doc_item_object(maps, i, "maps", DOC, &m, e);
		if (n == 0)
			n = doc_str(m, "uid", DOC, true, &uid, e);
		if (n == 0)
			n = doc_str(m, "gid", DOC, true, &gid, e);
		if (n == 0)
			n = idmap_parse_kernel(uid, gid, &map, e);
		if (n == 0 && VEC_ADD(&r->maps, map) < 0) {
			idmap_done(&map);
			n = err_nomem(e);
		}
	}
	return n;
}

static int parse_map_word(
	const struct mount_record *r, const char *s, struct record_map *ret, struct err *e)
{
	uint32_t at = 0;

	*ret = (struct record_map){ .wish = MAP_KEEP };
	if (!strcmp(s, "keep"))
		return 0;
	ret->wish = MAP_NONE;
	if (!strcmp(s, "none"))
		return 0;
	if (num_u32(s, &at) < 0 || at >= r->maps.len)
		return bad("map", e);
	*ret = (struct record_map){ MAP_SET, at };
	return 0;
}

static int read_layers(const struct json *o, struct mount_record *r, struct err *e)
{
	const struct json *layers = NULL;
	const char *s;
	int n = doc_str(o, "map", DOC, true, &s, e);

	if (n == 0)
		n = parse_map_word(r, s, &r->map, e);
	if (n == 0)
		n = doc_array(o, "layers", DOC, true, &layers, e);
	if (n == 0 && doc_len(layers) > PLAN_LAYERS_MAX)
		n = bad("layers", e);
	for (size_t i = 0; n == 0 && i < doc_len(layers); i++) {
		struct record_map m;

		n = doc_item_str(layers, i, "layers", DOC, &s, e);
		if (n == 0)
			n = parse_map_word(r, s, &m, e);
		if (n == 0 && VEC_ADD(&r->layers, m) < 0)
			n = err_nomem(e);
	}
	return n;
}

static int read_mount(const struct json *o, struct mount_record *r, struct err *e)
{
	uint64_t format = 0;
	const char *boot;
	int n = doc_u64(o, "format", DOC, true, &format, e);

	if (n == 0 && format != 1)
		n = bad("format", e);
	if (n == 0)
		n = doc_str(o, "boot", DOC, true, &boot, e);
	if (n == 0 && strlen(boot) >= sizeof(r->boot))
		n = bad("boot", e);
	if (n == 0)
		memcpy(r->boot, boot, strlen(boot) + 1);
	if (n == 0)
		n = doc_u64(o, "mount", DOC, true, &r->mount, e);
	if (n == 0)
		n = doc_u64(o, "dev", DOC, true, &r->dev, e);
	if (n == 0)
		n = doc_u64(o, "userns", DOC, true, &r->userns, e);
	if (n == 0)
		n = doc_u64(o, "mntns", DOC, true, &r->mntns, e);
	if (n == 0)
		n = doc_u64(o, "mntns_id", DOC, true, &r->mntns_id, e);
	return n == 0 ? read_shape(o, r->shape, e) : n;
}

/* Records of earlier versions lack these keys. An inode number above 2^63 is not known. */
static void read_upper_ids(const struct json *o, struct upper_ids *ret)
{
	if (doc_u64(o, "upper_dev", DOC, false, &ret->dev, NULL) < 0 ||
		doc_u64(o, "upper_ino", DOC, false, &ret->ino[0], NULL) < 0 ||
		doc_u64(o, "work_ino", DOC, false, &ret->ino[1], NULL) < 0)
		*ret = (struct upper_ids){ 0 };
}

/* A key that older versions do not write, nor read. */
static int read_view(const struct json *o, struct mount_record *r, struct err *e)
{
	const char *s = NULL;
	int n = doc_str(o, "view", DOC, false, &s, e);

	if (n < 0 || !s)
		return n;
	if (strlen(s) != sizeof(r->view) - 1 || s[strspn(s, "0123456789abcdef")])
		return bad("view", e);
	memcpy(r->view, s, sizeof(r->view));
	return 0;
}

int mount_record_parse(const char *text, size_t n, struct mount_record *ret, struct err *e)
{
	scoped_mount_record struct mount_record rec = { .mount = 0 };
	scoped_json struct json *o = NULL;
	int kind = -EINVAL, upper = -EINVAL, r;

	if (n > MOUNT_RECORD_MAX)
		return err_say(e, EFBIG, DOC, "is larger than %d bytes", MOUNT_RECORD_MAX);
	r = doc_parse(text, n, DOC, &o, e);
	if (r == 0)
		r = read_mount(o, &rec, e);
	if (r == 0)
		r = kind = read_word(o, "kind", kinds, ARRAY_LEN(kinds), e);
	if (r >= 0)
		r = upper = read_word(o, "upper", uppers, ARRAY_LEN(uppers), e);
	if (r >= 0)
		r = read_maps(o, &rec, e);
	if (r == 0)
		r = read_layers(o, &rec, e);
	if (r == 0)
		r = read_view(o, &rec, e);
	if (r < 0)
		return r;

	rec.kind = (enum mount_kind)kind;
	rec.upper = (enum upper_kind)upper;
	read_upper_ids(o, &rec.upper_ids);
	rec.upper_plain = doc_is_true(o, "upper_plain");
	*ret = rec;
	rec = (struct mount_record){ .mount = 0 };
	return 0;
}

void mount_record_done(struct mount_record *r)
{
	for (size_t i = 0; i < r->maps.len; i++)
		idmap_done(&r->maps.items[i]);
	VEC_DONE(&r->maps);
	VEC_DONE(&r->layers);
	free(r->store);
	*r = (struct mount_record){ .mount = 0 };
}
