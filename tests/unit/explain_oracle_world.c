/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scratch filesystems, mounts and user namespaces of the oracle. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/num.h"
#include "../../lib/base/sys.h"
#include "../../lib/idmap/userns.h"
#include "explain_oracle.h"
#include "test.h"

const uint32_t oracle_ids[8] = { 0, 1, 33, 1000, 1001, 65534, 100000, 100033 };

/* splitmix64 */
uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(rng_next(r) % n);
}

bool rng_percent(struct rng *r, uint32_t p)
{
	return rng_below(r, 100) < p;
}

uint32_t rng_id(struct rng *r)
{
	return oracle_ids[rng_below(r, ARRAY_LEN(oracle_ids))];
}

static void shuffled(struct rng *r, uint32_t ids[static 8])
{
	memcpy(ids, oracle_ids, sizeof(oracle_ids));
	for (uint32_t i = 8; i > 1; i--) {
		uint32_t k = rng_below(r, i), t = ids[k];

		ids[k] = ids[i - 1];
		ids[i - 1] = t;
	}
}

static size_t random_ranges(struct rng *r, struct idrange ret[static 8])
{
	uint32_t disk[8], seen[8];
	size_t n = 1 + rng_below(r, 8);

	shuffled(r, disk);
	shuffled(r, seen);
	for (size_t i = 0; i < n; i++)
		ret[i] = (struct idrange){ .disk = disk[i], .seen = seen[i], .count = 1 };
	return n;
}

void oracle_random_map(struct rng *r, struct idmap *ret)
{
	struct idrange uid[8], gid[8];
	size_t n_uid = random_ranges(r, uid), n_gid = random_ranges(r, gid);

	REQUIRE(idmap_from_ranges(uid, n_uid, gid, n_gid, ret, NULL) == 0);
}

static void attach(int tree, char path[static 24])
{
	snprintf(path, 24, "/tmp/oracle-XXXXXX");
	/* A mount of a namespace, or set-id would not count. */
	REQUIRE(mkdtemp(path) != NULL);
	REQUIRE(sys_move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0);
}

int oracle_new_tmpfs(void)
{
	int fd = sys_fsopen("tmpfs", FSOPEN_CLOEXEC), tree;

	if (fd < 0 || sys_fsconfig(fd, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
		sys_fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	tree = sys_fsmount(fd, FSMOUNT_CLOEXEC, 0);
	close(fd);
	return tree;
}

/*
 * That on the device that the environment names: ORACLE_TYPE, and ORACLE_DEVICE0 or 1. Else a
 * tmpfs.
 */
static int new_filesystem(size_t i)
{
	const char *type = getenv("ORACLE_TYPE"),
		   *device = getenv(i ? "ORACLE_DEVICE1" : "ORACLE_DEVICE0");
	int fd, tree;

	if (!type || !device)
		return oracle_new_tmpfs();
	fd = sys_fsopen(type, FSOPEN_CLOEXEC);
	REQUIRE(fd >= 0 && sys_fsconfig(fd, FSCONFIG_SET_STRING, "source", device, 0) == 0);
	REQUIRE(sys_fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
	tree = sys_fsmount(fd, FSMOUNT_CLOEXEC, 0);
	close(fd);
	return tree;
}

/*
 * --- children that live for a moment in a namespace ----------------------------------------------
 */

struct helper {
	pid_t pid;
	int ready, stop;
};

/*
 * Starts fn in a child, which stays until helper_stop(). What fn returns (or -1) is read into
 * *ret_value.
 */
static struct helper helper_start(int (*fn)(void *), void *arg, int *ret_value)
{
	struct helper h;
	int ready[2], stop[2];

	REQUIRE(pipe(ready) == 0 && pipe(stop) == 0);
	h.pid = fork();
	REQUIRE(h.pid >= 0);
	if (h.pid == 0) {
		int value;
		char c;

		close(stop[1]); /* before fn: a child of its own would keep it open */
		value = fn(arg);
		if (write(ready[1], &value, sizeof(value)) == sizeof(value))
			(void)!read(stop[0], &c, 1);
		_exit(0);
	}
	close(ready[1]);
	close(stop[0]);
	REQUIRE(read(ready[0], ret_value, sizeof(*ret_value)) == sizeof(*ret_value));
	close(ready[0]);
	h.stop = stop[1];
	return h;
}

static void helper_stop(struct helper *h)
{
	close(h->stop);
	REQUIRE(waitpid(h->pid, NULL, 0) == h->pid);
}

static int only_enter(void *arg)
{
	const struct world_userns *u = arg;

	return setns(u->fd, CLONE_NEWUSER);
}

struct oracle_sleeper oracle_sleep_in(const struct world_userns *u)
{
	int value;
	struct helper h = helper_start(only_enter, (void *)(uintptr_t)u, &value);

	REQUIRE(value == 0);
	return (struct oracle_sleeper){ .pid = h.pid, .stop = h.stop };
}

void oracle_wake(struct oracle_sleeper *s)
{
	/* Those that began later have its pipe open, too. */
	REQUIRE(kill(s->pid, SIGKILL) == 0 && waitpid(s->pid, NULL, 0) == s->pid);
	close(s->stop);
}

static int tmpfs_of_userns(void *arg)
{
	const struct world_userns *u = arg;

	if (setns(u->fd, CLONE_NEWUSER) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ||
		unshare(CLONE_NEWNS) < 0)
		return -1;
	return oracle_new_tmpfs();
}

static int unshared(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUSER) < 0 ? -1 : 0;
}

static bool write_map(pid_t pid, const char *name, const struct idranges *r)
{
	scoped_buf struct buf text = BUF_INIT;
	char path[64];
	bool ok;
	int fd;

	idranges_print_kernel(r, &text);
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len;
	close(fd);
	return ok;
}

struct nested {
	const struct world_userns *outer;
	const struct idmap *map;
};

/*
 * In the outer namespace: another process goes into one of its own, whose map is written from here.
 * Its pid.
 */
static int nest(void *arg)
{
	const struct nested *n = arg;
	struct helper h;
	int value;

	if (setns(n->outer->fd, CLONE_NEWUSER) < 0 || setresgid(0, 0, 0) < 0 ||
		setresuid(0, 0, 0) < 0)
		return -1;
	h = helper_start(unshared, NULL, &value);
	if (value < 0 || !write_map(h.pid, "uid_map", &n->map->uid) ||
		!write_map(h.pid, "gid_map", &n->map->gid))
		return -1;
	return h.pid; /* it ends when this process closes its pipe, by ending */
}

/*
 * --- the pool ------------------------------------------------------------------------------------
 */

/* Namespaces where root exists: it mounts, and makes others. */
static void root_map(struct idmap *ret)
{
	static const struct idrange uid[] = { { 0, 1000, 2 }, { 33, 100033, 1 }, { 1000, 0, 1 } };
	static const struct idrange gid[] = { { 0, 1000, 2 }, { 33, 33, 1 }, { 1000, 100000, 1 },
		{ 1001, 0, 1 } };

	REQUIRE(idmap_from_ranges(uid, ARRAY_LEN(uid), gid, ARRAY_LEN(gid), ret, NULL) == 0);
}

static void make_users(struct world *w, struct rng *r)
{
	static const struct idrange inner[] = { { 0, 33, 1 }, { 1, 0, 2 } };
	struct world_userns *last = &w->users[WORLD_USERNS];
	struct idmap nested = { 0 };
	struct nested n = { .outer = &w->users[0], .map = &nested };
	struct helper h;
	char path[64];
	int pid;

	for (size_t i = 0; i < WORLD_USERNS; i++) {
		struct world_userns *u = &w->users[i];
		int fd;

		if (i)
			oracle_random_map(r, &u->map);
		else
			root_map(&u->map);
		REQUIRE(userns_get(&u->map, &fd, NULL) == 0);
		u->fd = fcntl(fd, F_DUPFD_CLOEXEC, 20);
		u->ns = (struct perm_userns){ .map = &u->map };
	}

	REQUIRE(idmap_from_ranges(
			inner, ARRAY_LEN(inner), inner, ARRAY_LEN(inner), &nested, NULL) == 0);
	REQUIRE(idmap_compose(&nested, &w->users[0].map, &last->map, NULL) == 0);
	h = helper_start(nest, &n, &pid);
	REQUIRE(pid > 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	last->fd = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(last->fd >= 0);
	last->ns = (struct perm_userns){ .map = &last->map, .parent = &w->users[0].ns };
	helper_stop(&h);
	idmap_done(&nested);
}

static void make_filesystems(struct world *w)
{
	struct helper h;
	char path[64], ignored[24];
	int fd;

	for (size_t i = FS_PLAIN; i <= FS_READ_ONLY; i++) {
		w->fs[i].raw = new_filesystem(i - FS_PLAIN);
		REQUIRE(w->fs[i].raw >= 0);
		attach(w->fs[i].raw, ignored);
	}

	h = helper_start(tmpfs_of_userns, &w->users[0], &fd);
	REQUIRE(fd >= 0);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)h.pid, fd);
	w->fs[FS_USERNS].raw = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->fs[FS_USERNS].userns = &w->users[0].ns;
	REQUIRE(w->fs[FS_USERNS].raw >= 0);
	attach(w->fs[FS_USERNS].raw, ignored);
	helper_stop(&h);
}

static int clone_mount(const struct world_fs *fs, const struct perm_mount *f)
{
	struct mount_attr attr = {
		.attr_set = (f->ro ? MOUNT_ATTR_RDONLY : 0) | (f->nosuid ? MOUNT_ATTR_NOSUID : 0) |
			(f->noexec ? MOUNT_ATTR_NOEXEC : 0) | (f->nodev ? MOUNT_ATTR_NODEV : 0),
		.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			MOUNT_ATTR_NOEXEC,
		.propagation = MS_PRIVATE,
	};
	int fd = sys_open_tree(fs->raw, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH),
	    userns, high;

	REQUIRE(fd >= 0);
	if (f->map) {
		REQUIRE(userns_get(f->map, &userns, NULL) == 0);
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns;
	}
	REQUIRE(sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) == 0);
	userns_cache_done(); /* mounts keep their namespace; this only spares descriptors */
	high = fcntl(fd, F_DUPFD_CLOEXEC, 20); /* out of ORACLE_FD's way */
	close(fd);
	return high;
}

int world_remap(const struct world_mount *m, const struct idmap *map)
{
	struct perm_mount f = m->facts;

	f.map = map;
	return clone_mount(m->fs, &f);
}

static void make_mount(struct world_mount *m, const struct world_fs *fs, struct rng *r, bool mapped)
{
	struct perm_mount *f = &m->facts;

	m->fs = fs;
	f->fs_userns = fs->userns;
	f->ro = rng_percent(r, 12);
	f->nosuid = rng_percent(r, 15);
	f->noexec = rng_percent(r, 12);
	f->nodev = rng_percent(r, 25);
	if (mapped) {
		oracle_random_map(r, &m->map);
		f->map = &m->map;
	}
	m->fd = clone_mount(fs, f);
	attach(m->fd, m->path);
}

uint64_t oracle_number(const char *name, uint64_t unset)
{
	const char *s = getenv(name);
	uint64_t n = unset;

	if (s)
		REQUIRE(num_u64(s, &n) == 0);
	return n;
}

void oracle_enter(const char *count)
{
	if (geteuid() != 0)
		SKIP("needs root");
	if (getenv(count))
		test_unlimited();
	REQUIRE(unshare(CLONE_NEWNS) == 0);
	REQUIRE(sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	REQUIRE(sys_mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0);
	umask(0);
}

void world_make(struct world *w, struct rng *r)
{
	*w = (struct world){ 0 };
	make_users(w, r);
	make_filesystems(w);
	for (size_t i = 0; i < WORLD_MOUNTS; i++)
		make_mount(&w->mounts[i], &w->fs[i % WORLD_FS], r, i / WORLD_FS % 4 != 0);
}

void world_set_read_only(struct world *w, bool ro)
{
	/* Of the superblock alone: the mounts' flags stay. */
	int fd = (int)syscall(
		SYS_fspick, w->fs[FS_READ_ONLY].raw, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);

	REQUIRE(fd >= 0);
	REQUIRE(sys_fsconfig(fd, FSCONFIG_SET_FLAG, ro ? "ro" : "rw", NULL, 0) == 0);
	REQUIRE(sys_fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) == 0);
	close(fd);
}

void world_done(struct world *w)
{
	for (size_t i = 0; i < WORLD_MOUNTS; i++)
		idmap_done(&w->mounts[i].map);
	for (size_t i = 0; i < ARRAY_LEN(w->users); i++)
		idmap_done(&w->users[i].map);
	userns_cache_done();
}

/*
 * --- the program that is executed ----------------------------------------------------------------
 */

#ifdef __x86_64__
/* geteuid, getegid, capget, write(9), exit; on the stack a struct oracle_became. */
__asm__(".pushsection .rodata\n"
	"oracle_code:\n"
	"	sub $64, %rsp\n"
	"	mov $107, %eax\n	syscall\n	mov %eax, (%rsp)\n"
	"	mov $108, %eax\n	syscall\n	mov %eax, 4(%rsp)\n"
	"	movl $0x20080522, 8(%rsp)\n	movl $0, 12(%rsp)\n"
	"	lea 8(%rsp), %rdi\n	lea 16(%rsp), %rsi\n	mov $125, %eax\n	syscall\n"
	"	mov $9, %edi\n	mov %rsp, %rsi\n	mov $40, %edx\n	mov $1, %eax\n	syscall\n"
	"	xor %edi, %edi\n	mov $60, %eax\n	syscall\n"
	"oracle_code_end:\n"
	".popsection\n");
extern const char oracle_code[], oracle_code_end[];

bool oracle_program(int fd)
{
	enum { BASE = 0x400000 };
	static struct {
		Elf64_Ehdr e;
		Elf64_Phdr p;
	} head = {
		.e = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = BASE + sizeof(head),
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1,
		},
		.p = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_vaddr = BASE,
			.p_align = 4096,
		},
	};
	size_t n = (size_t)(oracle_code_end - oracle_code);

	head.p.p_filesz = head.p.p_memsz = sizeof(head) + n;
	REQUIRE(write(fd, &head, sizeof(head)) == sizeof(head));
	REQUIRE(write(fd, oracle_code, n) == (ssize_t)n);
	return true;
}
#else
bool oracle_program(int fd)
{
	(void)fd;
	return false;
}
#endif
