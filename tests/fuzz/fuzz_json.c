/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The documents of an image, one after the other with a NUL between: what they say is refused, or
 * is an image whose every layer is named, verified and within bounds. In a document "@N" stands for
 * the digest of document N and "#N" for its size, or no digest would ever be right. The first byte:
 * 'd' for what docker save writes, else an OCI layout.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/source/source.h"
#include "../../lib/tar/blob.h"
#include "fuzz.h"
#include "tar.h"

enum { PARTS = 6 };

struct parts {
	struct buf text[PARTS];
	struct digest digest[PARTS];
	size_t n;
};

/* Later documents are named by earlier ones. */
static void fill_in(struct parts *p, size_t i, const char *s, size_t len)
{
	struct buf *b = &p->text[i];
	char hex[DIGEST_TEXT];

	buf_str(b, "");
	for (size_t k = 0; k < len; k++) {
		size_t other = k + 1 < len ? (size_t)(unsigned char)s[k + 1] - '0' : PARTS;

		if ((s[k] != '@' && s[k] != '#') || other <= i || other >= p->n) {
			buf_char(b, s[k]);
			continue;
		}
		if (s[k++] == '@')
			buf_str(b, digest_text(&p->digest[other], hex));
		else
			buf_printf(b, "%zu", p->text[other].len);
	}
	FUZZ_CHECK(buf_get(b));
	hash_bytes(b->data, b->len, &p->digest[i]);
}

static void split(struct parts *p, const char *data, size_t size)
{
	const char *at[PARTS + 1] = { data };

	for (p->n = 0; p->n < PARTS && at[p->n] <= data + size; p->n++) {
		const char *nul = memchr(at[p->n], '\0', (size_t)(data + size - at[p->n]));

		at[p->n + 1] = (nul ? nul : data + size) + 1;
	}
	for (size_t i = p->n; i-- > 0;)
		fill_in(p, i, at[i], (size_t)(at[i + 1] - 1 - at[i]));
}

static void put_file(int dir, const char *name, const struct buf *b)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd >= 0 && fd_write_all(fd, b->data, b->len) == 0);
	(void)close(fd);
}

/* A member of an archive: a header and a body, appended. */
static void put_member(struct buf *tar, const char *name, const struct buf *b)
{
	char h[TAR_BLOCK];

	tar_header(h, name, strlen(name), '0', "", b->len);
	buf_add(tar, h, TAR_BLOCK);
	buf_add(tar, b->data, b->len);
	memset(h, 0, TAR_BLOCK);
	buf_add(tar, h, (TAR_BLOCK - b->len % TAR_BLOCK) % TAR_BLOCK);
}

static void write_layout(const struct parts *p, int top)
{
	scoped_buf struct buf layout = BUF_INIT;
	char name[13 + DIGEST_HEX] = "blobs/sha256/";

	(void)mkdirat(top, "blobs", 0700); /* is there from the second time on */
	(void)mkdirat(top, "blobs/sha256", 0700);
	buf_str(&layout, "{\"imageLayoutVersion\":\"1.0.0\"}");
	put_file(top, "oci-layout", &layout);
	put_file(top, "index.json", &p->text[0]);
	for (size_t i = 1; i < p->n; i++) {
		(void)digest_hex(&p->digest[i], name + 13);
		put_file(top, name, &p->text[i]);
	}
}

static void remove_blobs(const struct parts *p, int top)
{
	char name[13 + DIGEST_HEX] = "blobs/sha256/";

	for (size_t i = 1; i < p->n; i++) {
		(void)digest_hex(&p->digest[i], name + 13);
		(void)unlinkat(top, name, 0); /* two may have been the same */
	}
}

static void write_archive(const struct parts *p, int top)
{
	scoped_buf struct buf tar = BUF_INIT;
	char name[] = "0";

	for (size_t i = 1; i < p->n; i++) {
		name[0] = (char)('0' + i);
		put_member(&tar, name, &p->text[i]);
	}
	put_member(&tar, "manifest.json", &p->text[0]);
	for (int i = 0; i < 2 * TAR_BLOCK; i++)
		buf_char(&tar, '\0');
	FUZZ_CHECK(!tar.oom);
	put_file(top, "archive", &tar);
}

static void judge(const struct source *s)
{
	struct digest d;

	FUZZ_CHECK(s->n_layers > 0 && s->manifest.len > 0 && s->config.len > 0);
	hash_bytes(s->manifest.data, s->manifest.len, &d);
	FUZZ_CHECK(digest_equal(&d, &s->manifest_digest));
	hash_bytes(s->config.data, s->config.len, &d);
	FUZZ_CHECK(digest_equal(&d, &s->config_digest));
	for (size_t i = 0; i < s->n_layers; i++) {
		const struct source_layer *l = &s->layers[i];
		struct err e = ERR_INIT;
		uint64_t offset;
		int fd;

		FUZZ_CHECK(l->name && *l->name && l->has_diff_id && l->size <= INT64_MAX);
		if (s->open_layer(s, i, &fd, &offset, &e) < 0)
			FUZZ_CHECK(e.set);
		else
			(void)close(fd);
	}
}

static char top_path[] = "/dev/shm/shiftbox-fuzz-XXXXXX", oci[128], docker[128];

static void remove_top(void)
{
	struct err e = ERR_INIT;

	(void)fd_remove_tree(
		AT_FDCWD, top_path, &e); /* a leftover in a temporary directory, at worst */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct platform want = { "linux", "amd64", "" };
	static int top = -1;
	const struct source_options o = {
		.platform = &want, .strict = size & 1, .max_bytes = 1 << 20
	};
	struct parts p = { .n = 0 };
	struct source *s = NULL;
	struct err e = ERR_INIT;
	bool is_docker;

	if (size < 1 || size > 1 << 18)
		return 0;
	if (top < 0) {
		FUZZ_CHECK(mkdtemp(top_path) && fd_open_dir(AT_FDCWD, top_path, &top, &e) == 0);
		(void)snprintf(oci, sizeof(oci), "oci:%s", top_path);
		(void)snprintf(docker, sizeof(docker), "docker-archive:%s/archive", top_path);
		(void)atexit(remove_top);
	}
	is_docker = data[0] == 'd';
	split(&p, (const char *)data + 1, size - 1);
	if (is_docker)
		write_archive(&p, top);
	else
		write_layout(&p, top);
	if (source_open(is_docker ? docker : oci, &o, &s, &e) == 0)
		judge(s);
	else
		FUZZ_CHECK(e.set && e.what[0]);
	source_free(s);
	if (!is_docker)
		remove_blobs(&p, top);
	for (size_t i = 0; i < PARTS; i++)
		buf_done(&p.text[i]);
	return 0;
}
