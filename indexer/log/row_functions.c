#include "row_functions.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { TRIM_SET_BYTES = 256 };

/* An argument's bytes; those of a text where as_text, whatever it is. */
struct bytes {
	const char *start;
	size_t length;
};

/* False for NULL, and where there is no memory. */
static bool bytes_of(sqlite3_value *value, bool as_text, struct bytes *bytes)
{
	if (sqlite3_value_type(value) == SQLITE_NULL)
		return false;
	bytes->start = as_text ? (const char *)sqlite3_value_text(value)
			       : (const char *)sqlite3_value_blob(value);
	bytes->length = (size_t)sqlite3_value_bytes(value);
	return bytes->start || bytes->length == 0;
}

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

static const char *find(const struct bytes *haystack, const struct bytes *needle)
{
	if (needle->length == 0 || needle->length > haystack->length)
		return NULL;
	return memmem(haystack->start, haystack->length, needle->start, needle->length);
}

/* instr(X, Y): where Y stands in X, in characters, or in bytes of two blobs; from 1. */
static void instr_run(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	const bool as_text = sqlite3_value_type(arguments[0]) != SQLITE_BLOB ||
			     sqlite3_value_type(arguments[1]) != SQLITE_BLOB;
	struct bytes haystack;
	struct bytes needle;
	const char *found;
	int64_t place = 1;

	(void)count;
	if (!bytes_of(arguments[0], as_text, &haystack) ||
	    !bytes_of(arguments[1], as_text, &needle))
		return;
	found = find(&haystack, &needle);
	if (!found) {
		sqlite3_result_int(context, needle.length == 0);
		return;
	}
	for (const char *byte = haystack.start; byte < found; byte++)
		place += !as_text || !is_continuation(*byte);
	sqlite3_result_int64(context, place);
}

/* How many bytes X has once each `from` in it is `to`. */
static uint64_t replaced_length(struct bytes text, const struct bytes *from, const struct bytes *to)
{
	uint64_t length = text.length;
	const char *found;

	while ((found = find(&text, from))) {
		length = length - from->length + to->length;
		text.length -= (size_t)(found - text.start) + from->length;
		text.start = found + from->length;
	}
	return length;
}

static void replaced_write(struct bytes text, const struct bytes *from, const struct bytes *to,
			   char *out)
{
	const char *found;

	while ((found = find(&text, from))) {
		const size_t before = (size_t)(found - text.start);

		memcpy(out, text.start, before);
		memcpy(out + before, to->start, to->length);
		out += before + to->length;
		text.length -= before + from->length;
		text.start = found + from->length;
	}
	memcpy(out, text.start, text.length);
}

/* replace(X, Y, Z): X with a Z in the place of each Y. */
static void replace_run(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	const int limit =
		sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1);
	struct bytes text;
	struct bytes from;
	struct bytes to;
	uint64_t length;
	char *out;

	(void)count;
	if (!bytes_of(arguments[0], true, &text) || !bytes_of(arguments[1], true, &from))
		return;
	if (from.length == 0) {
		sqlite3_result_value(context, arguments[0]);
		return;
	}
	if (!bytes_of(arguments[2], true, &to))
		return;
	length = replaced_length(text, &from, &to);
	if (length > (uint64_t)limit) {
		sqlite3_result_error_toobig(context);
		return;
	}
	out = sqlite3_malloc64(length + 1);
	if (!out) {
		sqlite3_result_error_nomem(context);
		return;
	}
	replaced_write(text, &from, &to, out);
	sqlite3_result_text(context, out, (int)length, sqlite3_free);
}

/* The length of the character that begins at `at`. */
static size_t character_length(const struct bytes *set, size_t at)
{
	size_t length = 1;

	while (at + length < set->length && is_continuation(set->start[at + length]))
		length++;
	return length;
}

/* How many bytes at the start, or the end, of the text are a character of the set; 0 for none. */
static size_t end_in_set(const struct bytes *text, const struct bytes *set, bool at_end)
{
	size_t length;

	for (size_t i = 0; i < set->length; i += length) {
		length = character_length(set, i);
		if (length <= text->length &&
		    memcmp(text->start + (at_end ? text->length - length : 0), set->start + i,
			   length) == 0)
			return length;
	}
	return 0;
}

static void trim(sqlite3_context *context, sqlite3_value **arguments, bool left, bool right)
{
	struct bytes text;
	struct bytes set;
	size_t length;

	if (!bytes_of(arguments[0], true, &text) || !bytes_of(arguments[1], true, &set))
		return;
	if (set.length > TRIM_SET_BYTES) {
		sqlite3_result_error(context, "more than 256 bytes of characters to trim", -1);
		return;
	}
	while (left && (length = end_in_set(&text, &set, false))) {
		text.start += length;
		text.length -= length;
	}
	while (right && (length = end_in_set(&text, &set, true)))
		text.length -= length;
	sqlite3_result_text(context, text.start, (int)text.length, SQLITE_TRANSIENT);
}

static void trim_run(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	(void)count;
	trim(context, arguments, true, true);
}

static void ltrim_run(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	(void)count;
	trim(context, arguments, true, false);
}

static void rtrim_run(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	(void)count;
	trim(context, arguments, false, true);
}

static void unhex_run(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	(void)count;
	(void)arguments;
	sqlite3_result_error(context, "unhex() has no characters to ignore here", -1);
}

int row_functions_add(sqlite3 *database)
{
	static const struct {
		const char *name;
		int arguments;
		void (*run)(sqlite3_context *, int, sqlite3_value **);
	} functions[] = {
		{"instr", 2, instr_run}, {"replace", 3, replace_run}, {"trim", 2, trim_run},
		{"ltrim", 2, ltrim_run}, {"rtrim", 2, rtrim_run},     {"unhex", 2, unhex_run},
	};
	int code = SQLITE_OK;

	for (size_t i = 0; code == SQLITE_OK && i < sizeof(functions) / sizeof(*functions); i++)
		code = sqlite3_create_function(database, functions[i].name, functions[i].arguments,
					       SQLITE_UTF8 | SQLITE_DETERMINISTIC |
						       SQLITE_INNOCUOUS,
					       NULL, functions[i].run, NULL, NULL);
	return code;
}
