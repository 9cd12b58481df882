/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* source: which kind of image a word on the command line means. */

#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/vec.h"
#include "blob.h"
#include "source_priv.h"

/* Left out at the end of a file's name when it becomes an image's. */
static const char *const extensions[] = {
	".gz", ".zst", ".xz", ".bz2", ".lz4", ".tgz", ".tzst", ".txz", ".tbz2", ".tar", ".oci",
};

static bool strip_extension(char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
		size_t k = strlen(extensions[i]);

		if (n > k && !strcmp(s + n - k, extensions[i])) {
			s[n - k] = '\0';
			return true;
		}
	}
	return false;
}

/* "debian:12" for dir/debian.oci and 12. The caller frees it; NULL: out of memory. */
static char *default_name(const char *path, const char *ref)
{
	scoped_free char *base = strdup(path);
	scoped_buf struct buf b = BUF_INIT;
	char *name;
	size_t n;

	if (!base)
		return NULL;
	n = strlen(base);
	while (n > 1 && base[n - 1] == '/')
		base[--n] = '\0';
	name = strrchr(base, '/');
	name = name ? name + 1 : base;
	while (strip_extension(name))
		;
	buf_str(&b, name);
	if (ref) {
		buf_char(&b, ':');
		buf_str(&b, ref);
	}
	return buf_take(&b);
}

static int source_new(const char *name, struct source **ret, struct err *e)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s || !(s->name = strdup(name))) {
		free(s);
		return err_nomem(e);
	}
	s->dirfd = -1;

	*ret = s;
	return 0;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_layers; i++)
		free(s->layers[i].name);
	free(s->layers);
	for (size_t i = 0; s->fds && i < s->n_fds; i++)
		if (s->fds[i] > STDIN_FILENO)
			(void)close(s->fds[i]); /* only read from */
	free(s->fds);
	if (s->dirfd >= 0)
		(void)close(s->dirfd);
	buf_done(&s->manifest);
	buf_done(&s->config);
	free(s->default_name);
	free(s->name);
	free(s);
}

static void cleanup_source(struct source **s)
{
	source_free(*s);
}

#define scoped_source __attribute__((cleanup(cleanup_source)))

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Cut text into a directory and a reference: the longest part before a colon that exists. */
static char *split_ref(char *text)
{
	char *colon;

	if (is_dir(text))
		return NULL;
	for (size_t n = strlen(text); n > 0; n--) {
		colon = text + n - 1;
		if (*colon != ':' || colon == text)
			continue;
		*colon = '\0';
		if (is_dir(text))
			return colon + 1;
		*colon = ':';
	}
	return NULL;
}

/* path is cut at the reference. */
static int open_layout(struct source *s, const char *path, const char *ref, const struct platform *want, bool strict, struct err *e)
{
	int r;

	if (ref && !*ref)
		return err_usage(e, "the reference after the last colon is empty");
	r = fd_open_dir(AT_FDCWD, path, &s->dirfd, e);
	if (r < 0)
		return r;
	s->default_name = default_name(path, ref);
	if (!s->default_name)
		return err_nomem(e);
	r = oci_open(s, ref, want, strict, e);
	if (r < 0)
		err_prefix(e, "%s", s->name);
	return r;
}

static int open_tar_layer(const struct source *s, size_t i, int *ret_fd, struct err *e)
{
	int fd = fcntl(s->fds[i], F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return err_set(e, errno, s->layers[i].name, "cannot open the layer again");

	*ret_fd = fd;
	return 0;
}

static int add_tar(struct source *s, const char *path, struct err *e)
{
	struct source_layer *l = &s->layers[s->n_layers];
	struct stat st;
	int fd = STDIN_FILENO, r;

	for (size_t i = 0; i < s->n_layers; i++)
		if (!strcmp(path, "-") && s->fds[i] == STDIN_FILENO)
			return err_usage(e, "standard input can be one layer only");
	if (strcmp(path, "-")) {
		r = fd_open_regular(AT_FDCWD, path, 0, &fd, e);
		if (r == -EINVAL)
			err_try(e, "give it as standard input, with '-' in its place");
		if (r < 0)
			return r;
	}
	s->fds[s->n_fds++] = fd;
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the layer");
	l->name = strdup(path);
	if (!l->name)
		return err_nomem(e);
	/* Standard input may be a file that somebody has read from: it is taken from where it stands. */
	l->size = fd != STDIN_FILENO ? (uint64_t)st.st_size : BLOB_SIZE_UNKNOWN;
	s->n_layers++;
	return 0;
}

static int add_tars(struct source *s, char *const *paths, size_t n, struct err *e)
{
	s->layers = calloc(n, sizeof(*s->layers));
	s->fds = calloc(n, sizeof(*s->fds));
	if (!s->layers || !s->fds)
		return err_nomem(e);
	s->open_layer = open_tar_layer;
	for (size_t i = 0; i < n; i++) {
		int r = add_tar(s, paths[i], e);

		if (r < 0)
			return r;
	}
	return 0;
}

int source_open_tars(char *const *paths, size_t n, struct source **ret, struct err *e)
{
	scoped_source struct source *s = NULL;
	int r;

	r = source_new(n ? paths[0] : "", &s, e);
	if (r == 0)
		r = add_tars(s, paths, n, e);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(s);
	return 0;
}

static int refuse_archive(const char *spec, struct err *e)
{
	int r = err_say(e, ENOTSUP, spec, "cannot read an image inside an archive");

	err_try(e, "extract an oci-archive with tar into a directory, and give oci:DIR; skopeo copy converts a docker-archive");
	return r;
}

static int open_path(struct source *s, char *path, const struct platform *want, bool strict, struct err *e)
{
	struct stat st;

	if (!strcmp(path, "-"))
		return add_tars(s, &path, 1, e);
	if (stat(path, &st) < 0)
		return err_set(e, errno, path, "cannot open the image");
	if (S_ISDIR(st.st_mode))
		return open_layout(s, path, NULL, want, strict, e);
	s->default_name = default_name(path, NULL);
	if (!s->default_name)
		return err_nomem(e);
	return add_tars(s, &path, 1, e);
}

int source_open(const char *spec, const struct platform *want, bool strict, struct source **ret, struct err *e)
{
	scoped_source struct source *s = NULL;
	scoped_free char *text = NULL;
	const char *ref;
	int r;

	if (!strncmp(spec, "oci-archive:", 12) || !strncmp(spec, "docker-archive:", 15))
		return refuse_archive(spec, e);
	text = strdup(strncmp(spec, "oci:", 4) ? spec : spec + 4);
	if (!text)
		return err_nomem(e);
	r = source_new(spec, &s, e);
	if (r < 0)
		return r;
	if (!strncmp(spec, "oci:", 4)) {
		ref = split_ref(text);
		r = open_layout(s, text, ref, want, strict, e);
	} else {
		r = open_path(s, text, want, strict, e);
	}
	if (r < 0)
		return r;

	*ret = TAKE_PTR(s);
	return 0;
}
