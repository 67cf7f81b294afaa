#include "explain.h"

#include <stdlib.h>
#include <string.h>

#include "ask/bare_filter.h"
#include "base/clock.h"
#include "base/command.h"
#include "base/rowid.h"
#include "catalogue/filter_set.h"
#include "condition/condition_text.h"
#include "engine/evaluate.h"
#include "engine/optimiser_check.h"
#include "engine/plan.h"
#include "engine/predicate_use.h"
#include "explain_rows.h"
#include "expression/suggestion.h"
#include "filter/soundness.h"
#include "index/set_reader.h"
#include "log/log_reader.h"

enum { REPEATS = 9, PREDICATES_SHOWN = 12 };

/* The filter that is explained among those of its index. */
struct explanation {
	const char *expression;
	struct program own; /* of {a pcap filter}; else the filter's own in filters */
	struct filter_set filters;
	struct index_sets sets;
	struct set_entry *set_entries;
	const struct program **programs; /* the filters', then the own one if there is one */
	size_t count;
	size_t number; /* in programs: what is explained */
	struct evaluation *together;
	struct evaluation *alone;
	struct evaluation *reference; /* bpf_filter */
	struct predicate_use use;     /* of `together`; it is at the filter that is explained */
	size_t predicates;	      /* that the filter asks */
	bool miscompiled;	      /* by libpcap's optimiser */
};

/* {a pcap filter} without its braces, or NULL. Free with free. */
static char *braced(const char *what, bool *out_of_memory)
{
	const size_t length = strlen(what);
	char *expression;

	*out_of_memory = false;
	if (length < 2 || what[0] != '{' || what[length - 1] != '}')
		return NULL;
	expression = strndup(what + 1, length - 2);
	*out_of_memory = !expression;
	return expression;
}

static enum status own_compile(struct explanation *explanation, const struct layout *layout,
			       const char *expression, struct message *message)
{
	const struct header_gaps gaps = layout_gaps(layout);
	bool gap;
	enum status status =
		soundness_compile_table(expression, &gaps, NULL, &explanation->own, &gap, message);

	explanation->expression = expression;
	explanation->number = explanation->filters.count;
	explanation->count = explanation->filters.count + 1;
	return status;
}

static enum status named_find(struct explanation *explanation, const char *name,
			      struct message *message)
{
	const struct filter_set *filters = &explanation->filters;
	struct suggestion suggestion = {.wanted = name};

	explanation->count = filters->count;
	for (size_t i = 0; i < filters->count; i++) {
		if (strcmp(filters->items[i].name, name) != 0)
			continue;
		explanation->number = i;
		explanation->expression = filters->items[i].expression;
		return STATUS_OK;
	}
	if (bare_filter_tell(name, message))
		return STATUS_USAGE;
	for (size_t i = 0; i < filters->count; i++)
		suggestion_consider(&suggestion, filters->items[i].name);
	if (suggestion.nearest)
		return message_set(message, STATUS_USAGE,
				   "no filter '%.200s' is stored; did you mean '%.200s'?", name,
				   suggestion.nearest);
	return message_set(
		message, STATUS_USAGE,
		"no filter '%.200s' is stored; connbits-query LOG --list shows the names, "
		"and --explain '{PCAP FILTER}' explains one that is not stored",
		name);
}

static enum status evaluations_make(struct explanation *explanation, struct message *message)
{
	const struct program *const *own;
	enum status status;

	explanation->programs = calloc(explanation->count + 1, sizeof(*explanation->programs));
	if (!explanation->programs)
		return message_out_of_memory(message);
	for (size_t i = 0; i < explanation->filters.count; i++)
		explanation->programs[i] = explanation->filters.items[i].kind == FILTER_ROWS
						   ? program_never()
						   : &explanation->filters.items[i].program;
	if (explanation->own.instructions)
		explanation->programs[explanation->filters.count] = &explanation->own;
	own = &explanation->programs[explanation->number];
	status = evaluation_new(ENGINE_VECTOR, explanation->programs, explanation->count, NULL,
				&explanation->together, message);
	if (status == STATUS_OK)
		status = optimiser_check(explanation->expression, own[0], false,
					 &explanation->miscompiled, message);
	if (status == STATUS_OK)
		status = evaluation_new(ENGINE_VECTOR, own, 1, NULL, &explanation->alone, message);
	if (status == STATUS_OK)
		status = evaluation_new(ENGINE_BPF, own, 1, NULL, &explanation->reference, message);
	return status;
}

static void write_predicates(const struct explanation *explanation, FILE *stream)
{
	const struct plan *plan = evaluation_plan(explanation->together);
	size_t shown = 0;
	size_t more = 0;

	for (size_t i = 0; i < plan->predicate_count; i++) {
		if (!explanation->use.met[i])
			continue;
		if (shown == PREDICATES_SHOWN) {
			more++;
			continue;
		}
		fputs(shown++ ? "            " : "predicates: ", stream);
		condition_text_write_set(
			stream, &plan->conditions, &plan->formulas, plan->predicates[i].condition,
			(explanation->use.met[i] & (MET_IPV4 | MET_IPV6)) == MET_IPV6 ? 6 : 4,
			explanation->use.met[i] == MET_ICMP);
		if (explanation->use.askers[i] > 1)
			fprintf(stream, " (shared with %u of %zu other filters)\n",
				explanation->use.askers[i] - 1, explanation->count - 1);
		else
			fputs(" (asked by no other filter)\n", stream);
	}
	if (more)
		fprintf(stream, "            and %zu more\n", more);
}

static void write_conditions(const struct explanation *explanation, FILE *stream)
{
	const struct plan *plan = evaluation_plan(explanation->together);
	const struct plan_filter *filter = &plan->filters[explanation->number];
	const struct program *program = explanation->programs[explanation->number];

	fprintf(stream, "expression: %s\n", explanation->expression);
	if (filter->limit != PROGRAM_CONDITION_DONE) {
		fprintf(stream, "engine:     bpf, because %s\n",
			program_condition_limit_text(filter->limit));
		fprintf(stream, "program:    %zu BPF instructions\n", program->length);
		return;
	}
	for (unsigned version = 4; version <= 6; version += 2) {
		fprintf(stream, "ipv%u:       ", version);
		condition_text_write(stream, &plan->conditions, &plan->formulas, filter->condition,
				     version);
		putc('\n', stream);
	}
	fputs("engine:     vector\n", stream);
	if (explanation->miscompiled)
		fputs("warning:    " OPTIMISER_WARNING "\n", stream);
	fprintf(stream, "program:    %zu BPF instructions, %zu predicate%s left\n", program->length,
		explanation->predicates, explanation->predicates == 1 ? "" : "s");
	write_predicates(explanation, stream);
}

/* The least of some timings of one filter over a segment, in seconds. */
static enum status measure(const struct evaluation *evaluation, size_t number, bool with_reading,
			   const struct segment *segment, double *seconds, struct message *message)
{
	struct segment_bits *bits = malloc(sizeof(*bits));
	struct evaluator *evaluator = NULL;
	enum status status = bits ? evaluator_new(evaluation, &evaluator, message)
				  : message_out_of_memory(message);

	*seconds = 0;
	for (int i = 0; status == STATUS_OK && i < REPEATS; i++) {
		double start = clock_seconds();
		double taken;

		status = evaluator_read(evaluator, segment, message);
		if (status != STATUS_OK)
			break;
		if (!with_reading)
			start = clock_seconds();
		evaluator_bits(evaluator, number, bits);
		taken = clock_seconds() - start;
		if (i == 0 || taken < *seconds)
			*seconds = taken;
	}
	evaluator_free(evaluator);
	free(bits);
	return status;
}

/* Reads the log's first segment that has rows. */
static enum status segment_read(struct answer_index *index, const char *log_path,
				struct segment *segment, size_t *rows, struct message *message)
{
	struct log log = {0};
	struct log_reader *reader = NULL;
	int64_t number;
	bool found = false;
	enum status status = log_open(log_path, &index->source.layout, &log, message);

	*rows = 0;
	if (status == STATUS_OK && !log.empty) {
		status = log_reader_open(&log, &reader, message);
		if (status == STATUS_OK)
			status = log_reader_next_segment(reader, segment_of(log.first), &number,
							 &found, message);
		if (status == STATUS_OK && found)
			status = log_reader_segment(reader, number, segment, message);
		if (status == STATUS_OK && found)
			*rows = segment->outcomes[OUTCOME_HEADER];
	}
	log_reader_close(reader);
	log_free(&log);
	return status;
}

static enum status write_cost(const struct explanation *explanation, struct answer_index *index,
			      const char *log_path, FILE *stream, struct message *message)
{
	struct segment *segment = segment_new();
	double together;
	double alone;
	double reference;
	size_t rows;
	enum status status = segment ? segment_read(index, log_path, segment, &rows, message)
				     : message_out_of_memory(message);

	if (status == STATUS_OK && rows == 0) {
		fputs("cost:       not measured, the log has no rows\n", stream);
		goto cleanup;
	}
	if (status == STATUS_OK)
		status = measure(explanation->together, explanation->number, false, segment,
				 &together, message);
	if (status == STATUS_OK)
		status = measure(explanation->alone, 0, true, segment, &alone, message);
	if (status == STATUS_OK)
		status = measure(explanation->reference, 0, true, segment, &reference, message);
	if (status == STATUS_OK)
		fprintf(stream,
			"cost:       %.3f ns a row beside the other filters, %.2f ns alone, "
			"%.2f ns with bpf_filter\n"
			"            (least of %d timings over %zu rows of this log)\n",
			together * 1e9 / (double)rows, alone * 1e9 / (double)rows,
			reference * 1e9 / (double)rows, REPEATS, rows);
cleanup:
	segment_free(segment);
	return status;
}

static void explanation_free(struct explanation *explanation)
{
	predicate_use_close(&explanation->use);
	evaluation_free(explanation->together);
	evaluation_free(explanation->alone);
	evaluation_free(explanation->reference);
	free((void *)explanation->programs);
	filter_set_free(&explanation->filters);
	free(explanation->set_entries);
	index_sets_free(&explanation->sets);
	program_free(&explanation->own);
}

/* The sets that filters may use. */
static enum status sets_take(struct explanation *explanation, sqlite3 *database,
			     const struct answer_index *index, struct message *message)
{
	enum status status = index_sets_read(database, index->database_name, index->source.id,
					     &explanation->sets, message);

	if (status != STATUS_OK)
		return status;
	explanation->set_entries =
		calloc(explanation->sets.count + 1, sizeof(*explanation->set_entries));
	if (!explanation->set_entries)
		return message_out_of_memory(message);
	for (size_t i = 0; i < explanation->sets.count; i++)
		explanation->set_entries[i] = (struct set_entry){explanation->sets.items[i].name,
								 explanation->sets.items[i].digest};
	explanation->filters.sets = explanation->set_entries;
	explanation->filters.set_count = explanation->sets.count;
	return STATUS_OK;
}

static void table_write(const struct answer_index *index, FILE *stream)
{
	if (!index->several)
		return;
	fputs("table:      ", stream);
	command_write_safely(stream, index->source.layout.table);
	fputs(" (", stream);
	command_write_safely(stream, index->source.layout.schema);
	fputs(")\n", stream);
}

/* True for a stored filter that is an expression. */
static bool is_rows(const struct explanation *explanation)
{
	return explanation->number < explanation->filters.count &&
	       explanation->filters.items[explanation->number].kind == FILTER_ROWS;
}

enum status explain_write(sqlite3 *database, struct answer_index *index, const char *log_path,
			  const char *what, FILE *stream, struct message *message)
{
	struct explanation explanation = {0};
	struct index_filters stored = {0};
	bool out_of_memory;
	char *expression = braced(what, &out_of_memory);
	enum status status = out_of_memory ? message_out_of_memory(message) : STATUS_OK;

	if (status == STATUS_OK)
		status = index_filters_read(database, index->database_name, index->source.id,
					    &stored, message);
	if (status == STATUS_OK)
		status = sets_take(&explanation, database, index, message);
	if (status == STATUS_OK)
		status = filter_set_add_stored(&explanation.filters, &stored, message);
	if (status == STATUS_OK)
		status = expression ? own_compile(&explanation, &index->source.layout, expression,
						  message)
				    : named_find(&explanation, what, message);
	if (status == STATUS_OK && is_rows(&explanation)) {
		table_write(index, stream);
		status = explain_rows_write(database, index, &explanation.filters,
					    explanation.number, stream, message);
		goto cleanup;
	}
	if (status == STATUS_OK)
		status = evaluations_make(&explanation, message);
	if (status == STATUS_OK)
		status = predicate_use_open(&explanation.use, evaluation_plan(explanation.together),
					    message);
	if (status == STATUS_OK) {
		explanation.predicates = predicate_use_find(&explanation.use, explanation.number);
		table_write(index, stream);
		write_conditions(&explanation, stream);
		status = write_cost(&explanation, index, log_path, stream, message);
	}
cleanup:
	explanation_free(&explanation);
	index_filters_free(&stored);
	free(expression);
	return status;
}
