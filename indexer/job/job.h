/*
 * The job of connbits-index: a log and a catalogue in, an index brought up to
 * date out.
 */
#ifndef CONNBITS_JOB_JOB_H
#define CONNBITS_JOB_JOB_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/diagnostics.h"
#include "base/message.h"
#include "engine/evaluate.h"
#include "log/log_reader.h"
#include "pipeline/segment_workers.h"

struct job_options {
	const char *log_path;
	const char *catalogue_path; /* NULL: the filters that are stored already */
	const char *index_path;	    /* NULL: in the log itself */
	const char *table;	    /* NULL: recognised */
	const char *schema;	    /* NULL: recognised */
	enum engine engine;
	enum log_read read; /* how the log's rows are read */
	int threads;
	bool check;		/* compile and stop; touches nothing */
	bool prune;		/* drop stored filters that are not in the catalogue */
	bool forget;		/* drop the index of the table and stop */
	bool rebuild;		/* read every row again */
	bool recompute;		/* evaluate every filter again, over the stored headers */
	bool no_headers;	/* store none, or drop them */
	bool track;		/* have triggers of the log note changed rows */
	bool no_track;		/* remove them */
	bool strict;		/* for main: a set whose file has gone is a failure */
	bool count_behind;	/* count the rows that came meanwhile */
	bool skip_unanswerable; /* leave out filters that the table has no columns for */
	void (*progress)(void *context, uint64_t rows, double share);
	void *progress_context;
	const volatile sig_atomic_t *stop;
};

/* An address set that came or changed. */
struct job_set_change {
	char name[256];
	bool is_new;
	uint64_t entries; /* now */
	uint64_t came;
	uint64_t went;
	size_t filters; /* that use it and were evaluated again, */
	uint64_t rows;	/* and the rows that came to one of them or went, added up */
};

struct job_summary {
	char table[256];
	char schema[32];
	bool rows_move;	 /* VACUUM may renumber the table: layout.h */
	char rowid[264]; /* where a column is named rowid: what to ask for instead; else empty */
	size_t filters;	 /* without @all and @skipped */
	size_t filters_new;
	size_t filters_changed;
	size_t filters_removed;
	size_t sets;			    /* address sets, */
	size_t sets_gone;		    /* those of them whose file could not be opened, */
	size_t sets_removed;		    /* and those that were dropped */
	struct job_set_change *set_changes; /* the caller's to free with free */
	size_t set_change_count;
	uint64_t outcomes[OUTCOME_COUNT]; /* of all rows that are indexed now */
	uint64_t rows_read;		  /* from the log, */
	struct log_reading reading;	  /* and how */
	uint64_t rows_new;     /* behind those of before; among them as far as they outweigh */
	uint64_t rows_behind;  /* that came while the job ran, where they are counted */
	uint64_t rows_removed; /* the rows that have gone */
	bool headers_dropped;  /* that were stored */
	bool untracked;	       /* the log has triggers no more */
	bool described;	       /* filters have other descriptions, or stand in another order */
	uint64_t bitmap_bytes; /* written */
	uint64_t header_bytes; /* written, packed */
	bool built;	       /* from nothing: the first time, or again */
	char rebuild_why[400]; /* why it was built again; empty where it was not */
	bool resumed;	       /* an unfinished build was gone on with */
	struct workers_result result;
	double compile_seconds;
	double seconds;		     /* from start to end */
	struct diagnostics warnings; /* of what is right, but hardly meant so */
};

/*
 * Runs the job. The caller frees summary->warnings, also on failure. Mistakes
 * of the catalogue go to diagnostics, and then the status is STATUS_USAGE and
 * nothing was written.
 */
enum status job_run(const struct job_options *options, struct job_summary *summary,
		    struct diagnostics *diagnostics, struct message *message);

#endif
