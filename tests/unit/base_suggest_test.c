/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <string.h>

#include "../../lib/base/suggest.h"

/* The distance of a word that is near; 99: it is not. */
static size_t distance(const char *a, const char *b)
{
	struct suggest s = suggest_for(a, strlen(a));

	suggest_offer(&s, b);
	return s.best ? s.distance : 99;
}

TEST(suggest_counts_letters_that_are_missing_surplus_wrong_or_exchanged)
{
	static const struct {
		const char *a, *b;
		size_t n;
	} cases[] = {
		{ "map", "map", 0 },
		{ "maap", "map", 1 },
		{ "mp", "map", 1 },
		{ "mpa", "map", 1 },
		{ "MAP", "map", 0 },
		{ "mad", "map", 1 },
		{ "mount-idmaped", "mount-idmapped", 1 },
		{ "muont-idmpaped", "mount-idmapped", 2 },
		{ "explani", "explain", 1 },
		{ "exxplani", "explain", 2 },
		{ "kitten", "sitting", 99 },
		{ "", "map", 99 },
		{ "a", "b", 99 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CHECK_INT(distance(cases[i].a, cases[i].b), cases[i].n);
		CHECK_INT(distance(cases[i].b, cases[i].a), cases[i].n);
	}
}

TEST(suggest_compares_no_word_that_is_longer_than_its_table)
{
	char a[66], b[65];

	memset(a, 'a', sizeof(a));
	memset(b, 'a', sizeof(b));
	a[65] = b[64] = '\0';
	CHECK_INT(distance(b, b), 0);
	CHECK_INT(distance(a, b), 99);
	CHECK_INT(distance(b, a), 99);
}

static const char *nearest(const char *given)
{
	static const char *const words[] = { "list", "show", "verify", "remove", "ro", "explain",
		"map" };
	struct suggest s = suggest_for(given, strlen(given));

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		suggest_offer(&s, words[i]);
	return s.best ? s.best : "";
}

TEST(suggest_finds_what_is_near_and_nothing_else)
{
	static const struct {
		const char *given, *want;
	} cases[] = {
		{ "lst", "list" },
		{ "verfy", "verify" },
		{ "VERIFY", "verify" },
		{ "explian", "explain" },
		{ "mpa", "map" },
		{ "r", "" },
		{ "", "" },
		{ "x", "" },
		{ "nonsense", "" },
		{ "images", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK_STR(nearest(cases[i].given), cases[i].want);
}

TEST(suggest_reads_lists_of_words)
{
	struct suggest s = suggest_for("redd", 4);

	CHECK(suggest_offer_list(&s, "read write exec") == 4);
	CHECK(s.best && !strncmp(s.best, "read ", 5));
	CHECK(suggest_offer_list(&s, "") == 0);
	CHECK(suggest_offer_list(&s, NULL) == 0);
}

TEST(suggest_knows_habits_by_the_whole_word)
{
	static const struct habit habits[] = { { "--tag", "use --name" }, { NULL, NULL } };

	CHECK_STR(habit_find(habits, "--tag", 5), "use --name");
	CHECK(!habit_find(habits, "--tags", 6));
	CHECK(!habit_find(habits, "--ta", 4));
	CHECK(!habit_find(NULL, "--tag", 5));
}
