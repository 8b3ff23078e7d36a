/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One run of the real binary in a root, under ptrace: every system call of it and of its children
 * stops there. One process at a time goes on, the oldest that can (or by a rule the youngest), and
 * time is ours: it passes only by system calls, and where all wait. So a run is the same each time,
 * a hang costs nothing, and the n-th system call can be made to fail. */

#include <sys/types.h>

#include "calls.h"
#include "core.h"

/* What a system call takes at most, as far as the clock that the binary reads is concerned. */
#define CALL_NS 10000

/* A system call as it was made. */
struct call {
	const struct call_type *type;
	unsigned process; /* 0: the first, and then in the order of birth */
	bool in_main;     /* after what comes before main() */
	bool driver_core; /* a write that the driver core answers, or a module's loading */
	bool pipe;
	bool writable; /* an open that writes or creates */
	bool keeps;    /* memory: it does not ask for more */
	char *path;    /* in the root, or "" */
};

struct trace {
	/* What is to be done. */
	struct core *core;
	struct fault fault;
	const char *const *argv; /* of the binary, which is /vfio-early in the root */
	bool keep_calls;
	FILE *show; /* each call as it is made, or NULL */

	/* What came of it. */
	struct call *calls;
	size_t n_calls;
	bool injected;
	struct call at; /* the call at which the fault was injected */
	bool ended;     /* the first process did */
	int status;     /* its, as of wait(); -1: it was killed by the fault */
	uint64_t ns;    /* when it ended */
	char *kmsg, *said;
	char *broken;   /* what no run may do, or NULL */
	unsigned execs; /* but the first */
};

/* Runs it. Fills what came of it; trace_free() that before the next. */
void trace_run(struct trace *t);
void trace_free(struct trace *t);
