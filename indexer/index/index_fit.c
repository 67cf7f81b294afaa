#include "index_fit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log/fingerprint.h"
#include "log/notes_reader.h"

__attribute__((format(printf, 2, 3))) static enum status rebuild(struct change *change,
								 const char *format, ...)
{
	va_list arguments;

	change->rebuild = true;
	va_start(arguments, format);
	vsnprintf(change->reason, sizeof(change->reason), format, arguments);
	va_end(arguments);
	return STATUS_OK;
}

static bool same_column(const char *a, const char *b)
{
	return a == b || (a && b && sqlite3_stricmp(a, b) == 0);
}

static bool same_columns(const struct layout *a, const struct layout *b)
{
	for (int role = 0; role < ROLE_COUNT; role++)
		if (!same_column(a->columns[role], b->columns[role]))
			return false;
	return reading_same(&a->reading, &b->reading);
}

enum status change_find(sqlite3 *log, const struct layout *layout, bool empty, int64_t first,
			int64_t last, const struct stored_source *indexed, struct change *change,
			struct message *message)
{
	struct message cause;
	struct tracked_watch watch;
	bool installed = false;
	enum status status;

	*change = (struct change){0};
	if (!same_columns(layout, &indexed->layout))
		return rebuild(change, "other columns are indexed than before");
	if (indexed->first_row > indexed->last_row)
		return STATUS_OK;
	if (empty)
		return rebuild(change, "the log is empty now");
	if (indexed->tracked) {
		status = tracked_installed(log, "main", layout, &installed, message);
		if (status == STATUS_OK && installed)
			status = tracked_watch_read(log, "main", layout, &watch, message);
		if (status != STATUS_OK)
			return status;
		if (!installed)
			return rebuild(change, "the triggers that noted changes of the log are "
					       "gone or not as they were");
		if (!stored_source_marked(indexed, watch.mark))
			return rebuild(change, "what triggers noted of the log was for another "
					       "index, or the log was put back from a copy");
		if (watch.ahead)
			return rebuild(change, "a row was inserted ahead of all others");
	}
	if (first < indexed->first_row)
		return rebuild(change,
			       "row id %lld stands ahead of the first one that was indexed, %lld",
			       (long long)first, (long long)indexed->first_row);
	if (last < indexed->last_row && !installed)
		return rebuild(change,
			       "the log ends at row id %lld and was indexed up to %lld: it was cut "
			       "off, replaced or renumbered",
			       (long long)last, (long long)indexed->last_row);
	if (first > indexed->last_row)
		return rebuild(change, "none of the rows that were indexed is left");
	status = fingerprint_check(log, "main", layout, &indexed->fingerprint, installed, &cause,
				   message);
	if (status == STATUS_OK && *cause.text)
		return rebuild(change, "%s", cause.text);
	return status;
}
