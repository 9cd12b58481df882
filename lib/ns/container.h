/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_CONTAINER_H
#define NS_CONTAINER_H

#include <stdbool.h>

#include "../base/err.h"
#include "../base/out.h"
#include "../base/vec.h"
#include "../idmap/idmap.h"
#include "../mount/plan.h"

struct broker;

/*
 * Run a command as root of a user namespace, in mount, PID, IPC and UTS namespaces of its own. The
 * processes, in the order of their start:
 *
 *   supervisor  calls run_container(): forwards signals and the terminal's data, reaps
 *   maker       only with privileges: runs run_stage() in the supervisor's mount namespace, behind
 *               the chown guard
 *   init        process 1 of the PID namespace: assembles the root, starts the command, reaps
 *               orphans; its death ends all processes of the namespace, and it is killed when the
 *               supervisor dies
 *   command     executes
 *   broker      see broker.h
 */

/* A bind mount: SRC:DST[:WORD]... */
struct run_bind {
	char *source, *target;
	bool read_only, dev; /* dev: device nodes in it work */
	bool read_write;     /* "rw" is written: it excludes "ro", and is the default */
	bool public_;        /* "public": other users may reach the source (../mount/exposure.h) */
	bool own_map;        /* "map": the map is that of the namespace */
	struct mount_map map;
};

struct run_binds {
	struct run_bind *items;
	size_t len, cap;
};

struct run_spec {
	struct idmap map;       /* of the namespace; disk: the ids in the namespace, seen: the
	                           caller's */
	bool privileged;        /* run_caller() is RUN_BY_ROOT */
	bool host_root;         /* the root is the host's own tree; root is unused */
	struct mount_plan root; /* the root otherwise */
	struct run_binds binds;
	bool read_only;       /* the root is read-only; mounts on it are not affected */
	bool own_net;         /* a network namespace with only a loopback interface */
	bool new_privs;       /* set-id bits and file capabilities take effect */
	bool pipe;            /* do not give the command a terminal of its own */
	char *workdir;        /* NULL: / */
	bool workdir_asked;   /* fail if the command cannot enter workdir */
	const char *hostname; /* NULL: the caller's */
	const char *user; /* USER[:GROUP] of the root's /etc/passwd and /etc/group; NULL: root */
	struct strv env;  /* NAME=VALUE, in addition to env_keep */
	bool env_keep;    /* keep the caller's environment */
	char **command;   /* NULL-terminated; not freed */
	struct broker *broker; /* NULL: none; not freed */
	struct out *report;    /* for broker_report(); not freed */
};

enum run_caller {
	RUN_BY_ROOT,    /* root of the host with its capabilities: may ID-map filesystems */
	RUN_BY_NS_ROOT, /* may write any map of the ids in its user namespace */
	RUN_BY_USER,    /* needs newuidmap(1) for a map of more than one id */
};

enum run_caller run_caller(void);

/*
 * May this be the map of a command? -EINVAL without an id 0 for both users and groups. With
 * privileges, -EPERM if it shows an id as the host's 0: many devices and sysctls of the host check
 * for that id alone, in whatever user namespace.
 */
MUST_CHECK int run_check_map(bool privileged, const struct idmap *m, struct err *e);

/* Suggest a map, with ids that no user has and that are granted to nobody: "-m +493216". */
void run_try_range(struct err *e);

/*
 * Parse a bind, SRC:DST[:WORD]..., in which "\:" is a colon, and append it to ret. Errors are usage
 * errors.
 */
MUST_CHECK int run_bind_parse(const char *text, struct run_binds *ret, struct err *e);
void run_binds_done(struct run_binds *b);

/*
 * Privileged runs only. run_stage_open() moves the calling process to a new mount namespace, and
 * makes the stage, an empty tmpfs that no path leads to; the caller closes the descriptor.
 * run_stage(), in a child, then makes all mounts of the spec detached and attaches them in the
 * stage.
 *
 * Init cannot get the mounts as descriptors: the kernel locks the flags of mounts (read-only,
 * nodev) only when a mount namespace is copied into a less privileged user namespace
 * (mount_namespaces(7)); otherwise root of the namespace could clear them.
 */
MUST_CHECK int run_stage_open(int *ret_stage, struct err *e);
MUST_CHECK int run_stage(const struct run_spec *s, int stage, struct err *e);

/*
 * Start the command, and wait for it. stage: of run_stage_open(), which becomes the working
 * directory of the process; -1 without privileges. Returns the command's exit status, or 128 + n if
 * signal n killed it; 126 or 127 with e set if it cannot be executed; or -errno. Meanwhile it
 * intercepts all signals, and the terminal if both stdin and stdout are one. The calling process
 * must be single-threaded.
 */
MUST_CHECK int run_container(const struct run_spec *s, int stage, struct err *e);

void run_spec_done(struct run_spec *s);

#endif
