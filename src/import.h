/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What other ways of binding do on this host, as a configuration of ours. */

#include "session.h"

/* Writes it: a configuration file's text, with what was not clear as comments, and at the end what
 * to delete when it works. @s is as session_check() leaves it. *@ret_status is 0 where all was
 * carried over and would be bound at the next boot, 1 where a comment has a question or a warning,
 * 2 where nothing could be carried over, or a target would be refused as it stands. 0, or -ENOMEM.
 */
int import_make(const struct session *s, char **ret_text, int *ret_status) _must_check_;
