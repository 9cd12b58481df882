/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdint.h>
#include <stdlib.h>

#include "../../cmd/cmd.h"

TEST(cmd_tables_are_sound)
{
	for (size_t i = 0; commands[i]; i++) {
		const struct cmd *c = commands[i];
		struct opt_set sets[CMD_SETS_MAX];
		size_t n = cmd_sets(c, NULL, NULL, sets);
		struct err e = ERR_INIT;

		if (opt_check_tables(sets, n, c->forms, &e) < 0)
			test_fail(__FILE__, __LINE__, "%s --%s: %s", c->name, e.on, e.what);
		CHECK(c->run && c->brief && c->brief[strlen(c->brief) - 1] != '.');
		CHECK(c->forms && c->forms[0].name);
		CHECK(c->operands_min <= c->operands_max);
		CHECK((c->operand_comp == COMP_WORDS) == !!c->forms[0].word);
		for (const struct opt *o = c->opts; o->name; o++)
			CHECK(o->off < c->args_size);
	}
}

/* Each is read alone, as after a search in a pager. */
TEST(cmd_texts_of_mount_options_stand_alone)
{
	for (size_t i = 0; commands[i]; i++) {
		struct optdoc_item it;

		for (size_t k = 0; commands[i]->item && commands[i]->item(k, &it); k++)
			if (!strncmp(it.help, "They ", 5) || !strncmp(it.help, "It ", 3) ||
				!strncmp(it.help, "The same", 8) ||
				it.help[strlen(it.help) - 1] == '.')
				test_fail(__FILE__, __LINE__, "%s: %s", it.name, it.help);
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

TEST(cmd_habits_are_no_words_of_the_command_itself)
{
	for (size_t i = 0; commands[i]; i++) {
		struct opt_set sets[CMD_SETS_MAX];
		struct common_args common;
		size_t n = cmd_sets(commands[i], NULL, &common, sets);

		for (const struct habit *h = commands[i]->habits; h && h->word; h++) {
			CHECK(h->say && *h->say);
			if (!strncmp(h->word, "--", 2)) {
				CHECK(!opt_find(sets, n, h->word + 2, strlen(h->word + 2)));
				continue;
			}
			for (const struct opt_form *f = commands[i]->forms; f->name; f++)
				CHECK(!f->word || strcmp(f->word, h->word) != 0);
			for (size_t s = 0; s < n && h->word[0] == '-' && !h->word[2]; s++)
				for (const struct opt *o = sets[s].opts; o->name; o++)
					CHECK(o->letter != h->word[1]);
		}
	}
}
