/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* userns-run: refuse values of options and operands that are wrong by themselves. */

#include "userns_run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/base/env.h"
#include "../lib/base/fd.h"
#include "../lib/base/path.h"
#include "../lib/broker/rule.h"
#include "../lib/source/source_advice.h"
#include "../lib/source/source_word.h"
#include "habits.h"

int userns_run_no_command(const struct userns_args *a, struct err *e)
{
	return err_usage_try(e, "write the command after the options: shiftbox userns-run ... sh",
		"%sCMD is missing", a->image ? "the image names no program to run: " : "");
}

/* RFC 1123, and what Linux takes: letters, digits, '-', '.' and '_'. */
static bool is_hostname(const char *s)
{
	static const char ok[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	return *s && *s != '-' && *s != '.' && s[strspn(s, ok)] == '\0';
}

/* A root may have a file of any name. */
bool userns_run_is_layout(int dir)
{
	struct stat st;

	return fstatat(dir, "oci-layout", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		fstatat(dir, "blobs", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
		fstatat(dir, "bin", &st, AT_SYMLINK_NOFOLLOW) < 0 &&
		fstatat(dir, "usr", &st, AT_SYMLINK_NOFOLLOW) < 0;
}

/* A path in place of a name: of a layout, an archive or the root of a system. */
static int check_image_path(const char *image, struct err *e)
{
	scoped_fd int fd = -1;
	struct stat st;

	if (!strchr(image, '/') || path_open(image, O_PATH, "cannot open", NULL, &fd, NULL) < 0 ||
		fstat(fd, &st) < 0)
		return 0;
	(void)err_usage(e, "option '--image': '%s' is a path, and not a stored image", image);
	if (!S_ISDIR(st.st_mode) || userns_run_is_layout(fd))
		err_try(e, "unpack it first: shiftbox image-unpack -N NAME %s%s; then -i NAME",
			S_ISDIR(st.st_mode) ? "oci:" : "", image);
	else
		err_try(e, "for a directory that is the root of a system: -r %s", image);
	return -EINVAL;
}

/* An image that is not in the store yet. */
static int check_image_word(const struct userns_args *a, struct err *e)
{
	const struct source_word *w = a->image ? source_word_find_any_case(a->image) : NULL;

	if (!w)
		return a->image ? check_image_path(a->image, e) : 0;
	(void)err_usage(e, "option '--image': '%s' is not a stored image", a->image);
	if (source_word_is_fetched(w))
		source_advise_fetch(a->image, e);
	else
		err_try(e, "unpack it first: shiftbox image-unpack -N NAME %s%s; then -i NAME",
			w->word, a->image + strlen(w->word));
	return -EINVAL;
}

/* "-v SRC:DST" is the volume of docker and podman. */
static bool is_volume(const struct ctx *ctx)
{
	const char *word = ctx->operands.len ? ctx->operands.items[0] : "";
	const char *colon = strchr(word, ':');
	scoped_free char *src = colon ? strndup(word, (size_t)(colon - word)) : NULL;
	struct stat st;

	return ctx->verbose && src && *src && colon[1] &&
		(colon[1] == '/' || strchr(src, '/') || path_stat(src, true, &st) == 0) &&
		path_stat(word, true, &st) < 0;
}

static int no_volume(const char *word, struct err *e)
{
	const char *dst = strchr(word, ':') + 1;

	(void)err_usage(e, "'%s' would be the command: -v is --verbose", word);
	err_try(e, "use -b for a volume: -b %.*s%s%s", (int)(dst - word), word,
		*dst == '/' ? "" : "/", dst);
	return -EINVAL;
}

/* docker's and podman's "run -it IMAGE": the word would be the command. */
static int check_run_word(const struct ctx *ctx, struct err *e)
{
	char *const *o = ctx->operands.items;
	const char *say = ctx->operands.len > 1 && o[1][0] == '-' ?
		habit_find(userns_run_habits, o[0], strlen(o[0])) :
		NULL;

	return say ? err_usage_try(e, say, "'%s' would be the command", o[0]) : 0;
}

static int no_variable(const char *word, struct err *e)
{
	if (strchr(word, ' '))
		return err_usage_try(e, "write -e NAME=VALUE, with a '=' and one for each variable",
			"'%s' is not an environment variable: NAME or NAME=VALUE", word);
	(void)err_usage(e, "there is no environment variable '%s' to keep", word);
	err_try(e, "set it: -e %s=VALUE", word);
	return -EINVAL;
}

static int check_env(const struct userns_args *a, struct err *e)
{
	for (size_t i = 0; i < a->env.len; i++) {
		const char *word = a->env.items[i];

		if (!*word || *word == '=')
			return err_usage_try(e, "write -e NAME=VALUE, or -e NAME to keep one",
				"'%s' is not an environment variable: NAME or NAME=VALUE", word);
		if (!strchr(word, '=') && !env_get(word))
			return no_variable(word, e);
	}
	return 0;
}

/* The rules themselves; the broker parses them again, with those of the policy. */
static int check_rules(const struct userns_args *a, struct err *e)
{
	struct rules rules = { .items = NULL };
	int r = 0;

	for (size_t i = 0; i < a->allow.len && r == 0; i++)
		r = rules_add(&rules, a->allow.items[i], e);
	rules_done(&rules);
	return r;
}

int userns_run_check(const struct userns_args *a, const struct ctx *ctx, struct err *e)
{
	int r;

	if (is_volume(ctx))
		return no_volume(ctx->operands.items[0], e);
	if (check_run_word(ctx, e) < 0)
		return -EINVAL;
	if (a->maps.len == 1 && !strcmp(a->maps.items[0], "none"))
		return err_usage_try(e, "omit it, or write -m user:NAME for the ids of a user",
			"option '--map': 'none' is the absence of a map, and the command needs "
			"ids");
	if (!ctx->operands.len && !a->image)
		return userns_run_no_command(a, e);
	if (ctx->operands.len && !*ctx->operands.items[0])
		return err_usage_try(
			e, "name a program (is a variable of the script unset?)", "CMD is empty");
	if (a->user && (*a->user == ':' || a->user[strlen(a->user) - 1] == ':'))
		return err_usage_try(e, "write -u USER, or -u USER:GROUP",
			"option '--user': '%s' is not USER or USER:GROUP", a->user);
	if (a->hostname && strlen(a->hostname) > HOST_NAME_MAX)
		return err_usage_try(e, "choose a shorter one",
			"option '--hostname': '%s' is longer than %d bytes", a->hostname,
			HOST_NAME_MAX);
	if (a->hostname && !is_hostname(a->hostname))
		return err_usage_try(e, "use letters, digits, - and .",
			"option '--hostname': '%s' is not a host name", a->hostname);
	if (check_image_word(a, e) < 0)
		return -EINVAL;
	r = check_env(a, e);
	return r == 0 ? check_rules(a, e) : r;
}
