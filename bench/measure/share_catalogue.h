/*
 * Catalogues whose filters each match about the same share of a log's rows:
 * windows of source ports, laid over the ports that the log has.
 */
#ifndef CONNBITS_MEASURE_SHARE_CATALOGUE_H
#define CONNBITS_MEASURE_SHARE_CATALOGUE_H

#include <stdint.h>

#include "base/message.h"
#include "catalogue/catalogue.h"

enum {
	SHARE_FILTERS = 64, /* of a catalogue */
	PORTS = 65536,
};

struct port_counts {
	uint64_t rows[PORTS]; /* by source port, of TCP, UDP and SCTP */
	uint64_t total;
};

/* Counts the source ports of a log's first rows. */
enum status port_counts_read(const char *log_path, struct port_counts *counts,
			     struct message *message);

/*
 * Makes SHARE_FILTERS filters of about `share` of the rows each, 0 < share < 1.
 * A port that alone is more gives more. The caller frees *catalogue with
 * catalogue_free whatever is returned.
 */
enum status share_catalogue(const struct port_counts *counts, double share,
			    struct catalogue *catalogue, struct message *message);

#endif
