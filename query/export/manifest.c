#include "manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/json_members.h"

enum { FORMAT = 1 };

uint64_t manifest_item_check(const struct manifest_item *item)
{
	char first[17];

	snprintf(first, sizeof(first), "%.16s", item->digest);
	return strtoull(first, NULL, 16);
}

enum status manifest_items_add(struct manifest_items *items, const struct manifest_item *item,
			       struct message *message)
{
	struct manifest_item copy = *item;

	if (items->count == items->capacity) {
		const size_t capacity = items->capacity ? items->capacity * 2 : 64;
		struct manifest_item *moved =
			reallocarray(items->items, capacity, sizeof(*items->items));

		if (!moved)
			return message_out_of_memory(message);
		items->items = moved;
		items->capacity = capacity;
	}
	if (item->filter && !(copy.filter = strdup(item->filter)))
		return message_out_of_memory(message);
	items->items[items->count++] = copy;
	return STATUS_OK;
}

/* What items are sorted by. */
struct item_key {
	const char *filter;
	int64_t place;
};

static int key_order(const struct item_key *left, const struct item_key *right)
{
	int order = (left->filter != NULL) - (right->filter != NULL);

	if (order == 0 && left->filter && right->filter)
		order = strcmp(left->filter, right->filter);
	return order ? order : (left->place > right->place) - (left->place < right->place);
}

static int key_compare(const void *key, const void *item)
{
	const struct manifest_item *of = item;
	const struct item_key other = {.filter = of->filter, .place = of->place};

	return key_order(key, &other);
}

static int item_compare(const void *a, const void *b)
{
	const struct manifest_item *left = a;
	const struct item_key key = {.filter = left->filter, .place = left->place};

	return key_compare(&key, b);
}

struct manifest_item *manifest_items_find(const struct manifest_items *items, const char *filter,
					  int64_t place)
{
	const struct item_key wanted = {.filter = filter, .place = place};

	if (!items->count)
		return NULL;
	return bsearch(&wanted, items->items, items->count, sizeof(*items->items), key_compare);
}

bool manifest_items_sort(struct manifest_items *items)
{
	if (items->count)
		qsort(items->items, items->count, sizeof(*items->items), item_compare);
	for (size_t i = 1; i < items->count; i++)
		if (item_compare(&items->items[i - 1], &items->items[i]) == 0)
			return false;
	return true;
}

void manifest_items_free(struct manifest_items *items)
{
	for (size_t i = 0; i < items->count; i++)
		free(items->items[i].filter);
	free(items->items);
	*items = (struct manifest_items){0};
}

struct manifest_table *manifest_table_find(const struct manifest *manifest, const char *name)
{
	for (size_t i = 0; i < manifest->table_count; i++)
		if (strcmp(manifest->tables[i].name, name) == 0)
			return &manifest->tables[i];
	return NULL;
}

enum status manifest_table_take(struct manifest *manifest, const char *name,
				struct manifest_table **table, struct message *message)
{
	struct manifest_table *moved;
	char *copy;

	*table = manifest_table_find(manifest, name);
	if (*table)
		return STATUS_OK;
	moved = reallocarray(manifest->tables, manifest->table_count + 1, sizeof(*moved));
	if (!moved)
		return message_out_of_memory(message);
	manifest->tables = moved;
	copy = strdup(name);
	if (!copy)
		return message_out_of_memory(message);
	*table = &manifest->tables[manifest->table_count++];
	**table = (struct manifest_table){.name = copy};
	return STATUS_OK;
}

enum status manifest_file_add(struct manifest *manifest, const char *name, uint64_t bytes,
			      const char *sha256, struct message *message)
{
	struct manifest_file *moved =
		reallocarray(manifest->files, manifest->file_count + 1, sizeof(*moved));
	struct manifest_file *file;

	if (!moved)
		return message_out_of_memory(message);
	manifest->files = moved;
	file = &moved[manifest->file_count];
	*file = (struct manifest_file){.name = strdup(name), .bytes = bytes};
	if (!file->name)
		return message_out_of_memory(message);
	snprintf(file->sha256, sizeof(file->sha256), "%s", sha256);
	manifest->file_count++;
	return STATUS_OK;
}

static bool is_hex(const char *text)
{
	return strspn(text, "0123456789abcdef") == strlen(text);
}

/* A text member of at most size - 1 bytes. */
static bool member_text(const struct json_members *members, const char *name, char *text,
			size_t size)
{
	const size_t place = json_member_find(members, name);
	struct import_value value;

	if (place == members->count)
		return false;
	value = json_member_value(members, place);
	if (value.kind != VALUE_TEXT || value.size >= size)
		return false;
	memcpy(text, value.text, value.size);
	text[value.size] = '\0';
	return true;
}

static bool member_number(const struct json_members *members, const char *name, int64_t *number)
{
	const size_t place = json_member_find(members, name);
	struct import_value value;

	if (place == members->count)
		return false;
	value = json_member_value(members, place);
	*number = value.kind == VALUE_INTEGER ? value.integer : 0;
	return value.kind == VALUE_INTEGER;
}

static bool has_member(const struct json_members *members, const char *name)
{
	return json_member_find(members, name) < members->count;
}

/* One line's worth of a manifest that is read. */
struct manifest_reading {
	struct manifest *manifest;
	const struct json_members *members;
	struct manifest_table *table; /* of the lines that follow; NULL before the first */
	char *text;		      /* room for any text of the line */
	size_t room;
};

static bool head_read(struct manifest_reading *reading)
{
	struct manifest *manifest = reading->manifest;
	int64_t number;

	if (!member_text(reading->members, "sensor", manifest->sensor, sizeof(manifest->sensor)) ||
	    !manifest_sensor_valid(manifest->sensor) ||
	    !member_number(reading->members, "series", &manifest->series) ||
	    manifest->series <= 0 || manifest->series > MANIFEST_TIME_MAX ||
	    !member_number(reading->members, "last_generation", &manifest->last_generation) ||
	    manifest->last_generation < 0 || manifest->last_generation > MANIFEST_TIME_MAX ||
	    !member_number(reading->members, "number", &number) || number < 1 ||
	    number > MANIFEST_NUMBER_MAX ||
	    !member_text(reading->members, "exported_at", manifest->exported_at,
			 sizeof(manifest->exported_at)))
		return false;
	manifest->number = (uint64_t)number;
	return true;
}

static enum status table_read(struct manifest_reading *reading, bool *valid,
			      struct message *message)
{
	char build[MANIFEST_BUILD_SIZE];
	int64_t generation;
	enum status status;

	*valid = member_text(reading->members, "table", reading->text, reading->room) &&
		 !manifest_table_find(reading->manifest, reading->text) &&
		 member_text(reading->members, "build", build, sizeof(build)) && is_hex(build) &&
		 member_number(reading->members, "generation", &generation) && generation > 0 &&
		 generation <= MANIFEST_TIME_MAX;
	if (!*valid)
		return STATUS_OK;
	status = manifest_table_take(reading->manifest, reading->text, &reading->table, message);
	if (status != STATUS_OK)
		return status;
	memcpy(reading->table->build, build, sizeof(build));
	reading->table->generation = generation;
	return STATUS_OK;
}

static enum status item_read(struct manifest_reading *reading, bool *valid, struct message *message)
{
	const bool is_bitmap = has_member(reading->members, "filter");
	struct manifest_item item = {0};
	int64_t rows;

	*valid = reading->table &&
		 (!is_bitmap ||
		  member_text(reading->members, "filter", reading->text, reading->room)) &&
		 member_number(reading->members, is_bitmap ? "chunk" : "segment", &item.place) &&
		 member_number(reading->members, "rows", &rows) && rows > 0 &&
		 member_text(reading->members, "digest", item.digest, sizeof(item.digest)) &&
		 is_hex(item.digest);
	if (!*valid)
		return STATUS_OK;
	item.filter = is_bitmap ? reading->text : NULL;
	item.rows = (uint64_t)rows;
	return manifest_items_add(&reading->table->items, &item, message);
}

static enum status file_read(struct manifest_reading *reading, bool *valid, struct message *message)
{
	char sha256[DIGEST_HEX_SIZE];
	int64_t bytes;

	*valid = member_text(reading->members, "file", reading->text, reading->room) &&
		 !strchr(reading->text, '/') && member_number(reading->members, "bytes", &bytes) &&
		 bytes >= 0 && member_text(reading->members, "sha256", sha256, sizeof(sha256)) &&
		 is_hex(sha256);
	if (!*valid)
		return STATUS_OK;
	return manifest_file_add(reading->manifest, reading->text, (uint64_t)bytes, sha256,
				 message);
}

static enum status line_read(struct manifest_reading *reading, bool first, bool *valid,
			     struct message *message)
{
	int64_t format;

	if (first) {
		*valid = member_number(reading->members, "connbits_export", &format) &&
			 format == FORMAT && head_read(reading);
		return STATUS_OK;
	}
	if (has_member(reading->members, "table"))
		return table_read(reading, valid, message);
	if (has_member(reading->members, "file"))
		return file_read(reading, valid, message);
	return item_read(reading, valid, message);
}

static enum status damaged(const char *name, size_t line, struct message *message)
{
	return message_set(message, STATUS_FAILED,
			   "%s, line %zu: not what connbits-query --export wrote; remove the file, "
			   "and the next export begins a new series with everything",
			   name, line);
}

static enum status room_make(struct manifest_reading *reading, size_t room, struct message *message)
{
	char *moved;

	if (reading->room >= room)
		return STATUS_OK;
	moved = realloc(reading->text, room);
	if (!moved)
		return message_out_of_memory(message);
	reading->text = moved;
	reading->room = room;
	return STATUS_OK;
}

static enum status lines_read(FILE *stream, const char *name, struct manifest *manifest,
			      struct message *message)
{
	struct json_members members = {0};
	struct manifest_reading reading = {.manifest = manifest, .members = &members};
	char *line = NULL;
	size_t capacity = 0;
	size_t number = 0;
	ssize_t length;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && (length = getline(&line, &capacity, stream)) > 0) {
		enum json_end end;
		bool valid = false;

		number++;
		status = room_make(&reading, capacity, message);
		if (status == STATUS_OK)
			status = json_members_read(&members, line, (size_t)length, &end, message);
		if (status == STATUS_OK && end == JSON_OBJECT)
			status = line_read(&reading, number == 1, &valid, message);
		if (status == STATUS_OK && !valid)
			status = damaged(name, number, message);
	}
	if (status == STATUS_OK && ferror(stream))
		status = message_set(message, STATUS_FAILED, "%s: %s", name, strerror(errno));
	if (status == STATUS_OK && number == 0)
		status = damaged(name, 1, message);
	free(reading.text);
	free(line);
	json_members_free(&members);
	return status;
}

enum status manifest_read(FILE *stream, const char *name, struct manifest *manifest,
			  struct message *message)
{
	enum status status;

	*manifest = (struct manifest){0};
	status = lines_read(stream, name, manifest, message);
	for (size_t i = 0; status == STATUS_OK && i < manifest->table_count; i++)
		if (!manifest_items_sort(&manifest->tables[i].items))
			status = message_set(message, STATUS_FAILED,
					     "%s: table '%.100s' has a bitmap twice; remove the "
					     "file, and the next export begins a new series",
					     name, manifest->tables[i].name);
	if (status != STATUS_OK)
		manifest_free(manifest);
	return status;
}

static void item_write(const struct manifest_item *item, FILE *stream)
{
	if (item->filter) {
		fputs("{\"filter\": ", stream);
		json_write_string(stream, item->filter);
		fprintf(stream, ", \"chunk\": %" PRId64, item->place);
	} else {
		fprintf(stream, "{\"segment\": %" PRId64, item->place);
	}
	fprintf(stream, ", \"rows\": %" PRIu64 ", \"digest\": \"%s\"}\n", item->rows, item->digest);
}

void manifest_write(const struct manifest *manifest, FILE *stream)
{
	fprintf(stream, "{\"connbits_export\": %d, \"sensor\": ", FORMAT);
	json_write_string(stream, manifest->sensor);
	fprintf(stream,
		", \"series\": %" PRId64 ", \"number\": %" PRIu64 ", \"last_generation\": %" PRId64
		", \"exported_at\": ",
		manifest->series, manifest->number, manifest->last_generation);
	json_write_string(stream, manifest->exported_at);
	fputs("}\n", stream);
	for (size_t i = 0; i < manifest->table_count; i++) {
		const struct manifest_table *table = &manifest->tables[i];

		fputs("{\"table\": ", stream);
		json_write_string(stream, table->name);
		fprintf(stream, ", \"build\": \"%s\", \"generation\": %" PRId64 "}\n", table->build,
			table->generation);
		for (size_t j = 0; j < table->items.count; j++)
			item_write(&table->items.items[j], stream);
	}
	for (size_t i = 0; i < manifest->file_count; i++) {
		const struct manifest_file *file = &manifest->files[i];

		fputs("{\"file\": ", stream);
		json_write_string(stream, file->name);
		fprintf(stream, ", \"bytes\": %" PRIu64 ", \"sha256\": \"%s\"}\n", file->bytes,
			file->sha256);
	}
}

void manifest_free(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->table_count; i++) {
		free(manifest->tables[i].name);
		manifest_items_free(&manifest->tables[i].items);
	}
	for (size_t i = 0; i < manifest->file_count; i++)
		free(manifest->files[i].name);
	free(manifest->tables);
	free(manifest->files);
	*manifest = (struct manifest){0};
}

bool manifest_sensor_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	const size_t length = strlen(name);

	return length >= 1 && length <= MANIFEST_SENSOR_MAX && *name != '.' && *name != '-' &&
	       strspn(name, allowed) == length;
}

bool manifest_name_valid(const char *name)
{
	const unsigned char *next = (const unsigned char *)name;
	size_t left = strlen(name);

	while (left) {
		const size_t size = json_utf8_sequence(next, left);

		if (size == 0 || *next < ' ')
			return false;
		next += size;
		left -= size;
	}
	return true;
}
