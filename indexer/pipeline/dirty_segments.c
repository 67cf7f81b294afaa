#include "dirty_segments.h"

#include <stdlib.h>

#include "base/numbers.h"
#include "base/rowid.h"
#include "index/outcome_reader.h"

enum status dirty_segments_find(struct dirty_segments *dirty, const struct dirty_search *search,
				struct message *message)
{
	const int64_t first = segment_of(search->log_first);
	const int64_t last = segment_of(search->last_row);
	enum status status = STATUS_OK;

	*dirty = (struct dirty_segments){.numbers = calloc(search->noted_count + CHUNK_SEGMENTS + 1,
							   sizeof(*dirty->numbers))};
	if (!dirty->numbers)
		return message_out_of_memory(message);
	if (search->log_first > search->first_row)
		/* Those that share a chunk with the log's first row and are not behind it. */
		status = outcome_reader_list(search->database, search->indexed,
					     chunk_first_segment(chunk_of_row(search->log_first)),
					     first, dirty->numbers, &dirty->count, message);
	for (size_t i = 0; i < search->noted_count; i++)
		if (search->noted[i] >= first && search->noted[i] <= last)
			dirty->numbers[dirty->count++] = search->noted[i];
	if (search->log_last > search->last_row)
		dirty->numbers[dirty->count++] = last;
	dirty->count = numbers_settle(dirty->numbers, dirty->count);
	return status;
}

void dirty_segments_free(struct dirty_segments *dirty)
{
	free(dirty->numbers);
	*dirty = (struct dirty_segments){0};
}
