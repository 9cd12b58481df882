/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EXPLAIN_EXPLAIN_PRIV_H
#define EXPLAIN_EXPLAIN_PRIV_H

#include "explain.h"

/* Shared by lib/explain/explain*.c only. */

/*
 * Look up the caller: the user of --as in the user namespace of --userns (both may be NULL: see
 * explain_look()), or the calling process. ret contains pointers to itself and must not be moved.
 */
MUST_CHECK int explain_caller_look(
	const char *as, const char *userns, struct explain_caller *ret, struct err *e);

/*
 * explain_elsewhere.c: find out whether the mount of fd is in the mount namespace of another
 * process, and set x->elsewhere and x->root. Returns 0 or -errno.
 */
MUST_CHECK int explain_elsewhere_find(struct explanation *x, int fd, struct err *e);

/*
 * Open the directory that the path begins with, or the next one on it (O_PATH), without following
 * links. In a namespace that belongs to another user namespace, only what the kernel has cached is
 * found. Both return a descriptor, or -1 with errno.
 */
int explain_elsewhere_root(const struct explanation *x);
int explain_elsewhere_next(const struct explanation *x, int dir, const char *name);
void explain_elsewhere_done(struct explanation *x);

/*
 * explain_chain.c: find the way of the file to the disk, if it leads through another mount
 * namespace, an overlay in a user namespace, or a store of podman. Sets x->chain, and the disk side
 * and the layer of a file whose layer is found. fd: the file (O_PATH). Returns 0 or -errno.
 */
MUST_CHECK int explain_chain_look(struct explanation *x, int fd, struct err *e);
void explain_chain_done(struct explanation *x);

/*
 * explain_layers.c: note the first directory on the path below the layer (O_PATH; path is its name)
 * that is opaque for one kind of mount only. Returns 0 or -ENOMEM.
 */
MUST_CHECK int explain_marks_look(
	struct explanation *x, int layer, const char *path, const char *below);

/* Find the mount with this id, which fd is on, or add it. *ret is its index. */
MUST_CHECK int explain_mount_find(
	struct explanation *x, int fd, uint64_t id, const char *path, size_t *ret, struct err *e);

/*
 * Find out what each overlay on the path is made of, as far as that can be known, and which layer
 * the file comes from. Sets x->layer and the disk side of the file, or x->layer_unknown. Returns 0
 * or -errno with e filled.
 */
MUST_CHECK int explain_stacks_look(
	struct explanation *x, const struct explain_question *q, struct err *e);
/*
 * Set the facts about n that only inodes of an overlay have. The facts that all inodes have must be
 * set already.
 */
void explain_stack_facts(struct explanation *x, struct explain_inode *n);
/*
 * Pretend (upper) that the overlay of this mount, which has no upper directory, has one, or stop
 * pretending.
 */
void explain_stack_pretend(struct explanation *x, size_t mount, bool upper);
void explain_stacks_done(struct explanation *x);

/* A layer of an overlay that could be opened. */
struct explain_layer {
	int fd;
	char *path;
	bool mapped, upper;
	struct idmap map;
	struct perm_mount facts;
};

struct explain_stack {
	size_t mount;
	VEC(struct explain_layer *) layers; /* topmost first */
	bool known; /* the layers have been found; each has its own map, or the given one */
	const char *unknown;
	const struct idmap *given; /* NULL, or &copy: the map that the caller has given */
	struct idmap copy;
	bool stored; /* the layers are those of an image: an inode that is in none of them is in the
	                upper directory */
	bool has_upper;
	struct perm_mount plain; /* without a map */
	struct perm_mount all; /* of layers that have not been found, and of the upper directory */
	struct perm_cred mounter;
	struct perm_overlay facts;
};

/* Forget the layers, because they turned out not to be those of the overlay. */
void explain_layers_forget(struct explain_stack *s);
/* Forget the directories of lower layers that n is merged with; their ACLs are n's. */
void explain_below_done(struct explain_inode *n);
/*
 * Open the layers that the mount's options name (a relative name begins at base), or these layers.
 * Both functions set s->known if all could be opened, and return 0 or -ENOMEM.
 */
MUST_CHECK int explain_layers_find_named(
	struct explain_stack *s, const char *options, const char *base);
MUST_CHECK int explain_layers_take(struct explain_stack *s, const struct strv *layers);
/*
 * Look for each inode of the overlay in the layers. If the file found there is not the one that is
 * seen, the names lead to other directories than the layers, and all layers are forgotten. Returns
 * 0 or -ENOMEM.
 */
MUST_CHECK int explain_layers_look(struct explanation *x, struct explain_stack *s);

/* What explain_answer_of() varies about a stack. */
struct explain_stack_view {
	struct perm_overlay *overlay;
	struct perm_cred *mounter;
	struct perm_mount *upper;
	bool unknown_map;   /* the maps of the layers and the upper directory are unknown */
	bool unknown_upper; /* it is unknown which inodes are in the upper directory */
	size_t mount;
};
struct explain_stack_view explain_stack_view_of(const struct explanation *x, size_t i);

/* Replace the ids of an ACL, which are seen through the map, by those on disk or ACL_NO_ID. */
void explain_infer_acl(const struct idmap *m, struct acl *a);

/*
 * Try what the mounter of an overlay may do in all layers of a directory: look up a name that does
 * not exist, or list it. fd may be O_PATH.
 */
enum explain_tried explain_try_search(int fd);
enum explain_tried explain_try_list(int fd);

/* Read the ids, ACL and capabilities of a file; those that cannot be read are logged. */
MUST_CHECK int explain_read_meta(int fd, const char *path, struct meta *ret, struct err *e);

/*
 * The two parts of explain_verdict(). explain_search() searches the directory with index i; it is
 * called for each directory but the one that holds the file. explain_last() applies the rules for
 * that directory and the file.
 */
struct perm_verdict explain_search(const struct explanation *x, size_t i);
struct perm_verdict explain_last(const struct explanation *x, enum perm_op op, size_t *ret_at);

/*
 * What is to succeed: the operation op and, if effect is set (with PERM_EXEC), that the file's
 * set-id bits and capabilities take effect.
 */
struct explain_aim {
	enum perm_op op;
	bool effect;
};

/* Does it succeed, according to the facts in x? */
bool explain_works(const struct explanation *x, struct explain_aim aim);

/* Does an execution that d allows ignore set-id bits or capabilities of the file? */
bool explain_has_ignored(const struct explanation *x, const struct perm_verdict *d);

/*
 * Extend the map of the file's mount so that aim succeeds, and append the command to b. Returns
 * false, with b unchanged, if no extension suffices. The facts in x are restored.
 */
bool explain_fix_map(struct explanation *x, struct explain_aim aim, struct buf *b);

/*
 * If DISK and SEEN of that map look swapped, try the map with both exchanged, and if need be
 * another caller. Returns false, with b unchanged, if aim does not succeed so.
 */
bool explain_fix_swap(struct explanation *x, struct explain_aim aim, struct buf *b);

/*
 * Try it as the owner of the inode that the rule is about, as the file's owner, and as root, and
 * append how to do that: an id without an account is a container's, whose user can enter a user
 * namespace.
 */
bool explain_fix_caller(struct explanation *x, struct explain_aim aim, struct buf *b);

/* Set the execute bit of a program. */
bool explain_fix_mode(struct explanation *x, struct explain_aim aim, struct buf *b);

/* Let the caller search the directories above the file: what their owners can do. */
bool explain_fix_search(struct explanation *x, struct explain_aim aim, struct buf *b);

/* Append a blank and the path, escaped for printing. */
void explain_add_path(struct buf *b, const char *path);

#endif
