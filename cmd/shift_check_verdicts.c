/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check explain: print what the caller may do with the file. */

#include "shift_check.h"

#include <string.h>
#include <sys/stat.h>

#include "../lib/base/num.h"
#include "../lib/explain/explain.h"
#include "../lib/idmap/names.h"

static int parse_chown_id(const char *name, bool gid, uint32_t *ret, struct err *e)
{
	struct user u;
	int r = num_u32(name, ret);

	if (r < 0 && gid)
		r = names_gid(name, ret, e);
	else if (r < 0) {
		r = names_user(name, &u, e);
		*ret = u.uid;
	}
	if (r == 0 && *ret == UINT32_MAX)
		r = err_usage(e, "%u is not a valid id", *ret);
	return r;
}

int check_parse_chown(const char *text, struct perm_chown *ret, struct err *e)
{
	size_t len = strcspn(text, ":");
	scoped_free char *user = strndup(text, len);
	const char *group = text[len] ? text + len + 1 : "";
	int r = 0;

	*ret = (struct perm_chown){ .set_uid = len > 0, .set_gid = *group };
	if (!user)
		return err_nomem(e);
	if (!len && !*group)
		return err_usage(e, "'chown=%s' has neither owner nor group: chown=UID:GID", text);
	if (ret->set_uid)
		r = parse_chown_id(user, false, &ret->uid, e);
	if (r == 0 && ret->set_gid)
		r = parse_chown_id(group, true, &ret->gid, e);
	return r;
}

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
	struct out *o, const struct explanation *x, enum perm_op op, const struct explain_answer *a)
{
	const struct perm_verdict *d = &a->d;
	static const char *const words[] = { "the set-id bit", "the capability" };
	const enum perm_rule rules[] = { d->setid, d->filecap };
	static const char *const keys[] = { "setid", "capability" };
	const struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];
	const bool known =
		m->kind == MOUNT_MAP_NONE || (m->kind == MOUNT_MAP_KNOWN && !m->map_partial);

	/* The disk ids of a new file are unknown if the map is. */
	if (op == PERM_CREATE && known) {
		out_u64(o, "new_disk_uid", d->new_uid);
		out_u64(o, "new_disk_gid", d->new_gid);
		out_line(o, "          a new file gets the disk ids %u:%u", d->new_uid, d->new_gid);
	}
	if (op != PERM_EXEC || !S_ISREG(explain_file(x)->seen.mode))
		return;
	if (a->effects_unknown) {
		out_str(o, keys[0], "unknown");
		out_str(o, keys[1], "unknown");
		out_line(o, "          unknown: the effect of its set-id bits and capabilities");
		return;
	}
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

/* In which case the other verdict holds. */
static const char *case_of(const struct explanation *x, const struct explain_answer *a)
{
	const struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];
	const bool overlay = m->kind == MOUNT_MAP_OVERLAY;

	if (a->doubts & DOUBT_FS)
		return "depending on the user namespace that the filesystem was mounted in";
	if (!a->doubts || (a->doubts & DOUBT_ID && !overlay)) {
		if (m->map_partial || m->kind == MOUNT_MAP_HIDDEN)
			return "if a line of the map that cannot be read here has its owner and "
			       "group";
		return "if what is shown as the overflow id is really that id";
	}
	if (a->doubts & DOUBT_ID)
		return "if what is shown as the overflow id has an id in the maps of the layers";
	if (a->doubts & DOUBT_UPPER)
		return "depending on what the upper directory has already, and which ids can be "
		       "stored there";
	if (a->doubts & DOUBT_STORE)
		return "if the mount's map has these ids";
	return "depending on the credentials of the process that mounted the overlay";
}

/* What would tell which of the verdicts holds, in the initial user namespace. */
static const char *decides(const struct explanation *x, const struct explain_answer *a)
{
	const struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];

	if (m->kind == MOUNT_MAP_OVERLAY && explain_file(x)->how != DISK_INFERRED)
		return "the option -m MAP decides, with the map of the overlay's layers (-m none: "
		       "they have none)";
	if (m->kind == MOUNT_MAP_OVERLAY && a->doubts & DOUBT_UPPER)
		return "for an unpacked image, the option --image NAME decides, which tells what "
		       "is in the upper directory";
	if (m->kind == MOUNT_MAP_HIDDEN)
		return "the option -m MAP decides, with the map of the mount";
	return "run as root, explain can read the owner below the map";
}

/* Print another possible verdict, and what would decide. */
static int put_other(
	struct out *o, struct explanation *x, const struct explain_answer *a, struct err *e)
{
	scoped_buf struct buf why = BUF_INIT, decider = BUF_INIT;
	const struct perm_verdict *other = &a->other;
	char name[16];

	if (!a->has_other)
		return 0;
	explain_reason(x, other, a->other_at, &why);
	if (!buf_get(&why))
		return err_nomem(e);
	out_begin(o, "otherwise");
	out_bool(o, "works", other->num == 0);
	if (other->num)
		out_str(o, "errno", err_name(other->num, name));
	out_str(o, "rule", perm_rule_word(other->rule));
	out_str(o, "why", why.data);
	out_end(o);
	out_line(o, "          or %s, %s: %s", other->num ? err_name(other->num, name) : "yes",
		case_of(x, a), why.data);
	if (a->sure != EXPLAIN_UNKNOWN)
		return 0;
	if (x->caller.initial) {
		buf_str(&decider, decides(x, a));
	} else {
		buf_str(&decider, "outside of this user namespace, this can tell: ");
		check_outside_command(x, &decider);
	}
	if (!buf_get(&decider))
		return err_nomem(e);
	out_str(o, "decides", decider.data);
	out_indent(o, x->caller.initial ? CHECK_VERDICTS_INDENT : 0); /* it may have a command */
	out_safe_line(o, "          unknown: %s", decider.data);
	out_indent(o, CHECK_VERDICTS_INDENT);
	return 0;
}

static const char *const verdict_words[] = {
	[EXPLAIN_NO] = "no", [EXPLAIN_YES] = "yes", [EXPLAIN_UNKNOWN] = "unknown"
};

static void put_answer(struct out *o, const struct explanation *x, enum perm_op op,
	const struct explain_answer *a, const char *why)
{
	const struct perm_verdict *d = &a->d;
	const char *path = x->inodes.items[a->at].path;
	char name[16];

	out_str(o, "op", perm_op_word(op));
	out_bool(o, "works", a->sure == EXPLAIN_YES);
	out_str(o, "verdict", verdict_words[a->sure]);
	if (d->num)
		out_str(o, "errno", err_name(d->num, name));
	out_str(o, "rule", perm_rule_word(d->rule));
	out_bytes(o, "about", path, strlen(path));
	out_str(o, "why", why);
	out_line(o, "  %-7s %s%s%s: %s", perm_op_word(op),
		out_color(o) ? d->num ? "\033[31m" : "\033[32m" : "",
		d->num ? err_name(d->num, name) : "yes", out_color(o) ? "\033[0m" : "", why);
}

/* Print a remedy unless it is the last one that was printed. said: that one, or empty */
static void put_way(struct out *o, const char *way, struct buf *said)
{
	out_str(o, "try", way);
	if (said->len && buf_get(said) && !strcmp(said->data, way))
		return;
	out_indent(o, 0); /* it may be a command */
	out_line(o, "          try: %s", way);
	out_indent(o, CHECK_VERDICTS_INDENT);
	buf_done(said);
	buf_str(said, way);
}

/* Returns an enum explain_sure, or -errno. said: the last remedy */
static int put_verdict(
	struct out *o, struct explanation *x, enum perm_op op, struct buf *said, struct err *e)
{
	scoped_buf struct buf why = BUF_INIT, way = BUF_INIT;
	struct explain_answer a = explain_answer_of(x, op);
	int r = 0;

	explain_reason(x, &a.d, a.at, &why);
	if (a.sure != EXPLAIN_UNKNOWN && explain_fix(x, op, &way) < 0)
		return err_nomem(e);
	if (!buf_get(&why))
		return err_nomem(e);
	out_begin(o, NULL);
	put_answer(o, x, op, &a, why.data);
	if (a.sure == EXPLAIN_YES)
		put_effects(o, x, op, &a);
	else
		r = put_other(o, x, &a, e);
	if (r < 0)
		return r;
	if (way.len)
		put_way(o, way.data, said);
	out_end(o);
	return (int)a.sure;
}

int check_put_verdicts(
	struct out *o, struct explanation *x, const struct check_args *a, struct err *e)
{
	scoped_buf struct buf said = BUF_INIT;
	int status = STATUS_DONE;

	if (a->op.chown) {
		int r = check_parse_chown(a->op.chown, &x->chown, e);

		if (r < 0)
			return r;
	}
	put_caller(o, &x->caller);
	out_array(o, "verdicts");
	for (unsigned op = 0; op < PERM_OPS; op++) {
		int r;

		if (a->op.op ? a->op.op != op + 1 : op == PERM_CHOWN || !explain_applies(x, op))
			continue;
		r = put_verdict(o, x, op, &said, e);
		if (r < 0)
			return r;
		if (a->op.op && r != EXPLAIN_YES)
			status = STATUS_FOUND;
	}
	out_array_end(o);
	return status;
}
