/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/layer/layer_tree.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

enum { MANY = 100000 };

TEST(tree_finds_what_was_added_and_not_what_was_removed)
{
	struct layer_tree t;
	char name[32];
	size_t seen = 0;

	REQUIRE(layer_tree_init(&t) == 0);
	for (int i = 0; i < MANY; i++)
		REQUIRE(layer_tree_add(&t, t.root, name,
				(size_t)snprintf(name, sizeof(name), "file-%d", i)) != NULL);
	for (int i = 0; i < MANY; i += 2)
		layer_tree_remove(&t,
			layer_tree_find(&t, t.root, name,
				(size_t)snprintf(name, sizeof(name), "file-%d", i)));
	for (int i = 0; i < MANY; i++) {
		struct node *n = layer_tree_find(
			&t, t.root, name, (size_t)snprintf(name, sizeof(name), "file-%d", i));

		if ((n != NULL) != (i % 2 == 1) || (n && strcmp(n->name, name) != 0))
			test_fail(__FILE__, __LINE__, "%s", name);
	}
	for (struct node *n = t.root->children; n; n = n->next)
		seen++;
	CHECK_INT(seen, MANY / 2);
	CHECK(!layer_tree_find(&t, t.root, "file-", 5));
	layer_tree_done(&t);
}

TEST(tree_walks_parents_first_and_children_first)
{
	struct layer_tree t;
	struct node *a, *b, *c;
	int down = 0, up = 0;
	scoped_buf struct buf path = BUF_INIT;

	REQUIRE(layer_tree_init(&t) == 0);
	a = layer_tree_add(&t, t.root, "a", 1);
	b = layer_tree_add(&t, a, "b", 1);
	c = layer_tree_add(&t, b, "c", 1);
	REQUIRE(c && layer_tree_add(&t, t.root, "z", 1) && layer_tree_add(&t, a, "y", 1));
	for (struct node *n = t.root; n; n = layer_tree_next(t.root, n)) {
		CHECK(!n->parent || n->parent->uid == 1);
		n->uid = 1;
		down++;
	}
	for (struct node *n = layer_tree_first_up(t.root); n; n = layer_tree_next_up(t.root, n)) {
		for (struct node *i = n->children; i; i = i->next)
			CHECK(i->uid == 2);
		n->uid = 2;
		up++;
	}
	CHECK_INT(down, 6);
	CHECK_INT(up, 6);
	node_path(c, &path);
	CHECK_STR(buf_get(&path), "a/b/c");
	layer_tree_done(&t);
}

TEST(tree_grafts_are_found_in_the_other_tree_and_not_in_the_old)
{
	struct layer_tree a, b;
	struct node *top, *last;
	char name[32];

	REQUIRE(layer_tree_init(&a) == 0 && layer_tree_init(&b) == 0);
	top = last = layer_tree_add(&b, b.root, "top", 3);
	for (int i = 0; i < 3000; i++)
		REQUIRE((last = layer_tree_add(&b, i % 3 ? top : last, name,
				 (size_t)snprintf(name, sizeof(name), "n%d", i))) != NULL);
	REQUIRE(layer_tree_add(&b, b.root, "stays", 5) != NULL);
	REQUIRE(layer_tree_add(&a, a.root, "other", 5) != NULL);
	layer_tree_graft(&a, a.root, &b, top);
	CHECK(layer_tree_find(&a, a.root, "top", 3) == top && top->parent == a.root);
	CHECK(!layer_tree_find(&b, b.root, "top", 3) && layer_tree_find(&b, b.root, "stays", 5));
	CHECK(layer_tree_find(&a, last->parent, last->name, last->len) == last);
	CHECK_INT(a.n, 3002);
	CHECK_INT(b.n, 1);
	layer_tree_absorb(&a, &b);
	CHECK(!b.root && !b.buckets);
	CHECK(layer_tree_find(&a, top, "n1", 2) != NULL);
	layer_tree_done(&b);
	layer_tree_done(&a);
}
