/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tar_read: libarchive's tar reader behind tar_check. */

#include "tar_read.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/log.h"

struct tar_read {
	struct tar_read_source source;
	struct archive *a;
	struct archive_entry *ae;
	struct tar_check *check;
	uint64_t pos;     /* number of bytes fed to check */
	struct buf held;  /* the last of them, which check may still change */
	struct buf out;   /* a piece for libarchive, if it is not the source's own */
	const char *rest; /* what follows it: a part of the source's piece, or NULL */
	size_t rest_len;
	bool ended;  /* the end of the stream was reached */
	bool failed; /* reading failed: err has the cause */
	struct err err;
};

/* The stream has ended. Give libarchive the padding that is missing, which it insists on. */
static la_ssize_t end_of_stream(struct tar_read *r, const void **ret, struct err *e)
{
	static const char zeros[512];
	size_t n = tar_check_missing(r->check);
	int x = tar_check_end(r->check, e);

	if (x < 0 || n == 0)
		return x;
	log_verbose("'%s': the archive ends with the data of this entry, without padding: the "
		    "program that wrote it did not finish it",
		tar_check_name(r->check));
	x = tar_check_feed(r->check, zeros, n, e);
	*ret = zeros;
	return x < 0 ? x : (la_ssize_t)n;
}

/*
 * Set *ret to those bytes that will not change any more: of what is held of earlier pieces, and of
 * the piece p. Hold the others. Returns their number, which may be 0, or -ENOMEM.
 */
static la_ssize_t pass_on(struct tar_read *r, const char *p, size_t n, const void **ret)
{
	const size_t had = r->held.len, unsure = tar_check_unsure(r->check);
	const uint64_t start = r->pos - n - had;
	struct tar_patch patch;
	bool patched = tar_check_patch(r->check, &patch);
	struct buf held = r->held;

	if (had + n == unsure || (had == 0 && !patched)) {
		*ret = p;
		n = had + n == unsure ? 0 : n - unsure;
		buf_add(&r->held, p + n, unsure - had);
		return r->held.oom ? -ENOMEM : (la_ssize_t)n;
	}
	r->held = r->out;
	buf_reset(&r->held);
	buf_add(&r->held, p + n - unsure, unsure);
	r->out = held;
	r->rest = p;
	r->rest_len = patched ? 0 : n - unsure;
	if (patched)
		buf_add(&r->out, p, n - unsure);
	if (r->held.oom || r->out.oom)
		return -ENOMEM;
	for (; patched; patched = tar_check_patch(r->check, &patch))
		memcpy(r->out.data + (patch.at - start), patch.bytes, patch.n);
	*ret = r->out.data;
	return (la_ssize_t)r->out.len;
}

/* As pass_on(), of the next piece of the source. Sets ended after the last one. */
static la_ssize_t read_piece(struct tar_read *r, const void **ret, struct err *e)
{
	const void *p;
	ssize_t n = r->source.read(r->source.arg, &p, e);
	int x;

	if (n < 0)
		return n;
	r->ended = n == 0;
	if (n == 0)
		return end_of_stream(r, ret, e);
	x = tar_check_feed(r->check, p, (size_t)n, e);
	if (x < 0)
		return x;
	r->pos += (uint64_t)n;
	n = pass_on(r, p, (size_t)n, ret);
	return n < 0 ? err_nomem(e) : n;
}

static la_ssize_t read_block(struct archive *a, void *arg, const void **ret)
{
	struct tar_read *r = arg;
	la_ssize_t n = (la_ssize_t)r->rest_len;

	*ret = r->rest;
	r->rest_len = 0;
	while (n == 0 && !r->ended)
		n = read_piece(r, ret, &r->err);
	if (n < 0) {
		r->failed = true;
		archive_set_error(a, (int)-n, "cannot read");
		return ARCHIVE_FATAL;
	}
	return n;
}

/* Returns 0 for what cannot be skipped: libarchive then reads it. */
static la_int64_t skip_block(struct archive *a, void *arg, la_int64_t n)
{
	struct tar_read *r = arg;

	(void)a;
	if (!r->source.skip || n <= 0 || r->rest_len ||
		!tar_check_may_skip(r->check, (uint64_t)n) ||
		!r->source.skip(r->source.arg, (uint64_t)n))
		return 0;
	tar_check_skip(r->check, (uint64_t)n);
	r->pos += (uint64_t)n;
	return n;
}

int tar_read_failed(const struct tar_read *r, const char *on, struct err *e)
{
	const char *text = archive_error_string(r->a);

	if (r->failed) {
		if (e)
			*e = r->err;
		return r->err.num ? -r->err.num : -EBADMSG;
	}
	if (!on && *tar_check_name(r->check))
		on = tar_check_name(r->check);
	return err_say(
		e, EBADMSG, on, "cannot read the archive%s%s", text ? ": " : "", text ? text : "");
}

/* A stream of no bytes, which libarchive does not accept as an archive. */
static bool is_empty(const struct tar_read *r)
{
	return r->source.may_be_empty && r->ended && !r->failed && tar_check_empty(r->check);
}

static int start(struct tar_read *r, struct err *e)
{
	if (archive_read_support_format_tar(r->a) == ARCHIVE_OK &&
		archive_read_set_read_callback(r->a, read_block) == ARCHIVE_OK &&
		archive_read_set_skip_callback(r->a, skip_block) == ARCHIVE_OK &&
		archive_read_set_callback_data(r->a, r) == ARCHIVE_OK &&
		archive_read_open1(r->a) == ARCHIVE_OK)
		return 0;
	return is_empty(r) ? 0 : tar_read_failed(r, NULL, e);
}

int tar_read_open(const struct tar_read_source *source, struct tar_read **ret, struct err *e)
{
	struct tar_read *r = calloc(1, sizeof(*r));
	int x;

	if (!r)
		return err_nomem(e);
	r->source = *source;
	r->a = archive_read_new();
	r->ae = archive_entry_new();
	x = r->a && r->ae ? tar_check_new(source->count, source->arg, &r->check, e) : err_nomem(e);
	if (x == 0)
		x = start(r, e);
	if (x < 0) {
		tar_read_free(r);
		return x;
	}

	*ret = r;
	return 0;
}

void tar_read_free(struct tar_read *r)
{
	if (!r)
		return;
	if (r->ae)
		archive_entry_free(r->ae);
	if (r->a)
		(void)archive_read_free(r->a); /* opened for reading: no error matters now */
	tar_check_free(r->check);
	buf_done(&r->held);
	buf_done(&r->out);
	free(r);
}

/* At the end of the archive: refuse zeros that something else follows. */
static int judge_end(struct tar_read *r, struct err *e)
{
	const void *p;
	ssize_t n = 1;
	bool more;

	while (!tar_check_no_archive(r->check, &more)) {
		if (!more || n == 0)
			return 0;
		n = r->ended ? 0 : r->source.read(r->source.arg, &p, e);
		if (n > 0)
			n = tar_check_feed(r->check, p, (size_t)n, e) < 0 ? -EBADMSG : n;
		if (n < 0)
			return (int)n;
		r->ended = n == 0;
	}
	return err_say(e, EBADMSG, NULL,
		"is not a tar archive: it begins with zeros, and other bytes follow");
}

/*
 * libarchive omits an attribute that it cannot read and warns, in some cases without a text: from
 * 3.7.5 on, one whose name has more than 128 bytes (pax_attribute_SCHILY_xattr). The attribute must
 * not get lost, so the number of attributes is compared with that of the records.
 */
static int judge_xattrs(struct tar_read *r, const struct tar_fact *f, struct err *e)
{
	const char *name;
	const void *value;
	size_t size;
	uint32_t n = 0;

	(void)archive_entry_xattr_reset(r->ae); /* returns a count */
	while (f->xattrs && archive_entry_xattr_next(r->ae, &name, &value, &size) == ARCHIVE_OK)
		n += strcmp(name, "security.selinux") != 0;
	if (n >= f->xattrs)
		return 0;
	(void)err_say(e, EBADMSG, archive_entry_pathname(r->ae),
		"%s reads %u of the %u extended attributes", archive_version_string(), n,
		f->xattrs);
	err_why(e,
		"libarchive omits damaged attributes, and from 3.7.5 on names of more than 128 "
		"bytes");
	err_try(e, "rebuild the layer with shorter names of attributes");
	return -EBADMSG;
}

/*
 * Likewise for the entries of an access control list. Of those of the owner, the owning group and
 * others, if there is no other, libarchive makes the mode.
 */
static int judge_acl(struct tar_read *r, int type, uint32_t entries, struct err *e)
{
	int n = archive_entry_acl_reset(r->ae, type);

	if (!entries || n == (int)entries || (n == 0 && entries == 3))
		return 0;
	(void)err_say(e, EBADMSG, archive_entry_pathname(r->ae),
		"%s reads %d of the %u entries of the access control list",
		archive_version_string(), n, entries);
	err_why(e, "libarchive keeps the last of several entries for one user or group");
	err_try(e, "rebuild the layer with one entry for each user and each group");
	return -EBADMSG;
}

static int judge_attributes(struct tar_read *r, const struct tar_fact *f, struct err *e)
{
	int x = judge_xattrs(r, f, e);

	if (x == 0)
		x = judge_acl(r, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, f->acl_access, e);
	if (x == 0)
		x = judge_acl(r, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, f->acl_default, e);
	return x;
}

/*
 * For a damaged header libarchive warns and returns what it could read. Only warnings that lose no
 * information are ignored here. Returns 1, and whether there was another warning in *ret_warned.
 */
static int next_header(struct tar_read *r, bool *ret_warned, struct err *e)
{
	const char *text;
	int x;

	*ret_warned = false;
	if (is_empty(r))
		return 0;
	x = archive_read_next_header2(r->a, r->ae);
	if (x == ARCHIVE_OK)
		return 1;
	if (x == ARCHIVE_EOF && !r->failed)
		return judge_end(r, e);
	/* In the C locale names stay bytes, about which libarchive warns. */
	text = archive_error_string(r->a);
	*ret_warned = !text || !strstr(text, "can't be converted");
	return x == ARCHIVE_WARN ? 1 : tar_read_failed(r, NULL, e);
}

int tar_read_next(struct tar_read *r, struct tar_fact *ret, struct err *e)
{
	bool warned, known;
	int x = next_header(r, &warned, e);
	const char *on;

	if (x <= 0)
		return x;
	on = archive_entry_pathname(r->ae);
	known = tar_check_next(r->check, ret);
	x = known ? judge_attributes(r, ret, e) : 0;
	if (x < 0)
		return x;
	if (warned)
		return tar_read_failed(r, on, e);
	if (!known || ret->start != (uint64_t)archive_read_header_position(r->a) ||
		archive_entry_uid(r->ae) != ret->uid || archive_entry_gid(r->ae) != ret->gid)
		return err_say(e, EBADMSG, on, "the archive can be read in two ways here");
	if (!on)
		return err_say(e, EBADMSG, NULL, "an entry has no name (tar header at byte %llu)",
			(unsigned long long)ret->start);
	return 1;
}

struct archive_entry *tar_read_entry(const struct tar_read *r)
{
	return r->ae;
}

struct archive *tar_read_archive(const struct tar_read *r)
{
	return r->a;
}
