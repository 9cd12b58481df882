/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The broker: receive notifications from the listener, have them decided, and answer. */

#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <seccomp.h>

#include "../base/log.h"
#include "../base/path.h"
#include "audit.h"
#include "broker_priv.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

static void (*const decide[])(struct broker *b, struct notif *n) = {
	[CALL_MKNOD] = broker_mknod_decide,
	[CALL_MKNODAT] = broker_mknod_decide,
	[CALL_MOUNT] = broker_mount_decide,
	[CALL_UMOUNT2] = broker_mount_decide_umount,
	[CALL_CHOWN] = broker_chown_decide,
	[CALL_LCHOWN] = broker_chown_decide,
	[CALL_FCHOWN] = broker_chown_decide,
	[CALL_FCHOWNAT] = broker_chown_decide,
};

/* --- starting --- */

static int check_privileges(const struct broker_config *c, const struct rules *rs, struct err *e)
{
	const struct rule *r = rules_privileged(rs);

	if (!r || c->privileged)
		return 0;
	(void)err_say(e, EPERM, NULL, "rule '%s' can only be carried out by root", r->text);
	err_why(e,
		"the kernel lets only root create device nodes or mount devices, and the broker "
		"has the privileges of the user who starts it");
	err_try(e,
		r->kind == RULE_MOUNT ? "run userns-run as root (with -m for the ids)" :
					"run userns-run as root (with -m for the ids), or bind the "
					"node: --bind /dev/null:/srv/dev/null");
	return -EPERM;
}

static int open_sources(struct rules *rs, struct err *e)
{
	for (size_t i = 0; i < rs->len; i++) {
		struct rule *r = &rs->items[i];
		int n = r->kind == RULE_MOUNT ?
			path_open(r->source, O_PATH, "cannot open what the rule mounts", NULL,
				&r->source_fd, e) :
			0;

		if (n < 0) {
			err_prefix(e, "rule '%s'", r->text);
			return n;
		}
	}
	return 0;
}

/*
 * The command influences what is written to the audit file, so another user must not be able to
 * choose or replace that file.
 */
static int check_audit(int fd, const struct place *at, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the audit file");
	if (at->dirfd < 0 || S_ISCHR(st.st_mode))
		return 0; /* open already (/dev/stderr, /dev/fd/N), or a terminal, or /dev/null */
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		(void)err_say(
			e, EPERM, path, "the audit file belongs to another user (%u)", st.st_uid);
		err_try(e, "use a file that does not exist yet, in a directory of your own");
		return -EPERM;
	}
	if (S_ISREG(st.st_mode) && st.st_mode & (S_IWGRP | S_IWOTH)) {
		(void)err_say(e, EPERM, path, "the audit file can be written by others (mode %04o)",
			st.st_mode & 07777);
		err_try(e, "chmod go-w on it");
		return -EPERM;
	}
	if (S_ISREG(st.st_mode) && st.st_nlink > 1)
		return err_say(e, EPERM, path,
			"the audit file has another name (a hard link), which may be a file of "
			"the system");
	return 0;
}

static int open_audit(struct broker *b, const char *path, struct err *e)
{
	scoped_place struct place at = PLACE_INIT;
	int r;

	if (!path)
		return 0;
	r = path_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK,
		"cannot open the audit file", &at, &b->audit_fd, e);
	if (r == 0)
		r = check_audit(b->audit_fd, &at, path, e);
	if (r < 0)
		return r;
	b->audit = out_new(b->audit_fd, true, false);
	return b->audit ? 0 : err_nomem(e);
}

int broker_new(const struct broker_config *c, struct broker **ret, struct err *e)
{
	scoped_broker struct broker *b = calloc(1, sizeof(*b));
	int r = 0;

	if (!b)
		return err_nomem(e);
	b->audit_fd = b->userns = b->listener = -1;
	b->proxy = PROXY_INIT;
	b->granted = c->granted;
	if (c->policy)
		r = rules_read(&b->rules, c->policy, e);
	for (size_t i = 0; r == 0 && i < c->rules->len; i++)
		r = rules_add(&b->rules, c->rules->items[i], e);
	if (r == 0)
		r = check_privileges(c, &b->rules, e);
	if (r == 0)
		r = open_sources(&b->rules, e);
	if (r == 0)
		r = idmap_copy(c->map, &b->map, e);
	if (r == 0)
		r = open_audit(b, c->audit, e);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(b);
	return 0;
}

void broker_free(struct broker *b)
{
	if (!b)
		return;
	proxy_done(&b->proxy);
	cleanup_fd(&b->userns);
	out_free(b->audit);
	cleanup_fd(&b->audit_fd);
	chown_report_done(&b->report);
	idmap_done(&b->map);
	rules_done(&b->rules);
	free(b);
}

int broker_filter(const struct broker *b, int *ret_listener, struct err *e)
{
	return filter_install(&b->rules, ret_listener, e);
}

/* --- serving --- */

static int enter_service(struct broker *b, int userns, struct err *e)
{
	int r;

	b->userns = fcntl(userns, F_DUPFD_CLOEXEC, 3);
	if (b->userns < 0 || fstat(b->userns, &b->userns_stat) < 0)
		return err_set(e, errno, NULL, "cannot keep the command's user namespace open");
	r = broker_creds_leave_keyring(e);
	if (r == 0)
		r = proxy_start(&b->proxy, b->userns, &b->map, e);
	return r == 0 ? broker_creds_start(&b->creds, &b->rules, e) : r;
}

static void decide_one(struct broker *b, struct notif *n, const struct seccomp_notif *req)
{
	struct err e = ERR_INIT;

	n->call = filter_call_find(req->data.arch, req->data.nr);
	n->listener = b->listener;
	n->id = req->id;
	for (size_t i = 0; i < ARRAY_LEN(n->args); i++)
		n->args[i] = req->data.args[i];
	notif_answer(n, VERDICT_DENIED, EPERM);
	if (n->call == CALL_NONE || caller_open((pid_t)req->pid, &n->caller, &e) < 0 ||
		!notif_alive(n))
		return;
	/*
	 * A caller in a descendant user namespace gets no rule. No argument was read yet, so it is
	 * safe to let the kernel decide.
	 */
	if (!caller_in_userns(&n->caller, &b->userns_stat))
		notif_answer(n, VERDICT_KERNEL, 0);
	else if (!b->audit_lost)
		decide[n->call](b, n);
}

/*
 * seccomp_notify_receive(3) returns -ECANCELED for every error of the kernel, and leaves the error
 * in errno.
 */
static int result(int r)
{
	return r == -ECANCELED ? -errno : r;
}

/* ENOENT is not an error here: the caller has died. */
static int answer(struct broker *b, const struct notif *n, struct seccomp_notif_resp *resp)
{
	int r;

	memset(resp, 0, sizeof(*resp));
	resp->id = n->id;
	if (n->verdict == VERDICT_KERNEL)
		resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else
		resp->error = -n->num;
	r = result(seccomp_notify_respond(b->listener, resp));
	return r == -ENOENT ? 0 : r;
}

/* Calls that cannot be recorded are denied from then on (decide_one()). */
static void record(struct broker *b, const struct notif *n)
{
	int r;

	if (!b->audit || b->audit_lost)
		return;
	r = audit_write(b->audit, n);
	if (r == 0)
		return;
	b->audit_lost = true;
	log_warn("the audit file cannot be written (%s): from now on every intercepted call is "
		 "denied",
		strerrordesc_np(-r));
}

static int serve_one(struct broker *b, struct seccomp_notif *req, struct seccomp_notif_resp *resp)
{
	scoped_notif struct notif n = NOTIF_INIT;
	int r;

	memset(req, 0, sizeof(*req)); /* the kernel requires it */
	r = result(seccomp_notify_receive(b->listener, req));
	if (r < 0)
		return r == -ENOENT || r == -EINTR ? 0 : r;
	decide_one(b, &n, req);
	record(b, &n);
	return answer(b, &n, resp);
}

/*
 * The caller waits for the broker, and the broker for the next caller. Have each wake the other on
 * its own CPU, so that no idle CPU must leave a sleep state (SECCOMP_IOCTL_NOTIF_SET_FLAGS, Linux
 * 6.6).
 */
static void share_cpu(int listener)
{
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) < 0)
		log_verbose("intercepted calls are answered from any CPU, which is slower: %s",
			strerror(errno));
}

static int serve(
	struct broker *b, struct seccomp_notif *req, struct seccomp_notif_resp *resp, struct err *e)
{
	struct pollfd p = { .fd = b->listener, .events = POLLIN };

	for (;;) {
		int r = poll(&p, 1, -1);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_set(e, errno, NULL, "cannot wait for seccomp notifications");
		if (p.revents & POLLIN)
			r = serve_one(b, req, resp);
		else if (p.revents & POLLHUP)
			return 0; /* no process is left under the filter */
		if (r < 0)
			return err_set(
				e, -r, NULL, "cannot receive or answer seccomp notifications");
	}
}

int broker_serve(struct broker *b, int listener, int userns, struct err *e)
{
	struct seccomp_notif_resp *resp = NULL;
	struct seccomp_notif *req = NULL;
	int r;

	r = enter_service(b, userns, e);
	if (r < 0)
		return r;
	r = seccomp_notify_alloc(&req, &resp);
	if (r < 0)
		return err_set(e, -r, NULL, "cannot allocate seccomp notifications");
	b->listener = listener;
	share_cpu(listener);
	r = serve(b, req, resp, e);
	b->listener = -1;
	seccomp_notify_free(req, resp);
	proxy_done(&b->proxy);
	return r;
}

void broker_report(const struct broker *b, struct out *out)
{
	if (rules_find(&b->rules, RULE_CHOWN_REPORT) || rules_find(&b->rules, RULE_CHOWN_EMULATE))
		chown_report_print(&b->report, &b->map, b->granted, out);
}
