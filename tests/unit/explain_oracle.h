/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UNIT_EXPLAIN_ORACLE_H
#define UNIT_EXPLAIN_ORACLE_H

#include "../../lib/base/cleanup.h"
#include "../../lib/explain/perm.h"

/*
 * The oracle: random facts are made true on scratch filesystems, a child with random credentials
 * tries, and the kernel's answer must be the one that perm_check() gives. Everything follows from
 * SEED.
 */
struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n);
bool rng_percent(struct rng *r, uint32_t p);

/* The ids that occur, few enough to meet each other. */
extern const uint32_t oracle_ids[8];
uint32_t rng_id(struct rng *r);

enum { WORLD_USERNS = 6, WORLD_NESTED = 1, WORLD_FS = 3, WORLD_MOUNTS = 36 };

struct world_userns {
	int fd;
	struct idmap map;
	struct perm_userns ns;
};

/*
 * A tmpfs: seen without a map at raw; the second one may be made read-only, the third belongs to
 * users[0].
 */
struct world_fs {
	int raw;
	const struct perm_userns *userns;
};

struct world_mount {
	int fd;
	char path[24];
	const struct world_fs *fs;
	struct idmap map;
	struct perm_mount facts;
};

struct world {
	struct world_userns users[WORLD_USERNS + WORLD_NESTED];
	struct world_fs fs[WORLD_FS];
	struct world_mount mounts[WORLD_MOUNTS];
};

enum { FS_PLAIN, FS_READ_ONLY, FS_USERNS };

/* The number in the environment variable, or unset if there is none. */
uint64_t oracle_number(const char *name, uint64_t unset);

/*
 * Enter a mount namespace with an empty tmpfs on /tmp, with umask 0. Skips the test without root.
 * count: the environment variable that requests a long run, which has no limit of time.
 */
void oracle_enter(const char *count);

/* Make the world in the mount namespace of oracle_enter(). Fails the test when it cannot. */
void world_make(struct world *w, struct rng *r);
void world_done(struct world *w);

/* The same mount with another map, detached. */
int world_remap(const struct world_mount *m, const struct idmap *map);

/* The superblock of fs[FS_READ_ONLY]. */
void world_set_read_only(struct world *w, bool ro);

/*
 * Write a program to fd that tells, on its descriptor 9, what it became: struct oracle_became.
 * False: no such for this processor.
 */
bool oracle_program(int fd);

enum { ORACLE_FD = 9, ORACLE_CAP = 13 /* CAP_NET_RAW */ };

struct oracle_became {
	uint32_t euid, egid;
	uint32_t header[2], caps[6];
};

enum { ACL_ROOM = 10, GROUPS_ROOM = 3, BROKEN = 200 /* no errno: the child could not try */ };

struct object {
	struct perm_inode facts;
	struct acl_entry acl[ACL_ROOM];
	bool v3; /* write the capability with its root id */
};

struct trial {
	struct rng rng;
	enum perm_op op;
	unsigned way; /* of creating */
	const struct world_mount *mount;
	struct perm_mount mount_facts;
	struct object dir, file;
	struct perm_cred cred;
	uint32_t groups[GROUPS_ROOM];
	const struct world_userns *user; /* NULL: the initial user namespace */
	struct perm_chown chown;
};

/* Everything of a trial follows from the seed. */
void oracle_random_trial(struct trial *t, const struct world *w, uint64_t seed);
void oracle_random_object(struct trial *t, struct object *o, bool dir);
void oracle_random_cred(struct trial *t, const struct world *w);
void oracle_random_chown(struct trial *t);
void oracle_random_flags(struct trial *t, bool immutable, bool append);

/* Make an object of the trial true on the filesystem of its mount, or both of them. */
void oracle_make(const struct trial *t, const char *name, struct object *o);
void oracle_make_trial(struct trial *t);
void oracle_set_flags(int raw, const char *name, bool immutable, bool append);
void oracle_remove_all(const struct trial *t);

/* How a process in the initial namespace sees a disk id without a map. */
uint32_t oracle_raw_uid(const struct trial *t, uint32_t disk);
uint32_t oracle_raw_gid(const struct trial *t, uint32_t disk);

/*
 * In a child with the trial's credentials: the errno of the kernel, 0, or BROKEN; what an executed
 * file became.
 */
int oracle_ask(const struct trial *t, struct oracle_became *ret);

/* Take the credentials of the trial. */
bool oracle_become(const struct trial *t);

/*
 * --- overlays --------------------------------------------------------------------------------
 */

/* The upper directory first. */
enum { STACK_LAYERS = 3 };

struct oracle_layer {
	int raw; /* the directory without a map */
	bool mapped;
	struct idmap map;
	char path[24]; /* of the mount with the map; "" if it has none */
};

struct oracle_stack {
	int tmpfs;
	char raw_path[24], path[24]; /* of the tmpfs; of the overlay */
	bool one_map;                /* all layers have the same, and no names */
	bool by_image;               /* explain is told where the lower layers are */
	bool has_upper, redirect;
	struct oracle_layer layers[STACK_LAYERS];
};

/* Make a stack, in the mount namespace of oracle_enter(). */
void stack_make(struct oracle_stack *s, struct rng *r, bool one_map);
void stack_done(struct oracle_stack *s);

/* a/d/f, of which each layer has as much as depth says. */
struct stack_trial {
	struct trial t; /* mount is this one's */
	bool lost;      /* owners outside of the layers' maps */
	struct world_fs fs;
	struct world_mount mount;
	char name[16], path[64]; /* of a */
	unsigned depth[STACK_LAYERS];
	struct object a[STACK_LAYERS], d[STACK_LAYERS], f[STACK_LAYERS];
};

void stack_random(
	struct stack_trial *st, const struct oracle_stack *s, const struct world *w, uint64_t seed);
/* False: not even root can look it up. */
bool stack_make_trial(struct stack_trial *st, const struct oracle_stack *s, uint64_t i);
void stack_remove_trial(struct stack_trial *st, const struct oracle_stack *s);

int oracle_new_tmpfs(void);
void oracle_random_map(struct rng *r, struct idmap *ret);

/* A process that waits in the user namespace, for pid:N. */
struct oracle_sleeper {
	pid_t pid;
	int stop;
};
struct oracle_sleeper oracle_sleep_in(const struct world_userns *u);
void oracle_wake(struct oracle_sleeper *s);

#endif
