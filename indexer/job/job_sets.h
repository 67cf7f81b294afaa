/* The address sets of a job: those of the catalogue, read anew, and those that are stored. */
#ifndef CONNBITS_JOB_JOB_SETS_H
#define CONNBITS_JOB_JOB_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/filter_set.h"
#include "catalogue/set_section.h"
#include "index/index_writer.h"
#include "index/set_reader.h"

struct job_set {
	const char *name;
	const struct set_section *given; /* of the catalogue; NULL for a stored one */
	const struct index_set *stored;	 /* the one of that name; NULL for a new one */
	char digest[DIGEST_TEXT_SIZE];
	uint64_t entries;
	uint8_t *bytes; /* of one that is new or changed, as they will be stored; else NULL */
	size_t size;
	bool seen;     /* it was read now, whether it changed or not */
	uint64_t came; /* entries, of one that is changed */
	uint64_t went;
};

/* Zero-initialise; free with job_sets_free. */
struct job_sets {
	struct index_sets found; /* that are stored */
	struct job_set *items;
	size_t count;
	struct set_entry *entries; /* the same for filter_set */
	struct set_entry *pruned;  /* stored ones that go */
	size_t pruned_count;
};

static inline bool job_set_is_new(const struct job_set *set)
{
	return set->bytes != NULL;
}

void job_sets_free(struct job_sets *sets);

/* What is to be written of sets that changed; free both arrays with job_set_writes_free. */
struct job_set_writes {
	struct index_write_sets sets;
	struct index_write_set *written;
	const char **removed;
};

/* False without memory. */
bool job_set_writes_make(const struct job_sets *sets, struct job_set_writes *writes);

void job_set_writes_free(struct job_set_writes *writes);

#endif
