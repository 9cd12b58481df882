/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_CHECK_H
#define TAR_TAR_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

/*
 * A strict check of a tar stream (ustar, pax, GNU and V7; POSIX.1 pax, "ustar Interchange Format")
 * on its way to libarchive, whose reader accepts an id of "0x10", a length past the end and headers
 * that contradict each other. Everything that two readers could read in two ways is refused here,
 * and the facts found here can be compared with what libarchive makes of each entry.
 */
struct tar_check;

/* What the headers of one entry say. */
struct tar_fact {
	uint64_t start; /* offset of the first header in the stream, in bytes */
	uint64_t size;  /* size of the body that follows the headers, in bytes */
	uint64_t body;  /* offset of the body, unless a sparse map precedes it */
	uint32_t uid, gid;
	uint32_t mode; /* 07777 bits */
	int64_t sec;   /* rounded down, as in struct timespec */
	uint32_t nsec;
	uint32_t xattrs; /* struct tar_pax */
	uint32_t acl_access, acl_default;
	char type; /* the byte in the header */
};

/*
 * Called before the body of each entry and of each extension header is read, with its size in bytes
 * and the name of the entry, or NULL for an extension header. A negative result ends the reading.
 */
typedef int tar_check_count(void *arg, uint64_t n, const char *on, struct err *e);

/* count may be NULL. */
MUST_CHECK int tar_check_new(
	tar_check_count *count, void *arg, struct tar_check **ret, struct err *e);

/* An entry whose headers are complete. */
struct tar_check_entry {
	struct tar_fact fact;
	const char *name; /* the whole name, of name_len bytes, without a NUL at its end; valid
	                     during the call */
	size_t name_len;
	bool sparse; /* the body is not the content of the file */
};

/* Call fn, with the arg of tar_check_new(), for each entry, before its body is read. */
typedef int tar_check_seen(void *arg, const struct tar_check_entry *en, struct err *e);
void tar_check_watch(struct tar_check *t, tar_check_seen *fn);

void tar_check_free(struct tar_check *t);

/*
 * Check the next n bytes of the stream, which may be cut into pieces anywhere. Returns 0, -EBADMSG
 * with e filled, or what count returned.
 */
MUST_CHECK int tar_check_feed(struct tar_check *t, const void *p, size_t n, struct err *e);

/* Are the next n bytes all body or padding, so that the caller may skip them unread? */
bool tar_check_may_skip(const struct tar_check *t, uint64_t n);
void tar_check_skip(struct tar_check *t, uint64_t n);

/*
 * The stream has ended. Returns -EBADMSG with e filled if that is amid a header or a body. The
 * padding of the last body may be missing: a Go program that does not close its archive/tar.Writer
 * leaves such an archive.
 */
MUST_CHECK int tar_check_end(struct tar_check *t, struct err *e);

/* The number of bytes that are missing of the padding, if the stream ends here; less than 512. */
size_t tar_check_missing(const struct tar_check *t);

/* Take the next entry from the queue of those seen. Returns false if the queue is empty. */
bool tar_check_next(struct tar_check *t, struct tar_fact *ret);

/*
 * A change to the stream that makes libarchive read it as it is meant, where libarchive would read
 * it otherwise: the n bytes from the offset at become bytes.
 */
struct tar_patch {
	uint64_t at;
	unsigned char bytes[8];
	size_t n;
};

/* Take the next change from the queue; offsets ascend. Returns false if the queue is empty. */
bool tar_check_patch(struct tar_check *t, struct tar_patch *ret);

/*
 * The number of bytes, at the end of those fed so far, that a patch may still change; 0 at the end
 * of a stream.
 */
size_t tar_check_unsure(const struct tar_check *t);

/*
 * Filesystems and disk images begin with zeros and so look like an archive without entries. Returns
 * true if there was no entry and other bytes follow the zeros. Sets *ret_more if more bytes must be
 * fed to decide that.
 */
bool tar_check_no_archive(const struct tar_check *t, bool *ret_more);

/*
 * The name in the last header seen, for messages; "" before the first one. Valid until more bytes
 * are fed.
 */
const char *tar_check_name(const struct tar_check *t);

/* Was the stream empty so far? */
bool tar_check_empty(const struct tar_check *t);

#endif
