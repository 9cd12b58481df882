/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check verify: what is known about a stack that mount-idmapped made. */

#include "shift_check_stack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/base/sys.h"
#include "../lib/check/named_layers.h"
#include "../lib/idmap/userns_self.h"
#include "../lib/mount/stored_layer.h"
#include "../lib/store/store_base.h"
#include "../lib/store/store_image.h"

/* The text after "/proc/PID/root", or NULL if the path is not below the root of a process. */
static const char *below_process_root(const char *path)
{
	static const char proc[] = "/proc/", root[] = "/root";
	const char *pid = path + strlen(proc), *end;

	if (strncmp(path, proc, strlen(proc)) != 0)
		return NULL;
	end = pid + strspn(pid, "0123456789");
	if (end == pid || strncmp(end, root, strlen(root)) != 0)
		return NULL;
	end += strlen(root);
	return *end && *end != '/' ? NULL : end;
}

/*
 * The link belongs to the user of the process, and path_open() would not follow it. The caller has
 * named the process, and links below its root directory lead to files below that.
 */
static int open_in_process(const char *path, const char *rest, int *ret_fd, struct err *e)
{
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	scoped_free char *link = strndup(path, (size_t)(rest - path));
	scoped_fd int root = link ? open(link, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (!link)
		return err_nomem(e);
	rest += strspn(rest, "/");
	*ret_fd = root < 0 ? -1 : sys_openat2(root, *rest ? rest : ".", &how);
	return *ret_fd < 0 ? err_path(e, errno, path, "cannot open") : 0;
}

int check_open(const char *path, int *ret_fd, struct err *e)
{
	const char *rest = below_process_root(path);

	if (rest)
		return open_in_process(path, rest, ret_fd, e);
	return path_open(path, O_PATH, "cannot open", NULL, ret_fd, e);
}

int check_stack_look(int fd, bool given, struct known_stack *ret, struct err *e)
{
	scoped_named_layers struct named_layers l = { .whole = false };
	const struct idmap *map;
	int r = known_stack_look(fd, ret, e);

	/* In a user namespace, the image's ids are those that are seen. */
	if (r != 0 || given || userns_is_nested())
		return r < 0 ? r : 0;
	r = named_layers_open(fd, &l, e);
	if (r < 0)
		return r;
	map = named_layers_map(&l);
	if (!map)
		return 0;
	log_verbose("the map of the overlay is that of the mount that its layers are on");
	r = idmap_copy(map, &ret->map, e);
	ret->has_map = r == 0;
	return r;
}

static int stack_missing(const struct known_stack *k, const char *path, struct err *e)
{
	if (!k->target) {
		(void)err_say(e, EINVAL, path, "is on an overlay, whose layers may have maps");
		err_try(e, "specify the image with --image NAME and the map with -m MAP");
	} else if (k->image) {
		(void)err_say(e, EINVAL, path,
			"is in a stack of the image '%s': only the whole stack can be compared "
			"with that",
			k->image);
		err_try(e, "shiftbox shift-check verify %s", k->target);
	} else {
		(void)err_say(e, EINVAL, path,
			"is on a stack of directories: there is nothing to compare it with");
		err_try(e,
			"specify the other side with --source DIR, --spec FILE or, if the layers "
			"are those of an image, --image NAME");
	}
	return -EINVAL;
}

int check_side_missing(
	const struct known_stack *k, const char *path, enum mount_map_kind kind, struct err *e)
{
	if (kind == MOUNT_MAP_OVERLAY)
		return stack_missing(k, path, e);
	(void)err_say(e, EINVAL, path,
		"is not on an ID-mapped mount: there is nothing to compare it with");
	err_try(e,
		"specify the other side with --source DIR, --spec FILE or --image NAME; for the "
		"owner of a file see shift-check explain FILE");
	return -EINVAL;
}

/*
 * The record has disk ids of the layers. In a store with a base, the image has other ids, and the
 * map that the caller gives refers to those.
 */
int check_stack_map(const struct known_stack *k, const struct store *store, bool given,
	struct idmap *ret, struct err *e)
{
	scoped_idmap struct idmap stored = { .gid_assumed = false };
	int r;

	if (!k->has_map || (store && store_base(store)->count && given))
		return 0;
	if (k->target)
		log_verbose("the map of the stack is that of its record");
	if (!store || !store_base(store)->count)
		return idmap_copy(&k->map, ret, e) < 0 ? -ENOMEM : 1;
	r = store_base_map(store, &stored, e);
	if (r == 0)
		r = idmap_compose(&stored, &k->map, ret, e);
	return r < 0 ? r : 1;
}

int check_map_missing(const char *path, enum mount_map_kind kind, const char *why, struct err *e)
{
	(void)err_say(e, EINVAL, path, "its map is not known");
	if (!why && kind == MOUNT_MAP_OVERLAY)
		why = "a merged overlay does not show the maps of its layers";
	err_why(e, "%s",
		why ? why :
		      "this kernel does not return the map of a mount (Linux 6.15 does), or none "
		      "of its ids exists here");
	err_try(e,
		"specify the map that it was mounted with: -m MAP (identity: -m 0:0:4294967295)");
	return -EINVAL;
}

int check_map_part(const char *path, const struct idmap *has, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;

	idmap_print(has, &text);
	if (!buf_get(&text))
		return err_nomem(e);
	(void)err_say(e, ENODATA, path, "its map is not known: no more than %s can be read here",
		text.data);
	err_why(e,
		"the kernel does not show lines with ids that this user namespace does not have");
	err_try(e,
		"check it from outside of this user namespace, or specify what can be read: "
		"-m '%s'",
		text.data);
	return -ENODATA;
}

int check_map_numbers(int fd, const char *path, struct err *e)
{
	scoped_fd int clone = -1;
	struct err why = ERR_INIT;
	int r = unmapped_clone(fd, path, &clone, &why);

	/* A kernel without that call shows no map: it is that of a record of this namespace. */
	if (r == 0 || r == -ENOSYS)
		return 0;
	if (r == -ENOMEM)
		return err_nomem(e);
	(void)err_say(e, ENODATA, path, "the ids on disk are not known in this user namespace");
	err_why(e,
		"the filesystem was not mounted in this user namespace, so that the disk ids of "
		"the mount's map are numbers of another one, but those of --source are numbers of "
		"this one");
	err_try(e,
		"check it from outside of this user namespace, or compare with --spec or --image");
	return -ENODATA;
}

int check_stack_layers(
	const struct known_stack *k, const char *image, const struct strv *layers, struct err *e)
{
	for (size_t i = 0; i < layers->len && i < k->layers.len; i++) {
		if (stored_layer_may_be(k->layers.items[i], layers->items[i]))
			continue;
		(void)err_say(e, ESTALE, image,
			"has other layers in the store than those that are mounted");
		err_why(e,
			"the image was replaced since, or the stack was mounted from another "
			"store");
		err_try(e, "mount it again, or specify the store with --store");
		return -ESTALE;
	}
	return 0;
}

int check_stack_open_layers(
	const char *path, struct store **ret_store, struct strv *ret, struct err *e)
{
	scoped_known_stack struct known_stack k = { .has_map = false };
	scoped_strv struct strv layers = { .len = 0 }, specs = { .len = 0 };
	scoped_store struct store *store = NULL;
	scoped_fd int fd = -1;
	struct err why = ERR_INIT;
	int r = path_open(path, O_PATH, "cannot open it", NULL, &fd, NULL);

	if (r < 0)
		return 0; /* explain_look() reports it */
	r = known_stack_look(fd, &k, e);
	if (r <= 0 || !k.image)
		return r < 0 ? r : 0;
	r = store_open(k.store, 0, &store, &why);
	if (r == 0)
		r = store_image_layers(store, k.image, &layers, &specs, &why);
	if (r == 0)
		r = check_stack_layers(&k, k.image, &layers, &why);
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r < 0) {
		log_verbose("the layers of the image '%s' are not used: %s", k.image, why.what);
		return 0;
	}
	*ret = layers;
	layers = (struct strv){ .len = 0 };
	*ret_store = TAKE_PTR(store);
	return 0;
}
