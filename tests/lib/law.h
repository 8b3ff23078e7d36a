/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Laws, which every case of a kind keeps: for tests that make their cases themselves. */

#include "util.h"

/* How often a law was broken so far. */
extern unsigned laws_broken;

/* Counts where @kept is not. The first case that breaks the law @what is printed, and that one
 * alone: @fmt and what is behind it tell the case. */
void law(bool kept, const char *what, const char *fmt, ...) _printf_(3, 4);
