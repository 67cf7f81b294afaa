/*
 * A synthetic dionaea log: the same bytes for the same seed and number of
 * rows. Few hot ports, remote hosts after Zipf, runs of scans, 8 % IPv6,
 * listening sockets, rejected connections, and a few rows that no header can
 * be made of.
 */
#ifndef CONNBITS_GENERATE_GENERATE_H
#define CONNBITS_GENERATE_GENERATE_H

#include <stdint.h>

#include "base/message.h"

enum { GENERATE_DEFAULT_SEED = 1 };

/*
 * Writes the log. path must not exist; on failure nothing is left there.
 * Row ids are 1 to rows.
 */
enum status generate_log(const char *path, uint64_t rows, uint64_t seed, struct message *message);

#endif
