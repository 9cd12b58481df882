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
 * The broker decides, at run time, system calls that the kernel refuses to root of a user
 * namespace, by seccomp user notification (seccomp_unotify(2)). Callers use it in this order:
 *
 *   process      function          when, and with which privileges
 *   supervisor   broker_new()      before any other process starts
 *   command      broker_filter()   in a copy of the supervisor's memory, in all namespaces of the
 *                                  command and with all capabilities there, as the last step before
 *                                  the process changes to the ids of --user and executes; it then
 *                                  sends the listener to the supervisor over a socket
 *   broker       broker_serve()    in a child of the supervisor, with the supervisor's credentials
 *                broker_report()   and mount namespace; ends with the last process under the filter
 */
struct broker;

struct broker_config {
	const struct strv *rules;   /* of --allow, in the order given */
	const char *policy, *audit; /* paths of the policy and the audit file, or NULL */
	const struct idmap *map;    /* of the namespace; disk: the ids in the namespace, seen: the
	                               supervisor's */
	bool privileged; /* the supervisor has CAP_SYS_ADMIN in the initial user namespace */
	bool granted;    /* the map is the user's own id and the user's subordinate ids */
};

/*
 * Read the rules and the policy, and open the audit file. Copies what it keeps of c. Errors: a
 * usage error for a rule that is not valid; -EPERM for a rule that needs privileges that the
 * supervisor lacks, and for a policy or audit file that another user may write; errors of opening
 * the files.
 */
MUST_CHECK int broker_new(const struct broker_config *c, struct broker **ret, struct err *e);
void broker_free(struct broker *b);

static inline void cleanup_broker(struct broker **b)
{
	broker_free(*b);
}

#define scoped_broker __attribute__((cleanup(cleanup_broker)))

/*
 * Install the filter on the calling process and, irrevocably, on its descendants. Sending the
 * listener uses no call that the filter intercepts. The caller closes *ret_listener. Errors: see
 * filter_install().
 */
MUST_CHECK int broker_filter(const struct broker *b, int *ret_listener, struct err *e);

/*
 * Answer notifications until no process is left under the filter. First gives up all privileges
 * that no rule needs. userns: the command's user namespace, opened while it was new, because its
 * init cannot be inspected later. Both descriptors stay open. Signals of the terminal must be
 * blocked. Returns 0, or -errno if the broker cannot continue; pending and later calls then fail
 * with ENOSYS.
 */
MUST_CHECK int broker_serve(struct broker *b, int listener, int userns, struct err *e);

/* Print the chown report if a chown rule was given (chown_report.h); otherwise print nothing. */
void broker_report(const struct broker *b, struct out *out);

#endif
