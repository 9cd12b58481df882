/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_HOST_PRIV_H
#define SURVEY_HOST_PRIV_H

#include <stdbool.h>

#include "../base/buf.h"
#include "host.h"

/*
 * The parts of the survey. All run in its child, and may leave there whatever they like. For
 * lib/survey/host*.c alone.
 */
struct host {
	int out;         /* rows go there */
	bool entered;    /* there is a mount namespace of our own, and we may make mounts in it */
	bool may_attach; /* ... and attach them: nobody else would see it */
	bool own_userns; /* ... only in a user namespace of our own */
	bool in_userns;  /* that one, or one that the caller was in already */
	int userns;      /* carries a map: the id 0 seen as 0; -1: none could be made */
	char mappable[512]; /* a mount that could be mapped, which host_filesystems() finds; "" */
	char refused[256];  /* why not entered, or no userns */
};

void host_row(struct host *h, const char *section, const char *name, enum host_answer answer,
	const char *since, const char *fmt, ...) PRINTF(6, 7);

/* A detached tmpfs of our own. Returns a descriptor, or -errno. */
int host_scratch(void);

/*
 * A small filesystem of the type in an image, made on scratch (a host_scratch() of its own) by its
 * mkfs program and mounted detached; the loop device goes with the mount. Only where may_attach.
 * Returns a descriptor, or -errno with the reason in why (which stays empty where no way is known
 * to make one).
 */
int host_image(int scratch, const char *type, struct buf *why);

/*
 * A detached FUSE filesystem with default_permissions, whose daemon asks for ID-mapped mounts; it
 * lives until *ret_server is closed, which comes before the mount's own end. Returns a descriptor;
 * -EOPNOTSUPP: this kernel does not offer them to daemons; -errno with the reason in why.
 */
int host_fuse(int *ret_server, struct buf *why);

/*
 * A detached clone of the mount (or directory) of fd with the map. Returns a descriptor, or -errno.
 */
int host_mapped_clone(const struct host *h, int fd);

void host_kernel(struct host *h);
void host_filesystems(struct host *h, const char *path);
void host_overlay(struct host *h);
void host_namespaces(struct host *h);

#endif
