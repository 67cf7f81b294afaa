/* Columns in codes: made, read back, and read by the page that says what they are. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap/kernel.h"
#include "column/coded_column.h"
#include "column/column_maker.h"
#include "plain_column.h"
#include "random.h"

static uint32_t numbers[SEGMENT_ROWS];
static bool is_address[SEGMENT_ROWS];
static uint8_t addresses[SEGMENT_ROWS][VALUE_ADDRESS_SIZE];

static enum status memory_read(void *context, size_t at, size_t size, uint8_t *out,
			       struct message *message)
{
	(void)message;
	memcpy(out, (const uint8_t *)context + at, size);
	return STATUS_OK;
}

/* A few of many values, most of them in most rows, or all alike. */
static uint32_t random_number(uint64_t *seed, unsigned bits, unsigned skew)
{
	const uint32_t mask = bits == 32 ? UINT32_MAX : (UINT32_C(1) << bits) - 1;
	uint64_t mixed;

	if (random_below(seed, 100) >= skew)
		return (uint32_t)random_next(seed) & mask;
	mixed = random_below(seed, 1 + skew / 4);
	return (uint32_t)(mixed * 2654435761U) & mask;
}

static struct column_input random_input(uint64_t *seed)
{
	static const size_t some_rows[] = {1, 2, 63, 64, 65, 1000, 5000, SEGMENT_ROWS};
	const bool has_addresses = random_below(seed, 2);
	const unsigned bits = has_addresses ? 32 : random_below(seed, 17);
	const unsigned skew = random_below(seed, 101);
	struct column_input input = {
		.rows = some_rows[random_below(seed, 8)],
		.numbers = numbers,
		.is_address = has_addresses ? is_address : NULL,
		.addresses = addresses,
		.is_port = !has_addresses,
	};
	uint32_t next = 0;

	for (size_t row = 0; row < input.rows; row++) {
		numbers[row] = random_number(seed, bits, skew);
		is_address[row] = has_addresses && random_below(seed, 3) == 0;
		if (!is_address[row])
			continue;
		memset(addresses[next], 0x20, VALUE_ADDRESS_SIZE);
		for (unsigned i = 0; i < 4; i++)
			addresses[next][(random_below(seed, 2) ? 12 : 3) + i] =
				(uint8_t)(numbers[row] >> (8 * i));
		numbers[row] = next++;
	}
	return input;
}

static void assert_same_values(const struct column_input *input, const struct column_values *values)
{
	for (size_t row = 0; row < input->rows; row++) {
		const uint32_t place = values->places[row];
		const bool address = input->is_address && input->is_address[row];

		assert_int_equal(values->is_address[place], address);
		if (address)
			assert_memory_equal(values->addresses[place],
					    input->addresses[input->numbers[row]],
					    VALUE_ADDRESS_SIZE);
		else
			assert_int_equal(values->numbers[place], input->numbers[row]);
	}
}

/* The same without going by the distinct values, where no row has an address. */
static void assert_same_numbers(struct coded_column *column, const struct column_input *input,
				struct column_values *values)
{
	static uint32_t read[SEGMENT_ROWS];
	struct message message;
	const enum status status =
		coded_column_numbers(column, kernels_best(), values, read, &message);
	bool any = false;

	for (size_t row = 0; input->is_address && row < input->rows; row++)
		any |= input->is_address[row];
	assert_int_equal(status, any ? STATUS_FAILED : STATUS_OK);
	if (!any)
		assert_memory_equal(read, input->numbers, input->rows * sizeof(*read));
}

static void what_is_made_is_read_back_and_is_what_the_page_says(void **state)
{
	struct column_maker *maker = column_maker_new();
	struct column_values *values = column_values_new();
	struct coded_column column = {0};
	struct message message;
	size_t layers[COLUMN_LAYERS + 1] = {0};
	size_t every = 0;
	uint64_t seed = 51;

	(void)state;
	for (size_t round = 0; round < random_rounds(600); round++) {
		const struct column_input input = random_input(&seed);
		struct plain_column plain;
		const uint8_t *bytes;
		size_t size;

		column_maker_run(maker, &input, &bytes, &size);
		if (coded_column_open(&column, memory_read, (void *)bytes, size, &message) !=
			    STATUS_OK ||
		    coded_column_values(&column, kernels_best(), values, &message) != STATUS_OK)
			fail_msg("%s", message.text);
		assert_same_values(&input, values);
		assert_true(plain_column_read(bytes, size, &plain));
		assert_true(plain_column_equals(&plain, values, input.rows));
		plain_column_free(&plain);
		assert_same_numbers(&column, &input, values);
		layers[column.layer_count]++;
		every += column.layers[column.layer_count - 1].every;
	}
	/* All forms were met. */
	assert_true(layers[1] > 10 && layers[2] > 10 && every > 2);
	coded_column_free(&column);
	column_values_free(values);
	column_maker_free(maker);
}

/* Ranks by the lists alone, beside counting. */
static void a_list_is_searched_as_it_lies(void **state)
{
	static uint8_t list[1 << 20];
	uint64_t seed = 52;

	(void)state;
	for (size_t round = 0; round < random_rounds(100); round++) {
		const size_t number_count = random_below(&seed, 300);
		const size_t address_count = 1 + random_below(&seed, 100);
		struct column_bytes bytes = {0};
		struct value_list lies = {.numbers = number_count, .addresses = address_count};
		struct message message;

		for (size_t i = 0; i < number_count; i++)
			numbers[i] = (i ? numbers[i - 1] : 0) + 1 +
				     random_below(&seed, random_below(&seed, 2) ? 5 : 9000000);
		for (size_t i = 0; i < address_count; i++) {
			memset(addresses[i], 7, VALUE_ADDRESS_SIZE);
			addresses[i][2] = (uint8_t)(i / 20);
			addresses[i][9] = (uint8_t)i;
		}
		lies.size =
			value_list_encode(numbers, number_count, addresses, address_count, list);
		assert_true(lies.size <= value_list_size_max(number_count, address_count));
		column_bytes_begin(&bytes, memory_read, list, lies.size, &message);
		for (size_t i = 0; i < 50; i++) {
			const uint64_t asked =
				random_below(&seed, 3) && number_count
					? numbers[random_below(&seed, (unsigned)number_count)] +
						  random_below(&seed, 2)
					: random_next(&seed) >> 31;
			const uint64_t word = UINT64_C(0x07070007) + (random_below(&seed, 8) << 8);
			size_t expected = 0;
			size_t rank;

			while (expected < number_count && numbers[expected] < asked)
				expected++;
			assert_int_equal(value_list_rank(&lies, &bytes, asked, &rank, &message),
					 STATUS_OK);
			assert_int_equal(rank, expected);
			expected = 0;
			while (expected < address_count &&
			       (UINT64_C(0x07070007) | (uint64_t)addresses[expected][2] << 8) <
				       word)
				expected++;
			assert_int_equal(
				value_list_rank_address(&lies, &bytes, word, &rank, &message),
				STATUS_OK);
			assert_int_equal(rank, expected);
		}
		column_bytes_free(&bytes);
	}
}

/* Whatever byte is another one: the same as by the page, or an error in both. */
static void damaged_bytes_are_refused_or_read_as_the_page_says(void **state)
{
	struct column_maker *maker = column_maker_new();
	struct column_values *values = column_values_new();
	struct coded_column column = {0};
	struct message message;
	size_t refused = 0;
	uint64_t seed = 53;

	(void)state;
	for (size_t round = 0; round < random_rounds(3000); round++) {
		struct column_input input = random_input(&seed);
		struct plain_column plain;
		const uint8_t *bytes;
		uint8_t *copy;
		size_t size;
		bool read;

		if (input.rows > 200)
			input.rows = 1 + input.rows % 200;
		column_maker_run(maker, &input, &bytes, &size);
		if (random_below(&seed, 8) == 0)
			size = random_below(&seed, (unsigned)size);
		/* In memory of its own, so that a read behind the end is seen. */
		copy = malloc(size + 1);
		memcpy(copy, bytes, size);
		for (unsigned i = random_below(&seed, 3); size && i > 0; i--)
			copy[random_below(&seed, random_below(&seed, 2) && size > 60
							 ? 60
							 : (unsigned)size)] ^=
				(uint8_t)(1U << random_below(&seed, 8));
		read = coded_column_open(&column, memory_read, copy, size, &message) == STATUS_OK &&
		       coded_column_values(&column, kernels_best(), values, &message) == STATUS_OK;
		refused += !read;
		assert_int_equal(plain_column_read(copy, size, &plain), read);
		if (read)
			assert_true(plain_column_equals(&plain, values, column.layers[0].rows));
		plain_column_free(&plain);
		free(copy);
	}
	assert_true(refused > 100);
	coded_column_free(&column);
	column_values_free(values);
	column_maker_free(maker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_is_read_back_and_is_what_the_page_says),
		cmocka_unit_test(a_list_is_searched_as_it_lies),
		cmocka_unit_test(damaged_bytes_are_refused_or_read_as_the_page_says),
	};

	return cmocka_run_group_tests_name("coded_column", tests, NULL, NULL);
}
