/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel command line, as far as it concerns us. Pure: a string in, plain data out. */

#include "util.h"

struct bootwords {
	char *bypass;    /* the word for which nothing is bound at this boot; NULL: bind */
	bool bypass_bad; /* it starts like one of ours and is not understood */
	bool verbose;
	char **skip; /* TARGET, ADDRESS or ID */
	size_t n_skip;
	char **profiles; /* rd.vfio-early.profile= */
	size_t n_profiles;
	char **words; /* all that had a part in this, as typed, for the boot record */
	size_t n_words;
	bool no_sysfb; /* initcall_blacklist=sysfb_init: no driver holds the firmware's framebuffer
			*/
	bool network_root; /* the root file system comes over the network */
	/* What they say of the IOMMU; a word as typed, NULL: not there. */
	char *iommu_off;    /* intel_iommu=off, amd_iommu=off, iommu=off */
	char *iommu_on;     /* intel_iommu=on */
	char *amd_iommu_on; /* amd_iommu=on, which the kernel does not know */
	char *acs_override; /* pcie_acs_override=, of patched kernels */
	char *intremap_off; /* intremap=off, nointremap */
	char *how;          /* as host_cmdline() says; the caller's to set, or NULL */
};

/* Parses @cmdline as the kernel does (lib/cmdline.c, next_arg(): double quotes, no escapes). A
 * bypass is any of rd.vfio-early=0, a rescue boot's words, or a kdump kernel (elfcorehdr=); the
 * caller adds /proc/vmcore. 0, or -ENOMEM. */
int bootwords_parse(const char *cmdline, struct bootwords *ret) _must_check_;
/* Takes back the bypass, unless it is a word that was not understood: what a boot without it does.
 */
void bootwords_drop_bypass(struct bootwords *w);
/* The next word of a command line, cut out in place; NULL at the end. White space inside double
 * quotes belongs to the word, wherever they open; the quotes are taken off. */
char *bootwords_next(char **s);
void bootwords_free(struct bootwords *w);
