/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The progress of a long operation, written by a library while it works, and read by the program
 * with __atomic_load_n(..., __ATOMIC_RELAXED). The library prints nothing.
 */
enum progress_state {
	PROGRESS_WAITING,
	PROGRESS_RUNNING,
	PROGRESS_DONE,
	PROGRESS_SHARED, /* there is nothing to do: another item provides it */
	PROGRESS_FAILED,
	PROGRESS_CANCELLED, /* the process was asked to end (stop.h) */
};

struct progress_item {
	const char *name;        /* valid as long as the item */
	uint64_t total;          /* the final value of done; 0: unknown */
	uint64_t done;           /* bytes read so far; 0 if only entries are counted */
	uint64_t entries, bytes; /* created so far */
	int state;               /* enum progress_state */
};

struct progress {
	struct progress_item
		*items; /* the library's, valid from the first call of changed() to the last */
	size_t n;
	bool writing; /* the items are done, and are being written to disk */
	/*
	 * Called when the state of an item changes, from any thread, possibly several at once; and
	 * with item NULL before the first item starts, when items and n are set, and after the last
	 * one, before they become invalid. It may be NULL.
	 */
	void (*changed)(struct progress *p, struct progress_item *item);
	void *arg;
};

#endif
