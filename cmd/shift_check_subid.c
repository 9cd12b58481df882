/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check subid: find out why newuidmap(1) would refuse a user. */

#include "shift_check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/plural.h"
#include "../lib/idmap/names.h"
#include "../lib/survey/grants.h"

static const char *fault_word(enum grant_fault f, char buf[static 16])
{
	const char *p = GRANT_FAULT_WORDS;

	for (; f; f--)
		p += strcspn(p, " ") + 1;
	(void)snprintf(buf, 16, "%.*s", (int)strcspn(p, " "), p); /* fits */
	return buf;
}

static void put_finding(const struct grant_finding *f, void *arg)
{
	scoped_buf struct buf text = BUF_INIT;
	struct out *out = arg;
	char word[16], line[32] = "";

	(void)fault_word(f->class, word);
	out_begin(out, NULL);
	out_str(out, "class", word);
	if (f->file)
		out_str(out, "file", f->file);
	if (f->line)
		out_u64(out, "line", f->line);
	out_str(out, "detail", f->detail);
	out_end(out);

	if (f->line)
		(void)snprintf(line, sizeof(line), ":%zu", f->line); /* fits: 20 digits */
	buf_escaped(&text, f->detail, strlen(f->detail));
	out_line(out, "%s%s%s: %s%s%s%s", out_color(out) ? "\033[1;31m" : "", word,
		out_color(out) ? "\033[0m" : "", f->file ? f->file : "", line, f->file ? ": " : "",
		buf_get(&text) ? buf_get(&text) : "(out of memory)");
}

static void put_grants(struct out *out, const char *kind, const char *file, const char *source,
	const struct grants *g)
{
	for (size_t i = 0; i < g->len; i++) {
		const struct grant *x = &g->items[i];

		out_begin(out, NULL);
		out_begin(out, "grant");
		out_str(out, "kind", kind);
		out_str(out, "source", source);
		if (x->line)
			out_u64(out, "line", x->line);
		out_u64(out, "start", x->start);
		out_u64(out, "count", x->count);
		out_end(out);
		out_end(out);
		if (x->line)
			out_line(out, "%s ids %u-%u (%s:%zu)", kind, x->start,
				x->start + (x->count - 1), file, x->line);
		else
			out_line(out, "%s ids %u-%u (from %s)", kind, x->start,
				x->start + (x->count - 1), source);
	}
}

static void put_summary(struct out *out, const struct grants_check *c, enum grant_trial trial,
	const char *detail, bool quiet)
{
	static const char *const words[] = { "passed", "failed", "not made" };
	scoped_buf struct buf text = BUF_INIT;

	out_begin(out, NULL);
	out_begin(out, "summary");
	out_str(out, "user", c->user.name);
	if (c->user.uid != SUBID_NO_ACCOUNT)
		out_u64(out, "uid", c->user.uid);
	out_u64(out, "findings", c->found);
	out_str(out, "trial", words[trial]);
	out_str(out, "trial_detail", detail);
	out_end(out);
	out_end(out);
	if (quiet)
		return;
	buf_escaped(&text, detail, strlen(detail));
	if (trial != TRIAL_FAILED) /* a failed trial is a finding, which was printed */
		out_line(out, "trial %s: %s", words[trial],
			buf_get(&text) ? buf_get(&text) : "(out of memory)");
	if (c->found)
		out_line(out, "%zu %s", c->found, plural(c->found, "finding", "findings"));
	else
		out_line(out, "no problems found");
}

/* Look up a user, or a name without an account that has a grant. */
static int find_user(const char *name, struct user *ret, struct err *e)
{
	int r = subid_user(name, ret, e);

	if (r < 0 || ret->uid != SUBID_NO_ACCOUNT || subid_has(SUBUID_FILE, ret) ||
		subid_has(SUBGID_FILE, ret))
		return r;
	r = names_user(name, ret, e);
	if (r < 0 && strchr(name, '/')) {
		err_why(e, "subid takes a USER, and reads %s and %s itself", SUBUID_FILE,
			SUBGID_FILE);
		err_try(e, "shiftbox shift-check subid USER");
	}
	return r;
}

int check_subid(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e)
{
	struct grants_check c = { .fn = put_finding, .arg = ctx->out };
	scoped_free char *detail = NULL;
	int r, trial = 0;

	(void)a;
	r = *operands ? find_user(*operands, &c.user, e) : names_user_of(getuid(), &c.user, e);
	if (r < 0)
		return r;
	r = grants_check_files(&c, e);
	if (r == 0)
		grants_check_accounts(&c);
	if (r == 0 && !ctx->quiet) {
		put_grants(ctx->out, "user", SUBUID_FILE, c.source, &c.uid);
		put_grants(ctx->out, "group", SUBGID_FILE, c.source, &c.gid);
	}
	if (r == 0)
		r = grants_check_helpers(&c, e);
	if (r == 0)
		r = trial = grants_trial(&c, &detail, e);
	if (r >= 0)
		put_summary(ctx->out, &c, (enum grant_trial)trial, detail, ctx->quiet);
	grants_check_done(&c);
	return r < 0 ? r : c.found ? STATUS_FOUND : STATUS_DONE;
}
