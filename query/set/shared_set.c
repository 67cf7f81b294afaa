#include "shared_set.h"

#include <stdlib.h>

struct shared_set *shared_set_new(void)
{
	struct shared_set *answer = calloc(1, sizeof(*answer));

	if (answer)
		answer->references = 1;
	return answer;
}

void shared_set_release(struct shared_set *answer)
{
	if (!answer || --answer->references > 0)
		return;
	row_set_free(&answer->rows);
	free(answer);
}
