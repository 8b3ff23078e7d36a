/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The part of --check that holds what the host lives on against what the next boot would take. */

#include "checker.h"

void check_needs(struct checker *c);
