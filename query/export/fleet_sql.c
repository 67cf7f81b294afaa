#include "fleet_sql.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "expression/expression.h"
#include "index/index_reader.h"

/*
 * What a sub-expression has become. Filters that are joined by `or` alone are one merge of their
 * bitmaps; that is why they stay a list until something else is done with them.
 */
struct fleet_term {
	char *names;  /* SQL of a list of filters, whose union the term is; NULL: it is `sql` */
	char *sql;    /* a bitmap of one chunk */
	bool single;  /* the list is of one filter, */
	size_t name;  /* this one */
	bool negated; /* its rows are those of @all that the rest has not, which has no others */
	bool within;  /* its rows all are of @all */
};

struct fleet_statement {
	struct expression expression;
	char *table;	 /* as a literal; NULL for all */
	char **literals; /* of the names, @all behind them */
	size_t all; /* which of the names is @all, counted from 0; behind the last where none is, */
	size_t name_count; /* which makes one more, once it is used */
	char *merges;	   /* SQL of the bitmaps that are merged, of */
	size_t merge_count;
	struct fleet_term *stack;
	size_t depth;
	struct message *message;
};

/* Formatted text, which the caller frees with free; NULL without memory. */
__attribute__((format(printf, 1, 2))) static char *formatted(const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return length < 0 ? NULL : text;
}

static const char *name_text(const struct fleet_statement *statement, size_t name)
{
	return name < statement->expression.name_count ? statement->expression.names[name].text
						       : INDEX_ALL;
}

/* Text as a literal of ClickHouse's SQL, which the caller frees with free; NULL without memory. */
static char *literal(const char *text)
{
	char *quoted = malloc(2 * strlen(text) + 3);
	char *next = quoted;

	if (!quoted)
		return NULL;
	*next++ = '\'';
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			*next++ = '\\';
		*next++ = *text;
	}
	*next++ = '\'';
	*next = '\0';
	return quoted;
}

/* The number of @all, which is asked for from now on. */
static size_t all_use(struct fleet_statement *statement)
{
	if (statement->all == statement->name_count)
		statement->name_count++;
	return statement->all;
}

static enum status term_of_name(struct fleet_statement *statement, size_t name,
				struct fleet_term *term)
{
	*term = (struct fleet_term){.names = strdup(statement->literals[name]),
				    .single = true,
				    .name = name,
				    .within =
					    strcmp(name_text(statement, name), INDEX_SKIPPED) != 0};
	return term->names ? STATUS_OK : message_out_of_memory(statement->message);
}

static void term_free(struct fleet_term *term)
{
	free(term->names);
	free(term->sql);
	*term = (struct fleet_term){0};
}

/* Replaces a text; NULL is no memory. */
static enum status become(struct fleet_statement *statement, char **text, char *now)
{
	free(*text);
	*text = now;
	return now ? STATUS_OK : message_out_of_memory(statement->message);
}

/* The term as a bitmap, whether it is negated or not. */
static enum status term_merge(struct fleet_statement *statement, struct fleet_term *term)
{
	enum status status;

	if (!term->names)
		return STATUS_OK;
	status = become(
		statement, &statement->merges,
		formatted("%s,\n      groupBitmapMergeStateIf(bitmap, filter IN (%s)) AS b%zu",
			  statement->merges ? statement->merges : "", term->names,
			  statement->merge_count + 1));
	if (status == STATUS_OK)
		status = become(statement, &term->sql, formatted("b%zu", ++statement->merge_count));
	free(term->names);
	term->names = NULL;
	return status;
}

/* function(a, b) becomes the bitmap of result, which may be one of the two. */
static enum status term_call(struct fleet_statement *statement, const char *function,
			     const struct fleet_term *a, const struct fleet_term *b,
			     struct fleet_term *result)
{
	return become(statement, &result->sql, formatted("%s(%s, %s)", function, a->sql, b->sql));
}

/* function(@all, term), of a term that is a bitmap. */
static enum status term_call_all(struct fleet_statement *statement, const char *function,
				 struct fleet_term *term)
{
	struct fleet_term all = {0};
	enum status status = term_of_name(statement, all_use(statement), &all);

	if (status == STATUS_OK)
		status = term_merge(statement, &all);
	if (status == STATUS_OK)
		status = term_call(statement, function, &all, term, term);
	term_free(&all);
	return status;
}

/* The term as a bitmap that is not negated. */
static enum status term_settle(struct fleet_statement *statement, struct fleet_term *term)
{
	const enum status status = term_merge(statement, term);

	if (status != STATUS_OK || !term->negated)
		return status;
	term->negated = false;
	term->within = true;
	return term_call_all(statement, "bitmapAndnot", term);
}

/* A union of filters, or of what is left where both are turned round and joined by `and`. */
static enum status unions_join(struct fleet_statement *statement, struct fleet_term *left,
			       const struct fleet_term *right)
{
	left->single = false;
	return become(statement, &left->names, formatted("%s, %s", left->names, right->names));
}

/*
 * Two terms to one. Where one is negated, and the other within @all, the complement is left for
 * later: it is often the last step's, or never needed.
 */
static enum status terms_join(struct fleet_statement *statement, bool is_and,
			      struct fleet_term *left, struct fleet_term *right)
{
	const bool both = left->negated && right->negated;
	const bool within = is_and ? left->within || right->within : left->within && right->within;
	bool left_first = true;
	const char *function = is_and != both ? "bitmapAnd" : "bitmapOr";
	enum status status = STATUS_OK;

	if (left->names && right->names && left->negated == right->negated && is_and == both) {
		left->within = both || within;
		return unions_join(statement, left, right);
	}
	if (!both && left->negated && !right->within)
		status = term_settle(statement, left);
	if (status == STATUS_OK && !both && right->negated && !left->within)
		status = term_settle(statement, right);
	if (status == STATUS_OK)
		status = term_merge(statement, left);
	if (status == STATUS_OK)
		status = term_merge(statement, right);
	if (status != STATUS_OK)
		return status;
	if (left->negated != right->negated) {
		/* a and not b; a or not b, which is not (b and not a). */
		function = "bitmapAndnot";
		left_first = right->negated == is_and;
		left->negated = !is_and;
	}
	left->within = left->negated || within;
	return term_call(statement, function, left_first ? left : right, left_first ? right : left,
			 left);
}

static enum status term_negate(struct fleet_statement *statement, struct fleet_term *term)
{
	enum status status = STATUS_OK;

	/* What is not in @all is not in the complement of a complement either. */
	if (!term->within) {
		status = term_merge(statement, term);
		if (status == STATUS_OK)
			status = term_call_all(statement, "bitmapAnd", term);
	}
	term->negated = !term->negated;
	term->within = true;
	return status;
}

static enum status step_run(struct fleet_statement *statement, const struct expression_step *step)
{
	struct fleet_term *top = &statement->stack[statement->depth];
	enum status status;

	switch (step->kind) {
	case EXPRESSION_NAME:
		statement->depth++;
		return term_of_name(statement, step->name, top);
	case EXPRESSION_NOT:
		return term_negate(statement, &top[-1]);
	default:
		status = terms_join(statement, step->kind == EXPRESSION_AND, &top[-2], &top[-1]);
		term_free(&top[-1]);
		statement->depth--;
		return status;
	}
}

/* How many rows of a chunk the bitmap has, without making it where two others become it. */
static char *cardinality(const char *sql)
{
	const char *bracket = strchr(sql, '(');

	return bracket ? formatted("%.*sCardinality%s", (int)(bracket - sql), sql, bracket)
		       : formatted("bitmapCardinality(%s)", sql);
}

/* How many rows a chunk adds to the answer. Those of single filters are known. */
static enum status rows_find(struct fleet_statement *statement, char **rows)
{
	const struct expression *expression = &statement->expression;
	struct fleet_term *term = &statement->stack[0];
	enum status status = STATUS_OK;

	*rows = NULL;
	for (size_t i = 0; status == STATUS_OK && i < expression->step_count; i++)
		status = step_run(statement, &expression->steps[i]);
	if (status != STATUS_OK)
		return status;
	if (term->names && term->single)
		*rows = formatted("r%zu", term->name + 1);
	else
		status = term_merge(statement, term);
	if (status == STATUS_OK && !*rows && term->sql)
		*rows = cardinality(term->sql);
	if (status == STATUS_OK && *rows && term->negated)
		status = become(statement, rows,
				formatted("r%zu - %s", all_use(statement) + 1, *rows));
	return status != STATUS_OK || *rows ? status : message_out_of_memory(statement->message);
}

/* What only a sensor has the columns for. */
static enum status leaves_check(const struct fleet_statement *statement, const char *text)
{
	const struct expression *expression = &statement->expression;

	for (size_t i = 0; i < expression->name_count; i++) {
		const struct expression_name *name = &expression->names[i];

		if (name->leaf != LEAF_STORED)
			return expression_error(
				text, name->at, statement->message,
				"a fleet is asked for filters that its sensors have stored; put %s "
				"into their catalogue under a name",
				name->leaf == LEAF_PCAP		      ? "this pcap filter"
				: expression_leaf_has_set(name->leaf) ? "this address set"
								      : "this time, as a date,");
	}
	return STATUS_OK;
}

static void names_write(const struct fleet_statement *statement, FILE *stream)
{
	for (size_t i = 0; i < statement->name_count; i++)
		fprintf(stream, "%s%s", i ? ", " : "", statement->literals[i]);
}

/* One comment line, whatever the text has. */
static void comment_write(const char *text, FILE *stream)
{
	fputs("-- ", stream);
	for (; *text; text++)
		putc((unsigned char)*text < ' ' ? ' ' : *text, stream);
	putc('\n', stream);
}

/* Per chunk each filter's bitmap, and what was loaded of it; then their sums by sensor and table.
 */
static void found_write(const struct fleet_statement *statement, const char *rows, FILE *stream)
{
	fprintf(stream,
		"found AS (\n"
		"  SELECT sensor, table_name, generation, sum(%s) AS found_rows,\n"
		"    [",
		rows);
	for (size_t i = 1; i <= statement->name_count; i++)
		fprintf(stream, "%ssum(c%zu)", i > 1 ? ", " : "", i);
	fputs("] AS checks_loaded\n"
	      "  FROM (\n"
	      "    SELECT sensor, table_name, generation, chunk",
	      stream);
	for (size_t i = 1; i <= statement->name_count; i++)
		fprintf(stream,
			",\n      sumIf(digest, filter = %s) AS c%zu, sumIf(rows, filter = %s) AS "
			"r%zu",
			statement->literals[i - 1], i, statement->literals[i - 1], i);
	fputs(statement->merges ? statement->merges : "", stream);
	fputs("\n    FROM connbits.bitmaps FINAL\n    WHERE filter IN (", stream);
	names_write(statement, stream);
	fputs(")\n"
	      "      AND (sensor, table_name, generation) IN\n"
	      "        (SELECT sensor, table_name, generation FROM connbits.current)\n"
	      "    GROUP BY sensor, table_name, generation, chunk)\n"
	      "  GROUP BY sensor, table_name, generation),\n",
	      stream);
}

/* A sensor that has not the table that is asked for is missing, too. */
static void asked_write(const struct fleet_statement *statement, FILE *stream)
{
	if (!statement->table)
		return;
	fprintf(stream,
		"asked_state AS (\n"
		"  SELECT * REPLACE (\n"
		"    if(is_asked, table_name, '') AS table_name,\n"
		"    if(is_asked OR table_name = '', status, 'missing') AS status,\n"
		"    if(is_asked OR table_name = '', why, concat('has no table ', %s)) AS why)\n"
		"  FROM (SELECT *, lower(table_name) = lower(%s) AS is_asked FROM connbits.state)\n"
		"  ORDER BY is_asked DESC LIMIT 1 BY sensor),\n",
		statement->table, statement->table);
}

static void answers_write(const struct fleet_statement *statement, FILE *stream)
{
	const char *state = statement->table ? "asked_state" : "connbits.state";

	fprintf(stream,
		"answers AS (\n"
		"  SELECT s.sensor AS name, s.table_name AS table, s.through AS whole,\n"
		"    arrayFilter(n -> NOT mapContains(s.filters, n), asked) AS unknown,\n"
		"    arrayFilter((n, c) -> s.checks[n] != c, asked, arrayResize(f.checks_loaded, "
		"%zu)) "
		"AS partial,\n"
		"    arrayIntersect(s.lacking, asked) AS lacks,\n"
		"    hex(sipHash64(arrayMap(n -> s.digests[n], asked))) AS meaning,\n"
		"    multiIf(s.status = 'missing' OR notEmpty(unknown) OR notEmpty(partial), 3,\n"
		"      s.status = 'behind' OR notEmpty(lacks), 2, 1) AS rank,\n"
		"    multiIf(s.status = 'missing', s.why,\n"
		"      notEmpty(unknown), concat('has no filter ', arrayStringConcat(unknown, ', "
		"')),\n"
		"      notEmpty(partial), concat('not loaded as exported: ', "
		"arrayStringConcat(partial, ', ')),\n"
		"      s.status = 'behind', s.why,\n"
		"      notEmpty(lacks), concat('lacks rows, a name was not found: ', "
		"arrayStringConcat(lacks, ', ')), '') AS reason,\n"
		"    if(rank = 3, NULL, f.found_rows) AS answer_rows\n"
		"  FROM %s AS s LEFT JOIN found AS f\n"
		"    ON s.sensor = f.sensor AND s.table_name = f.table_name AND s.generation = "
		"f.generation",
		statement->name_count, state);
	fputs(")\n", stream);
}

static void statement_write(const struct fleet_statement *statement, const char *text,
			    const char *rows, FILE *stream)
{
	comment_write(text, stream);
	fputs("WITH [", stream);
	names_write(statement, stream);
	fputs("] AS asked,\n", stream);
	found_write(statement, rows, stream);
	asked_write(statement, stream);
	answers_write(statement, stream);
	fputs("SELECT if(name = '', '(all)', name) AS sensor, table AS table_name,\n"
	      "  ['missing', 'ok', 'behind', 'missing'][\n"
	      "    greatest(max(rank), (uniqExactIf(meaning, rank < 3) > 1 AS differ) ? 2 : 0) + "
	      "1] AS status,\n"
	      "  sum(answer_rows) AS rows, if(max(rank) = 3, NULL, min(whole)) AS through,\n"
	      "  if(name = '', concat(toString(countIf(rank = 1)), ' ok, ', toString(countIf(rank "
	      "= 2)),\n"
	      "    ' behind, ', toString(countIf(rank = 3)), ' missing',\n"
	      "    differ ? '; filters of one name differ: see connbits.different_filters' : ''), "
	      "any(reason)) AS why,\n"
	      "  if(name = '' OR max(rank) = 3, '', any(meaning)) AS asks\n"
	      "FROM answers\n"
	      "GROUP BY GROUPING SETS ((name, table), ())\n"
	      "ORDER BY name = '', name, table\n"
	      /* Bitmaps are large: few rows are worth a thread, and memory is bounded. The rest is
	       * so whatever the account's settings are: an answer is whole, or an error. */
	      "SETTINGS merge_tree_min_rows_for_concurrent_read = 1,\n"
	      "  merge_tree_min_bytes_for_concurrent_read = 1,\n"
	      "  max_bytes_before_external_group_by = 1500000000, limit = 0, offset = 0, "
	      "join_use_nulls = 0,\n"
	      "  group_by_use_nulls = 0, aggregate_functions_null_for_empty = 0, "
	      "timeout_overflow_mode = 'throw',\n"
	      "  read_overflow_mode = 'throw', group_by_overflow_mode = 'throw', "
	      "sort_overflow_mode = 'throw',\n"
	      "  result_overflow_mode = 'throw', set_overflow_mode = 'throw', join_overflow_mode "
	      "= 'throw'\n",
	      stream);
}

static enum status names_find(struct fleet_statement *statement)
{
	const struct expression *expression = &statement->expression;

	statement->name_count = expression->name_count;
	statement->all = expression->name_count;
	statement->literals = calloc(expression->name_count + 1, sizeof(*statement->literals));
	if (!statement->literals)
		return message_out_of_memory(statement->message);
	for (size_t i = 0; i <= expression->name_count; i++) {
		statement->literals[i] = literal(name_text(statement, i));
		if (!statement->literals[i])
			return message_out_of_memory(statement->message);
		if (i < expression->name_count && strcmp(name_text(statement, i), INDEX_ALL) == 0)
			statement->all = i;
	}
	return STATUS_OK;
}

static void statement_free(struct fleet_statement *statement)
{
	for (size_t i = 0; statement->stack && i <= statement->expression.depth; i++)
		term_free(&statement->stack[i]);
	for (size_t i = 0; statement->literals && i <= statement->expression.name_count; i++)
		free(statement->literals[i]);
	free(statement->stack);
	free(statement->literals);
	free(statement->merges);
	free(statement->table);
	expression_free(&statement->expression);
}

/* The table that is named before the rest of text. */
static enum status table_find(struct fleet_statement *statement, const char *text,
			      const char **rest)
{
	char *table;
	enum status status = expression_table(text, &table, rest, statement->message);

	if (status == STATUS_OK && table && !(statement->table = literal(table)))
		status = message_out_of_memory(statement->message);
	free(table);
	return status;
}

enum status fleet_sql_write(const char *text, FILE *stream, struct message *message)
{
	struct fleet_statement statement = {.message = message};
	const char *rest;
	char *rows = NULL;
	enum status status = table_find(&statement, text, &rest);

	if (status == STATUS_OK)
		status = expression_parse(rest, &statement.expression, message);
	if (status != STATUS_OK) {
		free(statement.table);
		return status;
	}
	status = leaves_check(&statement, rest);
	if (status == STATUS_OK)
		status = names_find(&statement);
	statement.stack = calloc(statement.expression.depth + 1, sizeof(*statement.stack));
	if (status == STATUS_OK && !statement.stack)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		status = rows_find(&statement, &rows);
	if (status == STATUS_OK)
		statement_write(&statement, text, rows, stream);
	free(rows);
	statement_free(&statement);
	return status;
}
