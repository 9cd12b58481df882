/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* missing_source: say what a source that does not exist may have meant. */

#include "missing_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../lib/base/buf.h"
#include "../lib/base/fd.h"
#include "../lib/base/path.h"
#include "../lib/base/suggest.h"
#include "../lib/mount/fs_type.h"
#include "../lib/mount/image_source.h"
#include "../lib/mount/option_advice.h"
#include "../lib/source/source.h"
#include "../lib/source/source_advice.h"
#include "../lib/source/source_word.h"
#include "../lib/store/store.h"
#include "../lib/store/store_image.h"
#include "image_unpack.h"

/* "server:/export", and no path before the colon */
static bool is_share(const char *source)
{
	const char *colon = strchr(source, ':');

	return colon && colon != source && colon[1] == '/' && colon[2] != '/' &&
		!memchr(source, '/', (size_t)(colon - source));
}

/* "LABLE=data" */
static bool find_tag(const char *source, struct err *e)
{
	static const char *const tags[] = { "LABEL", "UUID", "PARTLABEL", "PARTUUID" };
	size_t n = strcspn(source, "=/");
	struct suggest near = suggest_for(source, n);

	for (size_t i = 0; i < ARRAY_LEN(tags) && source[n] == '='; i++)
		suggest_offer(&near, tags[i]);
	if (near.best)
		err_try(e, "did you mean %s%s?", near.best, source + n);
	return near.best;
}

/* Put the name of the image for "%s" in use. */
static void did_you_mean(const char *use, const char *name, struct err *e)
{
	const char *at = strstr(use, "%s");

	err_try(e, "did you mean %.*s%s%s?", (int)(at - use), use, name, at + 2);
}

/* Look for an image of the store with that name, or nearly that name. */
static bool find_image(const char *name, const char *dir, const char *use, struct err *e)
{
	scoped_store struct store *s = NULL;
	scoped_strv struct strv names = { 0 };
	struct suggest near = suggest_for(name, strlen(name));

	if (!*name || strchr(name, '/') || store_open(dir, 0, &s, NULL) < 0 ||
		store_image_list(s, &names, NULL) < 0)
		return false;
	for (size_t i = 0; i < names.len; i++)
		suggest_offer(&near, names.items[i]);
	if (near.best)
		did_you_mean(use, near.best, e);
	return near.best;
}

/* A layer, or an archive of an image: by its name, or as POSIX.1 and GNU mark it. */
static bool is_archive(const char *path)
{
	enum { AT_MAGIC = 257 };
	char head[AT_MAGIC + 5];
	scoped_fd int fd = -1;
	const char *tar = strstr(path, ".tar"), *dot = strrchr(path, '.');

	if ((tar && strchr(".", tar[4])) || (dot && !strcmp(dot, ".tgz"))) /* or the end */
		return true;
	if (path_open(path, O_RDONLY | O_NONBLOCK, "cannot open it", NULL, &fd, NULL) < 0)
		return false;
	return read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
		!memcmp(head + AT_MAGIC, "ustar", 5);
}

/* "docker://busybox:1.36": the image may be stored by the last part of its name. */
static bool find_fetched(const char *source, const char *store, const char *use, struct err *e)
{
	const char *name = strrchr(source, '/');
	scoped_free char *base = NULL;

	name = name ? name + 1 : strchr(source, ':') + 1;
	base = strndup(name, strcspn(name, ":@"));
	return base && (find_image(name, store, use, e) || find_image(base, store, use, e));
}

bool source_advise_archive(const char *source, struct err *e)
{
	scoped_buf struct buf word = BUF_INIT;

	if (!e || strcmp(e->op, "probe") != 0 || strcmp(e->on, source) != 0 || !is_archive(source))
		return false;
	buf_shell_word(&word, source);
	err_why(e, "it is an archive");
	err_try(e, "unpack it first: shiftbox image-unpack -N NAME %s; then name it image:NAME",
		buf_get(&word) ? buf_get(&word) : "FILE");
	return true;
}

void source_advise(const char *source, const char *store, const char *use, struct err *e)
{
	const struct source_word *w = source_word_find_any_case(source);

	if (source_advise_archive(source, e))
		return;
	if (e && !strcmp(e->op, "stack"))
		(void)find_image(source, store, use, e); /* e has advice for other sources */
	if (!e || e->num != ENOENT || strcmp(e->op, "open") != 0 || strcmp(e->on, source) != 0)
		return;
	if (!strncasecmp(source, IMAGE_SOURCE, strlen(IMAGE_SOURCE)))
		did_you_mean(use, source + strlen(IMAGE_SOURCE), e);
	else if (find_image(source, store, use, e))
		return;
	else if (source_word_is_fetched(w) && find_fetched(source, store, use, e))
		return;
	else if (source_word_is_fetched(w))
		source_advise_missing(source, "-N", NULL, e);
	else if (w)
		err_try(e,
			"unpack it first: shiftbox image-unpack -N NAME %s%s; then name it "
			"image:NAME",
			w->word, source + strlen(w->word));
	else if (mount_word_is_map(source))
		err_try(e, "if it is a map, write -m before it: -m %s", source);
	else if (fs_type_nodev(source) == 1)
		err_try(e, "for a new filesystem of this type: -t %s %s TARGET", source, source);
	else if (find_tag(source, e))
		return;
	else if (is_share(source))
		err_try(e,
			"NFS cannot be ID-mapped: see NFS in mount-idmapped(8), or mount the share "
			"first (mount -t nfs %s DIR) and name DIR, without a map",
			source);
}

void unpack_source_advise(const char *source, const struct unpack_args *a, struct err *e)
{
	scoped_store struct store *s = NULL;
	scoped_strv struct strv names = { 0 };
	const char *name = image_source_name(source) ? image_source_name(source) : source;

	if (!e || e->num != ENOENT || strcmp(e->op, "open") != 0 || strcmp(e->on, source) != 0)
		return;
	source_advise_missing(source,
		a->flat         ? "--flat" :
			a->scan ? "--scan" :
				  "-N",
		a->flat         ? a->flat :
			a->scan ? "" :
				  a->name,
		e);
	if (a->flat && (source_has_prefix(a->flat) || source_is_there(a->flat))) {
		err_why(e, "the word after --flat, '%s', is the directory to create", a->flat);
		err_try(e, "did you mean --flat %s %s?", source, a->flat);
		return;
	}
	if (store_open(a->store, 0, &s, NULL) < 0 || store_image_list(s, &names, NULL) < 0 ||
		!strv_has(&names, name))
		return;
	err_why(e, "'%s' is an image in the store, which has been unpacked", name);
	if (a->flat)
		err_try(e,
			"name the source that it was unpacked from, such as oci:DIR; without "
			"unpacking, shiftbox mount-idmapped image:%s DIR shows it as one tree",
			name);
	else if (a->scan)
		err_try(e,
			"name the source that it was unpacked from, such as oci:DIR; the map that "
			"it needs: shiftbox shift-check map --cover image:%s",
			name);
	else
		err_try(e,
			"to use it: shiftbox mount-idmapped -m MAP image:%s DIR; for another name "
			"of it, name the source that it was unpacked from, such as oci:DIR",
			name);
}

void stored_image_advise(const char *path, const char *store, struct err *e)
{
	scoped_store struct store *s = NULL;
	scoped_strv struct strv names = { 0 };
	const char *name = image_source_name(path) ? image_source_name(path) : path;

	if (!e || strcmp(e->on, path) != 0 || strchr(path, '/') ||
		store_open(store, 0, &s, NULL) < 0 || store_image_list(s, &names, NULL) < 0)
		return;
	for (size_t i = 0; i < names.len; i++)
		if (!strcmp(names.items[i], name))
			err_try(e,
				"for the stored image of this name: shiftbox image-unpack --verify "
				"%s; for a mount of it: shiftbox shift-check verify --image %s "
				"PATH",
				name, name);
}
