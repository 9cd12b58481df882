/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_lock: locks on parts of the store. */

#include "store_lock.h"

#include "store_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../mount/fs_limits.h"
#include "store_dir.h"

enum { TRIES = 100 };

struct part_lock {
	bool opened;
	int fd; /* of the lock outside of the store; -1: not opened, or not available */
	enum lock_how how;
	int mark;                 /* its mark in tmp/; -1: none */
	char name[MARK_NAME_MAX]; /* of the mark: "lock-PART-HOW-" and 16 digits */
	pid_t pid; /* the process that made the mark: a forked child has a copy of this struct */
};

struct store_locks {
	struct part_lock of[2];
};

static const char *const part_words[] = { [STORE_LAYERS] = "layers", [STORE_IMAGES] = "images" };
static const char how_letters[] = { [LOCK_SHARED] = 's', [LOCK_EXCLUSIVE] = 'x' };

int store_lock_new(struct store *s, struct err *e)
{
	s->locks = calloc(1, sizeof(*s->locks));
	if (!s->locks)
		return err_nomem(e);
	for (size_t i = 0; i < ARRAY_LEN(s->locks->of); i++)
		s->locks->of[i] = (struct part_lock){ .fd = -1, .mark = -1 };
	return 0;
}

static void drop(const struct store *s, struct part_lock *h)
{
	if (h->pid == getpid())
		mark_drop(s->tmp, h->name, &h->mark);
	cleanup_fd(&h->mark);
	h->mark = -1;
}

void store_lock_free(struct store *s)
{
	if (!s->locks)
		return;
	for (size_t i = 0; i < ARRAY_LEN(s->locks->of); i++) {
		drop(s, &s->locks->of[i]);
		cleanup_fd(&s->locks->of[i].fd);
	}
	free(s->locks);
	s->locks = NULL;
}

/* --- Processes that share /run --- */

static int take_outside(const struct store *s, enum store_part part, enum lock_how how)
{
	struct part_lock *h = &s->locks->of[part];
	scoped_buf struct buf b = BUF_INIT;
	struct stat st;
	int r;

	if (!h->opened) {
		if (fstat(s->fd, &st) < 0)
			return -errno;
		h->fd = lock_open(&st, part_words[part]);
		h->opened = true;
	}
	r = h->fd < 0 ? 0 : lock_try(h->fd, how);
	if (r != -EWOULDBLOCK)
		return r;
	lock_print_holder(h->fd, &b);
	log_info("waiting for another process that uses the store '%s': %s", s->path,
		buf_get(&b) ? buf_get(&b) : "");
	return lock_wait(h->fd, how);
}

/* --- Processes that do not share /run --- */

static int make_mark(
	const struct store *s, enum store_part part, enum lock_how how, struct part_lock *ret)
{
	int r = -EAGAIN;

	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		uint64_t id;

		if (getrandom(&id, sizeof(id), 0) != sizeof(id))
			return -errno;
		(void)snprintf(ret->name, sizeof(ret->name), "lock-%s-%c-%016" PRIx64,
			part_words[part], how_letters[how], id); /* fits */
		r = mark_new(s->tmp, ret->name, &ret->mark);
	}
	ret->pid = getpid();
	return r;
}

/*
 * Is this the name of a mark that conflicts with a lock of this part and kind? *ret_order are its
 * digits, which decide which of two processes waits.
 */
static bool is_against(
	const char *name, enum store_part part, enum lock_how how, const char **ret_order)
{
	char prefix[32];
	int n = snprintf(prefix, sizeof(prefix), "lock-%s-", part_words[part]); /* fits */

	if (strncmp(name, prefix, (size_t)n) || strlen(name) != (size_t)n + 2 + 16 ||
		name[n + 1] != '-')
		return false;
	*ret_order = name + n + 2;
	return how == LOCK_EXCLUSIVE || name[n] == how_letters[LOCK_EXCLUSIVE];
}

static int wait_for(const struct store *s, const char *name, struct err *e)
{
	int r;

	log_info("waiting for another process that uses the store '%s': one of another container, "
		 "or without access to /run",
		s->path);
	r = mark_wait(s->tmp, name);
	return r < 0 ? err_set(e, -r, s->path, "cannot lock the store") : 0;
}

/*
 * Wait for the conflicting marks. The own mark already exists: of two processes that make one at
 * the same time, at least one sees the other. The process with the greater number removes its mark
 * and starts again (returns 1), so that the two do not wait for each other.
 */
static int meet_others(const struct store *s, enum store_part part, enum lock_how how,
	struct part_lock *own, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	const char *mine = NULL, *theirs;
	int r = store_dir_list(s->tmp, s->path, &names, e);

	(void)is_against(own->name, part, LOCK_EXCLUSIVE, &mine);
	for (size_t i = 0; r == 0 && i < names.len; i++) {
		const char *name = names.items[i];
		int state;

		if (strncmp(name, "lock-", 5) || !strcmp(name, own->name) ||
			!strcmp(name, s->locks->of[part].name))
			continue;
		state = mark_look(s->tmp, name);
		if (state == MARK_DEAD)
			(void)unlinkat(s->tmp, name, 0); /* of any part, and unfinished ones; if
			                                    this fails, the mark remains dead */
		if (state != MARK_HELD || !is_against(name, part, how, &theirs))
			continue;
		if (own->mark >= 0 && strcmp(theirs, mine) < 0) {
			drop(s, own);
			r = wait_for(s, name, e);
			return r < 0 ? r : 1;
		}
		r = wait_for(s, name, e);
	}
	return r;
}

/*
 * Without space, write permission or file locks in tmp/, the lock outside of the store has to
 * suffice. Without that lock too, readers continue unlocked.
 */
static int no_mark(
	const struct store *s, const struct part_lock *h, enum lock_how how, int num, struct err *e)
{
	static const int known[] = { EROFS, EACCES, ENOSPC, EDQUOT, EAGAIN, EINVAL, ENOLCK,
		EOPNOTSUPP };
	size_t i = 0;

	while (i < ARRAY_LEN(known) && known[i] != num)
		i++;
	if (i == ARRAY_LEN(known) || (h->fd < 0 && how == LOCK_EXCLUSIVE)) {
		(void)err_set(e, num, s->path, "cannot make a lock file in the store");
		if (num == EINVAL)
			fs_explain_rename(s->tmp, e);
		return -num;
	}
	log_verbose("no lock file can be made in the store '%s' (%s): processes that do not share "
		    "/run with this one do not wait for it",
		s->path, strerrordesc_np(num));
	return 0;
}

/* The previous mark is dropped after the new one has been made. */
static int take_inside(const struct store *s, enum store_part part, enum lock_how how,
	struct part_lock *h, struct err *e)
{
	struct part_lock own;
	int r;

	do {
		own = (struct part_lock){ .mark = -1 };
		r = make_mark(s, part, how, &own);
		r = r < 0 ? no_mark(s, h, how, -r, e) : 0;
		if (r == 0)
			r = meet_others(s, part, how, &own, e);
	} while (r == 1);
	if (r < 0) {
		drop(s, &own);
		return r;
	}
	drop(s, h);
	h->mark = own.mark;
	h->pid = own.pid;
	memcpy(h->name, own.name, sizeof(h->name));
	return 0;
}

static void let_go(const struct store *s, struct part_lock *h)
{
	drop(s, h);
	if (h->fd >= 0)
		(void)lock_try(h->fd, LOCK_OFF); /* does not fail */
	h->how = LOCK_OFF;
}

int store_lock(const struct store *s, enum store_part part, enum lock_how how, struct err *e)
{
	struct part_lock *h = &s->locks->of[part];
	bool less = h->how == LOCK_EXCLUSIVE && how == LOCK_SHARED;
	int r = 0;

	if (how == LOCK_OFF) {
		let_go(s, h);
		return 0;
	}
	/*
	 * Two processes that hold a shared lock and convert it would wait for each other. flock(2)
	 * also releases the lock before it converts it.
	 */
	if (!less) {
		let_go(s, h);
		r = take_outside(s, part, how);
		if (r < 0)
			return err_set(e, -r, s->path, "cannot lock the store");
	}
	r = take_inside(s, part, how, h, e);
	if (r == 0 && less)
		r = take_outside(s, part, how);
	if (r < 0)
		let_go(s, h);
	else
		h->how = how;
	return r;
}

int store_lock_layers(struct store *s, struct err *e)
{
	int r;

	if (s->layers_locked)
		return 0;
	r = store_lock(s, STORE_LAYERS, LOCK_SHARED, e);
	s->layers_locked = r == 0;
	return r;
}
