/*
 * Where in an expression that does not compile the mistake is: libpcap says
 * what, but not where.
 */
#ifndef CONNBITS_FILTER_MISTAKE_PLACE_H
#define CONNBITS_FILTER_MISTAKE_PLACE_H

#include <stddef.h>

#include "base/message.h"

/*
 * The place in expression, in bytes, of the word that cause, the message of
 * program_compile or soundness_check, is about: a word that it quotes, or one
 * that is none of pcap's, or the first behind which nothing makes a filter. 0
 * where it cannot be told. Looks up no name.
 */
size_t mistake_place_find(const char *expression, const struct message *cause);

#endif
