/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <fcntl.h>

#include "uki.h"

struct section {
	uint32_t offset;
	uint32_t size;
};

/* Finds a section of the file (Microsoft's "PE Format"). 0; -EINVAL where it is no PE file, -ENOENT
 * where it has no such section. */
static int find_section(int fd, const char *name, struct section *ret)
{
	enum { PE_OFFSET = 0x3c, HEADER = 24, SECTION = 40 };
	unsigned char dos[64], pe[HEADER], s[SECTION];
	uint32_t at, size, raw, offset;
	uint16_t sections, optional;

	if (pread(fd, dos, sizeof(dos), 0) != sizeof(dos) || memcmp(dos, "MZ", 2) != 0)
		return -EINVAL;
	memcpy(&at, dos + PE_OFFSET, sizeof(at));
	at = le32toh(at);
	if (pread(fd, pe, sizeof(pe), at) != sizeof(pe) || memcmp(pe, "PE\0\0", 4) != 0)
		return -EINVAL;
	memcpy(&sections, pe + 6, sizeof(sections));
	memcpy(&optional, pe + 20, sizeof(optional));
	for (unsigned i = 0; i < le16toh(sections); i++) {
		off_t place = (off_t)at + HEADER + le16toh(optional) + (off_t)i * SECTION;

		if (pread(fd, s, sizeof(s), place) != sizeof(s))
			return -EINVAL;
		if (strncmp((const char *)s, name, 8) != 0)
			continue;
		memcpy(&size, s + 8, sizeof(size));
		memcpy(&raw, s + 16, sizeof(raw));
		memcpy(&offset, s + 20, sizeof(offset));
		/* What the file has may be padded, or short of what memory is to have. */
		size = le32toh(size) < le32toh(raw) ? le32toh(size) : le32toh(raw);
		*ret = (struct section){ .offset = le32toh(offset), .size = size };
		return 0;
	}
	return -ENOENT;
}

int uki_release(const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct section s;
	int r;

	if (fd < 0)
		return -errno;
	r = find_section(fd, ".uname", &s);
	if (r < 0)
		return r;
	if (s.size >= size || pread(fd, buf, s.size, s.offset) != (ssize_t)s.size)
		return -EINVAL;
	buf[s.size] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int uki_initrd(const char *path, int out)
{
	_cleanup_close_ int in = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct section s;
	off_t from;
	size_t left;
	int r;

	if (in < 0)
		return -errno;
	r = find_section(in, ".initrd", &s);
	if (r < 0)
		return r;
	from = s.offset;
	left = s.size;
	while (left) {
		char buf[65536];
		ssize_t n = pread(in, buf, left < sizeof(buf) ? left : sizeof(buf), from);

		if (n < 0)
			return -errno;
		if (n == 0 || write(out, buf, (size_t)n) != n)
			return -EIO;
		from += n;
		left -= (size_t)n;
	}
	return 0;
}
