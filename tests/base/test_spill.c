/* What goes beyond memory comes back as it was, and leaves nothing behind. */
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/spill.h"
#include "random.h"

static char folder[] = "/tmp/connbits-spill-XXXXXX";
static char beside[sizeof(folder) + 16];

static int folder_make(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(beside, sizeof(beside), "%s/index", folder);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	return rmdir(folder);
}

static size_t folder_files(void)
{
	DIR *directory = opendir(folder);
	size_t files = 0;

	assert_non_null(directory);
	for (const struct dirent *entry; (entry = readdir(directory));)
		files += entry->d_name[0] != '.';
	closedir(directory);
	return files;
}

static void memory_is_taken_up_to_the_bound(void **state)
{
	struct spill *spill;
	struct message message;

	(void)state;
	assert_int_equal(spill_new(beside, 100, &spill, &message), STATUS_OK);
	assert_true(spill_memory_take(spill, 60));
	assert_false(spill_memory_take(spill, 41));
	assert_true(spill_memory_take(spill, 40));
	assert_false(spill_memory_take(spill, 1));
	assert_true(spill_memory_take(spill, 0));
	spill_memory_give(spill, 60);
	assert_true(spill_memory_take(spill, 60));
	spill_free(spill);
}

static void blocks_come_back_as_they_were_written(void **state)
{
	enum { BLOCKS = 8 };
	static uint8_t *written[BLOCKS];
	static uint8_t read[SPILL_BLOCK];
	size_t sizes[BLOCKS] = {0};
	uint64_t places[BLOCKS];
	uint64_t seed = 5;
	uint64_t highest = 0;
	struct spill *spill;
	struct message message;

	(void)state;
	assert_int_equal(spill_new(beside, 0, &spill, &message), STATUS_OK);
	for (size_t i = 0; i < BLOCKS; i++)
		assert_non_null(written[i] = malloc(SPILL_BLOCK));
	for (size_t round = 0; round < random_rounds(200); round++) {
		const size_t block = random_below(&seed, BLOCKS);

		if (sizes[block]) {
			const size_t from = random_below(&seed, (uint32_t)sizes[block]);
			const size_t size =
				1 + random_below(&seed, (uint32_t)(sizes[block] - from));

			assert_int_equal(
				spill_read(spill, places[block] + from, read, size, &message),
				STATUS_OK);
			assert_memory_equal(read, written[block] + from, size);
		}
		if (sizes[block] && random_below(&seed, 2)) {
			spill_drop(spill, places[block]);
			sizes[block] = 0;
		} else if (!sizes[block]) {
			sizes[block] = random_below(&seed, 8) ? 1 + random_below(&seed, 100000)
							      : SPILL_BLOCK;
			memset(written[block], (int)round, sizes[block]);
			written[block][sizes[block] / 2] = (uint8_t)block;
			assert_int_equal(spill_write(spill, written[block], sizes[block],
						     &places[block], &message),
					 STATUS_OK);
		}
		if (places[block] > highest && sizes[block])
			highest = places[block];
		assert_int_equal(folder_files(), 0);
	}
	/* Places of blocks that were dropped are used again. */
	assert_true(highest < (uint64_t)BLOCKS * SPILL_BLOCK);
	for (size_t i = 0; i < BLOCKS; i++)
		free(written[i]);
	spill_free(spill);
}

static void a_file_that_cannot_be_made_is_an_error_that_says_where(void **state)
{
	static const uint8_t byte[1] = {1};
	struct spill *spill;
	struct message message;
	uint64_t place;

	(void)state;
	assert_int_equal(spill_new("/nowhere/index", 0, &spill, &message), STATUS_OK);
	assert_int_equal(spill_write(spill, byte, 1, &place, &message), STATUS_FAILED);
	assert_non_null(strstr(message.text, "/nowhere/index"));
	assert_non_null(strstr(message.text, "No such file or directory"));
	spill_free(spill);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_taken_up_to_the_bound),
		cmocka_unit_test(blocks_come_back_as_they_were_written),
		cmocka_unit_test(a_file_that_cannot_be_made_is_an_error_that_says_where),
	};

	return cmocka_run_group_tests_name("spill", tests, folder_make, folder_remove);
}
