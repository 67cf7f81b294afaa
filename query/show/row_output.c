#include "row_output.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "database/database.h"

/* Widths come from the head and this many rows; later rows may be wider. */
enum { TABLE_ROWS_HELD = 256, CUT_LEAST = 10 };

struct row_output {
	FILE *stream;
	enum row_format format;
	size_t columns;
	char **names;
	size_t rows;  /* written or held */
	size_t width; /* characters of a table's line; 0 for any */
	/* Of the table only: */
	size_t *widths;
	bool *numeric; /* every value held is a number or NULL */
	char **held;   /* TABLE_ROWS_HELD rows of cells */
	size_t held_rows;
	bool head_written;
};

bool row_format_find(const char *name, enum row_format *format)
{
	static const char *const names[] = {
		[ROW_TABLE] = "table", [ROW_CSV] = "csv", [ROW_JSON] = "json"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(names[i], name) == 0) {
			*format = (enum row_format)i;
			return true;
		}
	}
	return false;
}

void row_output_abandon(struct row_output *output)
{
	if (!output)
		return;
	for (size_t i = 0; output->names && i < output->columns; i++)
		free(output->names[i]);
	for (size_t i = 0; output->held && i < output->held_rows * output->columns; i++)
		free(output->held[i]);
	free(output->names);
	free(output->widths);
	free(output->numeric);
	free(output->held);
	free(output);
}

/* Printable UTF-8 as it is; anything else as \xNN. NULL without memory. */
static char *printable(const char *text, size_t length)
{
	const unsigned char *next = (const unsigned char *)text;
	char *out = malloc(length * 4 + 1);
	size_t used = 0;

	while (out && length > 0) {
		size_t sequence = json_utf8_sequence(next, length);
		/* C1 control characters (U+0080 to U+009F) command terminals too. */
		bool control = sequence == 0 || *next < 0x20 || *next == 0x7f ||
			       (sequence == 2 && next[0] == 0xc2 && next[1] < 0xa0);

		if (sequence == 0)
			sequence = 1;
		for (size_t i = 0; i < sequence; i++) {
			if (control)
				used += (size_t)sprintf(out + used, "\\x%02x", next[i]);
			else
				out[used++] = (char)next[i];
		}
		next += sequence;
		length -= sequence;
	}
	if (out)
		out[used] = '\0';
	return out;
}

/* The width in characters, taking each code point for one. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static char *blob_text(const uint8_t *bytes, size_t length)
{
	char *out = malloc(length * 2 + 4);
	size_t used = 0;

	if (!out)
		return NULL;
	out[used++] = 'x';
	out[used++] = '\'';
	for (size_t i = 0; i < length; i++)
		used += (size_t)sprintf(out + used, "%02x", bytes[i]);
	out[used++] = '\'';
	out[used] = '\0';
	return out;
}

static char *cell_text(sqlite3_stmt *statement, int column)
{
	const char *text;

	if (sqlite3_column_type(statement, column) == SQLITE_BLOB) {
		const uint8_t *bytes = sqlite3_column_blob(statement, column);

		return blob_text(bytes, (size_t)sqlite3_column_bytes(statement, column));
	}
	text = (const char *)sqlite3_column_text(statement, column);
	return printable(text ? text : "", (size_t)sqlite3_column_bytes(statement, column));
}

struct row_output *row_output_open(FILE *stream, enum row_format format, sqlite3_stmt *statement)
{
	size_t columns = (size_t)sqlite3_column_count(statement);
	struct row_output *output = calloc(1, sizeof(*output));

	if (!output)
		return NULL;
	output->stream = stream;
	output->format = format;
	output->columns = columns;
	output->names = calloc(columns + 1, sizeof(*output->names));
	output->widths = calloc(columns + 1, sizeof(*output->widths));
	output->numeric = calloc(columns + 1, sizeof(*output->numeric));
	output->held = calloc(TABLE_ROWS_HELD * (columns + 1), sizeof(*output->held));
	if (!output->names || !output->widths || !output->numeric || !output->held)
		goto failed;
	for (size_t i = 0; i < columns; i++) {
		const char *name = sqlite3_column_name(statement, (int)i);

		if (!name)
			goto failed;
		output->names[i] =
			format == ROW_TABLE ? printable(name, strlen(name)) : strdup(name);
		if (!output->names[i])
			goto failed;
		output->widths[i] = text_width(output->names[i]);
		output->numeric[i] = true;
	}
	return output;

failed:
	row_output_abandon(output);
	return NULL;
}

/* How many characters the last column may have; SIZE_MAX for any. */
static size_t last_width(const struct row_output *output)
{
	size_t used = 0;

	if (!output->width)
		return SIZE_MAX;
	for (size_t i = 0; i + 1 < output->columns; i++)
		used += output->widths[i] + 2;
	return used + CUT_LEAST > output->width ? CUT_LEAST : output->width - used;
}

static void write_cut(FILE *stream, const char *text, size_t characters)
{
	const char *end = text;

	for (; *end && characters > 1; characters--)
		for (end++; ((unsigned char)*end & 0xc0) == 0x80;)
			end++;
	fprintf(stream, "%.*s\xe2\x80\xa6", (int)(end - text), text);
}

static void write_padded(struct row_output *output, size_t column, const char *text)
{
	size_t width = text_width(text);
	int padding = width < output->widths[column] ? (int)(output->widths[column] - width) : 0;
	bool last = column + 1 == output->columns;

	if (column > 0)
		fputs("  ", output->stream);
	if (last && width > last_width(output))
		write_cut(output->stream, text, last_width(output));
	else if (output->numeric[column])
		fprintf(output->stream, "%*s%s", padding, "", text);
	else
		fprintf(output->stream, "%s%*s", text, last ? 0 : padding, "");
}

void row_output_cut(struct row_output *output, size_t width)
{
	output->width = width;
}

static void write_table_row(struct row_output *output, char *const *cells)
{
	for (size_t i = 0; i < output->columns; i++)
		write_padded(output, i, cells[i]);
	putc('\n', output->stream);
}

/* Writes the head and the rows that were held to learn the widths. */
static void table_flush(struct row_output *output)
{
	if (!output->head_written) {
		output->head_written = true;
		write_table_row(output, output->names);
		for (size_t i = 0; i < output->columns; i++) {
			fputs(i > 0 ? "  " : "", output->stream);
			for (size_t j = 0; j < output->widths[i] &&
					   (i + 1 < output->columns || j < last_width(output));
			     j++)
				putc('-', output->stream);
		}
		putc('\n', output->stream);
	}
	for (size_t row = 0; row < output->held_rows; row++) {
		char **cells = output->held + row * output->columns;

		write_table_row(output, cells);
		for (size_t i = 0; i < output->columns; i++)
			free(cells[i]);
	}
	output->held_rows = 0;
}

static enum status write_table(struct row_output *output, sqlite3_stmt *statement,
			       struct message *message)
{
	char **cells;

	if (output->held_rows == TABLE_ROWS_HELD)
		table_flush(output);
	cells = output->held + output->held_rows * output->columns;
	for (size_t i = 0; i < output->columns; i++) {
		int type = sqlite3_column_type(statement, (int)i);

		cells[i] = cell_text(statement, (int)i);
		if (!cells[i]) {
			while (i-- > 0)
				free(cells[i]);
			return message_out_of_memory(message);
		}
		if (output->head_written)
			continue;
		if (text_width(cells[i]) > output->widths[i])
			output->widths[i] = text_width(cells[i]);
		if (type == SQLITE_TEXT || type == SQLITE_BLOB)
			output->numeric[i] = false;
	}
	output->held_rows++;
	if (output->head_written)
		table_flush(output);
	return STATUS_OK;
}

/* The shortest decimal that reads back as the same number; a fraction stays one. */
static void write_real(FILE *stream, double number)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	fputs(text, stream);
	if (!strpbrk(text, ".eni"))
		fputs(".0", stream);
}

static void write_csv_text(FILE *stream, const char *text, size_t length)
{
	bool quoted = false;

	for (size_t i = 0; i < length; i++)
		quoted |= text[i] == '"' || text[i] == ',' || text[i] == '\n' || text[i] == '\r';
	if (!quoted) {
		fwrite(text, 1, length, stream);
		return;
	}
	putc('"', stream);
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '"')
			putc('"', stream);
		putc(text[i], stream);
	}
	putc('"', stream);
}

static void csv_head(struct row_output *output)
{
	for (size_t i = 0; i < output->columns; i++) {
		fputs(i > 0 ? "," : "", output->stream);
		write_csv_text(output->stream, output->names[i], strlen(output->names[i]));
	}
	fputs("\r\n", output->stream);
}

static enum status write_csv(struct row_output *output, sqlite3_stmt *statement,
			     struct message *message)
{
	for (size_t i = 0; i < output->columns; i++) {
		int column = (int)i;
		const char *text;

		fputs(i > 0 ? "," : "", output->stream);
		if (sqlite3_column_type(statement, column) == SQLITE_BLOB) {
			char *hex = cell_text(statement, column);

			if (!hex)
				return message_out_of_memory(message);
			fputs(hex, output->stream);
			free(hex);
			continue;
		}
		if (sqlite3_column_type(statement, column) == SQLITE_FLOAT) {
			write_real(output->stream, sqlite3_column_double(statement, column));
			continue;
		}
		text = (const char *)sqlite3_column_text(statement, column);
		/* A line with nothing at all would be no record. */
		if (output->columns == 1 && sqlite3_column_bytes(statement, column) == 0)
			fputs("\"\"", output->stream);
		write_csv_text(output->stream, text ? text : "",
			       (size_t)sqlite3_column_bytes(statement, column));
	}
	fputs("\r\n", output->stream);
	return STATUS_OK;
}

static enum status write_json_value(struct row_output *output, sqlite3_stmt *statement, int column,
				    struct message *message)
{
	FILE *stream = output->stream;
	double number;
	char *hex;

	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_NULL:
		fputs("null", stream);
		break;
	case SQLITE_INTEGER:
		fprintf(stream, "%" PRId64, (int64_t)sqlite3_column_int64(statement, column));
		break;
	case SQLITE_FLOAT:
		number = sqlite3_column_double(statement, column);
		if (isfinite(number))
			write_real(stream, number);
		else
			fputs("null", stream);
		break;
	case SQLITE_BLOB:
		hex = cell_text(statement, column);
		if (!hex)
			return message_out_of_memory(message);
		json_write_string(stream, hex);
		free(hex);
		break;
	default: {
		const char *text = (const char *)sqlite3_column_text(statement, column);

		json_write_text(stream, text ? text : "",
				(size_t)sqlite3_column_bytes(statement, column));
	}
	}
	return STATUS_OK;
}

static enum status write_json(struct row_output *output, sqlite3_stmt *statement,
			      struct message *message)
{
	fputs(output->rows > 0 ? ",\n{" : "[\n{", output->stream);
	for (size_t i = 0; i < output->columns; i++) {
		enum status status;

		fputs(i > 0 ? ", " : "", output->stream);
		json_write_string(output->stream, output->names[i]);
		fputs(": ", output->stream);
		status = write_json_value(output, statement, (int)i, message);
		if (status != STATUS_OK)
			return status;
	}
	putc('}', output->stream);
	return STATUS_OK;
}

static enum status check_written(struct row_output *output, struct message *message)
{
	if (ferror(output->stream))
		return message_set(message, STATUS_FAILED, "cannot write the output: %s",
				   strerror(errno));
	return STATUS_OK;
}

enum status row_output_write(struct row_output *output, sqlite3_stmt *statement,
			     struct message *message)
{
	enum status status;

	switch (output->format) {
	case ROW_TABLE:
		status = write_table(output, statement, message);
		break;
	case ROW_CSV:
		if (output->rows == 0)
			csv_head(output);
		status = write_csv(output, statement, message);
		break;
	default:
		status = write_json(output, statement, message);
		break;
	}
	output->rows++;
	status = database_values(statement, status, message);
	return status == STATUS_OK ? check_written(output, message) : status;
}

enum status row_output_close(struct row_output *output, struct message *message)
{
	enum status status;

	if (output->format == ROW_TABLE)
		table_flush(output);
	else if (output->format == ROW_CSV && output->rows == 0)
		csv_head(output);
	else if (output->format == ROW_JSON)
		fputs(output->rows > 0 ? "\n]\n" : "[]\n", output->stream);
	fflush(output->stream);
	status = check_written(output, message);
	row_output_abandon(output);
	return status;
}
