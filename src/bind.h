/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What --bind does in the initramfs, in bounded time. */

#include "session.h"

/* Reads everything, decides, acts, tells; a child process does it all, and where it takes too long
 * or dies, that is told in its stead. The exit status. */
int bind_bounded(struct session *s);
