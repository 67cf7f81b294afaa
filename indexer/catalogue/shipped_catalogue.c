#include "shipped_catalogue.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Where the build does not say how the folders of an installation lie. */
#ifndef CONNBITS_DATA_FROM_PROGRAMS
#define CONNBITS_DATA_FROM_PROGRAMS "../share/connbits"
#endif

char *shipped_catalogue_find(void)
{
	char program[PATH_MAX];
	char path[PATH_MAX + sizeof(CONNBITS_DATA_FROM_PROGRAMS) + 32];
	const ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *found;

	if (length <= 0)
		return NULL;
	program[length] = '\0';
	snprintf(path, sizeof(path), "%s/%s/filters.conf", dirname(program),
		 CONNBITS_DATA_FROM_PROGRAMS);
	found = realpath(path, NULL);
	if (found && access(found, R_OK) != 0) {
		free(found);
		return NULL;
	}
	return found;
}
