#include "optimiser_check.h"

#include <string.h>

#include "condition/program_difference.h"

enum status optimiser_check(const char *expression, const struct program *plain, bool in_host,
			    bool *differs, struct message *message)
{
	struct program optimised;
	enum program_difference difference = PROGRAMS_UNDECIDED;
	bool done;
	enum status status;

	*differs = false;
	if (in_host && strlen(expression) > PROGRAM_OPTIMISED_DIRECT_MAX)
		return STATUS_OK;
	status = program_compile_optimised(expression, &optimised, &done, message);
	if (status == STATUS_OK && done)
		status = program_difference_find(plain, &optimised, &difference, message);
	program_free(&optimised);
	*differs = status == STATUS_OK && difference == PROGRAMS_DIFFER;
	return status;
}
