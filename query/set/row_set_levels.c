#include "row_set_levels.h"

/* Combines the two topmost levels. */
static enum status levels_combine(struct row_set_levels *levels, enum set_operation operation,
				  struct message *message)
{
	struct row_set *top = &levels->sets[levels->count - 1];
	struct row_set *below = &levels->sets[levels->count - 2];
	struct row_set combined;
	enum status status;

	if (operation != SET_AND && row_set_lies_behind(below, top)) {
		levels->count--;
		return row_set_join(below, top, message);
	}
	status = row_set_combine(below, top, operation, &combined, message);
	if (status != STATUS_OK)
		return status;
	row_set_free(top);
	row_set_free(below);
	*below = combined;
	levels->count--;
	return STATUS_OK;
}

/* AND leaves no more than the least that it was given, and what lies behind is only moved. */
static bool combine_now(const struct row_set_levels *levels, enum set_operation operation)
{
	const struct row_set *top = &levels->sets[levels->count - 1];
	const struct row_set *below = &levels->sets[levels->count - 2];

	return operation == SET_AND || below->count <= 2 * top->count ||
	       row_set_lies_behind(below, top) || levels->count == ROW_SET_LEVELS_MAX;
}

enum status row_set_levels_push(struct row_set_levels *levels, enum set_operation operation,
				struct row_set *set, struct message *message)
{
	enum status status = STATUS_OK;

	levels->sets[levels->count++] = *set;
	*set = (struct row_set){0};
	while (status == STATUS_OK && levels->count > 1 && combine_now(levels, operation))
		status = levels_combine(levels, operation, message);
	return status;
}

enum status row_set_levels_settle(struct row_set_levels *levels, enum set_operation operation,
				  struct message *message)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK && levels->count > 1)
		status = levels_combine(levels, operation, message);
	return status;
}

void row_set_levels_free(struct row_set_levels *levels)
{
	for (size_t i = 0; i < levels->count; i++)
		row_set_free(&levels->sets[i]);
	*levels = (struct row_set_levels){0};
}
