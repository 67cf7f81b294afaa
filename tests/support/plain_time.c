#include "plain_time.h"

#include "base/rowid.h"
#include "packet/instant.h"

static uint64_t number_at(const uint8_t *bytes, int size)
{
	uint64_t number = 0;

	for (int i = size; i-- > 0;)
		number = number << 8 | bytes[i];
	return number;
}

static bool bit_at(const uint8_t *bytes, size_t bit)
{
	return bytes[bit / 8] >> (bit % 8) & 1;
}

/* What stands ahead of the times. */
struct head {
	size_t rows;
	size_t timed;
	int64_t earliest;
	int64_t latest;
	uint64_t unit;
};

static bool head_read(const uint8_t *bytes, size_t size, struct head *head)
{
	uint64_t without;

	if (size < 32)
		return false;
	head->rows = number_at(bytes, 4);
	without = number_at(bytes + 4, 4);
	head->earliest = (int64_t)number_at(bytes + 8, 8);
	head->latest = (int64_t)number_at(bytes + 16, 8);
	head->unit = number_at(bytes + 24, 4);
	if (head->rows < 1 || head->rows > SEGMENT_ROWS || without > head->rows)
		return false;
	if (head->unit != 1 && head->unit != 1000 && head->unit != 1000000)
		return false;
	head->timed = head->rows - without;
	if (head->timed == 0 && (head->earliest || head->latest))
		return false;
	return number_at(bytes + 28, 4) == 0 && head->earliest != INSTANT_NONE &&
	       head->earliest <= head->latest &&
	       ((uint64_t)head->latest - (uint64_t)head->earliest) % head->unit == 0;
}

/* The bits that say which rows have a time; *at goes behind them. */
static bool present_read(const uint8_t *bytes, size_t size, const struct head *head, size_t *at)
{
	const size_t bits = (head->rows + 63) / 64 * 64;
	size_t timed = 0;

	if (bits / 8 > size - *at)
		return false;
	for (size_t i = 0; i < bits; i++) {
		const bool has = bit_at(bytes + *at, i);

		timed += has;
		if (has && i >= head->rows)
			return false;
	}
	*at += bits / 8;
	return timed == head->timed;
}

/* Times of all blocks, closed up. */
static bool blocks_read(const uint8_t *bytes, size_t size, size_t at, const struct head *head,
			int64_t *times)
{
	const uint64_t span = ((uint64_t)head->latest - (uint64_t)head->earliest) / head->unit;
	const size_t blocks = span ? (head->timed + 255) / 256 : 0;
	const size_t widths = at + blocks * 8;
	size_t bit = (widths + blocks) * 8;

	if (widths + blocks > size)
		return false;
	for (size_t i = 0; i < blocks * 256; i++) {
		const uint64_t least = number_at(bytes + at + i / 256 * 8, 8);
		const unsigned bits = bytes[widths + i / 256];
		uint64_t number = 0;

		if (bits > 64 || bit + bits > size * 8)
			return false;
		for (unsigned j = 0; j < bits; j++)
			number |= (uint64_t)bit_at(bytes, bit++) << j;
		if (i >= head->timed ? number : least > span || number > span - least)
			return false;
		if (i < head->timed)
			times[i] =
				(int64_t)((uint64_t)head->earliest + (least + number) * head->unit);
	}
	for (size_t i = 0; blocks == 0 && i < head->timed; i++)
		times[i] = head->earliest;
	return bit == size * 8;
}

bool plain_time_read(const uint8_t *bytes, size_t size, int64_t *times, size_t *rows)
{
	struct head head;
	size_t at = 32;
	size_t timed;
	bool some;

	if (!head_read(bytes, size, &head))
		return false;
	*rows = head.rows;
	some = head.timed > 0 && head.timed < head.rows;
	if (some && !present_read(bytes, size, &head, &at))
		return false;
	if (!blocks_read(bytes, size, at, &head, times))
		return false;
	timed = head.timed;
	for (size_t row = head.rows; row-- > 0;) {
		const bool has = some ? bit_at(bytes + 32, row) : head.timed > 0;

		times[row] = has ? times[--timed] : INSTANT_NONE;
	}
	return true;
}
