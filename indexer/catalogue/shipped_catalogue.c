#include "shipped_catalogue.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/platform.h"

/* Where the build does not say how the folders of an installation lie. */
#ifndef CONNBITS_DATA_FROM_PROGRAMS
#define CONNBITS_DATA_FROM_PROGRAMS "../share/connbits"
#endif

char *shipped_catalogue_find(void)
{
	char program[PATH_MAX];
	char path[PATH_MAX + sizeof(CONNBITS_DATA_FROM_PROGRAMS) + 32];
	char *found;

	if (!platform_program_path(program, sizeof(program)))
		return NULL;
	snprintf(path, sizeof(path), "%s/%s/filters.conf", dirname(program),
		 CONNBITS_DATA_FROM_PROGRAMS);
	found = realpath(path, NULL);
	if (found && access(found, R_OK) != 0) {
		free(found);
		return NULL;
	}
	return found;
}
