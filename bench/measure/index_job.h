/* A job of connbits-index as part of a measurement. */
#ifndef CONNBITS_MEASURE_INDEX_JOB_H
#define CONNBITS_MEASURE_INDEX_JOB_H

#include "base/message.h"
#include "job/job.h"

/* Runs it; the first mistake of a catalogue becomes the message, and warnings are dropped. */
enum status index_job_run(const struct job_options *options, struct job_summary *summary,
			  struct message *message);

#endif
