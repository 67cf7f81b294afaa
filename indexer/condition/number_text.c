#include "number_text.h"

#include <arpa/inet.h>
#include <string.h>

#include "packet/connection.h"
#include "packet/protocol.h"

enum { ITEMS_MAX = 12 }; /* of a set that are written */

/* How the numbers of a column are written. */
struct notation {
	FILE *stream;
	const char *name;
	char name_of_word[32];
	enum { NOTATION_DECIMAL, NOTATION_ICMP, NOTATION_IPV4, NOTATION_WORD } kind;
	uint32_t last;
};

static struct notation notation_of(FILE *stream, enum column column, unsigned version, bool icmp)
{
	struct notation notation = {.stream = stream, .last = column_last(column)};
	const bool source = column < COLUMN_DESTINATION;
	const unsigned word = source ? column - COLUMN_SOURCE : column - COLUMN_DESTINATION;

	switch (column) {
	case COLUMN_SHAPE:
		notation.name = "protocol";
		break;
	case COLUMN_SOURCE_PORT:
		notation.name = icmp ? "ICMP type and code" : "source port";
		notation.kind = icmp ? NOTATION_ICMP : NOTATION_DECIMAL;
		break;
	case COLUMN_DESTINATION_PORT:
		notation.name = "destination port";
		break;
	default:
		notation.kind = version == 4 && word == 0 ? NOTATION_IPV4 : NOTATION_WORD;
		notation.name = source ? "source" : "destination";
		snprintf(notation.name_of_word, sizeof(notation.name_of_word), "%s[%u:4]",
			 notation.name, word * 4);
	}
	return notation;
}

static const char *notation_name(const struct notation *notation)
{
	return notation->kind == NOTATION_WORD ? notation->name_of_word : notation->name;
}

static void write_number(const struct notation *notation, uint32_t number)
{
	switch (notation->kind) {
	case NOTATION_ICMP:
		fprintf(notation->stream, "%u.%u", number >> 8, number & 0xff);
		break;
	case NOTATION_IPV4:
		fprintf(notation->stream, "%u.%u.%u.%u", number >> 24, number >> 16 & 0xff,
			number >> 8 & 0xff, number & 0xff);
		break;
	case NOTATION_WORD:
		fprintf(notation->stream, "0x%08x", number);
		break;
	default:
		fprintf(notation->stream, "%u", number);
	}
}

int number_text_prefix_length(uint32_t first, uint32_t last)
{
	const uint32_t differ = first ^ last;

	if ((differ & (differ + 1)) != 0 || (first & differ) != 0)
		return -1;
	return differ ? __builtin_clz(differ) : 32;
}

static void write_item(const struct notation *notation, uint32_t first, uint32_t last)
{
	write_number(notation, first);
	if (first == last)
		return;
	if (notation->kind == NOTATION_IPV4 && number_text_prefix_length(first, last) >= 0) {
		fprintf(notation->stream, "/%d", number_text_prefix_length(first, last));
		return;
	}
	putc('-', notation->stream);
	write_number(notation, last);
}

/* A set that is one run of numbers, or whose complement is. */
static void write_run(const struct notation *notation, uint32_t first, uint32_t last, bool inverted)
{
	FILE *stream = notation->stream;

	if (notation->kind == NOTATION_ICMP && first >> 8 == last >> 8 &&
	    (first == last || (last - first) == 0xff)) {
		fprintf(stream, "%sICMP type = %u", inverted ? "not (" : "", first >> 8);
		if (first == last)
			fprintf(stream, " and code = %u", first & 0xff);
		fputs(inverted ? ")" : "", stream);
		return;
	}
	fputs(notation_name(notation), stream);
	if (first == last) {
		fputs(inverted ? " != " : " = ", stream);
		write_number(notation, first);
	} else if (!inverted && notation->kind == NOTATION_DECIMAL && first == 0) {
		fprintf(stream, " <= %u", last);
	} else if (!inverted && notation->kind == NOTATION_DECIMAL && last == notation->last) {
		fprintf(stream, " >= %u", first);
	} else {
		fputs(inverted ? " not in " : " in ", stream);
		write_item(notation, first, last);
	}
}

static void write_items(const struct notation *notation, const struct piece *pieces, size_t count,
			uint32_t next, bool inverted)
{
	size_t items = 0;
	size_t more = 0;
	uint32_t first = 0;

	fprintf(notation->stream, "%s %s {", notation_name(notation), inverted ? "not in" : "in");
	for (size_t i = 0; i < count; i++) {
		if ((pieces[i].next == next) != inverted) {
			if (items == ITEMS_MAX) {
				more++;
			} else {
				fputs(items++ ? ", " : "", notation->stream);
				write_item(notation, first, pieces[i].last);
			}
		}
		first = pieces[i].last + 1;
	}
	if (more)
		fprintf(notation->stream, " and %zu more", more);
	putc('}', notation->stream);
}

/* How many runs of numbers the set has, or its complement; the last one is first to last. */
static size_t runs_count(const struct piece *pieces, size_t count, uint32_t next, bool inverted,
			 uint32_t *first, uint32_t *last)
{
	size_t runs = 0;
	bool before = false;

	for (size_t i = 0; i < count; i++) {
		const bool in = (pieces[i].next == next) != inverted;

		if (in && !before) {
			runs++;
			*first = i ? pieces[i - 1].last + 1 : 0;
		}
		if (in)
			*last = pieces[i].last;
		before = in;
	}
	return runs;
}

void number_text_write(FILE *stream, enum column column, unsigned version, bool icmp,
		       const struct piece *pieces, size_t count, uint32_t next)
{
	const struct notation notation = notation_of(stream, column, version, icmp);
	uint32_t first[2] = {0};
	uint32_t last[2] = {0};
	const size_t runs = runs_count(pieces, count, next, false, &first[0], &last[0]);
	const size_t holes = runs_count(pieces, count, next, true, &first[1], &last[1]);

	/* One of two runs that touch an end is written with <= or >= and not as a hole. */
	if (runs == 1 && (holes != 1 || first[1] != last[1]))
		write_run(&notation, first[0], last[0], false);
	else if (holes == 1)
		write_run(&notation, first[1], last[1], true);
	else
		write_items(&notation, pieces, count, next, holes < runs);
}

void number_text_write_ipv6(FILE *stream, const uint32_t words[static 4], int bits)
{
	uint32_t address[4];
	char buffer[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < 4; i++)
		address[i] = htonl(words[i]);
	if (!inet_ntop(AF_INET6, address, buffer, sizeof(buffer)))
		buffer[0] = '\0';
	if (bits == 128)
		fprintf(stream, "= %s", buffer);
	else
		fprintf(stream, "in %s/%d", buffer, bits);
}

bool number_text_all_protocols(const bool marked[static SHAPE_LAST + 1], unsigned version)
{
	for (uint32_t shape = 0; shape <= SHAPE_LAST; shape++)
		if (shape_valid(shape) && shape_version(shape) == version && !marked[shape])
			return false;
	return true;
}

/* What of a protocol's headers is marked. */
enum marks { MARKED_NONE, MARKED_ALL, MARKED_WITH_ICMP, MARKED_WITHOUT_ICMP };

static enum marks marks_of(const bool marked[static SHAPE_LAST + 1], unsigned version,
			   uint8_t protocol)
{
	const uint32_t shape = protocol | (version == 6 ? SHAPE_IPV6 : 0U);

	if (!protocol_is_icmp(protocol))
		return marked[shape] ? MARKED_ALL : MARKED_NONE;
	if (marked[shape])
		return marked[shape | SHAPE_ICMP] ? MARKED_ALL : MARKED_WITHOUT_ICMP;
	return marked[shape | SHAPE_ICMP] ? MARKED_WITH_ICMP : MARKED_NONE;
}

void number_text_write_protocols(FILE *stream, const bool marked[static SHAPE_LAST + 1],
				 unsigned version, bool asked)
{
	bool in[SHAPE_LAST + 1];
	size_t count = 0;
	bool inverted;
	size_t items = 0;

	memcpy(in, marked, sizeof(in));
	for (unsigned protocol = 0; protocol <= UINT8_MAX; protocol++)
		count += marks_of(in, version, (uint8_t)protocol) != MARKED_NONE;
	inverted = count > UINT8_MAX / 2;
	for (uint32_t shape = 0; inverted && shape <= SHAPE_LAST; shape++)
		in[shape] = shape_valid(shape) && shape_version(shape) == version && !in[shape];
	count = 0;
	for (unsigned protocol = 0; protocol <= UINT8_MAX; protocol++)
		count += marks_of(in, version, (uint8_t)protocol) != MARKED_NONE;
	if (count == 1)
		fputs(inverted ? "protocol != " : "protocol = ", stream);
	else
		fputs(inverted ? "protocol not in {" : "protocol in {", stream);
	for (unsigned protocol = 0; protocol <= UINT8_MAX; protocol++) {
		const enum marks marks = marks_of(in, version, (uint8_t)protocol);

		if (marks == MARKED_NONE)
			continue;
		fprintf(stream, "%s%u", items++ ? ", " : "", protocol);
		if (marks == MARKED_WITHOUT_ICMP)
			fputs(" without type and code", stream);
		else if (marks == MARKED_WITH_ICMP && (inverted || !asked))
			fputs(" with type and code", stream);
	}
	if (count != 1)
		putc('}', stream);
}

void number_text_write_shapes(FILE *stream, const bool marked[static SHAPE_LAST + 1])
{
	bool same = true;

	for (uint32_t shape = 0; shape < SHAPE_IPV6; shape++)
		same &= marked[shape] == marked[shape | SHAPE_IPV6];
	for (unsigned version = 4; version <= 6; version += 2) {
		size_t shapes = 0;

		for (uint32_t shape = 0; shape <= SHAPE_LAST; shape++)
			shapes += marked[shape] && shape_version(shape) == version;
		if (shapes == 0 || (same && version == 6))
			continue;
		if (version == 6 && memchr(marked, true, SHAPE_IPV6))
			fputs(" or ", stream);
		if (!same)
			fprintf(stream, "ipv%u%s", version,
				number_text_all_protocols(marked, version) ? "" : " and ");
		if (number_text_all_protocols(marked, version))
			fputs(same ? "any header" : "", stream);
		else
			number_text_write_protocols(stream, marked, version, true);
	}
}
