/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_HABITS_H
#define CMD_HABITS_H

#include "../lib/base/suggest.h"

/* What to do in place of "pull": advice.c replaces NAME if it is known. */
#define HABIT_FETCH "shiftbox image-unpack -N NAME docker://HOST/PATH:TAG"

/*
 * Words that people are used to from docker, podman, mount(8), LXC and others, for each command:
 * options with their dashes, and first operands. None is an option or subcommand of the command.
 */
extern const struct habit image_unpack_habits[], mount_idmapped_habits[], shift_check_habits[],
	userns_run_habits[], shiftbox_habits[];

#endif
