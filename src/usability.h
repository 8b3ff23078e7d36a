/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What keeps a virtual machine from starting with devices that are bound, or will be, and what may
 * surprise whoever starts it. */

#include "checker.h"

void check_usability(struct checker *c);
