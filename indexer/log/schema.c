#include "schema.h"

#include <string.h>

#include "packet/protocol.h"

#define OPTIONAL(role) (1U << (role))

/* Logs of Zeek that have no proto, since theirs goes without saying (docs.zeek.org, Zeek Logs). */
static const struct schema_table zeek_tables[] = {
	{"http", PROTOCOL_TCP},
	{"ssl", PROTOCOL_TCP},
	{"ftp", PROTOCOL_TCP},
	{"smtp", PROTOCOL_TCP},
	{"ssh", PROTOCOL_TCP},
	{"rdp", PROTOCOL_TCP},
	{"irc", PROTOCOL_TCP},
	{"mysql", PROTOCOL_TCP},
	{"postgresql", PROTOCOL_TCP},
	{"redis", PROTOCOL_TCP},
	{"rfb", PROTOCOL_TCP},
	{"smb_files", PROTOCOL_TCP},
	{"smb_mapping", PROTOCOL_TCP},
	{"ntlm", PROTOCOL_TCP},
	{"modbus", PROTOCOL_TCP},
	{"socks", PROTOCOL_TCP},
	{"mqtt_connect", PROTOCOL_TCP},
	{"mqtt_publish", PROTOCOL_TCP},
	{"mqtt_subscribe", PROTOCOL_TCP},
	{"websocket", PROTOCOL_TCP},
	{"dce_rpc", PROTOCOL_TCP},
	{"dnp3", PROTOCOL_TCP},
	{"ntp", PROTOCOL_UDP},
	{"snmp", PROTOCOL_UDP},
	{"radius", PROTOCOL_UDP},
	{"syslog", PROTOCOL_UDP},
	{"quic", PROTOCOL_UDP},
	{NULL, 0},
};

const struct schema schemas[] = {
	{
		.name = "dionaea",
		.tool = "dionaea, the honeypot",
		.table = "connections",
		.columns =
			{
				[ROLE_TYPE] = "connection_type",
				[ROLE_TRANSPORT] = "connection_transport",
				[ROLE_SOURCE_HOST] = "local_host",
				[ROLE_DESTINATION_HOST] = "remote_host",
				[ROLE_SOURCE_PORT] = "local_port",
				[ROLE_DESTINATION_PORT] = "remote_port",
			},
		.timestamp = "connection_timestamp",
		.reading = {.direction = DIRECTION_TYPE},
	},
	{
		.name = "zeek",
		.tool = "Zeek's SQLite writer: conn, dns, ssl, http and others",
		.table = "conn",
		.columns =
			{
				[ROLE_TRANSPORT] = "proto",
				[ROLE_PROTOCOL] = "ip_proto",
				[ROLE_SOURCE_HOST] = "id.orig_h",
				[ROLE_DESTINATION_HOST] = "id.resp_h",
				[ROLE_SOURCE_PORT] = "id.orig_p",
				[ROLE_DESTINATION_PORT] = "id.resp_p",
			},
		.optional = OPTIONAL(ROLE_TRANSPORT) | OPTIONAL(ROLE_PROTOCOL),
		.timestamp = "ts",
		.reading = {.any_case = true, .icmp = ICMP_ZEEK, .icmp_family = true},
		.tables = zeek_tables,
		.note = "rows of ssl are taken for TCP, those of DTLS too",
	},
	{
		.name = "zeek",
		.tool = "Zeek's logs, imported with underscores for dots",
		.table = "conn",
		.columns =
			{
				[ROLE_TRANSPORT] = "proto",
				[ROLE_PROTOCOL] = "ip_proto",
				[ROLE_SOURCE_HOST] = "id_orig_h",
				[ROLE_DESTINATION_HOST] = "id_resp_h",
				[ROLE_SOURCE_PORT] = "id_orig_p",
				[ROLE_DESTINATION_PORT] = "id_resp_p",
			},
		.optional = OPTIONAL(ROLE_TRANSPORT) | OPTIONAL(ROLE_PROTOCOL),
		.timestamp = "ts",
		.reading = {.any_case = true, .icmp = ICMP_ZEEK, .icmp_family = true},
		.tables = zeek_tables,
		.note = "names depend on the importer; rows of ssl are taken for TCP, those of "
			"DTLS too",
	},
	{
		.name = "pmacct",
		.tool = "pmacct's acct to acct_v9, ports src_port and dst_port",
		.table = "acct",
		.columns =
			{
				[ROLE_TRANSPORT] = "ip_proto",
				[ROLE_SOURCE_HOST] = "ip_src",
				[ROLE_DESTINATION_HOST] = "ip_dst",
				[ROLE_SOURCE_PORT] = "src_port",
				[ROLE_DESTINATION_PORT] = "dst_port",
			},
		.timestamp = "stamp_inserted",
		.reading = {.any_case = true},
		.note = "its times are local where timestamps_utc is not set, and read as UTC",
	},
	{
		.name = "pmacct",
		.tool = "pmacct's acct to acct_v9, ports port_src and port_dst",
		.table = "acct",
		.columns =
			{
				[ROLE_TRANSPORT] = "ip_proto",
				[ROLE_SOURCE_HOST] = "ip_src",
				[ROLE_DESTINATION_HOST] = "ip_dst",
				[ROLE_SOURCE_PORT] = "port_src",
				[ROLE_DESTINATION_PORT] = "port_dst",
			},
		.timestamp = "stamp_inserted",
		.reading = {.any_case = true},
		.note = "its times are local where timestamps_utc is not set, and read as UTC",
	},
	{
		.name = "ulogd2",
		.tool = "ulogd2's connection tracking behind its filter IP2STR",
		.table = "ulog_ct",
		.columns =
			{
				[ROLE_TRANSPORT] = "orig_ip_protocol",
				[ROLE_SOURCE_HOST] = "orig_ip_saddr_str",
				[ROLE_DESTINATION_HOST] = "orig_ip_daddr_str",
				[ROLE_SOURCE_PORT] = "orig_l4_sport",
				[ROLE_DESTINATION_PORT] = "orig_l4_dport",
				[ROLE_ICMP_TYPE] = "icmp_type",
				[ROLE_ICMP_CODE] = "icmp_code",
			},
		.optional = OPTIONAL(ROLE_ICMP_TYPE) | OPTIONAL(ROLE_ICMP_CODE),
		.timestamp = "flow_start_sec",
		.reading = {.any_case = true},
	},
	{
		.name = "ulogd2",
		.tool = "ulogd2's connection tracking, addresses as numbers",
		.table = "ulog_ct",
		.columns =
			{
				[ROLE_TRANSPORT] = "orig_ip_protocol",
				[ROLE_SOURCE_HOST] = "orig_ip_saddr",
				[ROLE_DESTINATION_HOST] = "orig_ip_daddr",
				[ROLE_SOURCE_PORT] = "orig_l4_sport",
				[ROLE_DESTINATION_PORT] = "orig_l4_dport",
				[ROLE_ICMP_TYPE] = "icmp_type",
				[ROLE_ICMP_CODE] = "icmp_code",
			},
		.optional = OPTIONAL(ROLE_ICMP_TYPE) | OPTIONAL(ROLE_ICMP_CODE),
		.timestamp = "flow_start_sec",
		.reading = {.hosts = HOST_NETWORK, .any_case = true},
		.note = "numbers are taken for little-endian ones; IPv6 needs IP2STR",
	},
	{
		.name = "opensnitch",
		.tool = "OpenSnitch, the application firewall",
		.table = "connections",
		.columns =
			{
				[ROLE_TRANSPORT] = "protocol",
				[ROLE_SOURCE_HOST] = "src_ip",
				[ROLE_DESTINATION_HOST] = "dst_ip",
				[ROLE_SOURCE_PORT] = "src_port",
				[ROLE_DESTINATION_PORT] = "dst_port",
			},
		.timestamp = "time",
		.reading = {.any_case = true, .icmp_family = true},
		.note = "its times are local, and read as UTC",
	},
	{
		.name = "portmaster",
		.tool = "Portmaster's network history",
		.table = "connections",
		.columns =
			{
				[ROLE_TYPE] = "direction",
				[ROLE_TRANSPORT] = "ip_protocol",
				[ROLE_SOURCE_HOST] = "local_ip",
				[ROLE_DESTINATION_HOST] = "remote_ip",
				[ROLE_SOURCE_PORT] = "local_port",
				[ROLE_DESTINATION_PORT] = "remote_port",
			},
		.timestamp = "started",
		.reading = {.direction = DIRECTION_WORD, .any_case = true},
	},
	{
		.name = "ntopng",
		.tool = "ntopng's flow_alerts, and the flows of its first versions",
		.table = "flows",
		.columns =
			{
				[ROLE_TRANSPORT] = "proto",
				[ROLE_SOURCE_HOST] = "cli_ip",
				[ROLE_DESTINATION_HOST] = "srv_ip",
				[ROLE_SOURCE_PORT] = "cli_port",
				[ROLE_DESTINATION_PORT] = "srv_port",
			},
		.timestamp = "first_seen",
		.reading = {.any_case = true, .icmp_family = true},
	},
	{
		.name = "fort",
		.tool = "Fort Firewall's conn, conn_traffic and conn_block",
		.table = "conn",
		.columns =
			{
				[ROLE_TYPE] = "inbound",
				[ROLE_TRANSPORT] = "ip_proto",
				[ROLE_SOURCE_HOST] = "local_ip",
				[ROLE_DESTINATION_HOST] = "remote_ip",
				[ROLE_SOURCE_PORT] = "local_port",
				[ROLE_DESTINATION_PORT] = "remote_port",
				[ROLE_SOURCE_HOST6] = "local_ip6",
				[ROLE_DESTINATION_HOST6] = "remote_ip6",
			},
		.timestamp = "conn_time",
		.reading = {.hosts = HOST_INTEGER, .direction = DIRECTION_INBOUND},
		.note = "ICMP has no type here",
	},
};

const size_t schema_count = sizeof(schemas) / sizeof(*schemas);

const struct schema *schema_find(const char *name)
{
	for (size_t i = 0; i < schema_count; i++)
		if (strcmp(schemas[i].name, name) == 0)
			return &schemas[i];
	return NULL;
}
