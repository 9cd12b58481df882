/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_survey_view: the view of a user, and the store below. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/path.h"
#include "../base/plural.h"
#include "../mount/view.h"
#include "../store/image_store.h"
#include "podman_survey_priv.h"

/*
 * --- the view ------------------------------------------------------------------------------------
 */

static bool shares_ids(const struct podman_line *l, const struct user *user)
{
	for (size_t i = 0; i < l->users.items.len; i++)
		if (l->users.items.items[i].user.uid == user->uid)
			return l->users.items.items[i].shares;
	return false;
}

static void put_no_view(struct podman_subject *u)
{
	scoped_buf struct buf target = BUF_INIT;
	const struct podman_line *l = podman_line_of(u, &target);
	REMEDY(add,
		"as root: add the line '/var/lib/shiftbox/podman " PODMAN_VIEWS "/%%u shiftbox "
		"map=user:%%u,each=subid,ro,nosuid,nodev 0 0' to " VIEWS_TABLE
		", and run mount-idmapped -a");
	REMEDY(mount, "as root: mount-idmapped -a");
	REMEDY(ask, "as root: shiftbox shift-check subid %s", podman_user_name(u));

	if (!l && u->s->views.faulty)
		shared_put(u, "view", SHARED_MISSING, NULL,
			"no store for podman is mounted with a map for %s, and " VIEWS_TABLE
			" cannot be used as it is: see the warning",
			podman_user_name(u));
	else if (!l)
		shared_put(u, "view", SHARED_MISSING, &add,
			"no store for podman is mounted with a map for %s, and " VIEWS_TABLE
			" has no line that does it",
			podman_user_name(u));
	else if (shares_ids(l, u->user))
		shared_put(u, "view", SHARED_MISSING, &ask,
			"%s shares ids with another user and gets no view", podman_user_name(u));
	else
		shared_put(u, "view", SHARED_MISSING, &mount, "nothing is mounted on %s",
			buf_get(&target) ? buf_get(&target) : "");
}

/* How the view gets the map of the user's containers. */
static void print_map_remedy(
	const struct podman_subject *u, const struct podman_view *v, struct buf *ret)
{
	const char *name = podman_user_name(u);

	buf_str(ret, "as root: ");
	if (u->unordered)
		buf_printf(ret,
			"put the lines of %s in " SUBUID_FILE " and " SUBGID_FILE
			" in the order of their ids, as podman takes them; then ",
			name);
	if (v->recorded)
		buf_str(ret, "mount-idmapped -a");
	else
		buf_printf(ret,
			"mount-idmapped -u %s && mount-idmapped -m user:%s -o ro,nosuid,nodev "
			"%s %s",
			v->target, name, v->store ? v->store : "STORE", v->target);
}

static void put_map(struct podman_subject *u, const struct podman_view *v)
{
	scoped_buf struct buf has = BUF_INIT, wants = BUF_INIT, remedy = BUF_INIT;

	print_map_remedy(u, v, &remedy);

	if (!v->map_known || !u->has_map) {
		shared_put(u, "map", SHARED_UNKNOWN, NULL, "%s",
			u->has_map ? "this kernel does not show the map of the view" :
				     "without a grant, podman's map is not known");
		return;
	}
	idmap_print(&v->map, &has);
	idmap_print(&u->map, &wants);
	if (!buf_get(&has) || !buf_get(&wants))
		u->r = err_nomem(u->e);
	else if (idmap_equal(&v->map, &u->map))
		shared_put(u, "map", SHARED_OK, NULL, "%s, as in containers of %s", has.data,
			podman_user_name(u));
	else
		shared_put(u, "map", SHARED_MISSING, &remedy,
			"the view has the map %s, but containers of %s have %s: files would have "
			"other owners there",
			has.data, podman_user_name(u), wants.data);
}

static void put_flags(struct podman_subject *u, const struct podman_view *v)
{
	REMEDY(remount, "as root: mount -o remount,bind,ro,nosuid,nodev %s%s", v->target,
		v->recorded ? " # and write these words into its line of " VIEWS_TABLE : "");

	if (v->ro && v->nosuid && v->nodev)
		shared_put(u, "flags", SHARED_OK, NULL, "ro,nosuid,nodev");
	else
		shared_put(u, "flags", SHARED_MISSING, &remount, "the mount on %s lacks%s%s%s",
			v->target, v->ro ? "" : " ro", v->nosuid ? "" : " nosuid",
			v->nodev ? "" : " nodev");
}

static void put_images(struct podman_subject *u, const struct podman_view *v)
{
	const struct podman_store_facts *f = podman_store_of(u);
	const char *store = v->store ? v->store : v->target;
	scoped_buf struct buf unpack = BUF_INIT;
	REMEDY(look, "as root: ls -ld %s %s/overlay-images", v->target, v->target);

	buf_str(&unpack, "as root: image-unpack -s ");
	podman_print_store(v, &unpack);
	buf_str(&unpack,
		" -N docker.io/library/NAME:TAG SOURCE unpacks an image for podman; with --list "
		"instead, it says why podman cannot use those that are there");
	if (f->num == ETIMEDOUT)
		shared_put(u, "images", SHARED_UNKNOWN, NULL, "the files of %s do not answer",
			podman_user_name(u));
	else if (f->num == EWOULDBLOCK)
		shared_put(u, "images", SHARED_UNKNOWN, NULL,
			"%s/overlay-images/images.json: a process has a lease on the file",
			v->target);
	else if (f->num)
		shared_put(u, "images", SHARED_MISSING, &look,
			"%s cannot read %s/overlay-images/images.json: %s", podman_user_name(u),
			v->target, strerrordesc_np(f->num));
	else if (!f->counted)
		shared_put(u, "images", SHARED_OK, NULL, "the store %s has thousands of images",
			store);
	else if (!f->images)
		shared_put(u, "images", SHARED_MISSING, &unpack,
			"the store %s has no image for podman", store);
	else
		shared_put(u, "images", SHARED_OK, NULL, "images in the store %s: %llu", store,
			(unsigned long long)f->images);
}

/* image-unpack stores whiteouts; another program may have stored marks. */
static bool is_ours(const struct podman_view *v)
{
	scoped_buf struct buf store = BUF_INIT;
	struct stat st;
	int r;

	podman_print_store(v, &store);
	if (!buf_get(&store) || *buf_get(&store) != '/')
		return false;
	buf_str(&store, "/layers");
	if (!buf_get(&store))
		return false;
	r = path_stat(buf_get(&store), true, &st);
	return r == 0 || r == -EACCES;
}

/* Count the layers that a user namespace shows otherwise than root's mounts. */
static int count_layer(const char *id, const struct layer_marks *marks, void *arg)
{
	size_t *n = arg;

	(void)id;
	*n += marks->trusted_alone > 0;
	return 0;
}

static void put_layers(struct podman_subject *u, const struct podman_view *v)
{
	struct image_store_sum sum;
	struct err why = ERR_INIT;
	scoped_fd int fd = -1;
	size_t n = 0;
	int r;
	REMEDY(unpack,
		"as root: unpack the images with image-unpack, which stores whiteouts, and mount "
		"STORE/podman of its store instead");

	if (is_ours(v))
		return;
	if (!layer_marks_are_readable()) {
		shared_put(u, "layers", SHARED_UNKNOWN, NULL,
			"whether layers hide deleted files from user namespaces, too, can be read "
			"by root alone");
		return;
	}
	r = path_open(v->target, O_PATH | O_DIRECTORY, "cannot open the view", NULL, &fd, &why);
	if (r == 0)
		r = image_store_marks(fd, count_layer, &n, &sum, &why);
	if (r == -ENOMEM)
		u->r = err_nomem(u->e);
	else if (r < 0)
		shared_put(
			u, "layers", SHARED_UNKNOWN, NULL, "%s: %s", why.what, strerrordesc_np(-r));
	else if (n)
		shared_put(u, "layers", SHARED_MISSING, &unpack,
			"containers of %s show deleted files again: in %zu %s, they are hidden by "
			"trusted.overlay.opaque alone (see shift-check verify %s)",
			podman_user_name(u), n, plural(n, "layer", "layers"), v->target);
	else
		shared_put(u, "layers", SHARED_OK, NULL,
			"no layer hides files from mounts of root alone");
}

void podman_put_view(struct podman_subject *u)
{
	const struct podman_view *v = podman_view_of(u);

	if (!v) {
		put_no_view(u);
		return;
	}
	shared_put(u, "view", SHARED_OK, NULL, "%s", v->target);
	put_map(u, v);
	put_flags(u, v);
	put_images(u, v);
	put_layers(u, v);
}
