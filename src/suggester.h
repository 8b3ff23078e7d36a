/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of --suggest share: suggest.c decides, section.c writes. */

#include "suggest.h"

enum role {
	ROLE_ASKED,
	ROLE_FUNCTION, /* of the card of one that stands here */
	ROLE_GROUP,    /* in the IOMMU group of one */
};

enum state {
	LINE_ON,
	LINE_LEFT,  /* commented out: the target does without it */
	LINE_KEPT,  /* commented out: the host needs it, or all that it was for */
	LINE_NEVER, /* commented out: it cannot be bound */
};

/* A "device =" line. */
struct line {
	size_t device;
	size_t asked; /* the device for whose sake it is here */
	enum role role;
	bool needed; /* for isolation; or asked for */
	enum state state;
	bool remark; /* @why is a warning, although the line is on */
	char *why;   /* the comment above it, or NULL */
};

/* A consent without which the plan refuses a device. */
struct need {
	enum allow bit;
	size_t device;
};

struct word {
	enum allow bit;
	bool on;
	bool remark;
	char *why;
};

struct suggester {
	const struct suggest *in;
	struct bootwords words; /* the same strings, without what bypasses or skips */
	struct plan before;     /* of what is configured already */
	char *name;             /* of the target */
	struct line *lines;
	size_t n_lines;
	struct need *needs;
	size_t n_needs;
	struct word *allow;
	size_t n_allow;
	bool *bound;          /* for each device: whether a target takes it */
	bool blocked;         /* a group cannot be isolated */
	struct findings told; /* at the top */
	int r;                /* first error; -ENOMEM is the only one there is */
};

const struct pci_device *device_at(const struct suggester *m, size_t i);
/* Adds to a text, behind a separator where there is something in it. */
void add_text(struct suggester *m, char **text, const char *separator, const char *fmt, ...)
	_printf_(4, 5);
bool was_told(const struct suggester *m, const char *id);
bool has_line(const struct suggester *m, enum state state);
/* What is on the mainboard may be of use to the host in ways that nobody can find out. */
bool takes_chipset(const struct suggester *m);
/* The worst that lines, words and findings come to. */
int suggestion_status(const struct suggester *m);

/* Writes all of it. NULL, and m->r, where memory is short. */
char *section_make(struct suggester *m, const size_t *devices, size_t n);
