/*
 * The words of pcap's filter language (pcap-filter(7)), to tell an expression
 * that libpcap compiles on its own from one for which it would ask the network:
 * whatever is none of its words, no number, no address and no service may be a
 * host's name. SQL can come from anywhere, and a name that is looked up tells
 * somebody that it was.
 */
#ifndef CONNBITS_FILTER_HOST_NAME_GUARD_H
#define CONNBITS_FILTER_HOST_NAME_GUARD_H

#include "base/message.h"

/*
 * STATUS_USAGE, with a message that has the word, where compiling expression
 * might look up a name. Some expressions are refused that would not.
 */
enum status host_name_guard_check(const char *expression, struct message *message);

#endif
