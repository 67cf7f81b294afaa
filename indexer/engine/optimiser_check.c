#include "optimiser_check.h"

#include "condition/program_difference.h"

enum status optimiser_check(const char *expression, const struct program *plain, bool *differs,
			    struct message *message)
{
	struct program optimised;
	enum program_difference difference = PROGRAMS_UNDECIDED;
	bool done;
	enum status status = program_compile_optimised(expression, &optimised, &done, message);

	if (status == STATUS_OK && done)
		status = program_difference_find(plain, &optimised, &difference, message);
	program_free(&optimised);
	*differs = status == STATUS_OK && difference == PROGRAMS_DIFFER;
	return status;
}
