/*
 * What the rows of one table do not say of their headers, for want of a column:
 * ports are then 0, and ICMP ends behind the IP header. Zeroed for a table
 * that says all of it.
 */
#ifndef CONNBITS_PACKET_HEADER_GAPS_H
#define CONNBITS_PACKET_HEADER_GAPS_H

#include <stdbool.h>

struct header_gaps {
	bool source_port;
	bool destination_port;
	bool icmp;	    /* its type and code */
	const char *table;  /* by name, */
	const char *schema; /* and what it is taken for */
};

static inline bool header_gaps_any(const struct header_gaps *gaps)
{
	return gaps->source_port || gaps->destination_port || gaps->icmp;
}

#endif
