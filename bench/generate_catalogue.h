/*
 * A catalogue of any size, the same filters for the same number: ports, port
 * ranges, hosts and networks of both versions, and combinations of them.
 */
#ifndef CONNBITS_GENERATE_CATALOGUE_H
#define CONNBITS_GENERATE_CATALOGUE_H

#include <stdint.h>

#include "catalogue.h"
#include "message.h"

/* The caller frees *catalogue with catalogue_free whatever is returned. */
enum status generate_catalogue(uint64_t filters, struct catalogue *catalogue,
			       struct message *message);

#endif
