#include "schema_print.h"

#include "packet/protocol.h"
#include "schema.h"

/* Source and destination, or local and remote where a column tells which is which. */
static void columns_print(FILE *stream, const struct schema *schema)
{
	const bool directed = schema->reading.direction != DIRECTION_FIXED;
	const char *const words[ROLE_COUNT] = {
		[ROLE_TYPE] = "direction",
		[ROLE_TRANSPORT] = "transport",
		[ROLE_SOURCE_HOST] = directed ? "local" : "source",
		[ROLE_DESTINATION_HOST] = directed ? "remote" : "destination",
		[ROLE_SOURCE_PORT] = directed ? "local port" : "source port",
		[ROLE_DESTINATION_PORT] = directed ? "remote port" : "destination port",
		[ROLE_ICMP_TYPE] = "ICMP type",
		[ROLE_ICMP_CODE] = "ICMP code",
		[ROLE_PROTOCOL] = "protocol number",
		[ROLE_SOURCE_HOST6] = directed ? "local, IPv6" : "source, IPv6",
		[ROLE_DESTINATION_HOST6] = directed ? "remote, IPv6" : "destination, IPv6",
	};

	for (int role = 0; role < ROLE_COUNT; role++)
		if (schema->columns[role])
			fprintf(stream, "    %-17s %s%s\n", words[role], schema->columns[role],
				schema->optional >> role & 1 ? " (where there is one)" : "");
	if (schema->timestamp)
		fprintf(stream, "    %-17s %s (where there is one)\n", "time", schema->timestamp);
}

static void reading_print(FILE *stream, const struct reading *reading)
{
	static const char *const hosts[HOST_ENCODINGS] = {
		[HOST_INTEGER] = "32-bit numbers in host order, or text",
		[HOST_NETWORK] = "32-bit numbers in network order, or text",
		[HOST_BLOB] = "4 or 16 bytes, or text",
	};
	static const char *const directions[DIRECTION_ENCODINGS] = {
		[DIRECTION_TYPE] = "connect; accept, reject, pending; listen",
		[DIRECTION_WORD] = "outbound or out; inbound or in",
		[DIRECTION_INBOUND] = "a flag: remote to local",
		[DIRECTION_OUTBOUND] = "a flag: local to remote",
	};

	static const char *const icmp[ICMP_ENCODINGS] = {
		[ICMP_PORTS] = "the ports are type and code",
		[ICMP_ZEEK] = "the ports are the type, and the answer's type or the code",
		[ICMP_NETFLOW] = "the destination port is type * 256 + code",
	};

	if (hosts[reading->hosts])
		fprintf(stream, "    hosts are         %s\n", hosts[reading->hosts]);
	if (directions[reading->direction])
		fprintf(stream, "    direction is      %s\n", directions[reading->direction]);
	if (reading->any_case)
		fputs("    names are         in any case, more than dionaea's\n", stream);
	if (reading->icmp_family)
		fputs("    icmp is           ICMPv6 between IPv6 hosts\n", stream);
	if (icmp[reading->icmp])
		fprintf(stream, "    of ICMP           %s\n", icmp[reading->icmp]);
}

static void tables_print(FILE *stream, const struct schema_table *tables)
{
	const char *separator = "    without transport ";

	for (; tables && tables->name; tables++, separator = ", ")
		fprintf(stream, "%s%s %s", separator, tables->name,
			tables->protocol == PROTOCOL_TCP ? "tcp" : "udp");
	if (*separator == ',')
		fputc('\n', stream);
}

void schema_print(FILE *stream)
{
	for (size_t i = 0; i < schema_count; i++) {
		const struct schema *schema = &schemas[i];

		fprintf(stream, "%s%s: %s\n    table             %s, or any with these columns\n",
			i ? "\n" : "", schema->name, schema->tool, schema->table);
		columns_print(stream, schema);
		reading_print(stream, &schema->reading);
		tables_print(stream, schema->tables);
		if (schema->note)
			fprintf(stream, "    not certain       %s\n", schema->note);
	}
	fputs("\nAnother table, or one that differs: [source] in the catalogue, where `schema = "
	      "NAME` "
	      "takes\nwhat is here and other keys go before it.\n",
	      stream);
}
