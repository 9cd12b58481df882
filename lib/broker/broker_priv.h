/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_BROKER_PRIV_H
#define BROKER_BROKER_PRIV_H

#include "../base/out.h"
#include "../idmap/idmap.h"
#include "broker_creds.h"
#include "chown_report.h"
#include "notif.h"
#include "proxy.h"
#include "rule.h"

/*
 * What broker.c and broker_*.c share. broker.c receives the notifications and calls the decide
 * function of each; these call broker_ask.c, and nothing calls back into broker.c.
 */

struct broker {
	struct rules rules;
	struct idmap map;  /* disk: the ids in the namespace; seen: the supervisor's */
	struct out *audit; /* NULL: no audit file */
	int audit_fd;
	bool audit_lost; /* the audit file could not be written: every later call is denied */
	struct chown_report report;
	bool granted; /* for the report, as in struct broker_config */
	/* Set while serving: */
	int listener, userns;
	struct stat userns_stat;
	struct proxy proxy;
	struct broker_creds creds;
};

/*
 * Decide one call: set the rule, the verdict and num of n, and perform the call if the verdict says
 * so. Each reads the caller's memory once, and checks notif_alive() between that and acting
 * (time of check to time of use).
 */
void broker_mknod_decide(struct broker *b, struct notif *n);
void broker_mount_decide(struct broker *b, struct notif *n);
void broker_mount_decide_umount(struct broker *b, struct notif *n);
void broker_chown_decide(struct broker *b, struct notif *n);

/*
 * Mount the filesystem that n->rule names where mount(2) was called for. path, source, fstype, data
 * and flags of n are decoded. Sets the verdict.
 */
void broker_device_mount(struct broker *b, struct notif *n);

/*
 * Have the proxy act with the caller's credentials, as proxy_ask() does. Restarts the proxy if it
 * hangs or has ended, and returns -EIO for that request.
 */
MUST_CHECK int broker_ask(
	struct broker *b, const struct notif *n, const struct proxy_request *q, int *ret_fd);

/*
 * Call broker_ask() for n->path, relative to the caller's working directory. Sets path and dir of
 * q. Returns -EINTR if the caller is gone.
 */
MUST_CHECK int broker_ask_path(
	struct broker *b, const struct notif *n, struct proxy_request *q, int *ret_fd);

#endif
