/*
 * pcap filters on single connections and packets:
 *   bpf_filter(expression, type, local_host, remote_host, local_port, remote_port, transport)
 *     1 if the connection's header matches, 0 if not, or if it has none
 *   bpf_connection(type, local_host, remote_host, local_port, remote_port, transport)
 *     that header: a raw IP packet, cut off behind the ports. NULL if it has none
 *   bpf_filter(expression, header)
 *     the same for a raw IP packet, cut off or whole
 */
#ifndef CONNBITS_SQL_BPF_FUNCTIONS_H
#define CONNBITS_SQL_BPF_FUNCTIONS_H

#include "database/sqlite.h"
#include "program_cache.h"

/* Registers them; each that compiles keeps a reference to cache. Returns a SQLite code. */
int bpf_functions_register(sqlite3 *database, struct program_cache *cache);

#endif
