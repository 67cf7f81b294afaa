#include "expected_row.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* The value as text, or NULL if it is not text and not, with numbers, an integer. */
static const char *value_text(sqlite3_stmt *row, int column, bool numbers, size_t *length)
{
	int type = sqlite3_column_type(row, column);
	const char *text;

	if (type != SQLITE_TEXT && !(numbers && type == SQLITE_INTEGER))
		return NULL;
	text = (const char *)sqlite3_column_text(row, column);
	*length = (size_t)sqlite3_column_bytes(row, column);
	return text;
}

/* 443, 443.0 as a number or as text; -1 for what is no whole number up to limit. */
static int expected_number(sqlite3_stmt *row, int column, long limit)
{
	size_t length;
	const char *text = value_text(row, column, true, &length);
	size_t digits;
	double value;

	if (sqlite3_column_type(row, column) == SQLITE_FLOAT) {
		value = sqlite3_column_double(row, column);
		return value >= 0 && value <= (double)limit && fmod(value, 1) == 0 ? (int)value
										   : -1;
	}
	if (!text || strlen(text) != length || (digits = strspn(text, "0123456789")) == 0)
		return -1;
	if (text[digits] == '.' && text[digits + 1 + strspn(text + digits + 1, "0")] == '\0')
		length = digits;
	if (length != digits)
		return -1;
	value = strtod(text, NULL);
	return value > (double)limit ? -1 : (int)value;
}

static bool is_empty(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL ||
	       (sqlite3_column_type(row, column) == SQLITE_TEXT &&
		sqlite3_column_bytes(row, column) == 0);
}

/* 4, 6, 0 for an empty host, -1 for what is none. */
static int expected_host(sqlite3_stmt *row, int column, uint8_t out[16])
{
	char copy[128];
	size_t length = 0;
	const char *text = value_text(row, column, false, &length);
	char *zone;

	memset(out, 0, 16);
	if (sqlite3_column_type(row, column) == SQLITE_NULL || (text && length == 0))
		return 0;
	if (!text || strlen(text) != length || length >= sizeof(copy))
		return -1;
	strcpy(copy, text);
	if (inet_pton(AF_INET, copy, out) == 1)
		return 4;
	zone = strchr(copy, '%');
	if (zone && zone[1] == '\0')
		return -1;
	if (zone)
		*zone = '\0';
	if (inet_pton(AF_INET6, copy, out) != 1)
		return -1;
	if (!IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)out))
		return 6;
	memmove(out, out + 12, 4);
	return 4;
}

static int expected_protocol(sqlite3_stmt *row, int column)
{
	static const struct {
		const char *name;
		int protocol;
	} names[] = {{"tcp", 6},    {"tls", 6},	 {"udp", 17},	{"dtls", 17},
		     {"sctp", 132}, {"icmp", 1}, {"icmp6", 58}, {"ipv6-icmp", 58}};
	size_t length;
	const char *text = value_text(row, column, true, &length);

	for (size_t i = 0; text && i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(text, names[i].name) == 0)
			return names[i].protocol;
	return expected_number(row, column, 255);
}

static int expected_port(sqlite3_stmt *row, int protocol, int column)
{
	if (protocol != 6 && protocol != 17 && protocol != 132)
		return 0;
	return is_empty(row, column) ? 0 : expected_number(row, column, 65535);
}

static void packet_make(struct expected_row *expected, int version, int protocol,
			const uint8_t *source, const uint8_t *destination, const int *port,
			const int *icmp)
{
	uint8_t *packet = expected->packet;
	unsigned fixed = version == 4 ? 20 : 40;
	unsigned payload = protocol == 6				       ? 20
			   : protocol == 132				       ? 12
			   : protocol == 17 || protocol == 1 || protocol == 58 ? 8
									       : 0;

	memset(packet, 0, PACKET_MAX);
	if (version == 4) {
		unsigned sum = 0;

		packet[0] = 0x45;
		packet[3] = (uint8_t)(20 + payload);
		packet[8] = 64;
		packet[9] = (uint8_t)protocol;
		memcpy(packet + 12, source, 4);
		memcpy(packet + 16, destination, 4);
		for (int i = 0; i < 20; i += 2)
			sum += (unsigned)packet[i] * 256 + packet[i + 1];
		while (sum > 0xffff)
			sum = sum % 0x10000 + sum / 0x10000;
		packet[10] = (uint8_t)(~sum / 256 % 256);
		packet[11] = (uint8_t)(~sum % 256);
	} else {
		packet[0] = 0x60;
		packet[5] = (uint8_t)payload;
		packet[6] = (uint8_t)protocol;
		packet[7] = 64;
		memcpy(packet + 8, source, 16);
		memcpy(packet + 24, destination, 16);
	}
	expected->wire = fixed + payload;
	expected->captured = fixed;
	if (protocol == 6 || protocol == 17 || protocol == 132) {
		for (int i = 0; i < 2; i++) {
			packet[fixed + 2 * (unsigned)i] = (uint8_t)(port[i] / 256);
			packet[fixed + 2 * (unsigned)i + 1] = (uint8_t)(port[i] % 256);
		}
		expected->captured += 4;
	} else if ((protocol == 1 || protocol == 58) && icmp[0] >= 0) {
		packet[fixed] = (uint8_t)icmp[0];
		packet[fixed + 1] = (uint8_t)icmp[1];
		expected->captured += 2;
	}
}

void expected_row_make(sqlite3_stmt *row, bool directed, bool has_icmp,
		       struct expected_row *expected)
{
	const char *type = (const char *)sqlite3_column_text(row, 1);
	bool backward = directed && strcmp(type, "connect") != 0;
	int protocol = expected_protocol(row, 2);
	uint8_t local[16];
	uint8_t remote[16];
	int local_family = expected_host(row, 3, local);
	int remote_family = expected_host(row, 4, remote);
	int port[2] = {expected_port(row, protocol, backward ? 6 : 5),
		       expected_port(row, protocol, backward ? 5 : 6)};
	int icmp[2] = {-1, -1};
	int version = local_family ? local_family : remote_family;

	expected->kind = ROW_SKIPPED;
	if (directed && strcmp(type, "listen") == 0)
		expected->kind = ROW_LISTEN;
	else if (directed && strcmp(type, "connect") != 0 && strcmp(type, "accept") != 0 &&
		 strcmp(type, "reject") != 0 && strcmp(type, "pending") != 0)
		return;
	if (expected->kind == ROW_LISTEN || protocol < 0 || local_family < 0 || remote_family < 0 ||
	    (local_family && remote_family && local_family != remote_family) || port[0] < 0 ||
	    port[1] < 0)
		return;
	if (has_icmp && (protocol == 1 || protocol == 58) && !is_empty(row, 7) &&
	    !is_empty(row, 8)) {
		icmp[0] = expected_number(row, 7, 255);
		icmp[1] = expected_number(row, 8, 255);
		if (icmp[0] < 0 || icmp[1] < 0)
			return;
	}
	expected->kind = ROW_HEADER;
	packet_make(expected, version ? version : 4, protocol, backward ? remote : local,
		    backward ? local : remote, port, icmp);
}
