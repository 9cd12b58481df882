/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check explain: print what the caller may do with the file. */

#include "shift_check.h"

#include <string.h>
#include <sys/stat.h>

#include "../lib/explain/explain.h"

static void put_caller(struct out *o, const struct explain_caller *w)
{
	scoped_buf struct buf b = BUF_INIT;

	out_begin(o, "caller");
	out_u64(o, "uid", w->uid);
	out_u64(o, "gid", w->gid);
	out_array(o, "groups");
	buf_printf(&b, "user %u, group %u", w->uid, w->gid);
	for (size_t i = 0; i < w->groups.len; i++) {
		out_u64(o, NULL, w->groups.items[i]);
		buf_printf(&b, "%s%u", i ? "," : ", groups ", w->groups.items[i]);
	}
	out_array_end(o);
	out_bool(o, "capabilities", w->cred.caps != 0);
	buf_str(&b, w->cred.caps ? ", with capabilities" : ", without capabilities");
	if (w->userns) {
		out_i64(o, "userns_pid", w->userns);
		buf_printf(&b, ", in the user namespace of pid:%d", (int)w->userns);
	}
	out_end(o);
	if (buf_get(&b))
		out_line(o, "for %s:", b.data);
}

/* Print the effect of set-id bits and capabilities, and the owner of a new file. */
static void put_effects(
	struct out *o, const struct explanation *x, enum perm_op op, const struct perm_verdict *d)
{
	static const char *const words[] = { "the set-id bit", "the capability" };
	const enum perm_rule rules[] = { d->setid, d->filecap };
	static const char *const keys[] = { "setid", "capability" };
	const enum mount_map_kind kind = x->mounts.items[explain_file(x)->mount].kind;

	/* The disk ids of a new file are unknown if the map is. */
	if (op == PERM_CREATE && (kind == MOUNT_MAP_NONE || kind == MOUNT_MAP_KNOWN)) {
		out_u64(o, "new_disk_uid", d->new_uid);
		out_u64(o, "new_disk_gid", d->new_gid);
		out_line(o, "          a new file gets the disk ids %u:%u", d->new_uid, d->new_gid);
	}
	if (op != PERM_EXEC || !S_ISREG(explain_file(x)->seen.mode))
		return;
	for (size_t i = 0; i < 2; i++) {
		scoped_buf struct buf b = BUF_INIT;

		out_str(o, keys[i], perm_rule_word(rules[i]));
		if (rules[i] == RULE_EFFECT_NONE)
			continue;
		explain_effect(x, rules[i], &b);
		if (buf_get(&b))
			out_line(o, "          %s %s", words[i], b.data);
	}
	if (d->setid == RULE_EFFECT_TAKEN) {
		uint32_t uid, gid;

		/* Both exist in the namespace: the bit would be ignored otherwise. */
		(void)perm_ns_uid(x->caller.cred.userns, d->euid, &uid);
		(void)perm_ns_gid(x->caller.cred.userns, d->egid, &gid);
		out_u64(o, "euid", uid);
		out_u64(o, "egid", gid);
		out_line(o, "          it then runs as user %u, group %u", uid, gid);
	}
}

/* Print the other possible verdict if the map cannot be read completely. */
static int put_doubt(struct out *o, struct explanation *x, enum perm_op op,
	const struct perm_verdict *d, struct err *e)
{
	scoped_buf struct buf why = BUF_INIT;
	struct perm_verdict other;
	char name[16];
	size_t at;

	if (!explain_doubt(x, op, d, &other, &at))
		return 0;
	explain_reason(x, &other, at, &why);
	if (!buf_get(&why))
		return err_nomem(e);
	out_begin(o, "otherwise");
	out_bool(o, "works", other.num == 0);
	if (other.num)
		out_str(o, "errno", err_name(other.num, name));
	out_str(o, "rule", perm_rule_word(other.rule));
	out_str(o, "why", why.data);
	out_end(o);
	out_line(o,
		"          or %s, if a line of the map that cannot be read here has its owner and "
		"group: %s",
		other.num ? err_name(other.num, name) : "yes", why.data);
	return 0;
}

/* Returns 1 if the operation works, 0 if not, or -errno. */
static int put_verdict(struct out *o, struct explanation *x, enum perm_op op, struct err *e)
{
	scoped_buf struct buf why = BUF_INIT, way = BUF_INIT;
	struct perm_verdict d;
	char name[16];
	size_t at;
	int r;

	d = explain_verdict(x, op, &at);
	explain_reason(x, &d, at, &why);
	if (explain_fix(x, op, &way) < 0 || !buf_get(&why))
		return err_nomem(e);
	out_begin(o, NULL);
	out_str(o, "op", perm_op_word(op));
	out_bool(o, "works", d.num == 0);
	if (d.num)
		out_str(o, "errno", err_name(d.num, name));
	out_str(o, "rule", perm_rule_word(d.rule));
	out_bytes(o, "about", x->inodes.items[at].path, strlen(x->inodes.items[at].path));
	out_str(o, "why", why.data);
	out_line(o, "  %-7s %s%s%s: %s", perm_op_word(op),
		out_color(o) ? d.num ? "\033[31m" : "\033[32m" : "",
		d.num ? err_name(d.num, name) : "yes", out_color(o) ? "\033[0m" : "", why.data);
	if (d.num == 0)
		put_effects(o, x, op, &d);
	r = put_doubt(o, x, op, &d, e);
	if (r < 0)
		return r;
	if (way.len) {
		out_str(o, "try", way.data);
		out_line(o, "          try: %s", way.data);
	}
	out_end(o);
	return d.num == 0;
}

int check_put_verdicts(
	struct out *o, struct explanation *x, const struct check_args *a, struct err *e)
{
	int status = STATUS_DONE;

	put_caller(o, &x->caller);
	out_array(o, "verdicts");
	for (unsigned op = 0; op < PERM_OPS; op++) {
		int r;

		if (a->op ? a->op != op + 1 : !explain_applies(x, op))
			continue;
		r = put_verdict(o, x, op, e);
		if (r < 0)
			return r;
		if (a->op && !r)
			status = STATUS_FOUND;
	}
	out_array_end(o);
	return status;
}
