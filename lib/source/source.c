/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* source: open an image by the word that names it on the command line. */

#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "../base/vec.h"
#include "../registry/registry_ref.h"
#include "../tar/blob.h"
#include "docker.h"
#include "image_archive.h"
#include "oci.h"
#include "registry_image.h"
#include "skopeo_dir.h"
#include "source_advice.h"
#include "source_word.h"

/* Extensions that are removed from a file name to make the name of an image. */
static const char *const extensions[] = {
	".gz",
	".zst",
	".xz",
	".bz2",
	".lz4",
	".tgz",
	".tzst",
	".txz",
	".tbz2",
	".tar",
	".oci",
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

/* Make "debian:12" of dir/debian.oci and 12. The caller frees it; NULL: out of memory. */
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

static void source_layer_done(struct source_layer *l)
{
	free(l->name);
	free(l->data);
	free(l->url);
}

void source_free(struct source *s)
{
	if (!s)
		return;
	registry_image_done(s);
	for (size_t i = 0; i < s->n_layers; i++)
		source_layer_done(&s->layers[i]);
	free(s->layers);
	for (size_t i = 0; s->fds && i < s->n_fds; i++)
		if (s->fds[i] > STDIN_FILENO)
			(void)close(s->fds[i]); /* opened for reading: no error matters */
	free(s->fds);
	if (s->dirfd >= 0)
		(void)close(s->dirfd);
	image_archive_free(s->archive);
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

/* Does the path exist, as a directory (dir) or as something else? "-" is standard input. */
static bool exists(const char *path, bool dir)
{
	struct stat st;

	if (!dir && !strcmp(path, "-"))
		return true;
	return path_stat(path, true, &st) == 0 && !S_ISDIR(st.st_mode) == !dir;
}

/* Split text at the last colon behind an existing path. Returns the reference, or NULL. */
static char *split_ref(char *text, bool dir)
{
	char *colon;

	if (exists(text, dir))
		return NULL;
	for (size_t n = strlen(text); n > 0; n--) {
		colon = text + n - 1;
		if (*colon != ':' || colon == text)
			continue;
		*colon = '\0';
		if (exists(text, dir))
			return colon + 1;
		*colon = ':';
	}
	return NULL;
}

/* spec: the word that names the source */
static int not_there(int r, const char *spec, struct err *e)
{
	if (r == -ENOENT)
		source_advise_missing(spec, "-N", NULL, e);
	return r;
}

/* The part of a reference that can be part of an image's name: what follows the last slash. */
static const char *ref_name(const char *ref)
{
	const char *slash = ref ? strrchr(ref, '/') : NULL;

	return slash ? slash + 1 : ref;
}

/* Set the default name from the path of the source and its reference, which may be NULL. */
static int name_source(struct source *s, const char *path, const char *ref, struct err *e)
{
	s->default_name = default_name(path, ref_name(ref));
	s->named_by_path = !ref;
	return s->default_name ? 0 : err_nomem(e);
}

/* Open the layout in s->dirfd. */
static int open_layout(struct source *s, const char *path, const char *ref,
	const struct source_options *o, struct err *e)
{
	int r = name_source(s, path, ref, e);

	if (r == 0)
		r = oci_open(s, ref, o->platform, o->strict, e);
	if (r < 0)
		err_prefix(e, "%s", s->name);
	return r;
}

/* Open the directory in which a source with a prefix is. */
static int open_source_dir(struct source *s, const char *path, struct err *e)
{
	int r = path_open(
		path, O_RDONLY | O_DIRECTORY, "cannot open the directory", NULL, &s->dirfd, e);

	if (r == -ENOTDIR && exists(path, false))
		err_try(e,
			"it is a file: name it without the prefix, and its kind is detected: "
			"shiftbox image-unpack -N NAME %s",
			path);
	return not_there(r, s->name, e);
}

static int open_skopeo_dir(
	struct source *s, const char *path, const struct source_options *o, struct err *e)
{
	int r = open_source_dir(s, path, e);

	if (r == 0)
		r = name_source(s, path, NULL, e);
	if (r < 0)
		return r;
	r = skopeo_dir_open(s, o->platform, o->strict, e);
	if (r < 0)
		err_prefix(e, "%s", s->name);
	return r;
}

static int open_prefixed_layout(struct source *s, const char *path, const char *ref,
	const struct source_options *o, struct err *e)
{
	int r = open_source_dir(s, path, e);

	return r < 0 ? r : open_layout(s, path, ref, o, e);
}

static int open_tar(const char *spec, const char *path, int *ret_fd, struct err *e)
{
	scoped_fd int fd = -1;
	int r = path_open_regular(path, &fd, e);

	if (r == -EINVAL)
		err_try(e, "name a file; for a stream: COMMAND | shiftbox image-unpack -N NAME -");
	else if (r == -EISDIR)
		err_try(e,
			"name a file; for an OCI layout in a directory use oci:DIR, and for what "
			"an archive of docker save was extracted into: tar -C DIR -c . | shiftbox "
			"image-unpack -N NAME docker-archive:-");
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return not_there(r, spec, e);
}

static int not_such_archive(const struct source *s, const char *path, bool docker, struct err *e)
{
	int r = err_say(e, EINVAL, s->name,
		docker ? "has no manifest.json: docker save did not write it" :
			 "has no oci-layout: it is not an OCI archive");

	if (image_archive_has(s->archive, docker ? "oci-layout" : "manifest.json"))
		err_try(e, "use %s%s", docker ? "oci-archive:" : "docker-archive:", path);
	else
		err_try(e,
			"if it is a single layer, name it without the prefix: shiftbox "
			"image-unpack -N NAME %s",
			path);
	return r;
}

static int open_archive(struct source *s, const char *path, const char *ref, bool docker,
	const struct source_options *o, struct err *e)
{
	scoped_fd int fd = -1;
	int r = 0;

	if (strcmp(path, "-")) {
		r = open_tar(s->name, path, &fd, e);
		if (r == 0)
			r = name_source(s, path, ref, e);
	}
	if (r == 0)
		r = image_archive_open(
			fd >= 0 ? fd : STDIN_FILENO, s->name, o->max_bytes, &s->archive, e);
	if (r < 0)
		return r;
	if (!image_archive_has(s->archive, docker ? "manifest.json" : "oci-layout"))
		return not_such_archive(s, path, docker, e);
	r = docker ? docker_open(s, ref, o->platform, o->strict, e) :
		     oci_open(s, ref, o->platform, o->strict, e);
	if (r < 0)
		err_prefix(e, "%s", s->name);
	return r;
}

static int open_tar_layer(
	const struct source *s, size_t i, int *ret_fd, uint64_t *ret_offset, struct err *e)
{
	int fd = fcntl(s->fds[i], F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return err_set(e, errno, s->layers[i].name, "cannot open the layer again");

	*ret_offset = 0;
	*ret_fd = fd;
	return 0;
}

/* The file in FILE or layer:FILE. */
static const char *layer_file(const char *word)
{
	const struct source_word *w = source_word_find(word);

	return w && w->kind == SOURCE_LAYER ? word + strlen(w->word) : word;
}

/*
 * Add a layer, named FILE or layer:FILE. s takes ownership of fd, also on failure, unless it is
 * standard input.
 */
static int add_tar(struct source *s, const char *word, int fd, struct err *e)
{
	const char *path = layer_file(word);
	struct source_layer *l = &s->layers[s->n_layers];
	struct stat st;

	s->fds[s->n_fds++] = fd;
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the layer");
	l->name = strdup(path);
	if (!l->name)
		return err_nomem(e);
	l->plain = true;
	l->declared = path != word;
	/* Standard input may be a file that was partly read: start at its position. */
	l->size = fd != STDIN_FILENO ? (uint64_t)st.st_size : BLOB_SIZE_UNKNOWN;
	s->n_layers++;
	return 0;
}

static int room_for_tars(struct source *s, size_t n, struct err *e)
{
	s->layers = calloc(n, sizeof(*s->layers));
	s->fds = calloc(n, sizeof(*s->fds));
	if (!s->layers || !s->fds)
		return err_nomem(e);
	s->open_layer = open_tar_layer;
	return 0;
}

static int add_tars(struct source *s, char *const *paths, size_t n, struct err *e)
{
	bool stdin_taken = false;
	int r = room_for_tars(s, n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		int fd = STDIN_FILENO;

		if (strcmp(layer_file(paths[i]), "-")) {
			r = open_tar(paths[i], layer_file(paths[i]), &fd, e);
			if (r < 0)
				return r;
		} else if (stdin_taken) {
			return err_usage_try(e, "write - once; other layers are files",
				"standard input can be one layer only");
		} else {
			stdin_taken = true;
		}
		r = add_tar(s, paths[i], fd, e);
		if (r == 0)
			s->layers[i].may_be_empty = n > 1 && fd != STDIN_FILENO;
	}
	return r;
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

/* Open a regular file, which is the archive of an image or a layer. s takes ownership of fd. */
static int open_file(
	struct source *s, const char *path, int fd, const struct source_options *o, struct err *e)
{
	enum members_kind kind = image_archive_look(fd, o->max_bytes);
	int r;

	if (kind != MEMBERS_OCI && kind != MEMBERS_DOCKER) {
		r = room_for_tars(s, 1, e);
		if (r == 0)
			r = add_tar(s, path, fd, e);
		return r == 0 ? members_refuse(kind, path, path, e) : r;
	}
	r = image_archive_open(fd, path, o->max_bytes, &s->archive, e);
	if (fd != STDIN_FILENO)
		(void)close(fd); /* opened for reading: no error matters */
	if (r < 0)
		return r;
	r = kind == MEMBERS_OCI ? oci_open(s, NULL, o->platform, o->strict, e) :
				  docker_open(s, NULL, o->platform, o->strict, e);
	if (r < 0)
		err_prefix(e, "%s", path);
	return r;
}

/* A pipe cannot be read twice: whether it is a layer turns out when it is unpacked. */
static int open_stdin(struct source *s, const struct source_options *o, struct err *e)
{
	char *const paths[] = { (char[]){ "-" } };
	struct stat st;

	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
		lseek(STDIN_FILENO, 0, SEEK_CUR) == 0)
		return open_file(s, "-", STDIN_FILENO, o, e);
	return add_tars(s, paths, 1, e);
}

/* A file of an OCI layout, which is named by its directory. */
static int refuse_part(const char *path, struct err *e)
{
	static const char *const parts[] = { "index.json", "oci-layout" };
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	int dir = slash == path ? 1 : slash ? (int)(slash - path) : 1;
	scoped_buf struct buf layout = BUF_INIT;
	struct stat st;

	buf_printf(&layout, "%.*soci-layout", (int)(file - path), path);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (strcmp(file, parts[i]) != 0 || !buf_get(&layout) ||
			path_stat(layout.data, true, &st) < 0)
			continue;
		(void)err_say(e, EINVAL, path, "is a file of an OCI layout, and not an image");
		err_try(e, "name the directory of the layout: shiftbox image-unpack oci:%.*s", dir,
			slash ? path : ".");
		return -EINVAL;
	}
	return 0;
}

static int open_found_file(
	struct source *s, const char *path, const struct source_options *o, struct err *e)
{
	int fd = -1, r = refuse_part(path, e);

	if (r == 0)
		r = open_tar(path, path, &fd, e);
	if (r < 0)
		return r;
	r = name_source(s, path, NULL, e);
	if (r == 0)
		return open_file(s, path, fd, o, e);
	(void)close(fd); /* opened for reading: no error matters */
	return r;
}

/* Open the source layer:FILE. */
static int open_declared(struct source *s, char *word, struct err *e)
{
	const char *path = layer_file(word);
	int r = add_tars(s, &word, 1, e);

	if (r < 0 || !strcmp(path, "-"))
		return r;
	return name_source(s, path, NULL, e);
}

/* Is the word, which is no file, the name of an image in a registry, and nothing that is nearer? */
static bool is_in_registry(const char *word)
{
	size_t n = strcspn(word, "/");
	scoped_free char *first = strndup(word, n);

	return registry_ref_is_meant(word) && !source_word_find_any_case(word) &&
		strncmp(word, "image:", strlen("image:")) !=
		0 && /* of a store, to other commands */
		!source_is_partly_there(word) &&
		first && !(word[n] && exists(first, true));
}

static int open_path(struct source *s, char *path, const struct source_options *o, struct err *e)
{
	int r;

	if (!strcmp(path, "-"))
		return open_stdin(s, o, e);
	r = path_open(path, O_RDONLY | O_DIRECTORY, "cannot open the image", NULL, &s->dirfd, e);
	if (r == 0)
		return open_layout(s, path, NULL, o, e);
	if (r == -ENOENT && is_in_registry(path)) {
		if (e)
			*e = ERR_INIT;
		return registry_image_open(s, path, o, e);
	}
	if (r != -ENOTDIR)
		return not_there(r, path, e);
	if (e)
		*e = ERR_INIT;
	return open_found_file(s, path, o, e);
}

/* The word of an image, and not of a layer or of what cannot be read. */
static const struct source_word *find_prefix(const char *spec)
{
	const struct source_word *w = source_word_find(spec);

	return w && w->kind != SOURCE_LAYER && w->kind != SOURCE_FETCHED ? w : NULL;
}

bool source_has_prefix(const char *spec)
{
	return find_prefix(spec);
}

int source_open(
	const char *spec, const struct source_options *o, struct source **ret, struct err *e)
{
	const struct source_word *p = find_prefix(spec);
	scoped_source struct source *s = NULL;
	scoped_free char *text = strdup(p ? spec + strlen(p->word) : spec);
	const char *ref;
	bool skopeo;
	int r;

	if (!text)
		return err_nomem(e);
	r = source_new(spec, &s, e);
	if (r < 0)
		return r;
	skopeo = p && p->kind == SOURCE_SKOPEO_DIR;
	ref = p && !skopeo && p->kind != SOURCE_REGISTRY ?
		split_ref(text, p->kind == SOURCE_LAYOUT) :
		NULL;
	if (ref && !*ref)
		return err_usage_try(e, "add one, or omit the colon",
			"the reference after the last colon is empty");
	if (layer_file(text) != text)
		r = open_declared(s, text, e);
	else if (!p)
		r = open_path(s, text, o, e);
	else if (p->kind == SOURCE_REGISTRY)
		r = registry_image_open(s, spec, o, e);
	else if (skopeo)
		r = open_skopeo_dir(s, text, o, e);
	else if (p->kind == SOURCE_LAYOUT)
		r = open_prefixed_layout(s, text, ref, o, e);
	else
		r = open_archive(s, text, ref, p->docker, o, e);
	if (r < 0) {
		blob_say_try(r, e);
		if (r == -EINVAL && e && !e->usage && !e->hint[0])
			err_try(e,
				"convert the image (skopeo copy), or create it again: its index, "
				"manifest or config is damaged or not supported");
		return r;
	}

	*ret = TAKE_PTR(s);
	return 0;
}
