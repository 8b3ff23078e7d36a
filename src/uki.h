/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Unified kernel images: kernel, initramfs and command line as sections of one EFI program
 * (https://uapi-group.org/specifications/specs/unified_kernel_image). */

#include "util.h"

/* The kernel's release as the section .uname has it. 0; -EINVAL where the file is no UKI, -ENOENT
 * where it does not tell; or another negative errno. */
int uki_release(const char *path, char *buf, size_t size) _must_check_;
/* Copies the initramfs to the open file @out. 0, or negative errno, as above. */
int uki_initrd(const char *path, int out) _must_check_;
