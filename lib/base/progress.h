/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

/*
 * How far a piece of work is, told by a library to whoever shows it. The numbers are written while
 * the work runs and read with __atomic_load_n(..., __ATOMIC_RELAXED); nothing here prints.
 */
enum progress_state {
	PROGRESS_WAITING,
	PROGRESS_RUNNING,
	PROGRESS_DONE,
	PROGRESS_SHARED, /* there was nothing to do */
	PROGRESS_FAILED,
};

struct progress_item {
	const char *name;        /* lives as long as the item */
	uint64_t total;          /* of done; 0: not known */
	uint64_t done;           /* bytes read; 0 where only entries are counted */
	uint64_t entries, bytes; /* made so far */
	int state;               /* enum progress_state */
};

struct progress {
	struct progress_item
		*items; /* the library's, from the first call of changed() to the last */
	size_t n;
	/*
	 * An item's state has changed. Called from any thread, several at once. NULL: nobody
	 * watches. Before the first item starts it is called with item NULL: items and n are set;
	 * and so after the last: they will go.
	 */
	void (*changed)(struct progress *p, struct progress_item *item);
	void *arg;
};

#endif
