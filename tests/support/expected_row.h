/*
 * What the semantics say of a row of a dionaea-like table, worked out here a
 * second time, in another way than indexer/packet does.
 */
#ifndef CONNBITS_TESTS_EXPECTED_ROW_H
#define CONNBITS_TESTS_EXPECTED_ROW_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { PACKET_MAX = 64 };

struct expected_row {
	enum { ROW_HEADER, ROW_LISTEN, ROW_SKIPPED } kind;
	uint8_t packet[PACKET_MAX];
	unsigned wire;
	unsigned captured;
};

/*
 * Of the row on which the statement stands: rowid, type, transport, local host,
 * remote host, local port, remote port, ICMP type, ICMP code. Undirected rows
 * go from the first host to the second.
 */
void expected_row_make(sqlite3_stmt *row, bool directed, bool has_icmp,
		       struct expected_row *expected);

#endif
