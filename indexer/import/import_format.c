#include "import_format.h"

#include <string.h>

#include "csv_log.h"
#include "json_log.h"
#include "zeek_log.h"

static const char *const format_names[FORMAT_COUNT] = {
	[FORMAT_CAPTURE] = "pcap",
	[FORMAT_ZEEK] = "zeek",
	[FORMAT_JSON] = "json",
	[FORMAT_CSV] = "csv",
};

static const struct {
	const char *word;
	enum import_format format;
} other_words[] = {
	{"pcapng", FORMAT_CAPTURE},
	{"eve", FORMAT_JSON},
	{"nfdump", FORMAT_CSV},
	{"tsv", FORMAT_CSV},
};

const char *import_format_name(enum import_format format)
{
	return format_names[format];
}

bool import_format_find(const char *word, enum import_format *format)
{
	for (int known = 0; known < FORMAT_COUNT; known++)
		if (strcmp(word, format_names[known]) == 0) {
			*format = (enum import_format)known;
			return true;
		}
	for (size_t i = 0; i < sizeof(other_words) / sizeof(*other_words); i++)
		if (strcmp(word, other_words[i].word) == 0) {
			*format = other_words[i].format;
			return true;
		}
	return false;
}

/* Files that people give by mistake, and what to do with them. */
static const struct {
	const char *begin;
	size_t size;
	const char *words;
} lookalikes[] = {
	{"SQLite format 3", 15, "an SQLite file, which connbits-index reads as it is"},
	{"BZh", 3, "bzip2: write bzip2 -dc FILE | connbits-import LOG.sqlite -"},
	{"\xfd"
	 "7zXZ",
	 5, "xz: write xz -dc FILE | connbits-import LOG.sqlite -"},
	{"\x0c\xa5", 2,
	 "nfdump's own format: write nfdump -r FILE -o csv | connbits-import LOG.sqlite -"},
	{"\xa5\x0c", 2,
	 "nfdump's own format: write nfdump -r FILE -o csv | connbits-import LOG.sqlite -"},
	{"PK\x03\x04", 4, "a zip archive: unpack it first"},
	{"\x7f"
	 "ELF",
	 4, "a program"},
	{"%PDF", 4, "a PDF"},
	{"<", 1, "XML or HTML"},
	{"[", 1, "a JSON array; one object a line is expected: jq -c '.[]' FILE"},
};

/* Logs of attackers' words may have any byte but 0. */
static bool is_text(const char *head, size_t size)
{
	return memchr(head, '\0', size) == NULL;
}

static bool looks_binary(const char *head, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)head[i] < '\t')
			return true;
	return false;
}

static enum status unknown(const char *path, const char *head, size_t size, bool object, bool table,
			   struct message *message)
{
	const size_t line = strcspn(head, "\n") < size ? strcspn(head, "\n") : size;
	const char *words = looks_binary(head, size < 512 ? size : 512)
				    ? "binary"
				    : "text without a header of columns";

	for (size_t i = 0; i < sizeof(lookalikes) / sizeof(*lookalikes); i++)
		if (size >= lookalikes[i].size &&
		    memcmp(head, lookalikes[i].begin, lookalikes[i].size) == 0)
			words = lookalikes[i].words;
	if (object)
		words = "JSON, but no line of its beginning has Zeek's id.orig_h or Suricata's "
			"src_ip and dest_ip";
	if (table)
		return message_set(
			message, STATUS_FAILED,
			"%s: is none of the formats that can be imported: it looks like "
			"separated values without known columns of addresses (%.*s%s); say "
			"which they are: --map source_host=COLUMN --map "
			"destination_host=COLUMN ...",
			path, line < 200 ? (int)line : 200, head, line < 200 ? "" : "...");
	return message_set(
		message, STATUS_FAILED,
		"%s: is none of the formats that can be imported (pcap, pcapng, Zeek's and "
		"Suricata's logs, nfdump's CSV, CSV with a header): it looks like %s",
		path, words);
}

enum status import_format_guess(const struct input *input, const char *path, bool mapped,
				enum import_format *format, struct message *message)
{
	bool json_known = false;
	bool csv_known = false;
	bool object;
	bool table;
	size_t size;
	const char *head = input_head(input, &size);

	if (capture_log_is(head, size)) {
		*format = FORMAT_CAPTURE;
		return STATUS_OK;
	}
	if (zeek_log_is(head, size)) {
		*format = FORMAT_ZEEK;
		return STATUS_OK;
	}
	object = json_log_is(head, size, &json_known);
	table = !object && size > 0 && csv_log_is(head, size, &csv_known) &&
		is_text(head, size < 512 ? size : 512);
	*format = object ? FORMAT_JSON : FORMAT_CSV;
	if ((object && json_known) || (table && (csv_known || mapped)))
		return STATUS_OK;
	return unknown(path, head, size, object, table, message);
}

static enum status capture_open(struct input *input, const struct capture_options *options,
				const struct capture_taken *taken, struct parser *parser,
				struct message *message)
{
	FILE *stream = input_stream(input);
	enum status status;

	if (!stream)
		return message_out_of_memory(message);
	status = capture_log_open(options, stream, taken, parser, message);
	return status == STATUS_OK				  ? STATUS_OK
	       : input_stream_status(input, message) == STATUS_OK ? status
								  : STATUS_FAILED;
}

enum status import_format_open(enum import_format format, struct input *input,
			       const struct parser_options *options,
			       const struct capture_options *capture,
			       const struct capture_taken *taken, struct parser *parser,
			       struct message *message)
{
	size_t size;
	const char *head = input_head(input, &size);

	switch (format) {
	case FORMAT_CAPTURE:
		return capture_open(input, capture, taken, parser, message);
	case FORMAT_ZEEK:
		return zeek_log_open(options, parser, message);
	case FORMAT_JSON:
		return json_log_open(options, parser, message);
	default:
		return csv_log_open(options, head, size, parser, message);
	}
}
