/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_SHIFT_CHECK_H
#define CMD_SHIFT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"

struct check_args {
	struct strv maps;
	const char *source, *spec, *image, *store;
	uint32_t threads, max_findings;
	unsigned only; /* a bit for each class of findings to report; 0: all */
	bool summary, submounts;
	const char *compose, *diff, *cover; /* map */
	bool invert;
	const char *as, *userns; /* explain */
	struct check_op {
		unsigned op;       /* an enum perm_op plus 1; 0: all */
		const char *chown; /* UID:GID of PERM_CHOWN */
	} op;
	bool all_namespaces; /* list */
	unsigned to;         /* an enum idmap_form plus 1; 0: none */
};

/* max_findings: print the first findings, and those with one cause as one line. */
#define FINDINGS_FIRST UINT32_MAX

/* The subcommands; operands follow the word. Each returns what a command's run() returns. */
MUST_CHECK int check_verify(
	const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
MUST_CHECK int check_explain(
	const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
MUST_CHECK int check_subid(
	const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
MUST_CHECK int check_host(
	const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
MUST_CHECK int check_list(
	const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
MUST_CHECK int check_map(
	const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);

MUST_CHECK int check_podman(
	const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);

struct explanation;
/* Print whose subordinate id the file has, if a container left it behind. */
void check_put_leftover(struct out *o, const struct explanation *x);

/* Print the way of the file to the disk, if it is known: the owner at each step. */
void check_put_chain(struct out *o, const struct explanation *x);

struct buf;
/*
 * Append the path in quotes for a shell; FILE if it has a backslash or a control byte, which are
 * not printed as they are.
 */
void check_quote_path(const char *path, struct buf *ret);

/* Append the command that explains the file outside of the caller's user namespace. */
void check_outside_command(const struct explanation *x, struct buf *ret);

/*
 * In a user namespace, note what cannot be known there and the command that shows it. hidden: lines
 * of the map cannot be read.
 */
void check_put_outside_note(struct out *o, const struct explanation *x, bool hidden);

/* Where the further lines of explain's facts and answers begin, on a narrow terminal. */
enum { CHECK_FACTS_INDENT = 14, CHECK_VERDICTS_INDENT = 10 };

/*
 * Print the ids of the file, each on its way from disk to this process: owner, group, those of ACLs
 * and capabilities, and an owner that another tool has recorded in an attribute.
 */
void check_put_ids(struct out *o, const struct explanation *x);

struct perm_chown;
/* Parse the UID:GID of --op chown=, numbers or names; either may be missing. */
MUST_CHECK int check_parse_chown(const char *text, struct perm_chown *ret, struct err *e);

/*
 * Print explain's verdicts: the caller, then the operation a->op.op, or all that make sense for the
 * type of the file. Returns an exit status, or -errno.
 */
struct explanation;
MUST_CHECK int check_put_verdicts(
	struct out *o, struct explanation *x, const struct check_args *a, struct err *e);

/*
 * Print a finding of verify and flush. The printed path starts with root, so that it can be used as
 * it is.
 */
struct finding;
void check_put_finding(struct out *out, const char *root, const struct finding *f);

struct idmap;
/* detail: why the mount is not compared, NULL if it is; text: the same in fewer words. */
struct mount_words {
	const char *detail, *text;
	bool only_json;
};

/* Print that a mount was compared with this map, or why it was not. */
void check_put_mount(
	struct out *out, const char *path, const struct idmap *map, const struct mount_words *w);

/*
 * Report, with the messages of mount-idmapped, a map that looks swapped or a tree that looks
 * shifted already. check_misfit_warn() logs a warning about map and the top of the tree, disk, as
 * it is on disk; path is its name. check_misfit_put() prints a note about the mount that explain's
 * file is on.
 */
struct idmap;
void check_misfit_warn(int disk, const struct idmap *map, const char *path);
void check_misfit_put(struct out *o, const struct explanation *x);

/* Warn about mounts that lack the map of their fstab line. below: a path, or NULL for all. */
void check_fstab_maps(const char *below);

struct verify_counts;
/* Print the summary of verify. partial: the map that was used may have lacked lines. */
void check_put_summary(struct out *out, const struct verify_counts *c, bool partial, bool quiet);

#endif
