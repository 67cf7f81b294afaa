/*
 * Reading the stored headers of an index and nothing else: the least that a
 * filter over them could cost.
 */
#ifndef CONNBITS_MEASURE_STAGE_HEADERS_H
#define CONNBITS_MEASURE_STAGE_HEADERS_H

#include <stdint.h>

#include "base/message.h"

/*
 * Reads every byte of the stored columns of the one table in the index at
 * path, threads at a time. Gives the seconds it took and the bytes.
 */
enum status stage_headers(const char *path, int threads, double *seconds, uint64_t *bytes,
			  struct message *message);

#endif
