/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_operands: say what is wrong with the operands of mount-idmapped. */

#include "mount_operands.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/base/path.h"
#include "../lib/mount/image_source.h"
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

int mount_too_many(const struct mount_args *a, char **operands, struct err *e)
{
	(void)err_usage(
		e, "unexpected operand '%s': the operands are SOURCE and TARGET", operands[2]);
	if (a->options.len && is_mount_option(operands[0]))
		err_try(e, "separate options with commas, without blanks: -o %s,%s",
			a->options.items[a->options.len - 1], operands[0]);
	else if (!mount_advise_map(a, operands, e))
		err_try(e, "mount each SOURCE with a command of its own; quote names with blanks");
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

int mount_too_few(const struct mount_args *a, char **operands, bool verbose, struct err *e)
{
	const char *word = operands[0];
	bool stack = false;

	if (!word)
		return err_usage_try(e, "shiftbox mount-idmapped -m MAP SOURCE TARGET",
			"SOURCE and TARGET are needed");
	for (size_t i = 0; i < a->options.len; i++) {
		if (!strncmp(a->options.items[i], "remount", strlen("remount")) ||
			strstr(a->options.items[i], ",remount"))
			return mount_options_refuse("remount", e);
		stack |= !!strstr(a->options.items[i], "lower=");
	}
	(void)err_usage(e, "'%s' is the only operand: SOURCE and TARGET are needed", word);
	if (a->maps.len && is_directory(a->maps.items[0])) {
		err_why(e, "'%s' was taken as the MAP, as the value of -m", a->maps.items[0]);
		err_try(e, "shiftbox mount-idmapped -m MAP %s %s", a->maps.items[0], word);
	} else if (stack) {
		err_try(e, "for a stack of layers, SOURCE is the word overlay: overlay %s", word);
	} else if (!mount_advise_volume(word, verbose, e)) {
		err_try(e, "name the directory to mount it on: %s TARGET", word);
	}
	return -EINVAL;
}
