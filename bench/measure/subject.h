/*
 * What is measured: a log whose rows are in memory, and a catalogue whose
 * filters are compiled and ready for the engines.
 */
#ifndef CONNBITS_MEASURE_SUBJECT_H
#define CONNBITS_MEASURE_SUBJECT_H

#include <stdint.h>

#include "base/message.h"
#include "catalogue/catalogue.h"
#include "catalogue/filter_set.h"
#include "engine/evaluate.h"
#include "log/log_reader.h"
#include "stages.h"

struct subject {
	struct filter_set filters;
	const struct program **programs;
	struct evaluation *evaluations[2]; /* by engine; NULL where it is not measured */
	struct log log;
	struct stages stages;
};

/*
 * Reads the catalogue at path, or generates one of so many filters where path
 * is NULL. The caller frees it with catalogue_free whatever is returned.
 */
enum status subject_catalogue(const char *path, uint64_t filters, struct catalogue *catalogue,
			      struct message *message);

/*
 * Opens the log, holds its first segments, and compiles the catalogue for the
 * bpf engine and, if it is asked for, for the vector engine. catalogue_name
 * is for messages. The caller frees *subject with subject_free whatever is
 * returned; catalogue and log_path have to stay as long.
 */
enum status subject_open(const char *log_path, const struct catalogue *catalogue,
			 const char *catalogue_name, enum engine engine, struct subject *subject,
			 struct message *message);

void subject_free(struct subject *subject);

#endif
