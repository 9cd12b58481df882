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
 * A command as root of a user namespace. The processes, in the order of their birth:
 *
 *   supervisor  who calls run_container(): gives signals and the terminal's bytes on, and reaps
 *   maker       only with privileges: run_stage(), in the supervisor's mount namespace, behind the
 * chown guard init        process 1: puts the root together, starts the command, reaps what is left
 * to it. Its death is that of all, and it dies with the supervisor command     executes broker see
 * broker.h
 */

/* SRC:DST[:WORD]... */
struct run_bind {
	char *source, *target;
	bool read_only, dev; /* dev: devices in it can be opened */
	bool meant;          /* public: that others can reach the source (../mount/exposure.h) */
	bool own_map;        /* map is the namespace's */
	struct mount_map map;
};

struct run_binds {
	struct run_bind *items;
	size_t len, cap;
};

struct run_spec {
	struct idmap map;       /* of the namespace: the disk side is its own ids, the seen side the
	                           caller's */
	bool privileged;        /* RUN_BY_ROOT */
	bool host_root;         /* the root is the host's own tree, */
	struct mount_plan root; /* else this */
	struct run_binds binds;
	bool read_only;        /* nothing in the root can be changed */
	bool own_net;          /* a network of its own, with nothing but lo */
	bool new_privs;        /* set-uid programs and file capabilities count */
	bool pipe;             /* no terminal of its own */
	char *workdir;         /* NULL: / */
	bool workdir_asked;    /* it must be there */
	const char *hostname;  /* NULL: the caller's */
	const char *user;      /* USER[:GROUP] as the command's root knows them; NULL: root */
	struct strv env;       /* NAME=VALUE, what the caller gives beside env_keep */
	bool env_keep;         /* the caller's whole environment */
	char **command;        /* NULL-terminated */
	struct broker *broker; /* NULL: none */
	struct out *report;    /* for broker_report() */
};

enum run_caller {
	RUN_BY_ROOT,    /* root of the host, with its privileges: it can ID-map filesystems */
	RUN_BY_NS_ROOT, /* may write any map of the ids in its user namespace */
	RUN_BY_USER,    /* needs newuidmap(1) for more than one id */
};

enum run_caller run_caller(void);

/*
 * Can this map be a command's? It must have an id 0 for users and for groups, and, with privileges,
 * must not show any as the host's own 0
 * (-EPERM): its devices and settings ask for no more than that id.
 */
int run_check_map(bool privileged, const struct idmap *m, struct err *e);

/* Read SRC:DST[:WORD]...; \: is a colon. Faults are usage. Map words are parsed. */
int run_bind_parse(const char *text, struct run_binds *ret, struct err *e);
void run_binds_done(struct run_binds *b);

/*
 * With privileges: go into a mount namespace of one's own with an empty directory in memory, that
 * no path leads to; the descriptor is the caller's. Then, in a child, make all mounts of the spec,
 * detached, and attach them there. (A mount namespace that is copied by a less privileged user
 * namespace has the flags of its mounts locked: read-only, nodev. That is why they are not handed
 * to init as descriptors, which would leave root of the namespace free to change them.)
 */
int run_stage_open(int *ret_stage, struct err *e);
int run_stage(const struct run_spec *s, int stage, struct err *e);

/*
 * Start the command, and wait. stage: -1 without privileges; the process's working directory is
 * moved there. Returns the command's exit status, 128 + n for signal n; 126 or 127 with e filled
 * when it cannot be executed; or -errno. Takes over all signals meanwhile, and the terminal if
 * stdin and stdout are one. To be called by a process with one thread.
 */
int run_container(const struct run_spec *s, int stage, struct err *e);

void run_spec_done(struct run_spec *s);

#endif
