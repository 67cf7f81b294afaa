#include "capture_log.h"

#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "connection_join.h"
#include "dissect.h"
#include "packet/protocol.h"

enum { NANOSECONDS = 1000000000 };

/* In the year 2112: as nanoseconds they fit, and so do the differences of such. */
static const int64_t seconds_max = INT64_C(4500000000);

struct capture_log {
	const struct capture_options *options;
	FILE *stream; /* until libpcap has it */
	pcap_t *pcap;
	int link_type;
	struct capture_taken taken;
	uint8_t digest[HEAD_DIGEST_SIZE]; /* of the packets so far */
	struct intake *intake;		  /* while a batch is filled */
	size_t table;
	bool opened;
	int ended;		      /* libpcap's word for the end, once it is there */
	struct connection_join *join; /* NULL: a row a packet */
};

struct capture_column {
	const char *name;
	const char *type;
};

static const struct capture_column packet_columns[] = {
	{"time", "real"},
	{"source_host", "text"},
	{"source_port", "integer"},
	{"destination_host", "text"},
	{"destination_port", "integer"},
	{"protocol", ""},
	{"icmp_type", "integer"},
	{"icmp_code", "integer"},
	{"length", "integer"},
	{"tcp_flags", "integer"},
};

static const struct capture_column connection_columns[] = {
	{"time", "real"},
	{"source_host", "text"},
	{"source_port", "integer"},
	{"destination_host", "text"},
	{"destination_port", "integer"},
	{"protocol", ""},
	{"icmp_type", "integer"},
	{"icmp_code", "integer"},
	{"last_time", "real"},
	{"packets", "integer"},
	{"bytes", "integer"},
	{"answer_packets", "integer"},
	{"answer_bytes", "integer"},
	{"tcp_flags", "integer"},
};

enum {
	AT_TIME,
	AT_SOURCE_HOST,
	AT_SOURCE_PORT,
	AT_DESTINATION_HOST,
	AT_DESTINATION_PORT,
	AT_PROTOCOL,
	AT_ICMP_TYPE,
	AT_ICMP_CODE,
	AT_LENGTH,
	AT_FLAGS,
	PACKET_COLUMNS,
	AT_LAST_TIME = AT_LENGTH,
	AT_PACKETS,
	AT_BYTES,
	AT_ANSWER_PACKETS,
	AT_ANSWER_BYTES,
	AT_ALL_FLAGS,
	CONNECTION_COLUMNS,
};

static const char capture_source[] = "source_host = source_host\n"
				     "source_port = source_port\n"
				     "destination_host = destination_host\n"
				     "destination_port = destination_port\n"
				     "transport = protocol\n"
				     "icmp_type = icmp_type\n"
				     "icmp_code = icmp_code\n"
				     "timestamp = time\n"
				     "names = any\n";

bool capture_log_is(const char *head, size_t size)
{
	static const unsigned char magics[][4] = {
		{0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d},
		{0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0xcd, 0x34}, {0x34, 0xcd, 0xb2, 0xa1},
		{0x0a, 0x0d, 0x0d, 0x0a},
	};

	for (size_t i = 0; size >= 4 && i < sizeof(magics) / sizeof(*magics); i++)
		if (memcmp(head, magics[i], 4) == 0)
			return true;
	return false;
}

static size_t byte_write(char *out, uint8_t byte)
{
	size_t size = 0;

	if (byte >= 100)
		out[size++] = (char)('0' + byte / 100);
	if (byte >= 10)
		out[size++] = (char)('0' + byte / 10 % 10);
	out[size++] = (char)('0' + byte % 10);
	return size;
}

static enum status address_value(struct intake *intake, bool is_ipv6, const uint8_t *address,
				 struct import_value *value, struct message *message)
{
	char *text = intake_bytes(intake, INET6_ADDRSTRLEN, message);
	size_t size = 0;

	if (!text)
		return STATUS_FAILED;
	if (is_ipv6) {
		inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
		*value = value_of_text(text, strlen(text));
		return STATUS_OK;
	}
	for (size_t i = 0; i < 4; i++) {
		size += byte_write(text + size, address[i]);
		text[size++] = '.';
	}
	*value = value_of_text(text, size - 1);
	return STATUS_OK;
}

static struct import_value protocol_value(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return value_of_text("tcp", 3);
	case PROTOCOL_UDP:
		return value_of_text("udp", 3);
	case PROTOCOL_ICMP:
		return value_of_text("icmp", 4);
	case PROTOCOL_ICMP6:
		return value_of_text("icmpv6", 6);
	case PROTOCOL_SCTP:
		return value_of_text("sctp", 4);
	default:
		return value_of_integer(protocol);
	}
}

/* Seconds, as near as a double comes; of microseconds all that there are. */
static struct import_value time_value(int64_t nanoseconds)
{
	const int64_t seconds = nanoseconds / NANOSECONDS;
	const int64_t microseconds = nanoseconds / 1000;

	if (microseconds * 1000 == nanoseconds)
		return value_of_real((double)microseconds / 1e6);
	return value_of_real((double)seconds + (double)(nanoseconds % NANOSECONDS) / 1e9);
}

/* The values that packets and connections have alike. */
static enum status row_begin(struct capture_log *log, const struct dissected_packet *packet,
			     int64_t time, size_t count, struct import_value **row,
			     struct message *message)
{
	struct import_value *values = intake_row(log->intake, count, message);
	enum status status;

	*row = values;
	if (!values)
		return STATUS_FAILED;
	values[AT_TIME] = time_value(time);
	status = address_value(log->intake, packet->is_ipv6, packet->source,
			       &values[AT_SOURCE_HOST], message);
	if (status == STATUS_OK)
		status = address_value(log->intake, packet->is_ipv6, packet->destination,
				       &values[AT_DESTINATION_HOST], message);
	values[AT_PROTOCOL] = protocol_value(packet->protocol);
	if (packet->has_ports) {
		values[AT_SOURCE_PORT] = value_of_integer(packet->source_port);
		values[AT_DESTINATION_PORT] = value_of_integer(packet->destination_port);
	}
	if (packet->is_icmp) {
		values[AT_ICMP_TYPE] = value_of_integer(packet->icmp_type);
		values[AT_ICMP_CODE] = value_of_integer(packet->icmp_code);
	}
	return status;
}

static enum status packet_row(struct capture_log *log, const struct dissected_packet *packet,
			      int64_t time, struct message *message)
{
	struct import_value *values;
	enum status status = row_begin(log, packet, time, PACKET_COLUMNS, &values, message);

	if (status != STATUS_OK)
		return status;
	values[AT_LENGTH] = value_of_integer(packet->length);
	if (packet->has_flags)
		values[AT_FLAGS] = value_of_integer(packet->tcp_flags);
	intake_row_take(log->intake, log->table, PACKET_COLUMNS);
	return STATUS_OK;
}

static enum status connection_row(void *context, const struct joined_connection *connection,
				  struct message *message)
{
	struct capture_log *log = context;
	struct import_value *values;
	enum status status = row_begin(log, &connection->first, connection->first_time,
				       CONNECTION_COLUMNS, &values, message);

	if (status != STATUS_OK)
		return status;
	values[AT_LAST_TIME] = time_value(connection->last_time);
	values[AT_PACKETS] = value_of_integer((int64_t)connection->packets);
	values[AT_BYTES] = value_of_integer((int64_t)connection->bytes);
	values[AT_ANSWER_PACKETS] = value_of_integer((int64_t)connection->answer_packets);
	values[AT_ANSWER_BYTES] = value_of_integer((int64_t)connection->answer_bytes);
	if (connection->first.has_flags)
		values[AT_ALL_FLAGS] = value_of_integer(connection->tcp_flags);
	intake_row_take(log->intake, log->table, CONNECTION_COLUMNS);
	return STATUS_OK;
}

static int64_t packet_time(const struct pcap_pkthdr *header)
{
	int64_t seconds = header->ts.tv_sec;

	if (seconds < 0)
		seconds = 0;
	if (seconds > seconds_max)
		seconds = seconds_max;
	return seconds * NANOSECONDS + header->ts.tv_usec % NANOSECONDS;
}

static enum status packet_take(struct capture_log *log, const struct pcap_pkthdr *header,
			       const uint8_t *bytes, struct message *message)
{
	static const enum fault faults[] = {
		[DISSECT_NOT_IP] = FAULT_NOT_IP,
		[DISSECT_FRAGMENT] = FAULT_FRAGMENT,
		[DISSECT_CUT] = FAULT_CUT,
		[DISSECT_BROKEN] = FAULT_PACKET,
	};
	struct dissected_packet packet;
	const enum dissect_result result =
		dissect_packet(log->link_type, bytes, header->caplen, &packet);

	if (result != DISSECT_IP) {
		intake_fault(log->intake, faults[result]);
		return STATUS_OK;
	}
	if (packet.extended)
		intake_fault(log->intake, FAULT_EXTENSION);
	return log->join ? connection_join_packet(log->join, &packet, packet_time(header), message)
			 : packet_row(log, &packet, packet_time(header), message);
}

static enum status table_open(struct capture_log *log, struct intake *intake,
			      struct message *message)
{
	const struct capture_column *columns = log->join ? connection_columns : packet_columns;
	const size_t count = log->join ? CONNECTION_COLUMNS : PACKET_COLUMNS;
	const struct table_use use = {.source = capture_source, .time = "time", .preferred = true};
	const char *name = log->options->table;
	enum status status;
	size_t column;

	if (!name)
		name = log->join ? "connections" : "packets";
	status = intake_table(intake, name, strlen(name), &use, &log->table, message);
	for (size_t i = 0; status == STATUS_OK && i < count; i++)
		status = intake_column(intake, log->table, columns[i].name, strlen(columns[i].name),
				       columns[i].type, i, &column, message);
	log->opened = true;
	return status;
}

/* libpcap's words for a file that ends within a packet, which may be one that grows. */
static bool is_end(int result, const char *words)
{
	return result == PCAP_ERROR_BREAK || strstr(words, "truncated") != NULL;
}

enum { DIGESTED = 64 /* bytes of a packet: what makes it a row, and more */ };

static void packet_digest(struct capture_log *log, const struct pcap_pkthdr *header,
			  const uint8_t *bytes)
{
	const int64_t described[] = {header->ts.tv_sec, header->ts.tv_usec, header->caplen,
				     header->len};

	head_digest_go_on(log->digest, (const char *)described, sizeof(described));
	head_digest_go_on(log->digest, (const char *)bytes,
			  header->caplen < DIGESTED ? header->caplen : DIGESTED);
}

static enum status other_file(struct parser *parser, struct message *message)
{
	parser->differs = true;
	return message_set(message, STATUS_FAILED, "%s", parser_differs_text);
}

/* The end of the capture: of packets, or because it cannot be read on. */
static enum status capture_end(struct capture_log *log, struct parser *parser, int result,
			       bool *done, struct message *message)
{
	bool more = false;
	enum status status = STATUS_OK;

	if (!is_end(result, pcap_geterr(log->pcap)))
		return message_set(message, STATUS_FAILED, "%s%s", pcap_geterr(log->pcap),
				   strstr(pcap_geterr(log->pcap), "an interface has")
					   ? "; one interface alone is had with tshark -r FILE -Y "
					     "'frame.interface_id == 0' -w OTHER.pcapng"
					   : "");
	log->intake->incomplete = result != PCAP_ERROR_BREAK;
	if (log->intake->line < log->taken.packets) {
		parser->skipped = log->intake->line;
		memcpy(parser->skipped_digest, log->digest, sizeof(parser->skipped_digest));
		return other_file(parser, message);
	}
	if (log->join)
		status = connection_join_end(log->join, BATCH_ROWS, &more, message);
	*done = !more;
	return status;
}

static enum status capture_log_fill(struct parser *parser, struct intake *intake, bool *done,
				    struct message *message)
{
	struct capture_log *log = parser->state;
	struct row_batch *batch = intake->batch;
	enum status status = STATUS_OK;

	log->intake = intake;
	*done = false;
	if (!log->opened)
		status = table_open(log, intake, message);
	while (status == STATUS_OK && batch->row_count < BATCH_ROWS) {
		struct pcap_pkthdr *header = NULL;
		const uint8_t *bytes = NULL;
		const int result =
			log->ended ? log->ended : pcap_next_ex(log->pcap, &header, &bytes);

		if (result == 0)
			continue;
		if (result != 1 || !header) {
			log->ended = result;
			status = capture_end(log, parser, result, done, message);
			break;
		}
		packet_digest(log, header, bytes);
		if (++intake->line < log->taken.packets)
			continue;
		if (intake->line == log->taken.packets) {
			if (memcmp(log->digest, log->taken.digest, sizeof(log->digest)) != 0)
				status = other_file(parser, message);
			continue;
		}
		batch->offset = intake->line;
		status = packet_take(log, header, bytes, message);
	}
	batch->tail_size = 1;
	memcpy(batch->tail, log->digest, sizeof(batch->tail));
	return status;
}

static void capture_log_free(void *state)
{
	struct capture_log *log = state;

	if (log->pcap)
		pcap_close(log->pcap);
	else if (log->stream)
		fclose(log->stream);
	connection_join_free(log->join);
	free(log);
}

static enum status stream_open(struct capture_log *log, struct message *message)
{
	char words[PCAP_ERRBUF_SIZE];

	log->pcap = pcap_fopen_offline_with_tstamp_precision(log->stream,
							     PCAP_TSTAMP_PRECISION_NANO, words);
	if (!log->pcap)
		return message_set(message, STATUS_FAILED, "%s", words);
	log->link_type = pcap_datalink(log->pcap);
	if (dissect_link_known(log->link_type))
		return STATUS_OK;
	return message_set(
		message, STATUS_FAILED,
		"its link type is %s (%d); Ethernet, raw IP, Linux cooked and loopback can "
		"be read",
		pcap_datalink_val_to_name(log->link_type)
			? pcap_datalink_val_to_name(log->link_type)
			: "unknown",
		log->link_type);
}

enum status capture_log_open(const struct capture_options *options, FILE *stream,
			     const struct capture_taken *taken, struct parser *parser,
			     struct message *message)
{
	struct capture_log *log = calloc(1, sizeof(*log));
	enum status status;

	if (!log) {
		fclose(stream);
		return message_out_of_memory(message);
	}
	log->options = options;
	log->stream = stream;
	log->taken = *taken;
	status = stream_open(log, message);
	if (status == STATUS_OK && options->per_connection)
		status = connection_join_new(options->idle * NANOSECONDS, connection_row, log,
					     &log->join, message);
	if (status != STATUS_OK) {
		capture_log_free(log);
		return status;
	}
	*parser = (struct parser){.fill = capture_log_fill, .free = capture_log_free, .state = log};
	return STATUS_OK;
}
