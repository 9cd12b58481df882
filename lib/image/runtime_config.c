/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * runtime_config: write the config.json from which crun, runc or another OCI runtime runs an image.
 */

#include "runtime_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/json.h"
#include "../idmap/idmap_forms.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { TTY_GROUP = 5, HOSTNAME_MAX = 63, MAX_FILES = 524288 };

/*
 * The capabilities that podman gives a container's root by default. Docker adds AUDIT_WRITE, MKNOD
 * and NET_RAW.
 */
static const char *const capabilities[] = { "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER",
	"CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID",
	"CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT", NULL };

static const char *const namespaces[] = { "pid", "network", "ipc", "uts", "mount", "cgroup", NULL };

static const char *const masked[] = { "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
	"/proc/timer_stats", "/sys/dev/block", "/sys/devices/virtual/powercap", "/sys/firmware",
	"/sys/fs/selinux", NULL };

static const char *const read_only[] = { "/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq",
	"/proc/sys", "/proc/sysrq-trigger", NULL };

const char *const runtime_mount_points[] = { "/proc", "/dev", "/sys", NULL };

/* In mount order; options are separated by blanks. */
static const struct runtime_mount {
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

struct maker {
	const struct image_config *image;
	const struct image_user *user;
	const struct runtime_options *o;
	struct json_writer w;
};

/* --- Process --- */

static void write_user(struct maker *m, const char *key)
{
	struct json_writer *w = &m->w;

	json_write_object(w, key);
	json_write_i64(w, "uid", m->user->uid);
	json_write_i64(w, "gid", m->user->gid);
	if (m->user->groups.len) {
		json_write_array(w, "additionalGids");
		for (size_t i = 0; i < m->user->groups.len; i++)
			json_write_i64(w, NULL, m->user->groups.items[i]);
		json_write_end(w);
	}
	json_write_end(w);
}

static void write_args(struct maker *m, const char *key)
{
	json_write_array(&m->w, key);
	for (size_t i = 0; i < m->image->entrypoint.len; i++)
		json_write_str(&m->w, NULL, m->image->entrypoint.items[i]);
	for (size_t i = 0; !m->o->n_args && i < m->image->cmd.len; i++)
		json_write_str(&m->w, NULL, m->image->cmd.items[i]);
	for (size_t i = 0; i < m->o->n_args; i++)
		json_write_str(&m->w, NULL, m->o->args[i]);
	json_write_end(&m->w);
}

static bool has_variable(const struct strv *env, const char *start)
{
	for (size_t i = 0; i < env->len; i++)
		if (!strncmp(env->items[i], start, strlen(start)))
			return true;
	return false;
}

static void write_env(struct maker *m, const char *key)
{
	const struct strv *env = &m->image->env;

	json_write_array(&m->w, key);
	if (!has_variable(env, "PATH="))
		json_write_str(&m->w, NULL, DEFAULT_PATH);
	if (m->o->terminal && !has_variable(env, "TERM="))
		json_write_str(&m->w, NULL, "TERM=xterm");
	for (size_t i = 0; i < env->len; i++)
		json_write_str(&m->w, NULL, env->items[i]);
	json_write_end(&m->w);
}

/*
 * A user other than root has no capabilities, but a set-uid program can regain those of the
 * bounding set. None are inheritable, because execve(2) would pass them on.
 */
static void write_capabilities(struct maker *m, const char *key)
{
	json_write_object(&m->w, key);
	json_write_strs(&m->w, "bounding", capabilities);
	if (m->user->uid == 0) {
		json_write_strs(&m->w, "effective", capabilities);
		json_write_strs(&m->w, "permitted", capabilities);
	}
	json_write_end(&m->w);
}

/*
 * The soft limit is systemd's default: a greater one slows programs that close every descriptor,
 * and breaks those that use select(2).
 */
static void write_rlimits(struct maker *m, const char *key)
{
	uint64_t hard = m->o->max_files < MAX_FILES ? m->o->max_files : MAX_FILES;

	json_write_array(&m->w, key);
	json_write_object(&m->w, NULL);
	json_write_str(&m->w, "type", "RLIMIT_NOFILE");
	json_write_i64(&m->w, "soft", hard < 1024 ? (int64_t)hard : 1024);
	json_write_i64(&m->w, "hard", (int64_t)hard);
	json_write_end(&m->w);
	json_write_end(&m->w);
}

static void write_cwd(struct maker *m, const char *key)
{
	const char *cwd = m->image->cwd;
	scoped_buf struct buf b = BUF_INIT;

	buf_printf(&b, "%s%s", *cwd == '/' ? "" : "/", cwd);
	json_write_str(&m->w, key,
		buf_get(&b)); /* NULL makes the writer fail, which json_writer_print() reports */
}

static void write_process(struct maker *m, const char *key)
{
	json_write_object(&m->w, key);
	json_write_bool(&m->w, "terminal", m->o->terminal);
	write_user(m, "user");
	write_args(m, "args");
	write_env(m, "env");
	write_cwd(m, "cwd");
	write_capabilities(m, "capabilities");
	write_rlimits(m, "rlimits");
	json_write_bool(&m->w, "noNewPrivileges", false);
	json_write_end(&m->w);
}

/* --- The other members --- */

static void write_mount_options(struct maker *m, const struct runtime_mount *mount)
{
	uint32_t seen;
	char gid[16];

	(void)snprintf(gid, sizeof(gid), "gid=%d", (int)TTY_GROUP); /* fits: one digit */
	json_write_array(&m->w, "options");
	for (const char *p = mount->options; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		json_write_strn(&m->w, NULL, p, n);
		p += n;
	}
	/* The mount fails with EINVAL where the namespace has no such group. */
	if (!strcmp(mount->type, "devpts") && idmap_gid_seen(m->o->map, TTY_GROUP, &seen))
		json_write_str(&m->w, NULL, gid);
	json_write_end(&m->w);
}

static void write_mounts(struct maker *m, const char *key)
{
	json_write_array(&m->w, key);
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		json_write_object(&m->w, NULL);
		json_write_str(&m->w, "destination", mounts[i].target);
		json_write_str(&m->w, "type", mounts[i].type);
		json_write_str(&m->w, "source", mounts[i].source);
		write_mount_options(m, &mounts[i]);
		json_write_end(&m->w);
	}
	json_write_end(&m->w);
}

/* The hostname: letters, digits and dashes of the name, so that "debian:12" becomes debian-12. */
static void write_hostname(struct maker *m, const char *key)
{
	const char *name = m->o->name;
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
	host[n] = '\0';
	json_write_str(&m->w, key, n ? host : "container");
}

static void write_annotations(struct maker *m, const char *key)
{
	const struct strv *pairs = &m->image->annotations;

	json_write_object(&m->w, key);
	for (size_t i = 0; i + 1 < pairs->len; i += 2)
		json_write_str(&m->w, pairs->items[i], pairs->items[i + 1]);
	json_write_end(&m->w);
}

/* Deny all devices but those that the runtime itself provides. */
static void write_resources(struct maker *m, const char *key)
{
	json_write_object(&m->w, key);
	json_write_array(&m->w, "devices");
	json_write_object(&m->w, NULL);
	json_write_bool(&m->w, "allow", false);
	json_write_str(&m->w, "access", "rwm");
	json_write_end(&m->w);
	json_write_end(&m->w);
	json_write_end(&m->w);
}

static void write_namespace(struct maker *m, const char *type)
{
	json_write_object(&m->w, NULL);
	json_write_str(&m->w, "type", type);
	json_write_end(&m->w);
}

static void write_linux(struct maker *m, const char *key)
{
	json_write_object(&m->w, key);
	/*
	 * The disk ids of the layers are the ids in the container. The mount shows them as seen
	 * ids, which the user namespace maps back.
	 */
	if (!m->o->in_namespace)
		idmap_write_oci(m->o->map, &m->w);
	write_resources(m, "resources");
	json_write_array(&m->w, "namespaces");
	for (const char *const *n = namespaces; *n; n++)
		write_namespace(m, *n);
	if (!m->o->in_namespace)
		write_namespace(m, "user");
	json_write_end(&m->w);
	json_write_strs(&m->w, "maskedPaths", masked);
	json_write_strs(&m->w, "readonlyPaths", read_only);
	json_write_end(&m->w);
}

static void write_all(struct maker *m)
{
	json_write_object(&m->w, NULL);
	json_write_str(&m->w, "ociVersion", "1.0.2");
	write_process(m, "process");
	json_write_object(&m->w, "root");
	json_write_str(&m->w, "path", "rootfs");
	json_write_bool(&m->w, "readonly", false);
	json_write_end(&m->w);
	write_hostname(m, "hostname");
	write_mounts(m, "mounts");
	write_annotations(m, "annotations");
	write_linux(m, "linux");
	json_write_end(&m->w);
}

/* --- Checks --- */

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
					"the argument is not UTF-8, which JSON requires");
		}
	}
	if (image->entrypoint.len || image->cmd.len || o->n_args)
		return 0;
	r = err_say(e, EINVAL, o->name, "the image does not specify a program to run");
	err_why(e, "its configuration has neither Entrypoint nor Cmd");
	err_try(e, "name one, after --: --bundle DIR NAME -- CMD...");
	return r;
}

static int uncovered(const char *kind, uint32_t id, const char *why,
	const struct runtime_options *o, struct err *e)
{
	(void)err_say(e, ENODATA, o->name, "the map does not cover %s id %u", kind, id);
	err_why(e, "%s", why);
	err_try(e,
		"give a map that covers it; image-unpack --scan prints the smallest one for the "
		"whole image");
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

int runtime_config_make(const struct image_config *image, const struct image_user *user,
	const struct runtime_options *o, struct buf *ret, struct err *e)
{
	struct maker m = { .image = image, .user = user, .o = o };
	int r;

	r = check_args(image, o, e);
	if (r == 0)
		r = check_map(user, o, e);
	if (r < 0)
		return r;

	write_all(&m);
	r = json_writer_print(&m.w, JSON_PRETTY, ret);
	buf_char(ret, '\n');
	return r == 0 && buf_get(ret) ? 0 : err_nomem(e);
}
