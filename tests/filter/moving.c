/*
 * Stands in for the system's look-ups (LD_PRELOAD): the host moving.test has the
 * address that the environment variable MOVING says, or is not found without it;
 * with NO_NAMES the system has no lists of ports and protocols.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*look_up)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **result)
{
	const look_up system_look_up = (look_up)dlsym(RTLD_NEXT, "getaddrinfo");

	if (node && strcmp(node, "moving.test") == 0) {
		node = getenv("MOVING");
		if (!node)
			return EAI_NONAME;
	}
	if (service && getenv("NO_NAMES") && !strchr("0123456789", *service))
		return EAI_SERVICE;
	return system_look_up(node, service, hints, result);
}

typedef int (*protocol_look_up)(const char *, struct protoent *, char *, size_t,
				struct protoent **);

int getprotobyname_r(const char *name, struct protoent *entry, char *buffer, size_t size,
		     struct protoent **result)
{
	const protocol_look_up system_look_up =
		(protocol_look_up)dlsym(RTLD_NEXT, "getprotobyname_r");

	*result = NULL;
	return getenv("NO_NAMES") ? 0 : system_look_up(name, entry, buffer, size, result);
}

int access(const char *path, int mode)
{
	int (*system_access)(const char *, int) =
		(int (*)(const char *, int))dlsym(RTLD_NEXT, "access");

	if (getenv("NO_NAMES") &&
	    (strcmp(path, "/etc/services") == 0 || strcmp(path, "/etc/protocols") == 0))
		return -1;
	return system_access(path, mode);
}
