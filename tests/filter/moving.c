/*
 * Stands in for the system's look-ups of hosts (LD_PRELOAD): the host
 * moving.test has the address that the environment variable MOVING says, or is
 * not found without it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

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
	return system_look_up(node, service, hints, result);
}
