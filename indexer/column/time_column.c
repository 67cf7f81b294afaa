#include "time_column.h"

#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "packet/instant.h"

enum { WORD_BITS = 64 };

static const uint32_t units[] = {1000000, 1000, 1};

/* Where the parts of a column are, and how long it is up to its last block's head. */
struct time_parts {
	bool has_present; /* a bit for each row */
	size_t present_at;
	size_t timed;  /* rows with a time */
	size_t blocks; /* 0 where all times are the same */
	size_t least_at;
	size_t bits_at;
	size_t packed_at;
};

static struct time_parts parts_of(size_t rows, size_t without, bool differ)
{
	struct time_parts parts = {.has_present = without > 0 && without < rows,
				   .present_at = TIME_HEAD_SIZE,
				   .timed = rows - without};

	parts.blocks = differ ? (parts.timed + TIME_BLOCK - 1) / TIME_BLOCK : 0;
	parts.least_at = parts.present_at;
	if (parts.has_present)
		parts.least_at += (rows + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t);
	parts.bits_at = parts.least_at + parts.blocks * sizeof(uint64_t);
	parts.packed_at = parts.bits_at + parts.blocks;
	return parts;
}

static unsigned bits_of(uint64_t number)
{
	unsigned bits = 0;

	for (; number; number >>= 1)
		bits++;
	return bits;
}

static size_t block_bytes(unsigned bits)
{
	return (size_t)bits * TIME_BLOCK / 8;
}

/* How far apart two times are, of which the second is not the earlier one. */
static uint64_t time_apart(int64_t from, int64_t to)
{
	return (uint64_t)to - (uint64_t)from;
}

/* Closes up the times that rows have and notes whose they are; returns how many. */
static size_t times_close_up(int64_t *times, size_t rows, uint64_t *present)
{
	size_t count = 0;

	for (size_t row = 0; row < rows; row++) {
		const bool has = times[row] != INSTANT_NONE;

		if (row % WORD_BITS == 0)
			present[row / WORD_BITS] = 0;
		present[row / WORD_BITS] |= (uint64_t)has << (row % WORD_BITS);
		if (has)
			times[count++] = times[row];
	}
	return count;
}

static uint32_t unit_find(const int64_t *times, size_t count, int64_t earliest)
{
	size_t row = 0;

	/* Constants are divided by at a fraction of the cost. */
	while (row < count && time_apart(earliest, times[row]) % 1000000 == 0)
		row++;
	if (row == count)
		return 1000000;
	for (row = 0; row < count && time_apart(earliest, times[row]) % 1000 == 0; row++)
		;
	return row == count ? 1000 : 1;
}

/* A block's times in units behind the earliest one. */
static void block_count(const int64_t *times, size_t count, int64_t earliest, uint32_t unit,
			uint64_t numbers[static TIME_BLOCK])
{
	for (size_t i = 0; i < count; i++)
		numbers[i] = time_apart(earliest, times[i]);
	for (size_t i = 0; unit == 1000000 && i < count; i++)
		numbers[i] /= 1000000;
	for (size_t i = 0; unit == 1000 && i < count; i++)
		numbers[i] /= 1000;
}

/* Writes count numbers of so many bits each, at most 64. Returns the size in bytes. */
static size_t block_pack(const uint64_t *numbers, size_t count, unsigned bits, uint8_t *out)
{
	uint8_t *next = out;
	uint64_t word = 0;
	unsigned used = 0;

	memset(out, 0, block_bytes(bits));
	for (size_t i = 0; i < count; i++) {
		word |= numbers[i] << used;
		used += bits;
		if (used < WORD_BITS)
			continue;
		write_little_endian_64(next, word);
		next += sizeof(word);
		used -= WORD_BITS;
		word = used ? numbers[i] >> (bits - used) : 0;
	}
	if (used)
		write_little_endian_64(next, word);
	return block_bytes(bits);
}

/* Writes a block of times; returns the size of what is packed. */
static size_t block_encode(const int64_t *times, size_t count, int64_t earliest, uint32_t unit,
			   uint8_t *least_out, uint8_t *bits_out, uint8_t *packed)
{
	uint64_t numbers[TIME_BLOCK];
	uint64_t least = UINT64_MAX;
	uint64_t greatest = 0;

	block_count(times, count, earliest, unit, numbers);
	for (size_t i = 0; i < count; i++) {
		least = numbers[i] < least ? numbers[i] : least;
		greatest = numbers[i] > greatest ? numbers[i] : greatest;
	}
	for (size_t i = 0; i < count; i++)
		numbers[i] -= least;
	write_little_endian_64(least_out, least);
	*bits_out = (uint8_t)bits_of(greatest - least);
	return block_pack(numbers, count, *bits_out, packed);
}

static void head_write(uint8_t *out, size_t rows, size_t without, int64_t earliest, int64_t latest,
		       uint32_t unit)
{
	write_little_endian_32(out, (uint32_t)rows);
	write_little_endian_32(out + 4, (uint32_t)without);
	write_little_endian_64(out + 8, (uint64_t)earliest);
	write_little_endian_64(out + 16, (uint64_t)latest);
	write_little_endian_32(out + 24, unit);
	write_little_endian_32(out + 28, 0);
}

static void bounds_find(const int64_t *times, size_t count, int64_t *earliest, int64_t *latest)
{
	*earliest = count ? times[0] : 0;
	*latest = *earliest;
	for (size_t i = 1; i < count; i++) {
		*earliest = times[i] < *earliest ? times[i] : *earliest;
		*latest = times[i] > *latest ? times[i] : *latest;
	}
}

size_t time_column_encode(int64_t *times, size_t rows, uint8_t out[static TIME_COLUMN_SIZE_MAX])
{
	uint64_t present[SEGMENT_WORDS];
	const size_t timed = times_close_up(times, rows, present);
	struct time_parts parts;
	int64_t earliest;
	int64_t latest;
	uint32_t unit;
	size_t size;

	bounds_find(times, timed, &earliest, &latest);
	unit = unit_find(times, timed, earliest);
	parts = parts_of(rows, rows - timed, earliest < latest);
	head_write(out, rows, rows - timed, earliest, latest, unit);
	for (size_t i = 0; parts.has_present && i < (rows + WORD_BITS - 1) / WORD_BITS; i++)
		write_little_endian_64(out + parts.present_at + i * sizeof(*present), present[i]);
	size = parts.packed_at;
	for (size_t block = 0; block < parts.blocks; block++) {
		const size_t first = block * TIME_BLOCK;
		const size_t left = timed - first;

		size += block_encode(times + first, left < TIME_BLOCK ? left : TIME_BLOCK, earliest,
				     unit, out + parts.least_at + block * sizeof(uint64_t),
				     out + parts.bits_at + block, out + size);
	}
	return size;
}

enum status time_column_open(struct time_column *column, column_read read, void *context,
			     size_t size, struct message *message)
{
	const uint8_t *head;
	uint32_t unit;
	enum status status = column_bytes_begin(&column->bytes, read, context, size, message);

	if (status == STATUS_OK)
		status = column_bytes_get(&column->bytes, 0, TIME_HEAD_SIZE, &head, message);
	if (status != STATUS_OK)
		return status;
	column->rows = read_little_endian_32(head);
	column->without = read_little_endian_32(head + 4);
	column->earliest = (int64_t)read_little_endian_64(head + 8);
	column->latest = (int64_t)read_little_endian_64(head + 16);
	unit = read_little_endian_32(head + 24);
	column->unit = unit;
	if (column->rows == 0 || column->rows > SEGMENT_ROWS || column->without > column->rows)
		return column_bytes_damaged(message, "its rows are none that there can be");
	if ((unit != units[0] && unit != units[1] && unit != units[2]) ||
	    read_little_endian_32(head + 28) != 0)
		return column_bytes_damaged(message, "its unit of time is none");
	if (column->earliest == INSTANT_NONE || column->latest < column->earliest ||
	    time_apart(column->earliest, column->latest) % unit != 0 ||
	    (column->without == column->rows && (column->earliest != 0 || column->latest != 0)))
		return column_bytes_damaged(message, "its times are none that there can be");
	return STATUS_OK;
}

bool time_column_all_in(const struct time_column *column, int64_t first, int64_t last)
{
	return column->without == column->rows ||
	       (first <= column->earliest && column->latest <= last);
}

bool time_column_none_in(const struct time_column *column, int64_t first, int64_t last)
{
	return column->without == column->rows || first > last || column->latest < first ||
	       column->earliest > last;
}

static struct time_parts column_parts(const struct time_column *column)
{
	return parts_of(column->rows, column->without, column->earliest < column->latest);
}

/* Reads which rows have a time, one bit each. */
static enum status present_read(struct time_column *column, const struct time_parts *parts,
				uint64_t *present, struct message *message)
{
	const size_t words = (column->rows + WORD_BITS - 1) / WORD_BITS;
	const unsigned beyond = (unsigned)(words * WORD_BITS - column->rows);
	const uint8_t *bytes;
	size_t bits = 0;
	enum status status = column_bytes_get(&column->bytes, parts->present_at,
					      words * sizeof(*present), &bytes, message);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < words; i++) {
		present[i] = read_little_endian_64(bytes + i * sizeof(*present));
		bits += (size_t)__builtin_popcountll(present[i]);
	}
	if (bits != parts->timed || (beyond && present[words - 1] >> (WORD_BITS - beyond)))
		return column_bytes_damaged(message, "other rows have a time than it says");
	return STATUS_OK;
}

static void block_unpack(const uint8_t *packed, unsigned bits, uint64_t numbers[TIME_BLOCK])
{
	const uint64_t mask = bits < WORD_BITS ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;

	for (size_t i = 0; i < TIME_BLOCK; i++) {
		const size_t at = i * bits;
		const unsigned shift = at % WORD_BITS;
		const uint8_t *word = packed + at / WORD_BITS * sizeof(uint64_t);
		uint64_t number = read_little_endian_64(word) >> shift;

		if (shift + bits > WORD_BITS)
			number |= read_little_endian_64(word + sizeof(uint64_t))
				  << (WORD_BITS - shift);
		numbers[i] = number & mask;
	}
}

/* Makes times of a block's numbers. All have to lie between the earliest and the latest. */
static enum status block_times(const struct time_column *column, const uint64_t *numbers,
			       uint64_t least, size_t count, int64_t *times,
			       struct message *message)
{
	const uint64_t span = time_apart(column->earliest, column->latest) / column->unit;
	uint64_t greatest = 0;

	for (size_t i = 0; i < count; i++) {
		greatest = numbers[i] > greatest ? numbers[i] : greatest;
		times[i] =
			(int64_t)((uint64_t)column->earliest + (least + numbers[i]) * column->unit);
	}
	if (least > span || greatest > span - least)
		return column_bytes_damaged(message,
					    "a time is not between its first and its last");
	for (size_t i = count; i < TIME_BLOCK; i++)
		if (numbers[i])
			return column_bytes_damaged(message, "there is more behind its times");
	return STATUS_OK;
}

/* Reads the times of all blocks, those of the rows that have one, closed up. */
static enum status blocks_read(struct time_column *column, const struct time_parts *parts,
			       int64_t *times, struct message *message)
{
	const uint8_t *bytes;
	size_t at = parts->packed_at;
	enum status status =
		column_bytes_get(&column->bytes, 0, column->bytes.size, &bytes, message);

	if (status == STATUS_OK && column->bytes.size < at)
		status = column_bytes_damaged(message, "it ends too early");
	for (size_t block = 0; status == STATUS_OK && block < parts->blocks; block++) {
		const size_t left = parts->timed - block * TIME_BLOCK;
		const unsigned bits = bytes[parts->bits_at + block];
		uint64_t numbers[TIME_BLOCK] = {0};

		if (bits > WORD_BITS || block_bytes(bits) > column->bytes.size - at)
			return column_bytes_damaged(message, "it ends too early");
		if (bits)
			block_unpack(bytes + at, bits, numbers);
		at += block_bytes(bits);
		status = block_times(
			column, numbers,
			read_little_endian_64(bytes + parts->least_at + block * sizeof(uint64_t)),
			left < TIME_BLOCK ? left : TIME_BLOCK, times + block * TIME_BLOCK, message);
	}
	if (status == STATUS_OK && at != column->bytes.size)
		status = column_bytes_damaged(message, "there is more behind its times");
	return status;
}

/* Moves times that are closed up to their rows. */
static void times_spread(int64_t *times, size_t rows, size_t timed, const uint64_t *present)
{
	for (size_t row = rows; row-- > 0;)
		times[row] = present[row / WORD_BITS] >> (row % WORD_BITS) & 1 ? times[--timed]
									       : INSTANT_NONE;
}

enum status time_column_read(struct time_column *column, const int64_t **times,
			     struct message *message)
{
	const struct time_parts parts = column_parts(column);
	enum status status = STATUS_OK;

	if (!column->times)
		column->times = malloc(SEGMENT_ROWS * sizeof(*column->times));
	*times = column->times;
	if (!column->times)
		return message_out_of_memory(message);
	if (parts.has_present)
		status = present_read(column, &parts, column->present, message);
	for (size_t i = 0; parts.blocks == 0 && i < column->rows; i++)
		column->times[i] = parts.timed ? column->earliest : INSTANT_NONE;
	/* Without blocks it is only the size that can be wrong. */
	if (status == STATUS_OK)
		status = blocks_read(column, &parts, column->times, message);
	if (status == STATUS_OK && parts.has_present)
		times_spread(column->times, column->rows, parts.timed, column->present);
	return status;
}

enum status time_column_between(struct time_column *column, int64_t first, int64_t last,
				uint64_t out[static SEGMENT_WORDS], struct message *message)
{
	const struct time_parts parts = column_parts(column);
	const int64_t *times;
	enum status status;

	memset(out, 0, SEGMENT_WORDS * sizeof(*out));
	if (time_column_none_in(column, first, last))
		return STATUS_OK;
	if (time_column_all_in(column, first, last) && parts.has_present)
		return present_read(column, &parts, out, message);
	if (time_column_all_in(column, first, last)) {
		for (size_t row = 0; row < column->rows; row++)
			out[row / WORD_BITS] |= UINT64_C(1) << (row % WORD_BITS);
		return STATUS_OK;
	}
	status = time_column_read(column, &times, message);
	for (size_t row = 0; status == STATUS_OK && row < column->rows; row++) {
		const bool in =
			times[row] != INSTANT_NONE && times[row] >= first && times[row] <= last;

		out[row / WORD_BITS] |= (uint64_t)in << (row % WORD_BITS);
	}
	return status;
}

static void run_add(struct time_runs *runs, size_t row, int64_t time)
{
	const int64_t value = instant_floor(time, runs->unit);

	if (runs->count > runs->capacity || (runs->count && runs->values[runs->count - 1] == value))
		return;
	if (runs->count < runs->capacity) {
		runs->first[runs->count] = (uint32_t)row;
		runs->values[runs->count] = value;
	}
	runs->count++;
}

/* A block whose head is read: its times are looked at only where they may be of several values. */
static enum status block_runs(struct time_column *column, size_t block, size_t at, unsigned bits,
			      uint64_t least, struct time_runs *runs, struct message *message)
{
	const size_t left = column->rows - block * TIME_BLOCK;
	const size_t count = left < TIME_BLOCK ? left : TIME_BLOCK;
	const uint64_t span = time_apart(column->earliest, column->latest) / column->unit;
	const uint64_t apart = bits < WORD_BITS ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
	const int64_t unit = (int64_t)column->unit;
	uint64_t numbers[TIME_BLOCK] = {0};
	int64_t times[TIME_BLOCK];
	const uint8_t *packed;
	enum status status;

	if (bits > WORD_BITS || least > span)
		return column_bytes_damaged(message,
					    "a time is not between its first and its last");
	times[0] = (int64_t)((uint64_t)column->earliest + least * (uint64_t)unit);
	times[1] = apart < span - least ? (int64_t)((uint64_t)times[0] + apart * (uint64_t)unit)
					: column->latest;
	if (instant_floor(times[0], runs->unit) == instant_floor(times[1], runs->unit)) {
		run_add(runs, block * TIME_BLOCK, times[0]);
		return STATUS_OK;
	}
	status = column_bytes_get(&column->bytes, at, block_bytes(bits), &packed, message);
	if (status != STATUS_OK)
		return status;
	block_unpack(packed, bits, numbers);
	status = block_times(column, numbers, least, count, times, message);
	for (size_t i = 0; status == STATUS_OK && i < count; i++)
		run_add(runs, block * TIME_BLOCK + i, times[i]);
	return status;
}

enum status time_column_runs(struct time_column *column, struct time_runs *runs,
			     struct message *message)
{
	const struct time_parts parts = column_parts(column);
	size_t at = parts.packed_at;
	const uint8_t *heads = NULL;
	enum status status = STATUS_OK;

	if (parts.blocks == 0)
		run_add(runs, 0, column->earliest);
	else
		status = column_bytes_get(&column->bytes, 0, parts.packed_at, &heads, message);
	for (size_t block = 0;
	     status == STATUS_OK && block < parts.blocks && runs->count <= runs->capacity;
	     block++) {
		const unsigned bits = heads[parts.bits_at + block];

		status = block_runs(
			column, block, at, bits,
			read_little_endian_64(heads + parts.least_at + block * sizeof(uint64_t)),
			runs, message);
		at += block_bytes(bits);
	}
	return status;
}

void time_column_free(struct time_column *column)
{
	column_bytes_free(&column->bytes);
	free(column->times);
	*column = (struct time_column){0};
}
