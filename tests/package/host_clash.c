/*
 * A host that has names of libpcap's and CRoaring's of its own, all of which end it when called,
 * and libpcap itself: the extension must use neither. usage: host_clash EXTENSION; prints what the
 * extension answers.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define TRAP(name)                                                                                 \
	void name(void);                                                                           \
	void name(void)                                                                            \
	{                                                                                          \
		fputs("the host's " #name " was called\n", stderr);                                \
		abort();                                                                           \
	}

TRAP(pcap_compile)
TRAP(pcap_open_dead)
TRAP(pcap_geterr)
TRAP(pcap_lex)
TRAP(pcap_parse)
TRAP(pcap_freecode)
TRAP(pcap_nametoport)
TRAP(bpf_filter)
TRAP(bpf_validate)
TRAP(gen_portop)
TRAP(roaring_bitmap_create)
TRAP(roaring_bitmap_portable_deserialize)
TRAP(roaring_bitmap_and)
TRAP(container_encode)
TRAP(segment_append)
TRAP(row_set_import)
TRAP(message_set)
TRAP(json_string)

int main(int count, char **arguments)
{
	static const char *const questions[] = {
		"SELECT bpf_filter('tcp dst port 445 and src net 10.0.0.0/8', 'accept', "
		"'192.0.2.1', '10.0.0.1', 445, 4444, 'tcp')",
		"SELECT rb_to_array(rb_and('[1,2,3]', rb_build(2, 3, 4)))",
		"SELECT connbits_version()",
	};
	sqlite3 *database;
	char *error = NULL;

	if (count != 2 || sqlite3_open(":memory:", &database) != SQLITE_OK ||
	    sqlite3_enable_load_extension(database, 1) != SQLITE_OK)
		return 1;
	if (sqlite3_load_extension(database, arguments[1], NULL, &error) != SQLITE_OK) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		sqlite3_stmt *statement;

		if (sqlite3_prepare_v2(database, questions[i], -1, &statement, NULL) != SQLITE_OK ||
		    sqlite3_step(statement) != SQLITE_ROW) {
			fprintf(stderr, "%s\n", sqlite3_errmsg(database));
			return 1;
		}
		printf("%s\n", (const char *)sqlite3_column_text(statement, 0));
		sqlite3_finalize(statement);
	}
	return sqlite3_close(database) == SQLITE_OK ? 0 : 1;
}
