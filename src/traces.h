/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What other ways of binding devices to vfio-pci have left on this host: the files and the kernel
 * command line read, as plain data, nothing judged. Not for the boot path. */

#include "pciaddr.h"
#include "util.h"

enum trace_kind {
	TRACE_IDS,       /* "options vfio-pci ids=VALUE", "vfio-pci.ids=VALUE" */
	TRACE_OPTION,    /* another option of vfio-pci */
	TRACE_SOFTDEP,   /* a softdep of module @name that has vfio-pci on either side */
	TRACE_INSTALL,   /* an install command of module @name that touches VFIO */
	TRACE_BLACKLIST, /* module @name is kept from being loaded, or by "modeset=0" from working
			  */
	TRACE_EARLY,     /* loads VFIO modules early; @value: the command that takes it away */
	TRACE_SCRIPT,    /* writes driver_override or new_id itself; @value: which of them */
	TRACE_UNIT,      /* a systemd unit, @name, that runs such a script; @value: it is enabled */
	TRACE_DRIVERCTL, /* driverctl's override for @addr; @value: the driver */
	TRACE_BIND_LIST, /* an address in OpenNebula's list */
	TRACE_LIBVIRT,   /* @addr in virtual machine @name, which libvirt manages */
};

struct trace {
	enum trace_kind kind;
	char *file;    /* NULL: the kernel command line */
	unsigned line; /* 0: all of the file */
	unsigned last; /* where a backslash continues it, the last one; else @line */
	bool alone;    /* TRACE_IDS of a file: the line has no other option */
	char *text;    /* the word, or the begin of the line, control characters replaced */
	char *name;
	char *value;
	struct pci_addr addr;
};

struct traces {
	struct trace *items; /* in the order of enum trace_kind's sources: see traces_read() */
	size_t n;
};

/* Reads all of them: modprobe.d first, then @cmdline, the lists of modules to load early, scripts
 * and units, driverctl, OpenNebula, libvirt. What is missing, no regular file, not readable or
 * larger than 1 MiB is left out. 0, or -ENOMEM. */
int traces_read(const char *cmdline, struct traces *ret) _must_check_;
/* "/etc/modprobe.d/vfio.conf:3", or "the kernel command line"; a new string, or NULL. */
char *trace_where(const struct trace *t);
void traces_free(struct traces *t);
