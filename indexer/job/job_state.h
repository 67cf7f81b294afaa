/*
 * What a job of connbits-index holds while it runs, and its parts: job.c has the
 * order in which they are called, README.md in which file each of them is.
 */
#ifndef CONNBITS_JOB_JOB_STATE_H
#define CONNBITS_JOB_JOB_STATE_H

#include "catalogue/catalogue.h"
#include "catalogue/filter_set.h"
#include "database/reader_gate.h"
#include "engine/evaluate.h"
#include "index/index_file.h"
#include "index/index_fit.h"
#include "index/index_reader.h"
#include "index/index_writer.h"
#include "job.h"
#include "job_sets.h"
#include "log/log_reader.h"
#include "pipeline/derived_filter.h"
#include "pipeline/segment_workers.h"

/* What job_open found in the index. */
struct job_found {
	struct index_source source; /* its table is NULL where there is none */
	struct index_filters filters;
	bool was_tracked;  /* an index of an earlier format was, */
	bool was_unpacked; /* or had no headers */
};

/* What job_notes has to do with the triggers of a tracked log. */
struct job_notes {
	bool tracked;	   /* triggers note changed rows */
	int64_t round;	   /* notes of earlier ones are for this job */
	int64_t *segments; /* that have notes, ascending */
	size_t segment_count;
	char mark[NOTES_MARK_SIZE]; /* the log's, when the notes were read or since */
	bool marked;		    /* job_notes_mark was called */
	char missed_why[100]; /* an index that is there missed notes; empty where it did not */
};

struct job {
	/* job_run's: what is asked, and where to tell. */
	const struct job_options *options;
	struct job_summary *summary;
	struct diagnostics *diagnostics;
	struct message *message;
	const char *index_path;

	/* job_open's: the index's file, and what it held. */
	struct index_file *file;
	struct reader_gate gate; /* of the threads that read the log or the index */
	bool same_file;		 /* the index is in the log */
	struct job_found found;

	/* job_compile's: the filters, of the catalogue and stored. */
	struct catalogue catalogue;
	struct filter_set filters;
	bool warned; /* of new filters that always or never match */

	/* job_sets_load's: the address sets that filters use. */
	struct job_sets sets;

	/* job_describe_log's: the log, and whether to go on from what was found. */
	char *table; /* that the job is about; NULL where it is not known yet */
	struct layout layout;
	struct log log;
	struct index_fit fit;
	enum index_reading reading; /* what the index is to know of it behind this job */

	/* job_notes': what changed in the log behind the last row's back. */
	struct job_notes notes;
};

/* Says how the log's rows are read, by the options and by what is known of it. */
void job_reading_settle(struct job *job, enum index_reading known);

/* Notes in the index what the job's end says of it. Returns the status, or a failure to note. */
enum status job_reading_end(struct job *job, enum status status);

/* Opens the index, and reads what is stored. */
enum status job_open(struct job *job);

/*
 * Reads the sets of the catalogue, and finds what is stored. Mistakes go to job->diagnostics. A set
 * whose file has gone stays as it is stored, with a warning.
 */
enum status job_sets_load(struct job *job);

/*
 * Tells the summary which sets came or changed, and what that did to count filters that were made
 * anew.
 */
enum status job_sets_report(struct job *job, const struct index_write_filter *filters,
			    const struct filter_entry *const *entries, size_t count);

/* Notes that the sets were read now, also where they have not changed. */
enum status job_sets_note(struct job *job);

/* Reads the bytes of all sets, so that they can be written to another source. */
enum status job_sets_keep(struct job *job);

/* Makes a set ready to be asked. The caller frees *made with address_set_free. */
enum status job_set_make(struct job *job, size_t number, struct address_set **made);

/* Which filters are compiled. */
enum compile_scope {
	COMPILE_NEW,	 /* that are not stored as they are, or ask for names */
	COMPILE_ALL,	 /* but for stored ones whose names cannot be looked up now */
	COMPILE_TO_BUILD /* all: nothing is stored that could stay */
};

/* Compiles filters. Mistakes go to job->diagnostics and are STATUS_USAGE. */
enum status job_compile(struct job *job, enum compile_scope scope);

/*
 * Of a log that is tracked: has its triggers in place and begins a round of
 * notes, before the log is described; reads the notes, once it is; gives log
 * and index a new mark, before the source with this id is worked on; and gives
 * them another one and forgets the notes that the job has dealt with, or
 * removes the triggers.
 */
enum status job_notes_begin(struct job *job);
enum status job_notes_read(struct job *job);
enum status job_notes_mark(struct job *job, int64_t source);
enum status job_notes_end(struct job *job, int64_t source);

/* Describes the log, and finds what has changed in it since it was indexed. */
enum status job_describe_log(struct job *job);

/*
 * Whether everything has to be read again; job->summary then says why, unless
 * there is nothing yet.
 */
enum status job_must_build(struct job *job, bool *build);

/* Builds the whole index, or goes on where a job was stopped, and puts it in place. */
enum status job_build_anew(struct job *job);

/* Brings filters and rows of an index that fits its log up to date. */
enum status job_update(struct job *job);

/*
 * Tells of rows that were read and skipped: of one where those of a new index are
 * nearly all, and of one from `from` on for which an expression of [source] fails.
 */
void job_skipped_warn(struct job *job, int64_t from);

/* What the parts share. */

/* A filter as it is stored; `place` is its place among the job's. */
struct index_write_filter job_filter(const struct filter_entry *entry, size_t place);

/*
 * Every filter of the index, @all and @skipped first: their ids and rows are
 * left to the caller, who frees the list with free. NULL without memory.
 */
struct index_write_filter *job_filters(const struct job *job);

/* Where the bitmaps are that filters are computed of. */
struct job_bitmaps {
	size_t *places;	    /* by filter: its place among the made ones, or JOB_BITMAP_STORED */
	bool built_in_made; /* @all and @skipped are made, as the first ones, */
	int64_t built_in[ENCODER_BUILT_IN]; /* or stored, with these ids */
	size_t helpers; /* the place of what derived filters need besides: first programs */
};

#define JOB_BITMAP_STORED SIZE_MAX

/* Filters that are computed of others, and what they need. Free with job_derived_free. */
struct job_derived {
	struct derived_filters filters;
	struct derived_filter *items;
	struct derived_operand *operands;
	const struct program **helpers;
	size_t helper_count;
	struct column_question *questions;
	size_t question_count;
	struct address_set **sets; /* by set of the job; NULL where nobody asks */
	size_t set_count;
};

/*
 * Finds what those of the job's filters need that are computed and not stored. *derived is zero
 * before; free it whatever is returned.
 */
enum status job_derived_make(struct job *job, const struct job_bitmaps *bitmaps,
			     struct job_derived *derived);

void job_derived_free(struct job_derived *derived);

/*
 * Makes the programs of count entries, and the helpers behind them, ready for the job's engine. The
 * caller frees both, the evaluation first, whatever is returned.
 */
enum status job_evaluation(struct job *job, const struct filter_entry *const *entries, size_t count,
			   const struct job_derived *derived, const struct program ***programs,
			   struct evaluation **evaluation);

/* Brings the rows of `indexed`, whose filters are given with ids and rows, up to date. */
enum status job_rows_refresh(struct job *job, struct index_source *indexed,
			     struct index_write_filter *filters);

/* What the parts are run with. */
struct workers_control job_control(struct job *job);

/* Adds up the seconds of a part of the job. */
void job_seconds(struct workers_result *total, const struct workers_result *part);

/* Has readers see no more of a table, and removes its triggers. */
enum status job_drop_table(struct job *job, const char *table);

/* The same for all tables that the log no longer has. */
enum status job_drop_missing(struct job *job);

/* Removes what no reader sees any more. */
void job_clear_up(struct job *job);

#endif
