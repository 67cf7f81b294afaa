/*
 * Programs evaluated over the headers of all stored segments, on all cores: for
 * those that ask for more than columns alone tell.
 */
#ifndef CONNBITS_ASK_HEADER_SEARCH_H
#define CONNBITS_ASK_HEADER_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/message.h"
#include "base/stop.h"
#include "engine/evaluate.h"
#include "filter_search.h"
#include "index/column_reader.h"
#include "set/row_set.h"

/*
 * Appends what `count` programs of the evaluation accept to rows, and counts the headers.
 * stop is NULL, or asked on this thread; so is pause.
 */
enum status header_search_run(struct column_reader *reader, const struct evaluation *evaluation,
			      size_t count, const struct stop *stop,
			      const struct search_pause *pause, struct row_set *rows,
			      uint64_t *headers, struct message *message);

#endif
