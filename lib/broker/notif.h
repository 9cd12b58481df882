/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_NOTIF_H
#define BROKER_NOTIF_H

#include "../base/buf.h"
#include "caller.h"
#include "filter.h"

/*
 * A seccomp notification (seccomp_unotify(2)): a system call of a thread that waits until the
 * broker answers.
 */

/* How a call was decided. */
enum verdict {
	VERDICT_DENIED,   /* no rule allows it, or the rule could not be carried out: num is the
	                     errno that was returned */
	VERDICT_DONE,     /* performed by the broker */
	VERDICT_CALLER,   /* performed with the caller's credentials; num is the kernel's result */
	VERDICT_KERNEL,   /* passed to the kernel, whose result the broker does not see */
	VERDICT_EMULATED, /* not performed, but recorded in an xattr of the file; returned 0 */
	VERDICT_SKIPPED,  /* not performed; the file cannot carry the xattr; returned 0 */
};

/* One notification: the call with its arguments, its caller, and the decision. */
struct notif {
	int listener; /* the seccomp listener that it came from; not closed */
	enum filter_call call;
	uint64_t id, args[6]; /* of struct seccomp_notif */
	struct caller caller;
	const struct rule *rule; /* the rule that decided, or NULL; not freed */
	enum verdict verdict;
	int num; /* the errno to return, positive; 0: success */

	/* The decoded arguments, for the audit file. NOTIF_INIT has the values of those that the
	 * call does not have. */
	struct buf path, source, fstype, data;
	bool has_path, has_source, has_fstype, has_data;
	mode_t mode;
	unsigned major, minor;
	uint32_t uid, gid; /* UINT32_MAX: unchanged by the call */
	uint64_t flags;
};

#define NOTIF_INIT ((struct notif){ .listener = -1, .call = CALL_NONE, .caller = CALLER_INIT })

void notif_done(struct notif *n);

#define scoped_notif __attribute__((cleanup(notif_done)))

/*
 * Does the calling thread still wait? If not, its id, memory and descriptors may be those of
 * another process by now (SECCOMP_IOCTL_NOTIF_ID_VALID). Ask after reading anything of the
 * caller's, and before acting on it.
 */
bool notif_alive(const struct notif *n);

/*
 * Append the string that argument i points to to ret, and set *ret_has if that worked. Returns
 * -EFAULT for a null pointer; otherwise as caller_string().
 */
MUST_CHECK int notif_string(struct notif *n, size_t i, struct buf *ret, bool *ret_has);

/* Set the verdict. num: a positive errno, or 0 for success. */
static inline void notif_answer(struct notif *n, enum verdict v, int num)
{
	n->verdict = v;
	n->num = num;
}

#endif
