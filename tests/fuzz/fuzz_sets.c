/*
 * Any bytes as a file of addresses in each of its forms, and as a stored set: what can be read is
 * the same when it was written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/set_file.h"
#include "packet/address_list_bytes.h"
#include "packet/address_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void list_check(const struct address_list *list)
{
	struct message message;
	struct address_list again;
	struct address_set *made;
	struct address_set *read;
	uint64_t came;
	uint64_t went;
	uint8_t *bytes;
	size_t size;

	if (address_list_encode(list, &bytes, &size, &message) != STATUS_OK)
		return;
	if (address_list_decode(bytes, size, &again, &message) != STATUS_OK)
		abort();
	address_list_compare(list, &again, &came, &went);
	if (came || went)
		abort();
	if (address_set_make(&again, &made, &message) == STATUS_OK) {
		if (address_set_read(bytes, size, &read, &message) != STATUS_OK ||
		    address_set_size(read) != address_set_size(made))
			abort();
		address_set_free(read);
	}
	address_set_free(made);
	address_list_free(&again);
	free(bytes);
}

static void text_check(const struct set_file *file, const char *text, size_t size)
{
	struct diagnostics mistakes = {0};
	struct address_list list;
	struct message message;

	if (set_text_read(file, text, size, &list, &mistakes, &message) == STATUS_OK)
		list_check(&list);
	address_list_free(&list);
	diagnostics_free(&mistakes);
}

static void stored_check(const uint8_t *data, size_t size)
{
	struct address_list list;
	struct message message;
	uint8_t *bytes;
	size_t again;

	if (address_list_decode(data, size, &list, &message) == STATUS_OK) {
		/* A list has one form. */
		if (address_list_encode(&list, &bytes, &again, &message) == STATUS_OK) {
			if (again != size || memcmp(bytes, data, size) != 0)
				abort();
			free(bytes);
		}
		list_check(&list);
	}
	address_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct set_file files[] = {
		{.path = "plain"},
		{.path = "csv", .column = "network"},
		{.path = "json", .key = "cidr"},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		text_check(&files[i], (const char *)data, size);
	stored_check(data, size);
	return 0;
}
