/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_operands: say what is wrong with the operands of mount-idmapped. */

#include "mount_operands.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/base/buf.h"
#include "../lib/base/path.h"
#include "../lib/base/subprocess.h"
#include "../lib/mount/image_source.h"
#include "../lib/mount/option_advice.h"
#include "../lib/mount/options.h"

/* Is the word an option of -o, so that a blank in place of a comma separates it from the others? */
static bool is_mount_option(const char *word)
{
	const char *name, *arg, *help;

	for (size_t i = 0; mount_options_row(i, &name, &arg, &help); i++)
		if (!strncmp(word, name, strlen(name)) &&
			strchr("=,", word[strlen(name)])) /* or the end */
			return true;
	return false;
}

static bool is_number(const char *word)
{
	return *word && word[strspn(word, "0123456789")] == '\0';
}

/* "-m 1000 1001 SRC DST": is the map written in several words? */
bool mount_advise_map(const struct mount_args *a, char **operands, struct err *e)
{
	const char *map = a->maps.len ? a->maps.items[a->maps.len - 1] : "";
	size_t n = 0;

	if (!is_number(map))
		return false;
	while (n < 2 && is_number(operands[n]))
		n++;
	if (!n)
		return false;
	err_why(e, "'%s' was taken as the MAP, and '%s' as SOURCE", map, operands[0]);
	err_try(e, "write the map as one word, DISK:SEEN:COUNT: -m %s:%s:%s", map, operands[0],
		n == 2 ? operands[1] : "1");
	return true;
}

/* The first word that fits and does not exist as a file; or NULL. */
static const char *find_word(const struct operands *o, bool (*fits)(const char *word))
{
	struct stat st;

	for (size_t i = 0; i < o->len; i++)
		if (fits(o->items[i]) && path_stat(o->items[i], false, &st) < 0)
			return o->items[i];
	return NULL;
}

static bool is_program(const char *word)
{
	scoped_buf struct buf path = BUF_INIT;

	return subprocess_find(word, &path) == 0;
}

/* What may the words be that are neither SOURCE nor TARGET? */
static void advise_surplus(const struct mount_args *a, const struct operands *o, struct err *e)
{
	const char *map = find_word(o, mount_word_is_map), *option = find_word(o, is_mount_option);
	scoped_buf struct buf words = BUF_INIT;

	if (a->options.len && is_mount_option(o->items[0])) {
		err_try(e, "separate options with commas, without blanks: -o %s,%s",
			a->options.items[a->options.len - 1], o->items[0]);
	} else if (mount_advise_map(a, o->items, e)) {
		return;
	} else if (map) {
		err_why(e, "'%s' looks like a map, which follows -m", map);
		err_try(e, "write -m %s", map);
	} else if (option) {
		err_why(e, "'%s' is an option, which follows -o", option);
		err_try(e, "write -o %s", option);
	} else if (o->dashdash == 2 || is_program(o->items[2])) {
		for (size_t i = 0; i < 3; i++) {
			buf_str(&words, i == 2 ? " -- " : i ? " " : "");
			buf_shell_word(&words, o->items[i]);
		}
		err_try(e, "to run a command with the mount, add -e: -e %s",
			buf_get(&words) ? buf_get(&words) : "SOURCE TARGET -- CMD");
	} else {
		err_try(e, "mount each SOURCE with a command of its own; quote names with blanks");
	}
}

int mount_too_many(const struct mount_args *a, const struct operands *o, struct err *e)
{
	(void)err_usage(
		e, "unexpected operand '%s': the operands are SOURCE and TARGET", o->items[2]);
	advise_surplus(a, o, e);
	return -EINVAL;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return path_stat(path, true, &st) == 0 && S_ISDIR(st.st_mode);
}

/* "-v SRC:DST" is the volume of docker and podman. */
bool mount_advise_volume(const char *word, bool verbose, struct err *e)
{
	size_t src = strcspn(word, ":"), dst = src + (word[src] == ':');
	scoped_free char *before = strndup(word, src);
	struct stat st;

	if (image_source_name(word) || !src || !word[dst] || !before ||
		path_stat(before, true, &st) < 0)
		return false;
	if (verbose)
		err_why(e, "-v is --verbose, which takes no value");
	err_try(e, "write SRC and DST as two words: shiftbox mount-idmapped -m MAP %s %.*s", before,
		(int)strcspn(word + dst, ":"), word + dst);
	return true;
}

/* "-m MAP SRC DST:ro": an option of podman's volumes, with the target. */
void mount_advise_target(char **operands, struct err *e)
{
	const char *target = operands[1], *colon = strrchr(target, ':');
	scoped_buf struct buf words = BUF_INIT;

	if (e->num != ENOENT || strcmp(e->on, target) != 0 || !colon ||
		(strcmp(colon, ":ro") != 0 && strcmp(colon, ":rw") != 0))
		return;
	buf_shell_word(&words, operands[0]);
	buf_printf(&words, " %.*s", (int)(colon - target), target);
	err_try(e, "write -o %s %s", colon + 1, buf_get(&words) ? words.data : "SOURCE TARGET");
}

/* Is the first operand the target, and the second one the source? */
int mount_check_swapped(char **operands, struct err *e)
{
	struct stat st;

	if (!image_source_name(operands[1]) || image_source_name(operands[0]) ||
		path_stat(operands[1], true, &st) == 0)
		return 0;
	(void)err_usage(e, "the TARGET, '%s', is an image, and the SOURCE is not", operands[1]);
	err_why(e, "SOURCE is the first operand, and TARGET the second");
	err_try(e, "swapped? write %s %s (for a directory of that name: ./%s)", operands[1],
		operands[0], operands[1]);
	return -EINVAL;
}

int mount_too_few(const struct mount_args *a, const struct operands *o, bool verbose, struct err *e)
{
	const char *word = o->len ? o->items[0] : NULL;
	bool stack = false;

	if (!word)
		return err_usage_try(e, "shiftbox mount-idmapped -m MAP SOURCE TARGET",
			"SOURCE and TARGET are needed");
	for (size_t i = 0; i < a->options.len; i++) {
		if (mount_options_remount(a->options.items[i]))
			return mount_options_refuse("remount", e);
		stack |= !!strstr(a->options.items[i], "lower=");
	}
	(void)err_usage(e, "'%s' is the only operand: SOURCE and TARGET are needed", word);
	if (a->maps.len && is_directory(a->maps.items[0])) {
		err_why(e, "'%s' was taken as the MAP, as the value of -m", a->maps.items[0]);
		err_try(e, "shiftbox mount-idmapped -m MAP %s %s", a->maps.items[0], word);
	} else if (a->type && is_directory(word)) {
		err_why(e, "'%s' was taken as SOURCE, and TARGET is missing", word);
		err_try(e, "for a filesystem without a device, SOURCE is any word: -t %s %s %s",
			a->type, a->type, word);
	} else if (stack) {
		err_try(e, "for a stack of layers, SOURCE is the word overlay: overlay %s", word);
	} else if (!mount_advise_volume(word, verbose, e)) {
		err_try(e, "name the directory to mount it on: %s TARGET", word);
	}
	return -EINVAL;
}
