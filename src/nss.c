/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A static program has no name service: glibc's would load the shared libraries of just the version
 * that it was linked with (the linker warns of that), and they are not in an initramfs. Nothing of
 * ours asks for users or groups, and libudev does only to name one in a debug message
 * (chase_symlinks() in systemd's src/basic/chase-symlinks.c). So nobody is known here, and a third
 * of glibc stays out of the program. */

#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stddef.h>

struct passwd *getpwnam(const char *name)
{
	(void)name;
	return NULL;
}

struct passwd *getpwuid(uid_t uid)
{
	(void)uid;
	return NULL;
}

struct group *getgrnam(const char *name)
{
	(void)name;
	return NULL;
}

struct group *getgrgid(gid_t gid)
{
	(void)gid;
	return NULL;
}

int getpwuid_r(uid_t uid, struct passwd *entry, char *buf, size_t size, struct passwd **ret)
{
	(void)uid, (void)entry, (void)buf, (void)size;
	*ret = NULL;
	return 0;
}

int getgrgid_r(gid_t gid, struct group *entry, char *buf, size_t size, struct group **ret)
{
	(void)gid, (void)entry, (void)buf, (void)size;
	*ret = NULL;
	return 0;
}

int getnameinfo(const struct sockaddr *restrict addr, socklen_t len, char *restrict host,
	socklen_t host_len, char *restrict service, socklen_t service_len, int flags)
{
	(void)addr, (void)len, (void)host, (void)host_len, (void)service, (void)service_len;
	(void)flags;
	return EAI_FAIL;
}
