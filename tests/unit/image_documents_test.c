/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The documents of plain layers name each layer once and in order, and the stack shows what the
 * layers show. */

#include "test.h"

#include <string.h>

#include "../../lib/image/image_documents.h"
#include "../../lib/image/unpack_stack.h"
#include "../../lib/tar/digest.h"

static const char *in_order(const char *text, const char *word)
{
	const char *p = strstr(text, word);

	CHECK(p != NULL);
	return p ? p + strlen(word) : text;
}

TEST(documents_of_plain_layers_name_each_layer_in_order)
{
	struct blob_result blobs[2] = { { .format = "gzip", .size = 7 },
		{ .format = "xz", .size = 9 } };
	struct documented_layer layers[2] = { { .blob = &blobs[0] }, { .blob = &blobs[1] } };
	struct buf manifest = BUF_INIT, config = BUF_INIT;
	char text[DIGEST_TEXT];
	struct digest sum;
	const char *p;

	hash_bytes("a", 1, &layers[0].diff_id);
	hash_bytes("b", 1, &layers[1].diff_id);
	hash_bytes("c", 1, &blobs[0].digest);
	hash_bytes("d", 1, &blobs[1].digest);
	REQUIRE(image_documents_make(layers, 2, &manifest, &config, NULL) == 0);

	p = in_order(buf_get(&config), "\"diff_ids\":[\"");
	p = in_order(p, digest_text(&layers[0].diff_id, text));
	(void)in_order(p, digest_text(&layers[1].diff_id, text));

	hash_bytes(config.data, config.len, &sum);
	p = in_order(buf_get(&manifest), digest_text(&sum, text));
	p = in_order(p, "layer.v1.tar+gzip\"");
	p = in_order(p, digest_text(&blobs[0].digest, text));
	p = in_order(p, "\"size\":7");
	/* OCI knows no other compressions by name. */
	p = in_order(p, "layer.v1.tar\"");
	p = in_order(p, digest_text(&blobs[1].digest, text));
	(void)in_order(p, "\"size\":9");
	buf_done(&manifest);
	buf_done(&config);
}

TEST(a_stack_is_topmost_first_without_what_is_hidden_or_listed_already)
{
	static const struct {
		struct stack_layer layers[4]; /* lowest first; their names are one letter */
		const char *stack;
		int hidden;
	} cases[] = {
		{ { { "a", false }, { "b", false }, { "c", false } }, "cba", 0 },
		{ { { "a", false }, { "b", true }, { "c", false } }, "cb", 1 },
		{ { { "a", true }, { "b", true }, { "c", true } }, "c", 2 },
		{ { { "a", true }, { "b", false } }, "ba", 0 },
		{ { { "a", false }, { "b", false }, { "a", false }, { "c", false } }, "cab", 0 },
		{ { { NULL, false } }, "", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strv stack = { 0 };
		size_t n = 0;

		while (n < ARRAY_LEN(cases[i].layers) && cases[i].layers[n].dir)
			n++;
		CHECK_INT(unpack_stack_list(cases[i].layers, n, &stack), cases[i].hidden);
		CHECK_INT(stack.len, strlen(cases[i].stack));
		for (size_t k = 0; k < stack.len && cases[i].stack[k]; k++)
			CHECK_INT(stack.items[k][0], cases[i].stack[k]);
		strv_done(&stack);
	}
}
