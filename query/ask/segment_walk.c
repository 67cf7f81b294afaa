#include "segment_walk.h"

enum status search_pause_run(const struct search_pause *pause, struct column_reader *reader,
			     struct message *message)
{
	if (!pause || !pause->due(pause->context))
		return STATUS_OK;
	column_reader_rest(reader);
	return pause->run(pause->context, message);
}

enum status search_interrupted(struct message *message)
{
	return message_wrap(message, STATUS_FAILED, MESSAGE_CODE_INTERRUPT, "interrupted");
}

enum status segment_walk(struct column_reader *reader, const struct segment_span *span,
			 const struct stop *stop, const struct search_pause *pause,
			 segment_visitor visit, void *context, struct message *message)
{
	int64_t next = span ? span->first : INT64_MIN;
	bool found = true;
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		struct segment_columns *columns;
		int64_t number;

		if (stop_asked(stop))
			return search_interrupted(message);
		status = search_pause_run(pause, reader, message);
		if (status == STATUS_OK)
			status = column_reader_next(reader, next, &number, &found, message);
		if (status != STATUS_OK || !found || (span && number > span->last))
			break;
		next = number + 1;
		status = column_reader_begin(reader, number, &columns, message);
		if (status == STATUS_OK)
			status = visit(context, number, columns, message);
	}
	return status;
}
