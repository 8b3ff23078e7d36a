/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How things are done on this host, for the commands that messages name. */

#include "util.h"

/* The command that builds the initramfs images anew, "update-initramfs -u"; where no generator is
 * found, all that we know. */
const char *host_rebuild(void);
/* How the kernel command line is changed, "in GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then
 * type: update-grub"; "grubby", for that command; NULL where it is not known. cmdline_how() makes a
 * message of it. */
const char *host_cmdline(void);
/* The command that builds the image of this kernel alone, "update-initramfs -u -k RELEASE";
 * @exists: anew; @unified: it is a part of a UKI. NULL where no generator is found, or memory is
 * short. Free it. */
char *host_rebuild_image(const char *release, bool exists, bool unified);
/* Where the generator would not put vfio-early into an image: what to do about that; or NULL. */
const char *host_hook_missing(void);
