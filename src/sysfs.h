/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One sysfs attribute at a time, relative to a directory: no globals, no logging. */

#include <dirent.h>

#include "util.h"

static inline void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _cleanup_closedir_ _cleanup_(closedirp)

/* Reads until the end of @fd or until @buf is full: a signal or a fault may cut a read() short. The
 * length, or negative errno. */
ssize_t read_full(int fd, char *buf, size_t size) _must_check_;
/* A file's text, at most @max bytes, into *@ret, with a NUL behind it. Never blocks. 0, or negative
 * errno; -EMEDIUMTYPE where it is no regular file, -EFBIG where it is longer, -EIO where it is
 * shorter than its size. */
int file_read(const char *path, size_t max, char **ret, size_t *ret_len) _must_check_;
/* Opens a file for reading line by line; never blocks. 0, or negative errno; -EMEDIUMTYPE where it
 * is no regular file. */
int file_open(const char *path, FILE **ret) _must_check_;
/* What people are told of an error of reading, in place of strerror(). */
const char *read_error(int error);
/* The first @size bytes of @path at most. Their number, or negative errno. */
ssize_t sysfs_read_bytes(int dirfd, const char *path, void *buf, size_t size) _must_check_;
/* All the text of @path, ended with NUL; a newline at the end is taken off. The length, or negative
 * errno: part of a text is none, so -EFBIG where @buf is too small, -EBADMSG where there is a NUL
 * in it. */
ssize_t sysfs_read(int dirfd, const char *path, char *buf, size_t size) _must_check_;
/* The same for a text whose last line is known to start with @last: where that came with the first
 * read(), there is no other, which would only find the end. */
ssize_t sysfs_read_to(int dirfd, const char *path, const char *last, char *buf, size_t size)
	_must_check_;
/* Writes @text with one write(), as kernfs wants it (Documentation/filesystems/sysfs.rst): the
 * attribute's own error comes back. 0, or negative errno; -EIO for a short write. */
int sysfs_write(int dirfd, const char *path, const char *text) _must_check_;
/* Opens the directory @path for readdir(). 0, or negative errno. */
int sysfs_opendir(int dirfd, const char *path, DIR **ret) _must_check_;
/* The next entry that does not start with '.'. 1, 0 at the end, or negative errno: a list that
 * broke off is no list. */
int sysfs_readdir(DIR *dir, struct dirent **ret) _must_check_;
/* The first entry of the directory @path that starts with @prefix, without it. 0, or negative
 * errno; -ENOENT where there is none. */
int sysfs_find(int dirfd, const char *path, const char *prefix, char *buf, size_t size)
	_must_check_;
/* The last component of the link @path: a driver's name, a group's number. 0, or negative errno. */
int sysfs_link_name(int dirfd, const char *path, char *buf, size_t size) _must_check_;
