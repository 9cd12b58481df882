/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tar_check: refuse tar headers that can be read in more than one way. */

#include "tar_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/le.h"
#include "../base/vec.h"
#include "not_tar.h"
#include "tar_number.h"
#include "tar_pax.h"

enum { PREFIX_SIZE = 155 };
enum { BLOCK = 512, META_LIMIT = 1 << 20, META_IN_A_ROW = 16, ZEROS_LOOKED_AT = 1 << 20 };

/* Offsets and sizes of header fields. */
enum {
	F_NAME = 0,
	F_MODE = 100,
	F_UID = 108,
	F_GID = 116,
	F_SIZE = 124,
	F_MTIME = 136,
	F_SUM = 148,
	F_TYPE = 156,
	F_LINK = 157,
	F_MAGIC = 257,
	F_MAJOR = 329,
	F_MINOR = 337,
	F_PREFIX = 345, /* of ustar; GNU has F_ATIME and F_CTIME there */
	F_ATIME = 345,
	F_CTIME = 357,
	F_SPARSE = 386,
	F_EXTENDED = 482,
	F_REALSIZE = 483,
	F_EXT_EXTENDED = 504,
};

enum state { HEADER, META, SPARSE, DATA, END };

/* The extension headers before an entry: their kinds, and what the pax header says. */
struct pending {
	bool pax, long_name, long_link;
	unsigned headers; /* global ones, too */
	struct tar_pax said;
};

/* Must an entry follow? POSIX.1 pax: a global header belongs to no entry in particular. */
static bool entry_is_missing(const struct pending *p)
{
	return p->pax || p->long_name || p->long_link;
}

struct tar_check {
	enum state state;
	tar_check_count *count;
	tar_check_seen *seen; /* or NULL */
	void *arg;
	struct buf long_name; /* for seen: what a pax or GNU header says, if it has a name */
	bool pax_sparse;
	uint64_t pos;   /* offset of the next byte to be fed */
	uint64_t start; /* offset of the first header of the entry */
	uint64_t skip;  /* remaining bytes of body and padding, in DATA */
	unsigned pad;   /* how many of them are padding */
	unsigned char block[BLOCK];
	size_t have; /* bytes in block */
	char meta_type;
	size_t meta_size;
	struct buf meta;
	struct pending ext;
	VEC(struct tar_fact) facts;
	size_t next;
	VEC(struct tar_patch) patches;
	size_t next_patch;
	bool any;           /* an entry or a global header was seen */
	bool tail;          /* neither was seen, but a byte that is not zero follows the end */
	char name[256 + 1]; /* of the current entry, for messages */
};

int tar_check_new(tar_check_count *count, void *arg, struct tar_check **ret, struct err *e)
{
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return err_nomem(e);
	(*ret)->count = count;
	(*ret)->arg = arg;
	return 0;
}

void tar_check_watch(struct tar_check *t, tar_check_seen *fn)
{
	t->seen = fn;
}

void tar_check_free(struct tar_check *t)
{
	if (!t)
		return;
	buf_done(&t->meta);
	buf_done(&t->long_name);
	VEC_DONE(&t->facts);
	VEC_DONE(&t->patches);
	free(t);
}

bool tar_check_empty(const struct tar_check *t)
{
	return t->pos == 0;
}

bool tar_check_next(struct tar_check *t, struct tar_fact *ret)
{
	if (t->next == t->facts.len)
		return false;
	*ret = t->facts.items[t->next++];
	if (t->next == t->facts.len)
		t->next = t->facts.len = 0;
	return true;
}

bool tar_check_patch(struct tar_check *t, struct tar_patch *ret)
{
	if (t->next_patch == t->patches.len) {
		t->next_patch = t->patches.len = 0;
		return false;
	}
	*ret = t->patches.items[t->next_patch++];
	return true;
}

size_t tar_check_unsure(const struct tar_check *t)
{
	return t->state == HEADER ? t->have : t->state == META ? t->meta.len + t->have : 0;
}

static void set_name(struct tar_check *t, const void *s, size_t n)
{
	n = strnlen(s, n < sizeof(t->name) - 1 ? n : sizeof(t->name) - 1);
	memcpy(t->name, s, n);
	t->name[n] = '\0';
}

static int bad(struct tar_check *t, struct err *e, const char *what)
{
	return err_say(e, EBADMSG, t->name, "%s (tar header at byte %llu)", what,
		(unsigned long long)t->start);
}

static int id_field(struct tar_check *t, size_t at, uint32_t *ret, struct err *e, const char *what)
{
	int64_t v;

	if (tar_number(t->block + at, 8, false, &v) < 0 || v > 4294967294)
		return bad(t, e, what);
	*ret = (uint32_t)v;
	return 0;
}

/* ---- headers ---- */

/* libarchive does not know that an empty value deletes: give it a key that it does not know. */
static int hide_record(size_t at, void *arg)
{
	struct tar_check *t = arg;
	struct tar_patch p = { .at = t->pos - t->meta.len + at, .bytes = "-", .n = 1 };

	return VEC_ADD(&t->patches, p) < 0 ? -ENOMEM : 0;
}

/* For tar_check_watch(), of what a pax header says. */
static void keep_facts(struct tar_check *t, const struct tar_pax *x)
{
	static const char sparse[] = "GNU.sparse.";

	if (x->path) {
		buf_reset(&t->long_name);
		buf_add(&t->long_name, x->path, x->path_len);
	}
	t->pax_sparse =
		t->meta_size && memmem(t->meta.data, t->meta_size, sparse, sizeof(sparse) - 1);
}

static int pax_records(struct tar_check *t, struct tar_pax *x, struct err *e)
{
	const char *key = NULL;
	const char *what = tar_pax_parse(x, t->meta_size ? t->meta.data : "", t->meta_size, &key);

	if (x->path)
		set_name(t, x->path, x->path_len);
	if (x == &t->ext.said && t->seen)
		keep_facts(t, x);
	x->path = NULL; /* the text does not outlive this call */
	if (!what && x->hide && tar_pax_hide_each(t->meta.data, t->meta_size, hide_record, t) < 0)
		return err_nomem(e);
	if (!what)
		return 0;
	(void)bad(t, e, what);
	if (key)
		err_why(e, "the value of %s", key);
	return -EBADMSG;
}

static int meta_done(struct tar_check *t, struct err *e)
{
	struct tar_pax ignored = { .path = NULL };
	size_t n = t->meta_size;

	t->state = HEADER;
	if (t->meta_type == 'x' || t->meta_type == 'X')
		return pax_records(t, &t->ext.said, e);
	/* A global header must be valid, but is ignored, as libarchive and image builders do. */
	if (t->meta_type == 'g')
		return pax_records(t, &ignored, e);

	/* A GNU long name ends with its only NUL; readers ignore what follows one. */
	n = n ? strnlen(t->meta.data, n) : 0;
	if (n == 0 || t->meta_size - n > 1)
		return bad(t, e, "has a GNU long name that is empty or holds a NUL");
	if (t->meta_type == 'L') {
		set_name(t, t->meta.data, n);
		buf_reset(&t->long_name);
		buf_add(&t->long_name, t->meta.data, t->seen ? n : 0);
	}
	return 0;
}

static int meta_begin(struct tar_check *t, char type, uint64_t size, struct err *e)
{
	bool *seen = type == 'L' ? &t->ext.long_name :
		type == 'K'      ? &t->ext.long_link :
		type == 'g'      ? NULL :
				   &t->ext.pax;

	if (size > META_LIMIT)
		return bad(t, e, "has an extension header of more than 1 MiB");
	if (++t->ext.headers > META_IN_A_ROW)
		return bad(t, e, "has more than 16 extension headers in a row");
	if (seen && *seen)
		return bad(t, e, "has two extension headers of one kind");
	if (seen)
		*seen = true;
	else
		t->any = true;

	t->meta_type = type;
	t->meta_size = size;
	buf_reset(&t->meta);
	t->state = META;
	if (size == 0)
		return meta_done(t, e);
	return t->count ? t->count(t->arg, size, NULL, e) : 0;
}

static bool is_zero(const unsigned char *p)
{
	return p[0] == 0 && !memcmp(p, p + 1, BLOCK - 1);
}

/*
 * Every header is summed up, as often as its archive is read, so eight bytes are added at a time:
 * four sums of 16 bits, of which none exceeds 2 * 64 * 255. Of bytes that were taken for signed
 * ones, those from 128 on count 256 less.
 */
static bool checksum_fits(const unsigned char *p)
{
	static const uint64_t pairs = 0x00ff00ff00ff00ff, ones = 0x0101010101010101;
	int64_t want, sum = 0, less = 0;
	uint64_t sums = 0;

	if (tar_number(p + F_SUM, 8, false, &want) < 0)
		return false;
	for (size_t i = 0; i < BLOCK; i += 8) {
		const uint64_t v = get_le64(p + i);

		sums += (v & pairs) + (v >> 8 & pairs);
		less += (int64_t)((v >> 7 & ones) * ones >> 56) * 256;
	}
	for (size_t i = 0; i < 4; i++)
		sum += sums >> (16 * i) & 0xffff;
	/* The sum itself counts as eight blanks. */
	for (size_t i = 0; i < 8; i++) {
		sum += ' ' - p[F_SUM + i];
		less -= p[F_SUM + i] & 0x80 ? 256 : 0;
	}
	return want == sum || want == sum - less;
}

/* Does Go's archive/tar read this as a time? */
static bool is_time(const unsigned char *p)
{
	size_t n = 12;
	int64_t v;

	if (p[0] & 0x80)
		return tar_number_base256(p, n, true, &v) == 0;
	if (p[0] == '\0')
		return true;
	while (n && (*p == ' ' || *p == '\0')) {
		p++;
		n--;
	}
	while (n && (p[n - 1] == ' ' || p[n - 1] == '\0'))
		n--;
	n = strnlen((const char *)p, n);
	while (n && p[n - 1] >= '0' && p[n - 1] <= '7')
		n--;
	return n == 0;
}

/*
 * Before Go 1.8, archive/tar wrote the prefix of ustar into headers with GNU's magic
 * (golang/go#12594, golang/go#21005), and image builders of those years used it. As its readers do
 * since: where GNU's times are not numbers, ASCII text in their place is a prefix. Returns its
 * length, or 0.
 */
static size_t go_prefix(const unsigned char *p, char type)
{
	size_t n = strnlen((const char *)p + F_PREFIX, PREFIX_SIZE);

	if (type == 'S' || memcmp(p + F_MAGIC, "ustar  ", 8) != 0 ||
		(is_time(p + F_ATIME) && is_time(p + F_CTIME)))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (p[F_PREFIX + i] >= 0x80)
			return 0;
	return n;
}

/* Give libarchive a header of ustar in place of GNU's. */
static int make_ustar(struct tar_check *t, struct err *e)
{
	struct tar_patch sum = { .at = t->pos - BLOCK + F_SUM, .n = 8 };
	struct tar_patch magic = { .at = t->pos - BLOCK + F_MAGIC, .n = 8 };
	unsigned total = 0;

	memcpy(magic.bytes, "ustar\00000", magic.n);
	memcpy(t->block + F_MAGIC, magic.bytes, magic.n);
	for (size_t i = 0; i < BLOCK; i++)
		total += i - F_SUM < 8 ? ' ' : t->block[i];
	for (size_t i = 6; i-- > 0; total >>= 3)
		sum.bytes[i] = (unsigned char)('0' + (total & 7));
	sum.bytes[7] = ' ';
	return VEC_ADD(&t->patches, sum) < 0 || VEC_ADD(&t->patches, magic) < 0 ? err_nomem(e) : 0;
}

/* GNU's old sparse map is in the header of an 'S' entry, and in no other header. */
static int sparse_fields(struct tar_check *t, char type, struct err *e)
{
	const unsigned char *p = t->block;
	bool gnu = !memcmp(p + F_MAGIC, "ustar  ", 8);
	bool map = p[F_SPARSE] || p[F_EXTENDED] || p[F_REALSIZE];

	if (type == 'S' && (!gnu || !p[F_SPARSE] || t->ext.said.has_size))
		return bad(t, e, "is a sparse file without a sparse map");
	if (type != 'S' && gnu && map)
		return bad(t, e, "has a sparse map but is not a sparse file");
	return 0;
}

static int device_fields(struct tar_check *t, char type, struct err *e)
{
	int64_t major, minor;

	if (type != '3' && type != '4')
		return 0;
	if (tar_number(t->block + F_MAJOR, 8, false, &major) < 0 ||
		tar_number(t->block + F_MINOR, 8, false, &minor) < 0 || major >= 1 << 12 ||
		minor >= 1 << 20)
		return bad(t, e, "has a device number that Linux does not support");
	return 0;
}

static int body_of_other(struct tar_check *t, struct err *e)
{
	(void)bad(
		t, e, "is not a regular file and has a body, which readers of tar do not agree on");
	err_why(e, "some skip the body, and some read it as the next entries");
	err_try(e, "rebuild the layer with another program");
	return -EBADMSG;
}

/* Report the entry to seen, before t->ext is cleared. */
static int report(struct tar_check *t, const struct tar_fact *f, struct err *e)
{
	const char *name = (const char *)t->block + F_NAME, *prefix = name + F_PREFIX;
	struct tar_check_entry en = { .fact = *f, .sparse = f->type == 'S' || t->pax_sparse };

	if (!t->ext.said.has_path && !t->ext.long_name) {
		buf_reset(&t->long_name);
		if (memcmp(t->block + F_MAGIC, "ustar  ", 8) != 0 &&
			!memcmp(t->block + F_MAGIC, "ustar", 5) && *prefix) {
			buf_add(&t->long_name, prefix, strnlen(prefix, PREFIX_SIZE));
			buf_char(&t->long_name, '/');
		}
		buf_add(&t->long_name, name, strnlen(name, 100));
	}
	en.name = buf_get(&t->long_name);
	en.name_len = t->long_name.len;
	t->pax_sparse = false;
	return en.name ? t->seen(t->arg, &en, e) : err_nomem(e);
}

static int entry_done(struct tar_check *t, struct tar_fact f, char type, struct err *e)
{
	const struct tar_pax *x = &t->ext.said;
	int r;

	if (x->has_uid)
		f.uid = x->uid;
	if (x->has_gid)
		f.gid = x->gid;
	if (x->has_size)
		f.size = x->size;
	if (x->has_time) {
		f.sec = x->sec;
		f.nsec = x->nsec;
	}
	f.xattrs = x->xattrs;
	f.acl_access = x->acl_access;
	f.acl_default = x->acl_default;
	f.body = t->pos;
	if (type >= '1' && type <= '6' && f.size)
		return body_of_other(t, e);
	if ((x->has_path && t->ext.long_name) || (x->has_linkpath && t->ext.long_link))
		return bad(t, e, "has its name both in a pax and in a GNU header");
	if (VEC_ADD(&t->facts, f) < 0)
		return err_nomem(e);
	t->any = true;

	t->pad = (unsigned)(-f.size & (BLOCK - 1));
	t->skip = f.size + t->pad;
	t->state = type == 'S' && t->block[F_EXTENDED] ? SPARSE : DATA;
	r = t->seen ? report(t, &f, e) : 0;
	t->ext = (struct pending){ .pax = false };
	if (r < 0)
		return r;
	return t->count && f.size ? t->count(t->arg, f.size, t->name, e) : 0;
}

/* The archive may be whole: fetching it again would not help. */
static int unknown_type(struct tar_check *t, char type, struct err *e)
{
	(void)bad(t, e, "has an unknown type");
	if (type == 'V')
		err_why(e, "type V is the label of a GNU volume (tar --label), and not a file");
	else if (type > ' ' && type < 0x7f)
		err_why(e, "neither POSIX nor the image formats define type %c", type);
	else
		err_why(e, "neither POSIX nor the image formats define type %d",
			(unsigned char)type);
	err_try(e, "rebuild the layer without this entry, for example with tar --format=pax");
	return -EBADMSG;
}

static int header(struct tar_check *t, struct err *e)
{
	const unsigned char *p = t->block;
	char type = (char)p[F_TYPE];
	struct tar_fact f = { .start = t->start, .type = type };
	int64_t v, size;
	bool fits;
	int r;

	if (is_zero(p)) {
		t->state = END;
		return entry_is_missing(&t->ext) ?
			bad(t, e, "the archive ends after an extension header") :
			0;
	}
	if (!t->ext.said.has_path && !t->ext.long_name)
		set_name(t, p + F_NAME, 100);
	fits = checksum_fits(p);
	if (!fits && t->pos == BLOCK) {
		t->name[0] = '\0'; /* these bytes are hardly a name */
		(void)bad(t, e, "is not a tar archive, or damaged: the first checksum is wrong");
		(void)not_tar_say(p, BLOCK, e);
		return -EBADMSG;
	}
	if (!fits)
		return bad(t, e, "the header's checksum is wrong");
	if (tar_number(p + F_SIZE, 12, false, &size) < 0 || size > INT64_MAX - BLOCK)
		return bad(t, e, "has no valid size");
	if (strchr("xXgLK", type) && type)
		return meta_begin(t, type, (uint64_t)size, e);
	if (!strchr("01234567S", type) && type)
		return unknown_type(t, type, e);

	if (tar_number(p + F_MODE, 8, false, &v) < 0 || v > UINT32_MAX)
		return bad(t, e, "has no valid mode");
	f.mode = v & 07777;
	if (tar_number(p + F_MTIME, 12, true, &f.sec) < 0)
		return bad(t, e, "has no valid time");
	f.size = (uint64_t)size;
	r = id_field(t, F_UID, &f.uid, e, "has no valid user id");
	if (r == 0)
		r = id_field(t, F_GID, &f.gid, e, "has no valid group id");
	if (r == 0)
		r = device_fields(t, type, e);
	if (r == 0)
		r = go_prefix(p, type) ? make_ustar(t, e) : sparse_fields(t, type, e);
	return r < 0 ? r : entry_done(t, f, type, e);
}

static int block_done(struct tar_check *t, struct err *e)
{
	if (t->state == HEADER)
		return header(t, e);
	if (t->state == SPARSE) {
		t->state = t->block[F_EXT_EXTENDED] ? SPARSE : DATA;
		return 0;
	}
	/* META */
	buf_add(&t->meta, t->block, BLOCK);
	if (t->meta.oom)
		return err_nomem(e);
	return t->meta.len >= t->meta_size ? meta_done(t, e) : 0;
}

int tar_check_feed(struct tar_check *t, const void *data, size_t n, struct err *e)
{
	const unsigned char *p = data;

	while (n && t->state != END) {
		uint64_t take = t->state == DATA ? t->skip : BLOCK - t->have;
		int r;

		if (take > n)
			take = n;
		if (t->state == DATA) {
			t->skip -= take;
		} else {
			if (t->state == HEADER && t->have == 0 && t->ext.headers == 0)
				t->start = t->pos;
			memcpy(t->block + t->have, p, take);
			t->have += take;
		}
		p += take;
		n -= take;
		t->pos += take;
		if (t->have == BLOCK) {
			t->have = 0;
			r = block_done(t, e);
			if (r < 0)
				return r;
		}
		if (t->state == DATA && t->skip == 0)
			t->state = HEADER;
	}
	for (size_t i = 0; i < n && !t->any && !t->tail; i++)
		t->tail = p[i] != 0;
	t->pos += n;
	return 0;
}

bool tar_check_no_archive(const struct tar_check *t, bool *ret_more)
{
	*ret_more = t->state == END && !t->any && !t->tail && t->pos < ZEROS_LOOKED_AT;
	return t->tail;
}

const char *tar_check_name(const struct tar_check *t)
{
	return t->name;
}

bool tar_check_may_skip(const struct tar_check *t, uint64_t n)
{
	return t->state == DATA && n <= t->skip;
}

void tar_check_skip(struct tar_check *t, uint64_t n)
{
	t->skip -= n;
	t->pos += n;
	if (t->skip == 0)
		t->state = HEADER;
}

size_t tar_check_missing(const struct tar_check *t)
{
	return t->state == DATA && t->skip <= t->pad ? t->skip : 0;
}

int tar_check_end(struct tar_check *t, struct err *e)
{
	bool other;

	if (t->state == END || tar_check_missing(t) > 0 ||
		(t->state == HEADER && t->have == 0 && !entry_is_missing(&t->ext)))
		return 0;
	other = t->pos < BLOCK && not_tar_say(t->block, t->have, NULL);
	(void)bad(t, e, other ? "is not a tar archive" : "the archive is cut off");
	if (other)
		(void)not_tar_say(t->block, t->have, e);
	return -EBADMSG;
}
