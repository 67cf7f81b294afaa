/* Random pcap filter expressions over what a connection row holds. */
#ifndef CONNBITS_TESTS_PCAP_GRAMMAR_H
#define CONNBITS_TESTS_PCAP_GRAMMAR_H

#include <stddef.h>
#include <stdint.h>

/* Writes an expression of at most size - 1 bytes. It may be one that does not compile. */
void pcap_grammar_expression(uint64_t *seed, char *out, size_t size);

/* The same, where bytes may be asked for that no row holds. */
void pcap_grammar_any_expression(uint64_t *seed, char *out, size_t size);

#endif
