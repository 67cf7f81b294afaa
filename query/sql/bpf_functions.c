#include "bpf_functions.h"

#include <stdbool.h>
#include <string.h>

#include "host_stop.h"
#include "packet/connection.h"
#include "packet/header.h"
#include "result.h"

/*
 * The program of the first argument, kept with the statement where that is
 * constant. NULL where an error or NULL is the function's result; else good
 * until the function returns.
 */
static const struct shared_program *argument_program(sqlite3_context *context,
						     sqlite3_value **arguments)
{
	struct shared_program *program = sqlite3_get_auxdata(context, 0);
	const char *expression;
	struct host_stop host;
	struct message message;
	enum status status;

	if (program)
		return program;
	expression = (const char *)sqlite3_value_text(arguments[0]);
	if (!expression) {
		if (sqlite3_value_type(arguments[0]) != SQLITE_NULL)
			sqlite3_result_error_nomem(context);
		return NULL;
	}
	if (strlen(expression) != (size_t)sqlite3_value_bytes(arguments[0])) {
		sqlite3_result_error(context, "the expression has a zero byte", -1);
		return NULL;
	}
	host_stop_begin(&host, sqlite3_context_db_handle(context));
	status = program_cache_get(sqlite3_user_data(context), expression, &host.bounds, &program,
				   &message);
	host_stop_end(&host);
	if (status != STATUS_OK) {
		result_failure(context, &message);
		return NULL;
	}
	sqlite3_set_auxdata(context, 0, program, shared_program_release);
	/* SQLite may have let go of it at once, for want of memory, which it reports. */
	return sqlite3_get_auxdata(context, 0);
}

static struct field field_of(sqlite3_value *value)
{
	struct field field = {.kind = FIELD_BLOB};

	switch (sqlite3_value_type(value)) {
	case SQLITE_NULL:
		field.kind = FIELD_NULL;
		break;
	case SQLITE_INTEGER:
		field.kind = FIELD_INTEGER;
		field.integer = sqlite3_value_int64(value);
		break;
	case SQLITE_FLOAT:
		field.kind = FIELD_REAL;
		field.real = sqlite3_value_double(value);
		break;
	case SQLITE_TEXT:
		field.text = (const char *)sqlite3_value_text(value);
		field.length = (size_t)sqlite3_value_bytes(value);
		if (field.text)
			field.kind = FIELD_TEXT;
		break;
	default:
		break;
	}
	return field;
}

/* The connection of six arguments in the order of the functions. */
static enum outcome connection_of(sqlite3_value **arguments, struct connection *connection)
{
	static const enum role order[] = {
		ROLE_TYPE,	  ROLE_SOURCE_HOST,	 ROLE_DESTINATION_HOST,
		ROLE_SOURCE_PORT, ROLE_DESTINATION_PORT, ROLE_TRANSPORT,
	};
	const struct reading reading = {.direction = DIRECTION_TYPE};
	struct field fields[ROLE_COUNT] = {{.kind = FIELD_NULL}};

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		fields[order[i]] = field_of(arguments[i]);
	return connection_read(fields, &reading, connection);
}

static void bpf_filter_connection(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	const struct shared_program *program = argument_program(context, arguments);
	struct connection connection;
	uint8_t header[HEADER_IPV6_SIZE];
	size_t captured;

	(void)count;
	if (!program)
		return;
	if (*program->unanswerable.text) {
		sqlite3_result_error(context, program->unanswerable.text, -1);
		return;
	}
	if (connection_of(arguments + 1, &connection) != OUTCOME_HEADER) {
		sqlite3_result_int(context, 0);
		return;
	}
	captured = header_build(&connection, header);
	sqlite3_result_int(context,
			   program_matches(&program->program, header, header_wire_length(header),
					   (uint32_t)captured));
}

static void bpf_connection(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	struct connection connection;
	uint8_t header[HEADER_IPV6_SIZE];

	(void)count;
	if (connection_of(arguments, &connection) == OUTCOME_HEADER)
		sqlite3_result_blob(context, header, (int)header_build(&connection, header),
				    SQLITE_TRANSIENT);
}

static unsigned ip_version(const uint8_t *packet, size_t size)
{
	return size ? packet[0] >> 4 : 0;
}

/* True for a packet that ends where that of a connection does. */
static bool is_cut_off(const uint8_t *packet, size_t size)
{
	return size <= (ip_version(packet, size) == 6 ? HEADER_IPV6_SIZE : HEADER_IPV4_SIZE);
}

/* The length the packet had on the wire: what it says itself, if that is not less than it has. */
static uint32_t wire_length(const uint8_t *packet, size_t size)
{
	const unsigned version = ip_version(packet, size);
	uint32_t said = 0;

	if ((version == 4 && size >= 20) || (version == 6 && size >= 40))
		said = header_wire_length(packet);
	return said > size ? said : (uint32_t)size;
}

static void bpf_filter_packet(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	const struct shared_program *program;
	const uint8_t *packet;
	size_t size;

	(void)count;
	if (sqlite3_value_type(arguments[1]) == SQLITE_NULL)
		return;
	program = argument_program(context, arguments);
	if (!program)
		return;
	if (sqlite3_value_type(arguments[1]) != SQLITE_BLOB) {
		sqlite3_result_error(context,
				     "bpf_filter(): the packet is no blob; bpf_connection() makes "
				     "one of a connection",
				     -1);
		return;
	}
	packet = sqlite3_value_blob(arguments[1]);
	size = packet ? (size_t)sqlite3_value_bytes(arguments[1]) : 0;
	if (*program->unanswerable.text && is_cut_off(packet, size)) {
		sqlite3_result_error(context, program->unanswerable.text, -1);
		return;
	}
	sqlite3_result_int(context,
			   size > 0 && program_matches(&program->program, packet,
						       wire_length(packet, size), (uint32_t)size));
}

int bpf_functions_register(sqlite3 *database, struct program_cache *cache)
{
	/* What compiles an expression takes far more than it is given: not innocuous. */
	enum { FLAGS = SQLITE_UTF8 | SQLITE_DETERMINISTIC };
	int code = sqlite3_create_function_v2(database, "bpf_filter", 7, FLAGS,
					      program_cache_retain(cache), bpf_filter_connection,
					      NULL, NULL, program_cache_release);

	if (code == SQLITE_OK)
		code = sqlite3_create_function_v2(database, "bpf_filter", 2, FLAGS,
						  program_cache_retain(cache), bpf_filter_packet,
						  NULL, NULL, program_cache_release);
	if (code == SQLITE_OK)
		code = sqlite3_create_function_v2(database, "bpf_connection", 6,
						  FLAGS | SQLITE_INNOCUOUS, NULL, bpf_connection,
						  NULL, NULL, NULL);
	return code;
}
