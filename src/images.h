/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the initramfs of each installed kernel holds of us, by the names that its generator's
 * listing tool prints. */

#include "checker.h"

/* The hooks put an empty file into the image, whose name tells the version and the configuration's
 * digest, so that a listing of names tells all: "/usr/share/vfio-early/image-0.1.0-DIGEST". */
#define IMAGE_MARK "/usr/share/vfio-early/image-"

/* That name, for what is installed and configured here; NULL when memory is short. */
char *image_mark(uint64_t digest);
/* Adds its findings. Nothing where nothing is configured, or only root can see what is. */
void check_images(struct checker *c);
