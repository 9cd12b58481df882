/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check podman: find out what podman of a user needs to run the images of a shared store. */

#include "shift_check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../lib/idmap/userns_self.h"
#include "../lib/survey/podman_survey.h"

/* The rows of a user, and their sum. */
struct podman_report {
	struct out *out;
	bool rows;                    /* print each row */
	struct strv missing, unknown; /* names of rows */
};

static const char *answer_word(enum shared_answer answer, char buf[static 16])
{
	const char *p = SHARED_ANSWER_WORDS;

	for (; answer; answer--)
		p += strcspn(p, "|") + 1;
	(void)snprintf(buf, 16, "%.*s", (int)strcspn(p, "|"), p); /* fits */
	return buf;
}

static const char *color_of(const struct out *o, enum shared_answer answer)
{
	if (!out_color(o))
		return "";
	return answer == SHARED_OK       ? "\033[32m" :
		answer == SHARED_MISSING ? "\033[1;31m" :
					   "\033[33m";
}

static void put_text(struct out *o, const struct shared_row *r, const char *word)
{
	scoped_buf struct buf detail = BUF_INIT, remedy = BUF_INIT;

	buf_escaped(&detail, r->detail, strlen(r->detail));
	if (r->remedy)
		buf_escaped(&remedy, r->remedy, strlen(r->remedy));
	if (!buf_get(&detail) || !buf_get(&remedy))
		return;
	out_line(o, "%-8s %s%-8s%s %s", r->name, color_of(o, r->answer), word,
		out_color(o) ? "\033[0m" : "", buf_get(&detail));
	if (r->remedy)
		out_line(o, "%-8s %-8s try: %s", "", "", buf_get(&remedy));
}

static void put_row(struct out *o, const struct shared_row *r)
{
	char word[16];

	(void)answer_word(r->answer, word);
	out_begin(o, NULL);
	out_str(o, "check", r->name);
	out_str(o, "answer", word);
	out_str(o, "detail", r->detail);
	if (r->remedy)
		out_str(o, "try", r->remedy);
	out_end(o);
	put_text(o, r, word);
}

static int take_row(const struct shared_row *r, void *arg)
{
	struct podman_report *p = arg;
	struct strv *list = r->answer == SHARED_MISSING ? &p->missing :
		r->answer == SHARED_UNKNOWN             ? &p->unknown :
							  NULL;

	if (p->rows)
		put_row(p->out, r);
	return list && !strv_has(list, r->name) ? strv_add(list, r->name) : 0;
}

static void put_names(struct out *o, const char *key, const struct strv *names)
{
	out_array(o, key);
	for (size_t i = 0; i < names->len; i++)
		out_str(o, NULL, names->items[i]);
	out_array_end(o);
}

static void add_names(struct buf *b, const char *word, const struct strv *names)
{
	if (names->len)
		buf_printf(b, "%s%s", b->len ? "; " : "", word);
	for (size_t i = 0; i < names->len; i++)
		buf_printf(b, "%s%s", i ? ", " : " ", names->items[i]);
}

static void put_summary(const struct podman_report *p, const struct user *user, bool quiet)
{
	scoped_buf struct buf text = BUF_INIT;
	struct out *o = p->out;

	out_begin(o, NULL);
	out_begin(o, "summary");
	out_str(o, "user", user->name);
	out_u64(o, "uid", user->uid);
	put_names(o, "missing", &p->missing);
	put_names(o, "unknown", &p->unknown);
	out_end(o);
	out_end(o);
	add_names(&text, "missing:", &p->missing);
	add_names(&text, "not known:", &p->unknown);
	if (!buf_get(&text) || (quiet && !text.len))
		return;
	out_safe_line(o, "%s: %s", user->name,
		text.len ? text.data : "podman can run the images of the store");
}

struct all_users {
	struct podman_survey *survey;
	struct ctx *ctx;
	struct err *e;
	size_t users, found;
};

/* Returns whether something is missing or not known, or -errno. */
static int report(const struct all_users *all, const struct user *user, bool rows)
{
	struct podman_report p = { .out = all->ctx->out, .rows = rows };
	int r = podman_survey_user(all->survey, user, take_row, &p, all->e);

	if (r == 0)
		put_summary(&p, user, all->ctx->quiet);
	if (r == -ENOMEM)
		r = err_nomem(all->e);
	else if (r == 0)
		r = p.missing.len || p.unknown.len;
	strv_done(&p.missing);
	strv_done(&p.unknown);
	return r;
}

static int report_next(const struct user *user, void *arg)
{
	struct all_users *all = arg;
	int r = report(all, user, false);

	all->users++;
	all->found += r > 0;
	return r < 0 ? r : 0;
}

static int report_all(struct all_users *all)
{
	int r = podman_survey_each_user(all->survey, report_next, all, all->e);

	if (r < 0)
		return r;
	if (!all->users) {
		(void)err_say(all->e, ENOENT, NULL, "no user has a view of a store for podman");
		err_try(all->e,
			"shiftbox shift-check podman USER says what is missing for this user");
		return -ENOENT;
	}
	if (all->found)
		out_line(all->ctx->out, "shiftbox shift-check podman USER says what to do");
	return all->found ? STATUS_FOUND : STATUS_DONE;
}

static int find_user(const char *name, struct user *ret, struct err *e)
{
	int r = name ? names_user(name, ret, e) : names_user_of(getuid(), ret, e);

	if (r < 0)
		return r;
	if (ret->uid == 0) {
		(void)err_say(e, EINVAL, ret->name,
			"views are for the podman of ordinary users: that of root can use the "
			"store itself");
		err_try(e, "name a user");
		return -EINVAL;
	}
	if (geteuid() != 0 && ret->uid != getuid()) {
		(void)err_say(e, EPERM, name, "only root and the user can find this out");
		err_try(e, "run it as root, or as this user");
		return -EPERM;
	}
	return 0;
}

int check_podman(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e)
{
	scoped_podman_survey struct podman_survey *survey = NULL;
	struct all_users all = { .ctx = ctx, .e = e };
	const bool every = !*operands && getuid() == 0;
	struct user user;
	int r = every ? 0 : find_user(*operands, &user, e);

	(void)a;
	if (r == 0 && userns_is_nested()) {
		(void)err_say(
			e, EINVAL, NULL, "this is a user namespace, where views look different");
		err_try(e, "run it outside of the user namespace");
		r = -EINVAL;
	}
	if (r == 0)
		r = podman_survey_new(&survey, e);
	if (r < 0)
		return r;
	all.survey = survey;
	if (every)
		return report_all(&all);
	r = report(&all, &user, true);
	return r < 0 ? r : r ? STATUS_FOUND : STATUS_DONE;
}
