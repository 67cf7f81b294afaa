/*
 * Where in an expression that does not compile the mistake is: libpcap says
 * what, but not where.
 */
#ifndef CONNBITS_FILTER_MISTAKE_PLACE_H
#define CONNBITS_FILTER_MISTAKE_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/message.h"

/*
 * True and *place, in bytes, of the word in expression that cause, the message
 * of program_compile or soundness_check, is about: a word that it quotes, bytes
 * that it names, a word that is none of pcap's, or the first behind which
 * nothing makes a filter. False where it cannot be told. Looks up no name.
 */
bool mistake_place_find(const char *expression, const struct message *cause, size_t *place);

#endif
