/* A pcap filter without its braces: what people write before they know of them. */
#ifndef CONNBITS_ASK_BARE_FILTER_H
#define CONNBITS_ASK_BARE_FILTER_H

#include <stdbool.h>

#include "base/message.h"

/*
 * True, and *message says how to write it, if libpcap compiles text, which is
 * no expression. A word that may be a host's name is not looked up: a typing
 * error asks nobody.
 */
bool bare_filter_tell(const char *text, struct message *message);

#endif
