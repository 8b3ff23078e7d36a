/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The system calls that vfio-early makes: what each is about, and how it can fail. */

#include "util.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_ERROR,     /* it answers an error, and nothing is done */
	FAULT_LATE,      /* it answers an error, and yet it is done */
	FAULT_SHORT,     /* one byte */
	FAULT_HALF,      /* half of what was asked for */
	FAULT_EMPTY,     /* a file that ends before its first byte */
	FAULT_HANG,      /* it never comes back */
	FAULT_STALL,     /* it comes back when its process is killed, and not before */
	FAULT_NO_MEMORY, /* from here on, there is no more memory */
	FAULT_KILL,      /* the process dies before it */
	FAULT_KILL_ALL,  /* all processes do */
};

struct fault {
	size_t call; /* which, from 0 on */
	enum fault_kind kind;
	int error; /* errno, for FAULT_ERROR and FAULT_LATE */
};

enum call_file {
	CALL_NO_FILE,
	CALL_FD,   /* the first argument is a file */
	CALL_PATH, /* the first argument is a path */
	CALL_AT,   /* the first is a directory, the second a path in it */
};

struct call_type {
	long nr;
	const char *name;
	enum call_file file;
	bool reads;   /* can be short */
	bool writes;  /* the same */
	bool changes; /* files, beside what is written to them */
	bool is_stat;
	bool memory;  /* asks for memory */
	bool is_done; /* although it fails */
	int errors[8];
};

/* NULL for one that is not known, which the tests take for a failure. */
const struct call_type *call_type(long nr);
/* "EIO" for EIO; and back, 0 for none. */
const char *error_name(int error);
/* "EIO", "late-EIO", "half"... */
void fault_name(const struct fault *f, char buf[static 32]);
/* 0, or -EINVAL. */
int fault_parse(const char *name, struct fault *ret) _must_check_;
