/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parse the rules of the broker, and find the rule that allows a call. */

#include "rule.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../base/num.h"
#include "../base/path.h"

enum { POLICY_MAX = 1 << 20, MAJOR_MAX = (1 << 12) - 1, MINOR_MAX = (1 << 20) - 1 };

/*
 * Devices that are harmless with any mode: in the host's /dev, every user may open them (Linux,
 * Documentation/admin-guide/devices.txt). The console, c 5:1, is missing because it is the host's.
 * Whiteouts, c 0:0, are left to the kernel.
 */
static const struct {
	unsigned major, minor;
} safe[] = {
	{ 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, /* null zero full random urandom */
	{ 5, 0 }, { 5, 2 },                               /* tty ptmx */
};

static const struct {
	const char *word;
	enum rule_kind kind;
} words[] = {
	{ "mknod:safe", RULE_MKNOD_SAFE },
	{ "umount", RULE_UMOUNT },
	{ "chown:report", RULE_CHOWN_REPORT },
	{ "chown:emulate", RULE_CHOWN_EMULATE },
};

static void rule_done(struct rule *r)
{
	free(r->text);
	free(r->fstype);
	free(r->source);
	cleanup_fd(&r->source_fd);
	*r = (struct rule){ .source_fd = -1 };
}

#define scoped_rule __attribute__((cleanup(rule_done)))

void rules_done(struct rules *rs)
{
	for (size_t i = 0; i < rs->len; i++)
		rule_done(&rs->items[i]);
	VEC_DONE(rs);
}

static int fault(const char *text, const char *what, struct err *e)
{
	(void)err_usage(e, "rule '%s': %s", text, what);
	err_try(e,
		"mknod:safe, mknod:c:MAJOR:MINOR, mknod:b:MAJOR:MINOR, mount:FSTYPE:SOURCE[:ro], "
		"umount, chown:report or chown:emulate");
	return -EINVAL;
}

/* Parse the n bytes at s as a device number of at most max. */
static int device_number(const char *s, size_t n, unsigned max, unsigned *ret)
{
	uint64_t v;

	if (num_u64_n(s, n, &v) < 0 || v > max)
		return -EINVAL;
	*ret = (unsigned)v;
	return 0;
}

static int parse_mknod(const char *arg, struct rule *r, struct err *e)
{
	const char *colon;

	if ((arg[0] != 'c' && arg[0] != 'b') || arg[1] != ':')
		return fault(
			r->text, "the syntax of a device is c:MAJOR:MINOR or b:MAJOR:MINOR", e);
	r->type = arg[0] == 'c' ? S_IFCHR : S_IFBLK;
	arg += 2;
	colon = strchr(arg, ':');
	if (!colon)
		return fault(r->text, "the minor number is missing", e);
	if (device_number(arg, (size_t)(colon - arg), MAJOR_MAX, &r->major) < 0)
		return fault(r->text, "the major number must be decimal, from 0 to 4095", e);
	if (device_number(colon + 1, strlen(colon + 1), MINOR_MAX, &r->minor) < 0)
		return fault(r->text, "the minor number must be decimal, from 0 to 1048575", e);
	if (r->type == S_IFCHR && r->major == 0 && r->minor == 0)
		return fault(r->text, "whiteouts (c 0:0) need no rule: the kernel allows them", e);
	r->kind = RULE_MKNOD;
	return 0;
}

static int parse_mount(const char *arg, struct rule *r, struct err *e)
{
	const char *colon = strchr(arg, ':');
	size_t n;

	if (!colon || colon == arg)
		return fault(r->text, "the syntax of a mount is FSTYPE:SOURCE[:ro]", e);
	n = strlen(colon + 1);
	r->read_only = n > 3 && strcmp(colon + 1 + n - 3, ":ro") == 0;
	if (r->read_only)
		n -= 3;
	if (n == 0 || colon[1] != '/')
		return fault(
			r->text, "the source must be the absolute path of a device or an image", e);
	r->kind = RULE_MOUNT;
	r->fstype = strndup(arg, (size_t)(colon - arg));
	r->source = strndup(colon + 1, n);
	return r->fstype && r->source ? 0 : err_nomem(e);
}

static int parse(const char *text, struct rule *r, struct err *e)
{
	r->text = strdup(text);
	if (!r->text)
		return err_nomem(e);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(text, words[i].word) == 0) {
			r->kind = words[i].kind;
			return 0;
		}
	}
	if (strncmp(text, "mknod:", 6) == 0)
		return parse_mknod(text + 6, r, e);
	if (strncmp(text, "mount:", 6) == 0)
		return parse_mount(text + 6, r, e);
	return fault(text, "there is no such rule", e);
}

int rules_add(struct rules *rs, const char *text, struct err *e)
{
	scoped_rule struct rule r = { .source_fd = -1 };
	enum rule_kind other;
	int q;

	q = parse(text, &r, e);
	if (q < 0)
		return q;
	for (size_t i = 0; i < rs->len; i++) {
		if (strcmp(rs->items[i].text, text) == 0)
			return err_usage(e, "rule '%s' is given twice", text);
		if (r.kind == RULE_MOUNT && rules_mount(rs, r.fstype, r.source))
			return err_usage(e, "rules '%s' and '%s' contradict each other",
				rs->items[i].text, text);
	}
	other = r.kind == RULE_CHOWN_REPORT ? RULE_CHOWN_EMULATE : RULE_CHOWN_REPORT;
	if ((r.kind == RULE_CHOWN_REPORT || r.kind == RULE_CHOWN_EMULATE) && rules_find(rs, other))
		return err_usage(e,
			"rules 'chown:report' and 'chown:emulate' exclude each other: "
			"chown:emulate prints the report too");
	if (VEC_ADD(rs, r) < 0)
		return err_nomem(e);
	r = (struct rule){ .source_fd = -1 };
	return 0;
}

/* A user who may write the policy decides what root does for the program. */
static int check_policy_owner(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the policy");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_say(
			e, EPERM, path, "the policy belongs to another user (%u)", st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		(void)err_say(e, EPERM, path, "the policy can be written by others (mode %04o)",
			st.st_mode & 07777);
		err_try(e, "chmod go-w on it");
		return -EPERM;
	}
	return 0;
}

static int add_line(struct rules *rs, char *line, size_t number, const char *path, struct err *e)
{
	size_t n;
	int r;

	line += strspn(line, " \t");
	n = strlen(line);
	while (n > 0 && strchr(" \t\r", line[n - 1]))
		line[--n] = '\0';
	if (n == 0 || line[0] == '#')
		return 0;
	r = rules_add(rs, line, e);
	if (r < 0)
		err_prefix(e, "%s, line %zu", path, number);
	return r;
}

int rules_read(struct rules *rs, const char *path, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	scoped_fd int fd = -1;
	char *line, *end;
	size_t number = 0;
	int r;

	r = path_open_regular(path, &fd, e);
	if (r == 0)
		r = check_policy_owner(fd, path, e);
	if (r == 0)
		r = fd_read_all(fd, path, POLICY_MAX, &text, e);
	if (r < 0)
		return r;
	if (text.len && memchr(text.data, '\0', text.len))
		return err_say(e, EINVAL, path, "the policy contains a NUL byte");
	for (line = text.data; line && *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		r = add_line(rs, line, ++number, path, e);
		if (r < 0)
			return r;
	}
	return 0;
}

const struct rule *rules_find(const struct rules *rs, enum rule_kind kind)
{
	for (size_t i = 0; i < rs->len; i++)
		if (rs->items[i].kind == kind)
			return &rs->items[i];
	return NULL;
}

static bool is_safe(mode_t type, unsigned major, unsigned minor)
{
	for (size_t i = 0; i < ARRAY_LEN(safe) && type == S_IFCHR; i++)
		if (safe[i].major == major && safe[i].minor == minor)
			return true;
	return false;
}

const struct rule *rules_device(const struct rules *rs, mode_t type, unsigned major, unsigned minor)
{
	for (size_t i = 0; i < rs->len; i++) {
		const struct rule *r = &rs->items[i];

		if (r->kind == RULE_MKNOD_SAFE && is_safe(type, major, minor))
			return r;
		if (r->kind == RULE_MKNOD && r->type == type && r->major == major &&
			r->minor == minor)
			return r;
	}
	return NULL;
}

const struct rule *rules_mount(const struct rules *rs, const char *fstype, const char *source)
{
	for (size_t i = 0; i < rs->len; i++) {
		const struct rule *r = &rs->items[i];

		if (r->kind == RULE_MOUNT && strcmp(r->fstype, fstype) == 0 &&
			strcmp(r->source, source) == 0)
			return r;
	}
	return NULL;
}

const struct rule *rules_privileged(const struct rules *rs)
{
	for (size_t i = 0; i < rs->len; i++) {
		enum rule_kind kind = rs->items[i].kind;

		if (kind == RULE_MKNOD || kind == RULE_MKNOD_SAFE || kind == RULE_MOUNT)
			return &rs->items[i];
	}
	return NULL;
}
