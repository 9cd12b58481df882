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
	unsigned only; /* a bit for each class of findings; 0: all */
	bool summary, submounts;
	const char *compose, *diff, *cover; /* map */
	bool invert;
	const char *as, *userns; /* explain */
	unsigned op;             /* an enum perm_op and 1; 0: all */
	bool all_namespaces;     /* list */
	unsigned to;             /* an enum idmap_form and 1; 0: none */
};

/* The subcommands: operands are what follows the word. They return like a command's run(). */
int check_verify(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
int check_explain(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
int check_subid(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
int check_host(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
int check_list(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);
int check_map(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e);

/*
 * Of explain: for whom it is, and each operation that a->op or the file's type leaves. Returns an
 * exit status, or -errno.
 */
struct explanation;
int check_put_verdicts(
	struct out *o, struct explanation *x, const struct check_args *a, struct err *e);

/*
 * One finding below root, which is printed at once: the path is root and what is below it, so that
 * it can be used as it stands.
 */
struct finding;
void check_put_finding(struct out *out, const char *root, const struct finding *f);

struct verify_counts;
/* partial: a map was compared with of which not all lines may have been known. */
void check_put_summary(struct out *out, const struct verify_counts *c, bool partial, bool quiet);

#endif
