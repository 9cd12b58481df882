/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* blob: one thread reads, hashes and decompresses a blob; the caller receives it in blocks. */

#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/plural.h"
#include "../base/stop.h"
#include "decode.h"

enum {
	INPUT_SIZE = 256 << 10,
	STACK_SIZE = 1 << 20,
	POLL_MS =
		100, /* longest delay until the reader of a silent pipe notices that it must stop */
};

_Static_assert(INPUT_SIZE == (int)BLOB_BLOCK, "pump() relies on it");

struct blob_block {
	uint8_t *data;
	size_t len;
};

struct blob {
	struct blob_input input;
	struct digest want_digest, want_diff_id;
	bool regular;
	pthread_t thread;
	bool running;

	/*
	 * The ring: made counts the blocks filled, used the blocks returned. The lock protects all
	 * members down to err.
	 */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct blob_block blocks[BLOB_BLOCKS];
	uint64_t made, used;
	bool holding;   /* the caller reads block `used` */
	bool abandoned; /* the caller needs no more blocks */
	bool ended;     /* the thread has ended: result and err are final */
	int result;
	struct err err;

	/* Only the thread uses these until it has ended. */
	uint8_t *in;
	size_t in_n; /* bytes of in that are not hashed yet */
	bool plain;  /* not compressed: diff_hash is the hash of the blob too */
	struct hash blob_hash, diff_hash;
	struct hash other_hash; /* for a diff_id that is not SHA-256 */
	struct blob_result sums;
};

static bool is_abandoned(struct blob *b)
{
	bool yes;

	(void)pthread_mutex_lock(&b->lock);
	yes = b->abandoned;
	(void)pthread_mutex_unlock(&b->lock);
	return yes;
}

static bool is_stopped(const struct blob *b)
{
	return stop_signal() || (b->input.stop && __atomic_load_n(b->input.stop, __ATOMIC_RELAXED));
}

static int stopped(struct err *e)
{
	return err_say(e, ECANCELED, NULL, "interrupted");
}

/* Wait for data in the pipe, and fail with -ECANCELED once the thread must stop. */
static int wait_readable(struct blob *b, struct err *e)
{
	for (;;) {
		struct pollfd p = { .fd = b->input.fd, .events = POLLIN };
		int n = poll(&p, 1, POLL_MS);

		if (n < 0 && errno != EINTR)
			return err_set(e, errno, NULL, "cannot wait for input");
		if (is_stopped(b) || is_abandoned(b))
			return stopped(e);
		if (n > 0)
			return 0;
	}
}

static ssize_t read_some(struct blob *b, void *p, size_t n, struct err *e)
{
	for (;;) {
		ssize_t got;
		int r;

		if (b->regular) {
			got = pread(b->input.fd, p, n, (off_t)(b->input.offset + b->sums.size));
		} else {
			r = wait_readable(b, e);
			if (r < 0)
				return r;
			got = read(b->input.fd, p, n);
		}
		if (got >= 0)
			return got;
		if (errno != EINTR && errno != EAGAIN)
			return err_set(e, errno, NULL, "cannot read the blob");
	}
}

/*
 * A decode_fill: read the next piece of the blob. The previous piece is hashed only now, because
 * for the first one it is not known earlier whether the blob is compressed.
 */
static ssize_t fill(void *arg, const void **ret, struct err *e)
{
	struct blob *b = arg;
	size_t want = INPUT_SIZE, n = 0;

	if (is_stopped(b))
		return stopped(e);
	if (b->in_n && !b->plain)
		hash_update(&b->blob_hash, b->in, b->in_n);
	b->in_n = 0;
	if (b->input.size != BLOB_SIZE_UNKNOWN && want > b->input.size - b->sums.size)
		want = (size_t)(b->input.size - b->sums.size);

	while (n < want) {
		ssize_t got = read_some(b, b->in + n, want - n, e);

		if (got < 0)
			return got;
		if (got == 0)
			break;
		n += (size_t)got;
		b->sums.size += (size_t)got;
	}
	if (n < want && b->input.size != BLOB_SIZE_UNKNOWN)
		return err_say(e, EBADMSG, NULL, "the blob has %llu %s and should have %llu",
			(unsigned long long)b->sums.size, plural(b->sums.size, "byte", "bytes"),
			(unsigned long long)b->input.size);

	b->in_n = n;
	*ret = b->in;
	if (b->input.progress)
		__atomic_store_n(b->input.progress, b->sums.size, __ATOMIC_RELAXED);
	return (ssize_t)n;
}

/* Wait for a block to write to. Returns NULL if the caller has abandoned the blob. */
static struct blob_block *next_free(struct blob *b)
{
	struct blob_block *block = NULL;

	(void)pthread_mutex_lock(&b->lock);
	while (!b->abandoned && b->made - b->used == BLOB_BLOCKS)
		(void)pthread_cond_wait(&b->changed, &b->lock);
	if (!b->abandoned)
		block = &b->blocks[b->made % BLOB_BLOCKS];
	(void)pthread_mutex_unlock(&b->lock);
	return block;
}

static void hand_over(struct blob *b)
{
	(void)pthread_mutex_lock(&b->lock);
	b->made++;
	(void)pthread_cond_broadcast(&b->changed);
	(void)pthread_mutex_unlock(&b->lock);
}

static int fill_block(struct decode *d, struct blob_block *block, struct err *e)
{
	block->len = 0;
	while (block->len < BLOB_BLOCK) {
		ssize_t n = decode_read(d, block->data + block->len, BLOB_BLOCK - block->len, e);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		block->len += (size_t)n;
	}
	return 0;
}

static int pump(struct blob *b, struct decode *d, struct err *e)
{
	struct blob_block *block;
	int r;

	b->sums.format = decode_format(d);
	b->plain =
		!strcmp(b->sums.format, "none") && b->blob_hash.algorithm == b->diff_hash.algorithm;
	while ((block = next_free(b))) {
		r = fill_block(d, block, e);
		if (r < 0)
			return r;
		if (!block->len)
			return 0;
		hash_update(&b->diff_hash, block->data, block->len);
		if (b->want_diff_id.algorithm != DIGEST_SHA256)
			hash_update(&b->other_hash, block->data, block->len);
		b->sums.unpacked += block->len;
		hand_over(b);
	}
	/*
	 * The caller has abandoned the blob. For the rest of it, hash input and not output. Blocks
	 * are as large as the pieces of input, so all input of a plain blob was hashed as output
	 * already, except a first piece that never became a block.
	 */
	if (b->plain) {
		b->blob_hash = b->diff_hash;
		b->in_n = (size_t)(b->sums.size - b->sums.unpacked);
		b->plain = false;
	}
	return err_say(e, EPIPE, NULL, "the reader of the blob has stopped");
}

static int wrong(
	const char *what, const struct digest *is, const struct digest *want, struct err *e)
{
	char a[DIGEST_TEXT], b[DIGEST_TEXT];
	int r = err_say(e, EBADMSG, NULL, "%s is wrong", what);

	err_why(e, "it is %s and should be %s", digest_text(is, a), digest_text(want, b));
	err_try(e, "fetch the image again");
	return r;
}

static int judge(struct blob *b, struct err *e)
{
	struct digest diff_id;

	hash_final(&b->diff_hash, &b->sums.diff_id);
	diff_id = b->sums.diff_id;
	if (b->want_diff_id.algorithm != DIGEST_SHA256)
		hash_final(&b->other_hash, &diff_id);
	if (b->plain) {
		b->sums.digest = b->sums.diff_id;
	} else {
		if (b->in_n)
			hash_update(&b->blob_hash, b->in, b->in_n);
		hash_final(&b->blob_hash, &b->sums.digest);
	}

	if (b->input.digest && !digest_equal(&b->sums.digest, &b->want_digest))
		return wrong("the blob's digest", &b->sums.digest, &b->want_digest, e);
	if (b->input.diff_id && !digest_equal(&diff_id, &b->want_diff_id))
		return wrong("the diff_id (the digest of the uncompressed layer)", &diff_id,
			&b->want_diff_id, e);
	return 0;
}

/*
 * After the error r: if the digest of the whole blob is wrong, replace e and return -EBADMSG, else
 * return r.
 */
static int check_rest(struct blob *b, int r, struct err *e)
{
	struct err other = ERR_INIT;
	struct digest sum;
	const void *p;
	ssize_t n;

	if (!b->input.digest || r == -ECANCELED)
		return r;
	if (!b->regular && b->input.size == BLOB_SIZE_UNKNOWN)
		return r; /* it may have no end */
	if (b->plain)
		return r; /* only reading can have failed: there is no decoder */
	do
		n = fill(b, &p, &other);
	while (n > 0);
	if (n < 0)
		return r;

	hash_final(&b->blob_hash, &sum);
	if (digest_equal(&sum, &b->want_digest))
		return r;
	return wrong("the blob's digest", &sum, &b->want_digest, e);
}

static void *run(void *arg)
{
	struct blob *b = arg;
	struct decode *d = NULL;
	struct err err = ERR_INIT;
	int r;

	hash_init(&b->blob_hash, b->want_digest.algorithm);
	hash_init(&b->diff_hash, DIGEST_SHA256);
	hash_init(&b->other_hash, b->want_diff_id.algorithm);
	r = decode_open(fill, b, &d, &err);
	if (r == 0)
		r = pump(b, d, &err);
	decode_free(d);
	r = r == 0 ? judge(b, &err) : check_rest(b, r, &err);

	(void)pthread_mutex_lock(&b->lock);
	b->result = r;
	b->err = err;
	b->ended = true;
	(void)pthread_cond_broadcast(&b->changed);
	(void)pthread_mutex_unlock(&b->lock);
	return NULL;
}

static int start_thread(struct blob *b)
{
	pthread_attr_t attr;
	int r = pthread_attr_init(&attr);

	if (r)
		return r;
	r = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (r == 0)
		r = pthread_create(&b->thread, &attr, run, b);
	(void)pthread_attr_destroy(&attr);
	b->running = r == 0;
	return r;
}

int blob_start(const struct blob_input *input, struct blob **ret, struct err *e)
{
	scoped_blob struct blob *b = calloc(1, sizeof(*b));
	struct stat st;
	int r;

	if (!b)
		return err_nomem(e);
	(void)pthread_mutex_init(&b->lock, NULL); /* cannot fail on Linux */
	(void)pthread_cond_init(&b->changed, NULL);
	b->input = *input;
	if (input->digest)
		b->want_digest = *input->digest;
	if (input->diff_id)
		b->want_diff_id = *input->diff_id;
	if (fstat(input->fd, &st) < 0)
		return err_set(e, errno, NULL, "cannot stat the blob");
	b->regular = S_ISREG(st.st_mode);
	if (b->regular && input->size == BLOB_SIZE_UNKNOWN)
		b->input.offset =
			(uint64_t)lseek(input->fd, 0, SEEK_CUR); /* cannot fail on a regular file */
	if (b->regular)
		(void)posix_fadvise(input->fd, (off_t)b->input.offset, 0,
			POSIX_FADV_SEQUENTIAL); /* advice only */

	b->in = malloc(INPUT_SIZE);
	for (size_t i = 0; i < BLOB_BLOCKS; i++)
		b->blocks[i].data = malloc(BLOB_BLOCK);
	for (size_t i = 0; i < BLOB_BLOCKS; i++)
		if (!b->in || !b->blocks[i].data)
			return err_nomem(e);
	r = start_thread(b);
	if (r)
		return err_set(e, r, NULL, "cannot start a thread");

	*ret = TAKE_PTR(b);
	return 0;
}

ssize_t blob_read(void *blob, const void **ret, struct err *e)
{
	struct blob *b = blob;
	struct blob_block *block = NULL;
	ssize_t n;

	(void)pthread_mutex_lock(&b->lock);
	if (b->holding) {
		b->used++;
		b->holding = false;
		(void)pthread_cond_broadcast(&b->changed);
	}
	while (b->made == b->used && !b->ended)
		(void)pthread_cond_wait(&b->changed, &b->lock);
	if (b->made != b->used) {
		block = &b->blocks[b->used % BLOB_BLOCKS];
		b->holding = true;
		n = (ssize_t)block->len;
		*ret = block->data;
	} else {
		n = b->result;
		if (n < 0 && e)
			*e = b->err;
	}
	(void)pthread_mutex_unlock(&b->lock);

	if (n > 0 && is_stopped(b))
		return stopped(e);
	return n;
}

int blob_finish(struct blob *b, uint64_t max_rest, struct blob_result *ret, struct err *e)
{
	uint64_t rest = 0;
	const void *p;
	ssize_t n;

	while ((n = blob_read(b, &p, e)) > 0) {
		rest += (size_t)n;
		if (rest > max_rest)
			return err_say(e, EFBIG, NULL,
				"more than %llu bytes follow the end of the archive",
				(unsigned long long)max_rest);
	}
	if (n < 0)
		return (int)n;

	*ret = b->sums;
	return 0;
}

static void stop_thread(struct blob *b)
{
	if (!b->running)
		return;
	(void)pthread_mutex_lock(&b->lock);
	b->abandoned = true;
	(void)pthread_cond_broadcast(&b->changed);
	(void)pthread_mutex_unlock(&b->lock);
	(void)pthread_join(b->thread, NULL);
	b->running = false;
}

int blob_blame(struct blob *b, int r, struct err *e)
{
	stop_thread(b);
	if (b->result != -EBADMSG)
		return r;

	*e = b->err;
	return b->result;
}

void blob_free(struct blob *b)
{
	if (!b)
		return;
	stop_thread(b);
	for (size_t i = 0; i < BLOB_BLOCKS; i++)
		free(b->blocks[i].data);
	free(b->in);
	(void)pthread_cond_destroy(&b->changed);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
}

void blob_say_try(int r, struct err *e)
{
	if (e && r == -EBADMSG && !e->hint[0])
		err_try(e,
			"fetch the image again: this copy is damaged, or was packed incorrectly");
}
