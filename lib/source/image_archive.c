/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_archive: index the tar that contains an image. */

#include "image_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"
#include "../base/vec.h"
#include "../tar/members.h"
#include "../tar/tar_name.h"
#include "image_archive_copy.h"
#include "image_archive_reader.h"

enum member_kind { MEMBER_FILE, MEMBER_LINK, MEMBER_OUTSIDE, MEMBER_OTHER };

struct member {
	char *name;
	char *link; /* MEMBER_LINK: name of the target */
	enum member_kind kind;
	uint64_t offset, size; /* MEMBER_FILE */
};

struct image_archive {
	int fd;
	VEC(struct member) members; /* sorted by name once the index is complete */
	size_t names;               /* bytes of all names together */
};

void image_archive_free(struct image_archive *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->members.len; i++) {
		free(o->members.items[i].name);
		free(o->members.items[i].link);
	}
	VEC_DONE(&o->members);
	if (o->fd >= 0)
		(void)close(o->fd); /* opened for reading, or unlinked: no error matters */
	free(o);
}

int image_archive_fd(const struct image_archive *o)
{
	return o->fd;
}

/*
 * Resolve a symbolic link lexically, since links to directories of an archive are not followed.
 * Returns false if the target is outside of the archive, or its root.
 */
static bool resolve(const char *name, const char *target, struct buf *ret)
{
	const char *slash = strrchr(name, '/');

	if (*target == '/')
		return false;
	buf_add(ret, name, slash ? (size_t)(slash - name) : 0);
	for (const char *p = target; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (n == 2 && !memcmp(p, "..", 2)) {
			const char *up = ret->len ? strrchr(ret->data, '/') : NULL;

			if (!ret->len)
				return false;
			ret->len = up ? (size_t)(up - ret->data) : 0;
			ret->data[ret->len] = '\0';
		} else if (n != 1 || *p != '.') {
			if (ret->len)
				buf_char(ret, '/');
			buf_add(ret, p, n);
		}
		if (ret->oom)
			return false;
		p += n;
	}
	return ret->len > 0;
}

static int set_link(struct member *m, const struct image_archive_entry *t, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	bool stays;

	if (t->hardlink)
		stays = tar_name_normal(t->hardlink, &b, NULL) == 0 && b.len;
	else
		stays = resolve(m->name, t->symlink, &b);
	if (b.oom)
		return err_nomem(e);
	m->kind = stays ? MEMBER_LINK : MEMBER_OUTSIDE;
	m->link = stays ? buf_take(&b) : NULL;
	return 0;
}

static int add_member(struct image_archive *o, const struct image_archive_entry *t, struct err *e)
{
	struct member m = { .kind = t->regular ? MEMBER_FILE : MEMBER_OTHER,
		.offset = t->offset,
		.size = t->size };
	scoped_buf struct buf name = BUF_INIT;
	int r = 0;

	if (tar_name_normal(t->name, &name, NULL) < 0) {
		if (name.oom)
			return err_nomem(e);
		log_verbose("skipping member '%s': its name leaves the archive, or is too long",
			t->name);
		return 0;
	}
	if (t->directory || !name.len)
		return 0;
	o->names += name.len;
	if (o->members.len == IMAGE_ARCHIVE_MAX_MEMBERS || o->names > IMAGE_ARCHIVE_MAX_NAMES)
		return err_say(e, EFBIG, NULL,
			"the archive has more than %d members, or their names are longer than %d "
			"MiB in all",
			(int)IMAGE_ARCHIVE_MAX_MEMBERS, (int)IMAGE_ARCHIVE_MAX_NAMES >> 20);

	m.name = buf_take(&name);
	if (!m.name)
		return err_nomem(e);
	if (t->hardlink || t->symlink)
		r = set_link(&m, t, e);
	if (r == 0 && VEC_ADD(&o->members, m) < 0)
		r = err_nomem(e);
	if (r < 0) {
		free(m.name);
		free(m.link);
	}
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static int read_index(struct image_archive *o, struct err *e)
{
	scoped_image_archive_reader struct image_archive_reader *reader = NULL;
	struct image_archive_entry t;
	int r;

	r = image_archive_reader_open(o->fd, true, &reader, e);
	while (r >= 0 && (r = image_archive_reader_next(reader, &t, e)) > 0)
		r = add_member(o, &t, e);
	if (r < 0)
		return r;
	if (o->members.len)
		qsort(o->members.items, o->members.len, sizeof(*o->members.items), by_name);
	return 0;
}

int image_archive_open(
	int fd, const char *on, uint64_t max_bytes, struct image_archive **ret, struct err *e)
{
	struct image_archive *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return err_nomem(e);
	o->fd = -1;
	r = image_archive_copy(fd, max_bytes, &o->fd, e);
	if (r == 0)
		r = read_index(o, e);
	if (r < 0) {
		image_archive_free(o);
		err_prefix(e, "%s", on);
		return r;
	}

	*ret = o;
	return 0;
}

/* Find a member by its name; *ret_twice: there are several. */
static const struct member *find(const struct image_archive *o, const char *name, bool *ret_twice)
{
	const struct member key = { .name = (char *)(uintptr_t)name };
	const struct member *end, *m;

	*ret_twice = false;
	if (!o->members.len)
		return NULL;
	end = o->members.items + o->members.len;
	m = bsearch(&key, o->members.items, o->members.len, sizeof(key), by_name);
	*ret_twice = m &&
		((m > o->members.items && !by_name(m - 1, m)) ||
			(m + 1 < end && !by_name(m, m + 1)));
	return m;
}

bool image_archive_has(const struct image_archive *o, const char *name)
{
	bool twice;

	return find(o, name, &twice);
}

int image_archive_find(const struct image_archive *o, const char *name, uint64_t *ret_offset,
	uint64_t *ret_size, struct err *e)
{
	scoped_buf struct buf normal = BUF_INIT;
	const struct member *m;
	const char *at;
	bool twice;
	int r;

	r = tar_name_normal(name, &normal, e);
	if (r < 0)
		return r;
	at = buf_get(&normal);
	for (unsigned links = 0; links <= IMAGE_ARCHIVE_MAX_LINKS; links++) {
		m = find(o, at, &twice);
		if (!m && links)
			return err_say(e, EINVAL, name,
				"is a link to '%s', which the archive does not have", at);
		if (!m)
			return err_say(e, ENOENT, name, "the archive has no such member");
		if (twice)
			return err_say(e, EINVAL, at,
				"is in the archive more than once, and readers do not agree on "
				"which one counts");
		if (m->kind == MEMBER_OUTSIDE)
			return err_say(e, EINVAL, at, "is a link that leaves the archive");
		if (m->kind == MEMBER_OTHER)
			return err_say(e, EINVAL, at, "is not a regular file");
		if (m->kind == MEMBER_FILE) {
			*ret_offset = m->offset;
			*ret_size = m->size;
			return 0;
		}
		at = m->link;
	}
	return err_say(e, ELOOP, name, "more than %d links point to each other",
		(int)IMAGE_ARCHIVE_MAX_LINKS);
}

/* ---- detection ---- */

/*
 * A compressed layer is not decompressed twice: behind this many bytes, one file that no image has
 * is enough. entry_next() looks at all members again.
 */
enum { LOOK_BYTES = 4 << 20 };

static bool seen_enough(const struct image_archive_reader *r, const struct image_archive_entry *t,
	const struct members *m, uint64_t max_bytes)
{
	if (image_archive_reader_skips(r))
		return false;
	return t->offset > max_bytes || (t->offset > LOOK_BYTES && m->root.other);
}

static int look_at(struct image_archive_reader *r, const struct image_archive_entry *t,
	struct members *m, struct err *e)
{
	scoped_buf struct buf name = BUF_INIT;

	if (tar_name_normal(t->name, &name, NULL) < 0) {
		members_add_invalid(m);
		return name.oom ? err_nomem(e) : 0;
	}
	if (!buf_get(&name))
		return err_nomem(e);
	members_add(m, buf_get(&name), t->directory, t->regular);
	if (t->regular && members_wants(m))
		return image_archive_reader_data(r, m, e);
	return 0;
}

enum members_kind image_archive_look(int fd, uint64_t max_bytes)
{
	scoped_image_archive_reader struct image_archive_reader *reader = NULL;
	scoped_members struct members m = { .n = 0 };
	struct image_archive_entry t = { .offset = 0 };
	enum members_kind kind;
	int r = image_archive_reader_open(fd, false, &reader, NULL);

	while (r >= 0 && (r = image_archive_reader_next(reader, &t, NULL)) > 0) {
		r = look_at(reader, &t, &m, NULL);
		if (r == 0 && seen_enough(reader, &t, &m, max_bytes))
			break;
	}
	kind = members_kind(&m);
	/* Opening it says that it is too large. */
	if (r == 0 && t.offset > max_bytes && kind == MEMBERS_PART)
		return MEMBERS_DOCKER;
	/* What cannot be read is read as a layer, which says why. */
	return r < 0 && (kind == MEMBERS_NONE || kind == MEMBERS_PART) ? MEMBERS_LAYER : kind;
}
