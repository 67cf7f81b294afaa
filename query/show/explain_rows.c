#include "explain_rows.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ask/answer.h"
#include "base/clock.h"
#include "base/command.h"

enum { LINES_MAX = 400 };

struct explaining {
	sqlite3 *database;
	const struct answer_index *index;
	const struct filter_set *filters;
	bool *shown; /* by filter: its parts were written already */
	size_t lines;
	FILE *stream;
	struct message *message;
};

/* A part of an expression: the steps up to `end`, from `begin` on. */
struct subexpression {
	const struct rows_filter *rows;
	size_t begin;
	size_t end;
};

/* Where the operand begins that the step at end - 1 completes. */
static size_t operand_begin(const struct expression *expression, size_t end)
{
	size_t wanted = 1;

	while (wanted > 0) {
		const enum expression_kind kind = expression->steps[--end].kind;

		wanted--;
		wanted += kind == EXPRESSION_NAME ? 0 : kind == EXPRESSION_NOT ? 1 : 2;
	}
	return end;
}

static void leaf_write(const struct expression_name *name, FILE *stream)
{
	static const char *const words[] = {
		[LEAF_STORED] = "",	      [LEAF_PCAP] = "{",
		[LEAF_SINCE] = "since ",      [LEAF_BEFORE] = "before ",
		[LEAF_SOURCE_IN] = "src in ", [LEAF_DESTINATION_IN] = "dst in ",
	};

	fprintf(stream, "%s%s%s", words[name->leaf], name->text,
		name->leaf == LEAF_PCAP ? "}" : "");
}

static void part_write(const struct subexpression *part, FILE *stream);

/* In parentheses where it is joined by something else. */
static void operand_write(const struct subexpression *part, enum expression_kind outer,
			  FILE *stream)
{
	const enum expression_kind kind = part->rows->expression.steps[part->end - 1].kind;
	const bool joins = kind == EXPRESSION_AND || kind == EXPRESSION_OR;
	const bool wrapped = joins && kind != outer;

	fputs(wrapped ? "(" : "", stream);
	part_write(part, stream);
	fputs(wrapped ? ")" : "", stream);
}

/* Recurs no deeper than expressions are nested, but for lists, whose left side goes first. */
static void part_write(const struct subexpression *part, FILE *stream)
{
	const struct expression *expression = &part->rows->expression;
	const struct expression_step *step = &expression->steps[part->end - 1];
	size_t middle;

	if (step->kind == EXPRESSION_NAME) {
		leaf_write(&expression->names[step->name], stream);
		return;
	}
	middle = operand_begin(expression, part->end - 1);
	if (step->kind == EXPRESSION_NOT) {
		fputs("not ", stream);
	} else {
		operand_write(&(struct subexpression){part->rows, part->begin, middle}, step->kind,
			      stream);
		fputs(step->kind == EXPRESSION_AND ? " and " : " or ", stream);
	}
	operand_write(&(struct subexpression){part->rows, middle, part->end - 1}, step->kind,
		      stream);
}

/* Asks for the rows of a text, and writes them with the time that it took. */
static enum status count_write(struct explaining *explaining, const char *text, size_t depth)
{
	const struct answer_question question = {
		.database = explaining->database, .index = explaining->index, .expression = text};
	const double start = clock_seconds();
	uint64_t rows;
	enum status status = answer_count(&question, &rows, explaining->message);

	if (status == STATUS_OK)
		fprintf(explaining->stream, "%12" PRIu64 " %9.2f  %*s", rows,
			(clock_seconds() - start) * 1e3, (int)(2 * depth), "");
	return status;
}

static enum status part_count(struct explaining *explaining, const struct subexpression *part,
			      size_t depth, char **text)
{
	size_t size;
	FILE *memory = open_memstream(text, &size);
	bool failed;

	*text = NULL;
	if (!memory)
		return message_out_of_memory(explaining->message);
	part_write(part, memory);
	failed = fclose(memory) != 0;
	if (failed || !*text)
		return message_out_of_memory(explaining->message);
	return count_write(explaining, *text, depth);
}

static enum status part_explain(struct explaining *explaining, const struct subexpression *part,
				size_t depth);

/* A filter that is used; one that is an expression has its parts below it, the first time. */
static enum status filter_explain(struct explaining *explaining, size_t number, size_t depth)
{
	const struct filter_entry *entry = &explaining->filters->items[number];
	const struct subexpression whole = {entry->rows, 0,
					    entry->rows ? entry->rows->expression.step_count : 0};

	if (!entry->rows)
		return STATUS_OK;
	fputs(" = ", explaining->stream);
	command_write_safely(explaining->stream, entry->expression);
	if (explaining->shown[number]) {
		fputs(" (as above)\n", explaining->stream);
		return STATUS_OK;
	}
	explaining->shown[number] = true;
	putc('\n', explaining->stream);
	return part_explain(explaining, &whole, depth + 1);
}

static enum status leaf_explain(struct explaining *explaining, const struct subexpression *part,
				size_t depth)
{
	const struct expression_step *step = &part->rows->expression.steps[part->end - 1];
	const struct expression_name *name = &part->rows->expression.names[step->name];
	const size_t operand = part->rows->operands[step->name];

	if (name->leaf == LEAF_STORED && operand < explaining->filters->count &&
	    explaining->filters->items[operand].rows)
		return filter_explain(explaining, operand, depth);
	putc('\n', explaining->stream);
	return STATUS_OK;
}

/* The operands of a list of one operator, the first ones first. */
static enum status operands_explain(struct explaining *explaining, const struct subexpression *part,
				    enum expression_kind kind, size_t depth)
{
	const struct expression *expression = &part->rows->expression;
	const size_t middle = operand_begin(expression, part->end - 1);
	const struct subexpression left = {part->rows, part->begin, middle};
	const struct subexpression right = {part->rows, middle, part->end - 1};
	enum status status = STATUS_OK;

	if (kind != EXPRESSION_NOT && expression->steps[middle - 1].kind == kind)
		status = operands_explain(explaining, &left, kind, depth);
	else if (kind != EXPRESSION_NOT)
		status = part_explain(explaining, &left, depth);
	return status == STATUS_OK ? part_explain(explaining, &right, depth) : status;
}

static enum status part_explain(struct explaining *explaining, const struct subexpression *part,
				size_t depth)
{
	const struct expression_step *step = &part->rows->expression.steps[part->end - 1];
	char *text = NULL;
	enum status status;

	if (explaining->lines++ >= LINES_MAX)
		return STATUS_OK;
	status = part_count(explaining, part, depth, &text);
	if (status == STATUS_OK)
		command_write_safely(explaining->stream, text);
	free(text);
	if (status != STATUS_OK)
		return status;
	if (step->kind == EXPRESSION_NAME)
		return leaf_explain(explaining, part, depth);
	putc('\n', explaining->stream);
	return operands_explain(explaining, part, step->kind, depth + 1);
}

enum status explain_rows_write(sqlite3 *database, const struct answer_index *index,
			       const struct filter_set *filters, size_t number, FILE *stream,
			       struct message *message)
{
	const struct filter_entry *entry = &filters->items[number];
	const struct subexpression whole = {entry->rows, 0, entry->rows->expression.step_count};
	struct explaining explaining = {.database = database,
					.index = index,
					.filters = filters,
					.stream = stream,
					.message = message};
	enum status status;

	explaining.shown = calloc(filters->count + 1, sizeof(*explaining.shown));
	if (!explaining.shown)
		return message_out_of_memory(message);
	explaining.shown[number] = true;
	fputs("rows:       ", stream);
	command_write_safely(stream, entry->expression);
	fputs("\n        rows        ms  of each part, counted now\n", stream);
	status = count_write(&explaining, entry->name, 0);
	if (status == STATUS_OK) {
		command_write_safely(stream, entry->name);
		fputs(", as it is stored\n", stream);
		status = part_explain(&explaining, &whole, 1);
	}
	if (explaining.lines > LINES_MAX)
		fprintf(stream, "and %zu parts more\n", explaining.lines - LINES_MAX);
	free(explaining.shown);
	return status;
}
