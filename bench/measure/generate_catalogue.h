/*
 * A catalogue of any size, the same filters for the same number: ports, port
 * ranges, hosts and networks of both versions, and combinations of them.
 */
#ifndef CONNBITS_MEASURE_GENERATE_CATALOGUE_H
#define CONNBITS_MEASURE_GENERATE_CATALOGUE_H

#include <stdint.h>

#include "base/message.h"
#include "catalogue/catalogue.h"

/* The caller frees *catalogue with catalogue_free whatever is returned. */
enum status generate_catalogue(uint64_t filters, struct catalogue *catalogue,
			       struct message *message);

#endif
