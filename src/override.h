/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* driver_override of a live system's devices. Reading it takes the device's lock before Linux 6.12
 * (drivers/pci/pci-sysfs.c, driver_override_show()), and a driver's stuck probe holds that. */

#include "snapshot.h"

#define OVERRIDES_TIMEOUT_MS 5000

/* Fills in d->override where it is set. A child process reads, so that what hangs hangs there.
 * @sysfd as for scan_machine(). 0; -ETIME where @ret_stuck, a device's index in the snapshot, did
 * not answer in time, and it and those behind it are not known; or negative errno. */
int overrides_read(int sysfd, struct snapshot *s, int timeout_ms, size_t *ret_stuck) _must_check_;
