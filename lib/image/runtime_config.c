/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * runtime_config: the config.json that tells crun, runc or another OCI runtime how to run an image.
 */

#include "runtime_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { TTY_GROUP = 5, HOSTNAME_MAX = 63, MAX_FILES = 524288 };

/* What podman gives a container's root by default; docker adds AUDIT_WRITE, MKNOD and NET_RAW. */
static const char *const capabilities[] = { "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER",
	"CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID",
	"CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT", NULL };

static const char *const namespaces[] = { "pid", "network", "ipc", "uts", "mount", "cgroup", "user",
	NULL };

static const char *const masked[] = { "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
	"/proc/timer_stats", "/sys/dev/block", "/sys/devices/virtual/powercap", "/sys/firmware",
	"/sys/fs/selinux", NULL };

static const char *const read_only[] = { "/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq",
	"/proc/sys", "/proc/sysrq-trigger", NULL };

const char *const runtime_mount_points[] = { "/proc", "/dev", "/sys", NULL };

/* In the order in which they are mounted. options: separated by blanks. */
static const struct {
	const char *target, *type, *source, *options;
} mounts[] = {
	{ "/proc", "proc", "proc", "nosuid noexec nodev" },
	{ "/dev", "tmpfs", "tmpfs", "nosuid noexec strictatime mode=755 size=65536k" },
	{ "/dev/pts", "devpts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620" },
	{ "/dev/shm", "tmpfs", "shm", "nosuid noexec nodev mode=1777 size=65536k" },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid noexec nodev" },
	{ "/sys", "sysfs", "sysfs", "nosuid noexec nodev ro" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid noexec nodev relatime ro" },
};

/*
 * jansson refuses a NULL value and frees the value it is given in any case, so building goes on
 * after a failure, and bad remembers that there was one. There is but one reason, as all text is
 * UTF-8: no memory.
 */
struct maker {
	const struct image_config *image;
	const struct image_user *user;
	const struct runtime_options *o;
	bool bad;
};

static json_t *object(struct maker *m)
{
	json_t *j = json_object();

	m->bad |= !j;
	return j;
}

static json_t *array(struct maker *m)
{
	json_t *j = json_array();

	m->bad |= !j;
	return j;
}

static void set(struct maker *m, json_t *to, const char *key, json_t *value)
{
	m->bad |= json_object_set_new(to, key, value) < 0;
}

static void add(struct maker *m, json_t *to, json_t *value)
{
	m->bad |= json_array_append_new(to, value) < 0;
}

static void set_words(struct maker *m, json_t *to, const char *key, const char *const *words)
{
	json_t *list = array(m);

	for (; *words; words++)
		add(m, list, json_string(*words));
	set(m, to, key, list);
}

/*
 * --- process ------------------------------------------------------------------------------------
 */

static json_t *make_user(struct maker *m)
{
	json_t *j = object(m), *groups = array(m);

	set(m, j, "uid", json_integer(m->user->uid));
	set(m, j, "gid", json_integer(m->user->gid));
	for (size_t i = 0; i < m->user->groups.len; i++)
		add(m, groups, json_integer(m->user->groups.items[i]));
	if (m->user->groups.len)
		set(m, j, "additionalGids", groups);
	else
		json_decref(groups);
	return j;
}

static json_t *make_args(struct maker *m)
{
	json_t *j = array(m);

	for (size_t i = 0; i < m->image->entrypoint.len; i++)
		add(m, j, json_string(m->image->entrypoint.items[i]));
	for (size_t i = 0; !m->o->n_args && i < m->image->cmd.len; i++)
		add(m, j, json_string(m->image->cmd.items[i]));
	for (size_t i = 0; i < m->o->n_args; i++)
		add(m, j, json_string(m->o->args[i]));
	return j;
}

static bool has_variable(const struct strv *env, const char *start)
{
	for (size_t i = 0; i < env->len; i++)
		if (!strncmp(env->items[i], start, strlen(start)))
			return true;
	return false;
}

static json_t *make_env(struct maker *m)
{
	const struct strv *env = &m->image->env;
	json_t *j = array(m);

	if (!has_variable(env, "PATH="))
		add(m, j, json_string(DEFAULT_PATH));
	if (m->o->terminal && !has_variable(env, "TERM="))
		add(m, j, json_string("TERM=xterm"));
	for (size_t i = 0; i < env->len; i++)
		add(m, j, json_string(env->items[i]));
	return j;
}

/*
 * Who is not root has none, but may get them back from a set-uid program. None is inheritable: an
 * exec would spread it.
 */
static json_t *make_capabilities(struct maker *m)
{
	json_t *j = object(m);

	set_words(m, j, "bounding", capabilities);
	if (m->user->uid == 0) {
		set_words(m, j, "effective", capabilities);
		set_words(m, j, "permitted", capabilities);
	}
	return j;
}

/*
 * As systemd has it: programs that close every descriptor, or use select(2), are not hurt by the
 * soft limit.
 */
static json_t *make_rlimits(struct maker *m)
{
	uint64_t hard = m->o->max_files < MAX_FILES ? m->o->max_files : MAX_FILES;
	json_t *j = array(m), *files = object(m);

	set(m, files, "type", json_string("RLIMIT_NOFILE"));
	set(m, files, "soft", json_integer(hard < 1024 ? (json_int_t)hard : 1024));
	set(m, files, "hard", json_integer((json_int_t)hard));
	add(m, j, files);
	return j;
}

static json_t *make_process(struct maker *m)
{
	const char *cwd = m->image->cwd;
	json_t *j = object(m);

	set(m, j, "terminal", json_boolean(m->o->terminal));
	set(m, j, "user", make_user(m));
	set(m, j, "args", make_args(m));
	set(m, j, "env", make_env(m));
	set(m, j, "cwd", json_sprintf("%s%s", *cwd == '/' ? "" : "/", cwd));
	set(m, j, "capabilities", make_capabilities(m));
	set(m, j, "rlimits", make_rlimits(m));
	set(m, j, "noNewPrivileges", json_false());
	return j;
}

/*
 * --- the rest
 * -------------------------------------------------------------------------------------
 */

static json_t *make_options(struct maker *m, const char *words)
{
	json_t *j = array(m);

	for (const char *p = words; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		add(m, j, json_stringn(p, n));
		p += n;
	}
	return j;
}

static json_t *make_mounts(struct maker *m)
{
	json_t *j = array(m);
	uint32_t seen;

	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		json_t *mount = object(m), *options = make_options(m, mounts[i].options);

		/* EINVAL where the namespace has no such group. */
		if (!strcmp(mounts[i].type, "devpts") &&
			idmap_gid_seen(m->o->map, TTY_GROUP, &seen))
			add(m, options, json_sprintf("gid=%d", (int)TTY_GROUP));
		set(m, mount, "destination", json_string(mounts[i].target));
		set(m, mount, "type", json_string(mounts[i].type));
		set(m, mount, "source", json_string(mounts[i].source));
		set(m, mount, "options", options);
		add(m, j, mount);
	}
	return j;
}

/* Letters, digits and dashes of the name: "debian:12" is debian-12. */
static json_t *make_hostname(const char *name)
{
	char host[HOSTNAME_MAX + 1];
	size_t n = 0;

	for (; *name && n < HOSTNAME_MAX; name++) {
		bool plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
			(*name >= '0' && *name <= '9');

		if (plain || n)
			host[n++] = plain ? *name : '-';
	}
	while (n && host[n - 1] == '-')
		n--;
	return n ? json_stringn(host, n) : json_string("container");
}

static json_t *make_annotations(struct maker *m)
{
	const struct strv *pairs = &m->image->annotations;
	json_t *j = object(m);

	for (size_t i = 0; i + 1 < pairs->len; i += 2)
		set(m, j, pairs->items[i], json_string(pairs->items[i + 1]));
	return j;
}

/*
 * The layers' disk ids are the ids in the container: a mount that shows them as seen is what its
 * namespace undoes.
 */
static json_t *make_mappings(struct maker *m, const struct idranges *r)
{
	json_t *j = array(m);

	for (size_t i = 0; i < r->len; i++) {
		json_t *range = object(m);

		set(m, range, "containerID", json_integer(r->items[i].disk));
		set(m, range, "hostID", json_integer(r->items[i].seen));
		set(m, range, "size", json_integer(r->items[i].count));
		add(m, j, range);
	}
	return j;
}

/* No device but those that the runtime itself provides. */
static json_t *make_resources(struct maker *m)
{
	json_t *j = object(m), *devices = array(m), *all = object(m);

	set(m, all, "allow", json_false());
	set(m, all, "access", json_string("rwm"));
	add(m, devices, all);
	set(m, j, "devices", devices);
	return j;
}

static json_t *make_linux(struct maker *m)
{
	json_t *j = object(m), *list = array(m);

	set(m, j, "uidMappings", make_mappings(m, &m->o->map->uid));
	set(m, j, "gidMappings", make_mappings(m, &m->o->map->gid));
	set(m, j, "resources", make_resources(m));
	for (const char *const *n = namespaces; *n; n++) {
		json_t *ns = object(m);

		set(m, ns, "type", json_string(*n));
		add(m, list, ns);
	}
	set(m, j, "namespaces", list);
	set_words(m, j, "maskedPaths", masked);
	set_words(m, j, "readonlyPaths", read_only);
	return j;
}

static json_t *make_all(struct maker *m)
{
	json_t *j = object(m), *root = object(m);

	set(m, j, "ociVersion", json_string("1.0.2"));
	set(m, j, "process", make_process(m));
	set(m, root, "path", json_string("rootfs"));
	set(m, root, "readonly", json_false());
	set(m, j, "root", root);
	set(m, j, "hostname", make_hostname(m->o->name));
	set(m, j, "mounts", make_mounts(m));
	set(m, j, "annotations", make_annotations(m));
	set(m, j, "linux", make_linux(m));
	return j;
}

/*
 * --- what cannot be run
 * -----------------------------------------------------------------------------
 */

static int check_args(
	const struct image_config *image, const struct runtime_options *o, struct err *e)
{
	int r;

	for (size_t i = 0; i < o->n_args; i++) {
		const char *s = o->args[i];

		for (size_t n; *s; s += n) {
			n = utf8_len(s, strlen(s));
			if (!n)
				return err_say(e, EINVAL, o->args[i],
					"the argument is not UTF-8, as JSON must be");
		}
	}
	if (image->entrypoint.len || image->cmd.len || o->n_args)
		return 0;
	r = err_say(e, EINVAL, o->name, "the image does not say which program to run");
	err_why(e, "its configuration has neither Entrypoint nor Cmd");
	err_try(e, "name one, after --");
	return r;
}

static int uncovered(const char *kind, uint32_t id, const char *why,
	const struct runtime_options *o, struct err *e)
{
	(void)err_say(e, ENODATA, o->name, "the map does not cover %s id %u", kind, id);
	err_why(e, "%s", why);
	err_try(e,
		"give a map that covers it; image-unpack --scan tells the smallest for the whole "
		"image");
	return -ENODATA;
}

static int check_map(const struct image_user *user, const struct runtime_options *o, struct err *e)
{
	static const char root[] = "the runtime sets the container up as its root, disk id 0";
	static const char runs[] = "the image's program runs as that user, or in that group";
	uint32_t seen;

	if (!idmap_uid_seen(o->map, 0, &seen))
		return uncovered("user", 0, root, o, e);
	if (!idmap_gid_seen(o->map, 0, &seen))
		return uncovered("group", 0, root, o, e);
	if (!idmap_uid_seen(o->map, user->uid, &seen))
		return uncovered("user", user->uid, runs, o, e);
	if (!idmap_gid_seen(o->map, user->gid, &seen))
		return uncovered("group", user->gid, runs, o, e);
	for (size_t i = 0; i < user->groups.len; i++)
		if (!idmap_gid_seen(o->map, user->groups.items[i], &seen))
			return uncovered("group", user->groups.items[i], runs, o, e);
	return 0;
}

static int add_piece(const char *text, size_t n, void *arg)
{
	buf_add(arg, text, n);
	return 0; /* the buffer remembers that it failed */
}

int runtime_config_make(const struct image_config *image, const struct image_user *user,
	const struct runtime_options *o, struct buf *ret, struct err *e)
{
	struct maker m = { .image = image, .user = user, .o = o };
	json_t *j;
	int r;

	r = check_args(image, o, e);
	if (r == 0)
		r = check_map(user, o, e);
	if (r < 0)
		return r;

	j = make_all(&m);
	if (m.bad || json_dump_callback(j, add_piece, ret, JSON_INDENT(2)) < 0)
		ret->oom = true;
	json_decref(j);
	buf_char(ret, '\n');
	return buf_get(ret) ? 0 : err_nomem(e);
}
