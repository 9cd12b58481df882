/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_NOTIF_H
#define BROKER_NOTIF_H

#include "../base/out.h"
#include "broker_creds.h"
#include "caller.h"
#include "chown_report.h"
#include "filter.h"
#include "proxy.h"
#include "rule.h"

/* What became of a call. */
enum verdict {
	VERDICT_DENIED, /* no rule, or the rule could not be carried out: num says how it was
	                   answered */
	VERDICT_DONE,   /* the broker did it */
	VERDICT_CALLER, /* done with the caller's own rights and no others: what the kernel said is
	                   in num */
	VERDICT_KERNEL, /* left to the kernel, whose answer the broker does not know */
	VERDICT_EMULATED, /* answered as done, and recorded at the file */
	VERDICT_SKIPPED,  /* answered as done: the file cannot carry a record */
};

const char *verdict_name(enum verdict v);

/* One held call: what is known of it, and how it is decided. */
struct notif {
	enum filter_call call;
	uint64_t id, args[6];
	struct caller caller;
	const struct rule *rule; /* the one that decided, or NULL */
	enum verdict verdict;
	int num; /* the errno that it is answered with, positive; 0: success */

	/* Decoded, for the audit file; what does not apply is as in NOTIF_INIT */
	struct buf path, source, fstype, data;
	bool has_path, has_source, has_fstype, has_data;
	mode_t mode;
	unsigned major, minor;
	uint32_t uid, gid; /* UINT32_MAX: not to be changed */
	uint64_t flags;
};

#define NOTIF_INIT ((struct notif){ .call = CALL_NONE, .caller = CALLER_INIT })

void notif_done(struct notif *n);

#define scoped_notif __attribute__((cleanup(notif_done)))

struct broker {
	struct rules rules;
	struct idmap map;  /* disk: the namespace's ids; seen: ours */
	struct out *audit; /* or NULL */
	int audit_fd;
	bool audit_lost; /* it could not be written: from then on all is denied */
	struct chown_report report;
	bool granted; /* for the report, as in struct broker_config */
	/* While serving */
	int listener, userns;
	struct stat userns_stat;
	struct proxy proxy;
	struct broker_creds creds;
};

/*
 * Decide one call: fill in verdict, num and rule, and have it done. Each reads memory of the caller
 * once, and asks notif_alive() between that and acting.
 */
void broker_mknod_decide(struct broker *b, struct notif *n);
void broker_mount_decide(struct broker *b, struct notif *n);
void broker_mount_decide_umount(struct broker *b, struct notif *n);
void broker_chown_decide(struct broker *b, struct notif *n);

/* mount(2) of what a rule names, by n->rule: path, source, fstype, data and flags are decoded. */
void broker_device_mount(struct broker *b, struct notif *n);

/*
 * The file or directory that the path leads to, as the caller would come to it (O_PATH): 0 or
 * -errno.
 */
int notif_target(struct broker *b, struct notif *n, int *ret_fd);

/*
 * Whether the caller still waits in this call: what was read of the thread is then that thread's.
 */
bool notif_alive(const struct broker *b, const struct notif *n);

/* Copy the string argument at args[i]: 0 or -errno. */
int notif_string(struct notif *n, size_t i, struct buf *ret, bool *ret_has);

/* Ask the proxy, and start another one where it was lost. */
int notif_ask(struct broker *b, const struct notif *n, const struct proxy_request *q, int *ret_fd);

/* Answer so. Returns nothing, for `return held_deny(...)`-like tails. */
static inline void notif_answer(struct notif *n, enum verdict v, int num)
{
	n->verdict = v;
	n->num = num;
}

/* One line of the audit file; a failure sets audit_lost and is warned of. */
void audit_write(struct broker *b, const struct notif *n);

#endif
