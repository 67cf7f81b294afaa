#include "shared_set.h"

#include <stdlib.h>

struct shared_set *shared_set_new(void)
{
	struct shared_set *set = calloc(1, sizeof(*set));

	if (set)
		set->references = 1;
	return set;
}

void shared_set_release(struct shared_set *set)
{
	if (!set || --set->references > 0)
		return;
	row_set_free(&set->rows);
	free(set);
}
