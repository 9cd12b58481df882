/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* userns-run: derive the description of the run from the options and operands. */

#include "userns_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/base/env.h"
#include "../lib/base/fd.h"
#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/base/sys.h"
#include "../lib/broker/broker.h"
#include "../lib/idmap/userns.h"
#include "../lib/image/image_config.h"
#include "../lib/mount/image_source.h"
#include "../lib/store/store_image.h"
#include "../lib/store/store_plan.h"
#include "../lib/store/store_view.h"
#include "habits.h"
#include "missing_source.h"

static void log_map(const struct idmap *m, const char *why)
{
	scoped_buf struct buf b = BUF_INIT;

	idmap_print(m, &b);
	log_verbose("the map of the namespace is %s: %s", buf_get(&b) ? buf_get(&b) : "", why);
}

/* Has the user, which root is not, ids for this form of a map? */
static bool try_users_map(const char *form, const char *name, struct err *e)
{
	scoped_idmap struct idmap m = { 0 };
	scoped_buf struct buf b = BUF_INIT;

	buf_printf(&b, "%s:%s", form, name);
	if (!buf_get(&b) || idmap_parse(&(const char *){ b.data }, 1, NULL, &m, NULL) < 0)
		return false;
	err_try(e, "for the ids that %s has in /etc/subuid and /etc/subgid: -m %s", name, b.data);
	return true;
}

/* Words of which one may be a user whose ids are meant: "userns-run alice bash", "-u alice". */
static bool try_users_maps(const struct userns_args *a, const struct ctx *ctx, struct err *e)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	const char *words[] = { a->user, ctx->operands.len ? ctx->operands.items[0] : NULL };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = words[i] ? strcspn(words[i], ":") : 0;
		scoped_free char *name = n ? strndup(words[i], n) : NULL;

		if (!name || name[strspn(name, letters)] || !name[strspn(name, "0123456789")] ||
			!strcmp(name, "root"))
			continue;
		if (try_users_map("user", name, e) || try_users_map("subid", name, e))
			return true;
	}
	return false;
}

static int map_of_root(
	const struct userns_args *a, const struct ctx *ctx, struct idmap *ret, struct err *e)
{
	int r = idmap_parse(&(const char *){ "auto" }, 1, NULL, ret, e);

	if (r == 0)
		log_map(ret, "what subuid(5) and subgid(5) grant to root");
	else if (r == -ENOENT) {
		(void)err_say(e, ENOENT, NULL,
			"there is no map, and root has no ids in /etc/subuid and /etc/subgid");
		err_op(e, "map");
		if (!try_users_maps(a, ctx, e))
			run_try_range(e);
	}
	return r;
}

static int map_of_namespace(struct idmap *ret, struct err *e)
{
	scoped_idmap struct idmap all = { 0 };
	int r = idmap_identity(&all, e);

	if (r == 0)
		r = userns_fit(&all, ret, e);
	if (r == 0)
		log_map(ret, "all ids of the caller's user namespace");
	return r;
}

static int map_of_user(struct subids *ids, struct idmap *ret, struct err *e)
{
	int r = subids_get(ids, e);

	if (r == 0)
		r = idmap_copy(&ids->map, ret, e);
	if (r < 0)
		return r;
	log_map(ret,
		ids->single ? "the caller alone, who has no subordinate ids" :
			      "the caller, and what subuid(5) and subgid(5) grant");
	if (ids->single)
		subids_tell_single(ids, "the only id of the command is 0, the user's own", false);
	return 0;
}

static int find_map(struct userns_args *a, const struct ctx *ctx, struct run_spec *s, struct err *e)
{
	struct idmap_context from = { .source = a->rootfs, .strict = a->strict };
	scoped_idmap struct idmap m = { 0 };
	scoped_fd int fd = -1;
	char path[32];
	int r = 0;

	/* A map may refer to the owner of this directory, so find_root() checks that it is the
	 * root. */
	if (a->maps.len && a->rootfs) {
		r = path_open(a->rootfs, O_PATH, "cannot open the source", NULL, &fd, e);
		if (r == 0 && fstat(fd, &a->map_of) < 0)
			r = err_set(e, errno, a->rootfs, "cannot stat the root of the command");
		from.source = fd_proc_path(fd, path);
	}
	if (r < 0)
		return r;
	if (a->maps.len) {
		subids_tell_ignored();
		r = idmap_parse((const char *const *)a->maps.items, a->maps.len, &from, &m, e);
		if (r == 0)
			r = userns_fit(&m, &s->map, e);
	} else {
		r = a->caller == RUN_BY_ROOT        ? map_of_root(a, ctx, &s->map, e) :
			a->caller == RUN_BY_NS_ROOT ? map_of_namespace(&s->map, e) :
						      map_of_user(&a->ids, &s->map, e);
	}
	return r == 0 ? run_check_map(s->privileged, &s->map, e) : r;
}

/*
 * The default map of the root is the map of the namespace: the ids on disk are then the ids in the
 * namespace.
 */
static int default_map(const struct run_spec *s, struct mount_options *o, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;

	if (o->maps.len)
		return s->privileged ? 0 :
				       err_usage(e,
					       "option 'map' of the root needs root of the host, "
					       "which can ID-map filesystems");
	if (!s->privileged)
		return 0;
	idmap_print(&s->map, &b);
	return buf_get(&b) && strv_add(&o->maps, buf_get(&b)) == 0 ? 0 : err_nomem(e);
}

static int check_root_options(
	const struct run_spec *s, const struct mount_options *o, struct err *e)
{
	const char *name = mount_options_first(o, OPTION_NOT_ROOT);

	if (o->fs.len)
		return mount_option_unknown(o->fs.items[0].name, o->fs.items[0].value, e);
	if (!s->privileged && o->flags.clear & MOUNT_ATTR_NODEV)
		return err_usage(e,
			"option 'dev' of the root needs root of the host: the kernel opens no "
			"device on mounts of other users");
	return name ? err_usage_try(e, "omit it",
			      "option '%s' has no meaning for the root of a command", name) :
		      0;
}

static const char *image_name(const struct userns_args *a)
{
	const char *name = image_source_name(a->image);

	return name ? name : a->image;
}

static int find_image(
	struct userns_args *a, struct mount_options *o, struct strv *layers, struct err *e)
{
	const char *name = image_name(a);
	int r;

	if (!*name)
		return err_usage_try(e,
			"write -i NAME; shiftbox image-unpack --list shows the names",
			"the name of the image is missing: image:NAME");
	r = store_open(o->store ? o->store : a->store, 0, &a->opened, e);
	if (r == 0)
		r = store_image_layers(a->opened, name, layers, NULL, e);
	/* Most programs write files: without an upper directory, keep changes in memory. */
	if (r == 0 && !o->upper && !(o->flags.set & MOUNT_ATTR_RDONLY))
		o->ephemeral = true;
	return r;
}

/*
 * Without privileges, the root is not ID-mapped: its files show the ids that the namespace has for
 * their owners.
 */
static void warn_unmapped_root(const struct userns_args *a, const struct run_spec *s)
{
	struct stat st;
	uint32_t id;

	if (mount_plan_stat(&s->root, &st) < 0 ||
		(idmap_uid_disk(&s->map, st.st_uid, &id) &&
			idmap_gid_disk(&s->map, st.st_gid, &id)))
		return;
	log_warn("'%s': it belongs to %u:%u, an owner without an id in the namespace of the "
		 "command (it is seen as 65534, and cannot be changed); try: as root, "
		 "mount-idmapped -m user:USER DIR TARGET, and TARGET as the root",
		a->rootfs, st.st_uid, st.st_gid);
}

/* Warn about files of the root that the map does not cover. */
static int find_misfits(const struct userns_args *a, struct run_spec *s, struct err *e)
{
	int r = 0;

	/* With privileges, the map of the root was judged with its plan. */
	if (!s->privileged && a->image)
		r = store_plan_fit(&s->root, a->opened, &s->map, e);
	else if (!s->privileged)
		warn_unmapped_root(a, s);
	for (size_t i = 0; i < s->root.misfits.len; i++)
		log_warn("%s", s->root.misfits.items[i]);
	return r;
}

/* One that cannot be read is not known to be empty. */
static bool is_empty(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *x = NULL;
	bool empty;

	if (!d) {
		cleanup_fd(&fd);
		return false;
	}
	errno = 0;
	do
		x = readdir(d);
	while (x && (!strcmp(x->d_name, ".") || !strcmp(x->d_name, "..")));
	empty = !x && errno == 0;
	(void)closedir(d); /* only read from */
	return empty;
}

/* Before anything is made of it, so that the error is about the root and not about a mount. */
static int check_rootfs(const struct userns_args *a, struct err *e)
{
	static const char what[] = "cannot open the root of the command";
	scoped_fd int fd = -1;
	struct stat st;
	int r = a->rootfs ? path_open(a->rootfs, O_PATH, what, NULL, &fd, e) : 0;

	if (r == -ENOENT)
		source_advise(a->rootfs, a->store, "-i %s", e);
	if (r < 0 || !a->rootfs)
		return r;
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, a->rootfs, "cannot stat the root of the command");
	if (S_ISDIR(st.st_mode) && userns_run_is_layout(fd)) {
		(void)err_say(e, EINVAL, a->rootfs,
			"is an OCI layout, which holds images, and not the root of a system");
		err_try(e, "unpack it first: shiftbox image-unpack -N NAME oci:%s; then -i NAME",
			a->rootfs);
		return -EINVAL;
	}
	if (S_ISDIR(st.st_mode) && (a->binds.len || !is_empty(fd)))
		return 0;
	if (S_ISDIR(st.st_mode)) {
		(void)err_say(e, ENOENT, a->rootfs,
			"is an empty directory, and has no program that could be run");
		err_try(e,
			"fill it (shiftbox image-unpack --flat %s SOURCE), or use an image: -i "
			"NAME",
			a->rootfs);
		return -ENOENT;
	}
	(void)err_say(
		e, ENOTDIR, a->rootfs, "is not a directory, and cannot be the root of the command");
	err_try(e, "name a directory, or a stored image with -i NAME");
	return -ENOTDIR;
}

static int parse_root_options(const struct userns_args *a, const struct run_spec *s,
	struct mount_options *ret, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < a->options.len && r == 0; i++)
		r = mount_options_parse(ret, a->options.items[i], e);
	return r == 0 ? check_root_options(s, ret, e) : r;
}

static int find_root(
	struct userns_args *a, struct run_spec *s, struct mount_options *o, struct err *e)
{
	scoped_strv struct strv layers = { 0 };
	scoped_buf struct buf source = BUF_INIT;
	int r = 0;

	s->host_root = !a->rootfs && !a->image;
	if (s->host_root)
		return 0;
	r = default_map(s, o, e);
	if (r == 0 && a->image)
		r = find_image(a, o, &layers, e);
	if (r < 0)
		return r;
	buf_printf(&source, "%s%s", a->image ? IMAGE_SOURCE : "",
		a->image ? image_name(a) : a->rootfs);
	if (!buf_get(&source))
		return err_nomem(e);
	/*
	 * Root of the namespace owns the device nodes in the root, and no namespace prevents it
	 * from opening them: nodev is the default.
	 */
	if (!(o->flags.clear & MOUNT_ATTR_NODEV))
		o->flags.set |= MOUNT_ATTR_NODEV;
	r = mount_plan_build(&s->root,
		&(struct mount_request){
			.source = buf_get(&source),
			.target = "/",
			.options = o,
			.layers = a->image ? &layers : NULL,
			.strict = a->strict,
		},
		e);
	if (r == 0 && a->map_of.st_ino && s->root.source_seen &&
		(a->map_of.st_ino != s->root.source_ino || a->map_of.st_dev != s->root.source_dev))
		r = err_say(e, ESTALE, a->rootfs, "was replaced by another directory meanwhile");
	if (r == 0 && a->image)
		r = store_plan(&s->root, a->opened, e);
	return r == 0 ? find_misfits(a, s, e) : r;
}

/*
 * A read-only bind costs the command of an ordinary user CAP_SYS_ADMIN (run_command.c), so avoid it
 * if the user cannot write to the file anyway.
 */
static int bind_resolv_conf(struct run_spec *s, struct err *e)
{
	bool read_only = s->privileged || access("/etc/resolv.conf", W_OK) == 0;

	return run_bind_parse(read_only ? "/etc/resolv.conf:/etc/resolv.conf:ro" :
					  "/etc/resolv.conf:/etc/resolv.conf",
		&s->binds, e);
}

/*
 * Has none of the host ids that the bind's map shows an id in the namespace? (In a bind, ids are
 * those of the host: a map for the container's ids, such as DISK:0:1, shows root's.)
 */
static bool shows_nothing(
	const struct run_spec *s, const struct idmap *map, const char *source, struct err *misfit)
{
	const struct idrange *first = &map->uid.items[0];
	uint32_t root;

	for (size_t i = 0; i < map->uid.len; i++) {
		const struct idrange *m = &map->uid.items[i];

		for (size_t k = 0; k < s->map.uid.len; k++) {
			const struct idrange *n = &s->map.uid.items[k];

			if (m->seen - n->seen < n->count || n->seen - m->seen < m->count)
				return false;
		}
	}
	if (!idmap_uid_seen(&s->map, 0, &root)) /* a map of a command has it */
		return false;
	(void)err_say(misfit, EINVAL, source,
		"the bind's map shows host id %u, which has no id in the namespace", first->seen);
	err_try(misfit, "map=%u:%u:1 (%u is the command's root)", first->disk, root, root);
	return true;
}

static void warn_of_bind(const struct run_spec *s, const struct run_bind *b)
{
	const struct idmap *map = b->own_map ? &s->map :
		b->map.wish == MAP_SET       ? &b->map.map :
					       NULL;
	struct err misfit = ERR_INIT;
	scoped_fd int fd = -1;

	/* Making the mount reports a source that cannot be opened. */
	if (!map || path_open(b->source, O_PATH, "cannot open the source", NULL, &fd, NULL) < 0 ||
		(!mount_map_misfits(fd, map, b->source, &misfit) &&
			!shows_nothing(s, map, b->source, &misfit)))
		return;
	log_warn_err(&misfit);
}

/* Before the map of the command is looked for, so that errors of the command line come first. */
static int parse_binds(const struct userns_args *a, struct run_spec *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < a->binds.len && r == 0; i++) {
		const struct run_bind *b;

		r = run_bind_parse(a->binds.items[i], &s->binds, e);
		if (r < 0)
			return r;
		b = &s->binds.items[s->binds.len - 1];
		if (!s->privileged && (b->own_map || b->map.wish != MAP_KEEP))
			return err_usage_try(e,
				b->own_map ? "omit the word map" : "omit the word map=MAP",
				"'%s': a map of a bind needs root of the host, which can ID-map "
				"filesystems",
				a->binds.items[i]);
	}
	return r == 0 && a->resolv_conf ? bind_resolv_conf(s, e) : r;
}

static int add_strings(struct strv *ret, const struct strv *more, struct err *e)
{
	for (size_t i = 0; i < more->len; i++)
		if (strv_add(ret, more->items[i]) < 0)
			return err_nomem(e);
	return 0;
}

/*
 * Use the configuration of the image: environment, working directory, and the command if none is
 * given. The user is not used: the command is root. An image of plain layers has no configuration.
 */
static int find_config(struct userns_args *a, struct run_spec *s, struct err *e)
{
	scoped_view struct store_view view = { .store = a->opened };
	scoped_image_config struct image_config c = { .user = NULL };
	int r = store_view_open(a->opened, image_name(a), &view, e);

	if (r < 0 || !view.config.len)
		return r;
	r = image_config_read(buf_get(&view.config), view.config.len, &c, e);
	if (r < 0) {
		err_prefix(e, "image '%s'", image_name(a));
		err_try(e, "unpack the image again: shiftbox image-unpack -N %s SOURCE",
			image_name(a));
	}
	if (r == 0)
		r = add_strings(&s->env, &c.env, e);
	if (r == 0 && !s->command[0])
		r = add_strings(&a->image_command, &c.entrypoint, e);
	if (r == 0 && !s->command[0])
		r = add_strings(&a->image_command, &c.cmd, e);
	if (r == 0 && c.cwd && *c.cwd) {
		s->workdir = strdup(c.cwd);
		r = s->workdir ? 0 : err_nomem(e);
	}
	return r;
}

static int find_command(struct userns_args *a, struct run_spec *s, struct err *e)
{
	if (s->command[0])
		return 0;
	if (!a->image_command.len)
		return userns_run_no_command(a, e);
	if (VEC_ADD(&a->image_command, NULL) < 0) /* the end of argv */
		return err_nomem(e);
	s->command = a->image_command.items;
	return 0;
}

/* The variables of -e come after those of the image, and replace them. */
static int find_env(const struct userns_args *a, struct run_spec *s, struct err *e)
{
	s->env_keep = s->host_root;
	for (size_t i = 0; i < a->env.len; i++) {
		const char *word = a->env.items[i];
		scoped_buf struct buf b = BUF_INIT;

		buf_str(&b, word);
		if (!strchr(word, '='))
			buf_printf(&b, "=%s", env_get(word));
		if (!buf_get(&b) || strv_add(&s->env, buf_get(&b)) < 0)
			return err_nomem(e);
	}
	return 0;
}

static int find_workdir(const struct userns_args *a, struct run_spec *s, struct err *e)
{
	s->workdir_asked = a->workdir;
	if (a->workdir) {
		free(s->workdir);
		s->workdir = strdup(a->workdir);
	} else if (s->host_root)
		s->workdir = getcwd(NULL, 0);
	if (!s->workdir && (a->workdir || (s->host_root && errno == ENOMEM)))
		return err_nomem(e);
	if (!s->workdir && s->host_root)
		log_warn("the current directory cannot be found (%s): the command starts in /",
			strerrordesc_np(errno));
	return 0;
}

/* The report goes to stderr: stdout belongs to the command. */
static int find_broker(
	const struct userns_args *a, const struct ctx *ctx, struct run_spec *s, struct err *e)
{
	const struct broker_config c = {
		.rules = &a->allow,
		.policy = a->policy,
		.audit = a->audit,
		.map = &s->map,
		.privileged = s->privileged,
		.granted = a->caller == RUN_BY_USER && !a->maps.len,
	};
	int r;

	if (!a->allow.len && !a->policy)
		return 0;
	r = broker_new(&c, &s->broker, e);
	if (r < 0)
		return r;
	s->report = out_new(STDERR_FILENO, ctx->json, ctx->color_err);
	return s->report ? 0 : err_nomem(e);
}

int userns_run_spec(struct userns_args *a, const struct ctx *ctx, struct err *e)
{
	scoped_mount_options struct mount_options root = MOUNT_OPTIONS_INIT;
	struct run_spec *s = &a->spec;
	int r;

	a->caller = run_caller();
	*s = (struct run_spec){
		.privileged = a->caller == RUN_BY_ROOT,
		.read_only = a->read_only,
		.own_net = a->net == NET_NONE,
		.new_privs = a->new_privs,
		.pipe = a->pipe,
		.hostname = a->hostname,
		.user = a->user,
		.command = ctx->operands.items,
	};
	r = userns_run_check(a, ctx, e);
	if (r == 0)
		r = parse_root_options(a, s, &root, e);
	if (r == 0)
		r = parse_binds(a, s, e);
	if (r == 0)
		r = check_rootfs(a, e);
	if (r == 0)
		r = find_map(a, ctx, s, e);
	if (r == 0)
		r = find_root(a, s, &root, e);
	for (size_t i = 0; i < s->binds.len && r == 0; i++) /* of the map of the command, too */
		warn_of_bind(s, &s->binds.items[i]);
	if (r == 0 && a->image)
		r = find_config(a, s, e);
	if (r == 0)
		r = find_command(a, s, e);
	if (r == 0)
		r = find_env(a, s, e);
	if (r == 0)
		r = find_workdir(a, s, e);
	return r == 0 ? find_broker(a, ctx, s, e) : r;
}
