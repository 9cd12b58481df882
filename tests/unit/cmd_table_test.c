/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdint.h>
#include <stdlib.h>

#include "../../cmd/cmd.h"

TEST(cmd_tables_are_sound)
{
	for (size_t i = 0; commands[i]; i++) {
		const struct cmd *c = commands[i];
		struct opt_set sets[] = { { c->opts, NULL }, { common_opts, NULL },
			{ dry_run_opts, NULL } };
		struct err e = ERR_INIT;

		if (opt_check_tables(sets, c->flags & CMD_DRY_RUN ? 3 : 2, &e) < 0)
			test_fail(__FILE__, __LINE__, "%s --%s: %s", c->name, e.on, e.what);
		CHECK(c->run && c->brief && c->brief[strlen(c->brief) - 1] != '.');
		CHECK(c->synopsis && c->synopsis[0]);
		CHECK(c->operands_min <= c->operands_max);
		CHECK((c->operand_comp == COMP_WORDS) == !!c->operand_words);
		for (const struct opt *o = c->opts; o->name; o++)
			CHECK(o->off < c->args_size);
	}
}

TEST(cmd_names_are_unique)
{
	for (size_t i = 0; commands[i]; i++)
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(commands[i]->name, commands[k]->name) != 0);
}

/* Defaults must not need an option, and done() must free what init() made. */
TEST(cmd_args_can_be_made_and_freed_unused)
{
	for (size_t i = 0; commands[i]; i++) {
		const struct cmd *c = commands[i];
		void *args = calloc(1, c->args_size + 1);

		REQUIRE(args);
		if (c->init)
			c->init(args);
		if (c->done)
			c->done(args);
		opt_args_done(c->opts, args);
		free(args);
	}
}
