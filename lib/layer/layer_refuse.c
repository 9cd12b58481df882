/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_refuse: errors for entries that contradict their layer or the layers below. */

#include "layer_refuse.h"

#include <errno.h>
#include <string.h>

int layer_refuse_parent(const struct node *n, struct err *e)
{
	int r = node_err(
		n, ENOTDIR, e, "has entries here, and is not a directory in a layer below");

	err_why(e, "only an entry for the directory itself, or a whiteout, would replace the file");
	err_try(e, "rebuild the image: create the layer with an entry for the directory itself");
	return r;
}

int layer_refuse_link_to_dir(const char *on, const char *target, struct err *e)
{
	(void)err_say(e, EPERM, on, "is a hard link to the directory '%s'", target);
	err_why(e, "Linux has no hard links to directories");
	err_try(e, "rebuild the image: every program refuses it");
	return -EPERM;
}

int layer_refuse_replacing(const char *on, const char *target, struct err *e)
{
	(void)err_say(e, EINVAL, on, "is a hard link to '%s', which it replaces", target);
	err_why(e, "the link takes the place of the directory that its target is in");
	err_try(e, "rebuild the image: every program refuses it");
	return -EINVAL;
}

int layer_check_link(
	const struct node *n, const char *target, const struct node *own, bool below, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;
	bool dir = own && node_is_dir(own);
	int r;

	node_path(n, &path);
	if (!buf_get(&path))
		return err_nomem(e);
	/* The target of a link to another link is where the first one was. */
	if (below && !(n->flags & NODE_RELINK) && !strncmp(target, path.data, path.len) &&
		target[path.len] == '/')
		return layer_refuse_replacing(path.data, target, e);
	if (below && !dir)
		return 0;
	if (dir)
		return layer_refuse_link_to_dir(path.data, target, e);
	if (own && own->mode && !(own->flags & NODE_PENDING)) {
		r = err_say(e, ENOENT, path.data,
			"is a hard link to '%s', which comes later in this layer", target);
		err_why(e, "a hard link is another name of a file that is there already");
		err_try(e,
			"rebuild the layer with the file before the link: every program "
			"refuses it");
	} else {
		r = err_say(e, ENOENT, path.data,
			"is a hard link to '%s', which neither the layer nor those below have",
			target);
		err_try(e, "rebuild the image: the layer that has the file may be missing");
	}
	return r;
}
