/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_line: find the line of the fstab for which mount(8) calls mount.shiftbox. */

#include "mount_line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/base/fd.h"
#include "../lib/base/path.h"
#include "../lib/mount/loop.h"
#include "../lib/mount/table.h"
#include "../lib/mount/table_swallowed.h"
#include "../lib/mount/table_type.h"
#include "../lib/mount/via_libblkid.h"
#include "../lib/mount/via_libmount.h"
#include "mount_call.h"
#include "mount_namespace.h"

/* The source that mount(8) passed, if the SOURCE of the line is mounted instead. */
static char *found;

/* The file and the line that this is about. */
static char *line_place;

/* Options that libmount keeps in its table, separated by commas. */
static struct buf user_options;

struct lines {
	struct strv sources, targets, options;
	VEC(unsigned) numbers; /* 0: unknown */
	char *fstab;           /* NULL: the command line of mount(8) */
};

static void lines_done(struct lines *l)
{
	strv_done(&l->sources);
	strv_done(&l->targets);
	strv_done(&l->options);
	VEC_DONE(&l->numbers);
	free(l->fstab);
	l->fstab = NULL;
}

static int take_line(const struct lm_line *l, void *arg)
{
	struct lines *lines = arg;

	if (!table_type_is_own(l->type))
		return 0;
	return strv_add(&lines->sources, l->source) < 0 ||
			strv_add(&lines->targets, l->target) < 0 ||
			strv_add(&lines->options, l->options) < 0 ||
			VEC_ADD(&lines->numbers, l->number) < 0 ?
		-ENOMEM :
		0;
}

static int read_lines(const struct mount_call *call, struct lines *ret, struct err *e)
{
	const char *fstab = call->fstab;
	int r = fstab ? 0 : lm_fstab_path(&fstab, e);

	if (r == 0 && !(ret->fstab = strdup(fstab)))
		return err_nomem(e);
	if (r == 0)
		r = lm_fstab(fstab, NULL, take_line, ret, e);
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r == -ENOENT) { /* without an fstab there are no lines */
		*e = ERR_INIT;
		return 0;
	}
	return r;
}

/* libmount keeps what other programs may look for (libmount/src/optmap.c: without MNT_NOMTAB). */
static int note_user_options(const char *options, struct err *e)
{
	for (const char *p = options; *p;) {
		size_t n = strcspn(p, ",");

		if ((n > 2 && !strncmp(p, "x-", 2)) || (n == 7 && !strncmp(p, "_netdev", 7))) {
			buf_str(&user_options, user_options.len ? "," : "");
			buf_add(&user_options, p, n);
		}
		p += n;
		p += *p == ',';
	}
	return buf_get(&user_options) ? 0 : err_nomem(e);
}

/*
 * --- the target --------------------------------------------------------------------------------
 */

/*
 * Resolve the path as mount(8) does. A path that is missing, or is not followed, is returned as it
 * is. NULL: out of memory.
 */
static char *place_of(const char *path)
{
	scoped_buf struct buf b = BUF_INIT;
	scoped_fd int fd = -1;

	if (path_open(path, O_PATH, "cannot open it", NULL, &fd, NULL) == 0)
		path_of_fd(fd, &b);
	return b.len ? buf_take(&b) : table_path(path);
}

/*
 * Keep only the lines with this target: by the text or, if there is none, by the place that it
 * leads to.
 */
static int keep_target(struct lines *l, const char *target, struct err *e)
{
	scoped_free char *word = table_path(target), *place = place_of(target);
	size_t n = 0;

	for (int by_place = 0; by_place < 2 && !n; by_place++) {
		for (size_t i = 0; i < l->targets.len; i++) {
			scoped_free char *its = by_place ? place_of(l->targets.items[i]) :
							   table_path(l->targets.items[i]);
			char *source = l->sources.items[i], *options = l->options.items[i];
			unsigned number = l->numbers.items[i];

			if (!word || !place || !its)
				return err_nomem(e);
			if (strcmp(its, place) && (by_place || strcmp(its, word)))
				continue;
			l->sources.items[i] = l->sources.items[n];
			l->sources.items[n] = source;
			l->options.items[i] = l->options.items[n];
			l->options.items[n] = options;
			l->numbers.items[i] = l->numbers.items[n];
			l->numbers.items[n++] = number;
		}
	}
	while (l->sources.len > n)
		free(l->sources.items[--l->sources.len]);
	while (l->options.len > n)
		free(l->options.items[--l->options.len]);
	return 0;
}

/* mount(8) has read the fstab of the namespace, whose paths mean something else here. */
static int no_words(const char *target, struct err *e)
{
	(void)err_usage(e, "mount -N needs both SOURCE and TARGET on its command line");
	err_why(e, "'%s' was found in the fstab of the namespace", target);
	return -EINVAL;
}

static int no_line(const char *target, struct err *e)
{
	(void)err_say(e, EINVAL, target,
		"is not where a line of the fstab leads, nor what mount(8) was called with");
	err_op(e, "line");
	/* Since util-linux 2.39 mount(8) moves the directory from there. */
	if (!strcmp(target, "/run/mount/tmptgt")) {
		err_why(e, "mount(8) mounts the line there first if it has X-mount.subdir=");
		err_try(e, "write subdir=DIR");
		return -EINVAL;
	}
	err_why(e,
		"on the way to the target is a symbolic link that is not followed here, or that "
		"leads elsewhere by now");
	err_try(e,
		"name the target by a path without a link that other users can make; or shiftbox "
		"mount-idmapped SOURCE TARGET");
	return -EINVAL;
}

/*
 * Find the lines with this target, or else use the command line of mount(8). If neither has it,
 * mount(8) has reached the target by a symbolic link that is not followed here, and no line says
 * what the source should be.
 */
static int find_lines(const char *target, struct lines *ret, struct err *e)
{
	struct mount_call call;
	int r = mount_call_read(&call, e);

	if (r == 0 && call.options.len)
		r = table_check_swallowed(target, buf_get(&call.options), e);
	if (r == 0 && call.options.len)
		r = note_user_options(buf_get(&call.options), e);
	if (r == 0 && !mount_namespace_is_set())
		r = read_lines(&call, ret, e);
	if (r == 0)
		r = keep_target(ret, target, e);
	if (r == 0 && !ret->sources.len && call.known) {
		lines_done(ret);
		if (call.target && call.source &&
			(strv_add(&ret->sources, call.source) < 0 ||
				strv_add(&ret->targets, call.target) < 0 ||
				strv_add(&ret->options, "") < 0 || VEC_ADD(&ret->numbers, 0) < 0))
			r = err_nomem(e);
		if (r == 0)
			r = keep_target(ret, target, e);
		if (r == 0 && !ret->sources.len)
			r = mount_namespace_is_set() ? no_words(target, e) : no_line(target, e);
	}
	mount_call_done(&call);
	return r;
}

/*
 * --- the source --------------------------------------------------------------------------------
 */

enum source_match { NO, AS_GIVEN, AS_THE_LINE };

/*
 * Is the line's source the one that mount(8) has passed, before or after resolving it? A symbolic
 * link that is not followed is an error.
 */
static int match(const char *line, const char *source, enum source_match *ret, struct err *e)
{
	scoped_fd int fd = -1;
	struct stat st, given;
	int r;

	*ret = blk_is_tag(line) || !strcmp(line, source) ? AS_GIVEN : NO;
	if (*ret != NO)
		return 0;
	r = path_open(line, O_PATH, "cannot open the source", NULL, &fd, e);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, line, "cannot stat the source");
	if (loop_is_over(source, &st))
		*ret = AS_GIVEN;
	else if (path_stat(source, true, &given) == 0 && same_file(&given, &st))
		*ret = AS_THE_LINE;
	return 0;
}

static int none_matches(const char *line, const char *source, struct err *e)
{
	(void)err_say(e, EINVAL, line,
		"is the source in the fstab, but mount(8) was given, or found, '%s'", source);
	err_op(e, "line");
	err_try(e,
		"to mount something else there than the fstab says: shiftbox mount-idmapped SOURCE "
		"TARGET");
	return -EINVAL;
}

static int name_place(const struct lines *l, size_t i, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;

	free(line_place);
	line_place = NULL;
	if (!l->fstab)
		return 0;
	buf_str(&b, l->fstab);
	if (l->numbers.items[i])
		buf_printf(&b, ", line %u", l->numbers.items[i]);
	line_place = buf_take(&b);
	return line_place ? 0 : err_nomem(e);
}

int mount_line_source(const char *source, const char *target, char **ret, struct err *e)
{
	__attribute__((cleanup(lines_done))) struct lines lines = { .sources = { 0 } };
	enum source_match m = AS_GIVEN;
	const char *use = source;
	int r = find_lines(target, &lines, e);

	if (r == 0 && lines.sources.len)
		r = name_place(&lines, 0, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < lines.sources.len; i++) {
		struct err own = ERR_INIT;
		int now = match(lines.sources.items[i], source, &m, &own);

		use = lines.sources.items[i];
		if (now == 0 && m != NO) {
			r = name_place(&lines, i, e);
			if (r == 0)
				r = table_check_swallowed(target, lines.options.items[i], e);
			if (r == 0)
				r = note_user_options(lines.options.items[i], e);
			break;
		}
		if (r == 0) { /* the error of the first line is reported */
			r = now < 0 ? now : none_matches(use, source, &own);
			*e = own;
		}
	}
	if (r < 0 && !line_place)
		err_prefix(e, "the line of '%s'", target);
	if (r < 0)
		return r;
	if (m == AS_THE_LINE && !(found = strdup(source)))
		return err_nomem(e);
	*ret = strdup(m == AS_THE_LINE ? use : source);
	return *ret ? 0 : err_nomem(e);
}

const char *mount_line_found(void)
{
	return found;
}

const char *mount_line_user_options(void)
{
	return user_options.len ? user_options.data : "";
}

const char *mount_line_place(void)
{
	return line_place;
}

int mount_line_check(const struct mount_plan *p, const char *path, struct err *e)
{
	struct stat is, want;

	if (!path || mount_plan_stat(p, &is) < 0)
		return 0; /* mounting reports what is wrong */
	if (path_stat(path, true, &want) == 0 && same_file(&is, &want))
		return 0;
	return none_matches(p->source, path, e);
}
