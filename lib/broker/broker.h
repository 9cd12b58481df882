/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/out.h"
#include "../base/vec.h"
#include "../idmap/idmap.h"

/*
 * The broker decides, at run time, calls that the kernel refuses to root of a user namespace:
 * seccomp(2) notifications. run.h calls these in this order:
 *
 *   supervisor   broker_new()      before anything starts
 *   command      broker_filter()   a copy of the supervisor (of its memory, too), in all its
 * namespaces and still with all capabilities there, as the last thing before it takes the ids of
 * --user and executes; the listener then goes to the supervisor over a socket broker broker_serve()
 * a process of its own, forked by the supervisor, with its credentials, in its mount
 *                broker_report()   namespace; ends when the last process under the filter has
 */
struct broker;

struct broker_config {
	const struct strv *rules;   /* --allow, in the order given */
	const char *policy, *audit; /* files, by the caller's paths; NULL: not given */
	const struct idmap *map;    /* of the namespace: the disk side is its own ids, the seen side
	                               the supervisor's */
	bool privileged; /* the supervisor has CAP_SYS_ADMIN in the initial user namespace */
	bool granted;    /* the map is that of an ordinary user's subordinate ids, behind the user's
	                    own */
};

/*
 * Read rules and policy, and open the audit file. What is used of c later is copied. Errors: usage
 * for a rule that cannot be read; -EPERM for one that takes privileges that the caller lacks; those
 * of opening the files.
 */
int broker_new(const struct broker_config *c, struct broker **ret, struct err *e);
void broker_free(struct broker *b);

static inline void cleanup_broker(struct broker **b)
{
	broker_free(*b);
}

#define scoped_broker __attribute__((cleanup(cleanup_broker)))

/*
 * Install the filter on the calling process, for good and for all that it starts. The caller closes
 * *ret_listener after having sent it on. The calls by which it is sent are not in the filter.
 */
int broker_filter(const struct broker *b, int *ret_listener, struct err *e);

/*
 * Answer the listener (which stays the caller's) until no process is left under the filter. First
 * gives up all privileges that no rule needs. Signals of the terminal are blocked in the process
 * that calls. Returns 0, or -errno when it could not go on; the calls that are pending then fail
 * with ENOSYS.
 */
int broker_serve(struct broker *b, int listener, int userns, struct err *e);

/*
 * What was asked for and what became of it, for rules that want it told at the end. Else nothing.
 */
void broker_report(const struct broker *b, struct out *out);

#endif
