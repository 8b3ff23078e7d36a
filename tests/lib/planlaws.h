/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The laws that every plan keeps, whatever the machine, the configuration and the boot words. */

#include "law.h"

/* Makes a case of the bytes, and some that differ from it in what must make no difference or only
 * one kind of it; says of each law that is broken which case it was. */
void planlaws_check(const uint8_t *data, size_t len);
