/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* userns: user namespaces that exist for their map, one for each distinct map. */

#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/caps.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "draft.h"
#include "newidmap.h"
#include "userns_child.h"
#include "userns_self.h"

/* The kernel requires the whole map in one write. */
static int write_proc(int proc, const char *name, const char *text, size_t n)
{
	scoped_fd int fd = openat(proc, name, O_WRONLY | O_CLOEXEC);
	ssize_t w;

	if (fd < 0)
		return -errno;
	w = write(fd, text, n);
	return w < 0 ? -errno : (size_t)w < n ? -EIO : 0;
}

/* Find the rule of the kernel's new_idmap_permitted() that refused the map. */
static int write_fault(int num, const char *name, const struct idranges *r, struct err *e)
{
	bool uid = name[0] == 'u';

	(void)err_set(e, num, name, "cannot set the map of a new user namespace");
	err_op(e, "userns");
	if (num != EPERM)
		return -num;
	if (!caps_has(uid ? CAP_SETUID : CAP_SETGID)) {
		err_why(e,
			"without %s a map can have one %s id, seen as the caller's own, %u, and no "
			"other",
			uid ? "CAP_SETUID" : "CAP_SETGID", uid ? "user" : "group",
			uid ? geteuid() : getegid());
		err_try(e, "run as root, or map one user and one group: u:0:%u:1;g:0:%u:1",
			geteuid(), getegid());
		return -num;
	}
	for (size_t i = 0; i < r->len; i++)
		if (uid && r->items[i].seen == 0 && !caps_has(CAP_SETFCAP))
			err_why(e, "a map that shows ids as 0 needs CAP_SETFCAP since Linux 5.12");
	return -num;
}

static int set_map(int proc, const char *name, const struct idranges *extents, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	int r;

	idranges_print_kernel(extents, &text);
	if (!buf_get(&text))
		return err_nomem(e);

	/* Omit the last newline: it is optional, and could exceed the limit of the text. */
	r = write_proc(proc, name, text.data, text.len - 1);
	if (r == -EPERM && name[0] == 'g' && !caps_has(CAP_SETGID)) {
		/*
		 * Since Linux 3.19, a group map without CAP_SETGID requires that setgroups(2) is
		 * denied.
		 */
		r = write_proc(proc, "setgroups", "deny", 4);
		if (r == 0)
			r = write_proc(proc, name, text.data, text.len - 1);
	}
	return r < 0 ? write_fault(-r, name, extents, e) : 0;
}

/*
 * Read the map back and compare it. The kernel accepts some texts with another meaning (it reads
 * 4294967296 as 0).
 */
static int check_map(int proc, const struct idmap *want, struct err *e)
{
	scoped_idmap struct idmap have = { 0 };
	int r;

	r = userns_map_of_proc(proc, &have, e);
	if (r < 0)
		return r;
	if (idmap_equal(want, &have))
		return 0;

	(void)err_say(e, EIO, NULL, "the kernel reports another map than the one that was written");
	err_op(e, "userns");
	return -EIO;
}

/* The extents to write for a map, and the map that results from them. */
struct fitted {
	struct draft draft;
	struct idmap map;
};

static void cleanup_fitted(struct fitted *f)
{
	draft_done(&f->draft);
	idmap_done(&f->map);
}

#define scoped_fitted __attribute__((cleanup(cleanup_fitted)))

static int fit_range(const struct idrange *want, const struct draft_kind *own, unsigned kind,
	bool all, struct draft *ret, struct err *e)
{
	const char *name = kind == KIND_UID ? "user" : "group";
	uint32_t found = 0;

	for (size_t i = 0; i < own->len; i++) {
		const struct idrange *o = &own->items[i].r;
		uint32_t start = o->disk > want->seen ? o->disk : want->seen;
		uint32_t end_o = o->disk + o->count, end_w = want->seen + want->count;
		uint32_t end = end_o < end_w ? end_o : end_w;
		int r;

		if (start >= end)
			continue;
		r = draft_add_ranges(ret, kind,
			&(struct idrange){ want->disk + (start - want->seen), start, end - start },
			1, PLACE_NONE, e);
		if (r < 0)
			return r;
		found += end - start;
	}
	if (found == want->count || all)
		return 0;

	if (want->count == 1)
		(void)err_say(e, EPERM, NULL, "seen %s id %u does not exist in this user namespace",
			name, want->seen);
	else
		(void)err_say(e, EPERM, NULL,
			"seen %s ids %u-%u do not all exist in this user namespace", name,
			want->seen, want->seen + (want->count - 1));
	err_op(e, "userns");
	err_try(e,
		"omit the map to see files with the ids of this namespace; a map can show the ids "
		"in the first and third columns of /proc/self/%cid_map",
		name[0]);
	return -EPERM;
}

/*
 * The map of the initial namespace; reading it for each of ten thousand lines of a table is slow.
 */
#define ALL_IDS "0 0 4294967295\n"

/*
 * In a nested user namespace, the kernel accepts an extent only if one extent of that namespace's
 * own map contains it (map_id_range_down()). So split the extents there; the identity covers the
 * ids that exist. In the initial namespace this changes nothing.
 */
static int fit(const struct idmap *m, struct fitted *ret, struct err *e)
{
	scoped_buf struct buf uid = BUF_INIT, gid = BUF_INIT;
	scoped_draft struct draft own = { 0 };
	bool initial = userns_is_initial();
	int r = initial ? 0 : proc_check(e);

	if (initial) {
		buf_str(&uid, ALL_IDS);
		buf_str(&gid, ALL_IDS);
		r = buf_get(&uid) && buf_get(&gid) ? 0 : err_nomem(e);
	}
	if (r == 0 && !initial)
		r = fd_read_file(AT_FDCWD, "/proc/self/uid_map", MAP_FILE_MAX, &uid, e);
	if (r == 0 && !initial)
		r = fd_read_file(AT_FDCWD, "/proc/self/gid_map", MAP_FILE_MAX, &gid, e);
	if (r == 0)
		r = draft_add_kernel(&own, KIND_UID, buf_get(&uid), e);
	if (r == 0)
		r = draft_add_kernel(&own, KIND_GID, buf_get(&gid), e);
	for (size_t i = 0; i < m->uid.len && r == 0; i++)
		r = fit_range(&m->uid.items[i], &own.uid, KIND_UID, idranges_identity(&m->uid),
			&ret->draft, e);
	for (size_t i = 0; i < m->gid.len && r == 0; i++)
		r = fit_range(&m->gid.items[i], &own.gid, KIND_GID, idranges_identity(&m->gid),
			&ret->draft, e);
	if (r == 0)
		r = draft_finish(&ret->draft, false, &ret->map, e);
	if (r == -ENODATA) {
		err_why(e,
			"the caller's user namespace has no map yet: /proc/self/uid_map or gid_map "
			"is empty");
		err_try(e, "run the command outside of it, or give it a map: unshare -Ur");
	}
	return r;
}

int userns_fit(const struct idmap *m, struct idmap *ret, struct err *e)
{
	scoped_fitted struct fitted f = { 0 };
	int r;

	r = fit(m, &f, e);
	if (r < 0)
		return r;

	*ret = f.map;
	ret->gid_assumed = m->gid_assumed;
	f.map = (struct idmap){ 0 };
	return 0;
}

/* Copy the ranges of the draft without merging them. The caller frees ret->items. */
static int extents_of(const struct draft_kind *k, struct idranges *ret, struct err *e)
{
	struct idrange *items = malloc(k->len * sizeof(*items));

	if (!items)
		return err_nomem(e);

	for (size_t i = 0; i < k->len; i++)
		items[i] = k->items[i].r;
	*ret = (struct idranges){ .items = items, .len = k->len };
	return 0;
}

static int set_maps(int proc, const struct draft *d, struct err *e)
{
	struct idranges uid = { 0 }, gid = { 0 };
	int r;

	r = extents_of(&d->uid, &uid, e);
	if (r == 0)
		r = extents_of(&d->gid, &gid, e);
	if (r == 0)
		r = set_map(proc, "uid_map", &uid, e);
	if (r == 0)
		r = set_map(proc, "gid_map", &gid, e);
	free(uid.items);
	free(gid.items);
	return r;
}

static int write_map(int proc, const struct idmap *m, struct err *e)
{
	scoped_fitted struct fitted fitted = { 0 };
	int r;

	r = fit(m, &fitted, e);
	if (r == 0)
		r = set_maps(proc, &fitted.draft, e);
	return r < 0 ? r : check_map(proc, &fitted.map, e);
}

/*
 * Requires CAP_SETUID and CAP_SETGID in the caller's namespace for more than the caller's own id.
 */
static int userns_make(const struct idmap *m, int *ret_fd, struct err *e)
{
	scoped_child struct child child = CHILD_NONE;
	int r, fd;

	r = child_start(-1, &child, e);
	if (r == 0)
		r = write_map(child.proc, m, e);
	if (r < 0)
		return r;

	fd = openat(child.proc, "ns/user", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "ns/user", "cannot open the new user namespace");

	*ret_fd = fd;
	return 0;
}

static bool is_own(const struct idranges *r, uint32_t own)
{
	return r->len == 1 && r->items[0].count == 1 && r->items[0].seen == own;
}

int userns_write_map(pid_t pid, const struct idmap *m, struct err *e)
{
	scoped_fd int proc = -1;
	int r;

	r = proc_open(pid, &proc, e);
	if (r < 0)
		return r;
	if ((caps_has(CAP_SETUID) && caps_has(CAP_SETGID)) ||
		(is_own(&m->uid, geteuid()) && is_own(&m->gid, getegid())))
		return write_map(proc, m, e);
	r = newidmap(false, pid, m->uid.items, m->uid.len, e);
	if (r == 0)
		r = newidmap(true, pid, m->gid.items, m->gid.len, e);
	return r < 0 ? r : check_map(proc, m, e);
}

/*
 * The namespaces of this process: a hash table with linear probing, at most half full. A slot
 * without ranges is free.
 */
struct entry {
	struct idmap map;
	int fd;
};

static struct {
	struct entry *slots;
	size_t size, len, made;
} cache;

static uint64_t hash_ranges(const struct idranges *r, uint64_t h)
{
	/*
	 * FNV-1a over words. Maps come from fstab and the command line, so collisions are not an
	 * attack.
	 */
	for (size_t i = 0; i < r->len; i++) {
		const uint32_t v[] = { r->items[i].disk, r->items[i].seen, r->items[i].count };

		for (size_t k = 0; k < 3; k++)
			h = (h ^ v[k]) * 0x100000001b3u;
	}
	return (h ^ r->len) * 0x100000001b3u;
}

/* Find the slot of the map, or the free slot where it belongs. */
static struct entry *cache_slot(struct entry *slots, size_t size, const struct idmap *m)
{
	uint64_t h = hash_ranges(&m->gid, hash_ranges(&m->uid, 0xcbf29ce484222325u));
	size_t i = (h ^ h >> 32) & (size - 1);

	while (slots[i].map.uid.len && !idmap_equal(&slots[i].map, m))
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static int cache_grow(struct err *e)
{
	size_t size = cache.size ? cache.size * 2 : 64;
	struct entry *slots;

	if (cache.len < cache.size / 2)
		return 0;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return err_nomem(e);

	for (size_t i = 0; i < cache.size; i++)
		if (cache.slots[i].map.uid.len)
			*cache_slot(slots, size, &cache.slots[i].map) = cache.slots[i];
	free(cache.slots);
	cache.slots = slots;
	cache.size = size;
	return 0;
}

int userns_get(const struct idmap *m, int *ret_fd, struct err *e)
{
	scoped_idmap struct idmap copy = { 0 };
	scoped_fd int fd = -1;
	struct entry *slot;
	int r;

	r = cache_grow(e);
	if (r < 0)
		return r;
	slot = cache_slot(cache.slots, cache.size, m);
	if (slot->map.uid.len) {
		*ret_fd = slot->fd;
		return 0;
	}
	r = idmap_copy(m, &copy, e);
	if (r == 0)
		r = userns_make(m, &fd, e);
	if (r < 0)
		return r;

	slot->map = copy;
	copy = (struct idmap){ 0 };
	slot->fd = TAKE_FD(fd);
	cache.len++;
	cache.made++;
	log_verbose("made a user namespace to carry the map (number %zu of this run)", cache.made);
	*ret_fd = slot->fd;
	return 0;
}

size_t userns_made(void)
{
	return cache.made;
}

void userns_cache_done(void)
{
	for (size_t i = 0; i < cache.size; i++) {
		if (!cache.slots[i].map.uid.len)
			continue;
		idmap_done(&cache.slots[i].map);
		cleanup_fd(&cache.slots[i].fd);
	}
	free(cache.slots);
	cache.slots = NULL;
	cache.size = cache.len = 0;
}
