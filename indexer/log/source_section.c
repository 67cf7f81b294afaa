#include "source_section.h"

#include <stdlib.h>
#include <string.h>

#include "column_expression.h"
#include "packet/protocol.h"
#include "schema.h"

enum side { SIDE_NONE, SIDE_SOURCE, SIDE_LOCAL };

static const struct source_key {
	const char *name;
	enum role role;
	enum side side; /* the pair of words that the key belongs to */
} source_keys[] = {
	{"type", ROLE_TYPE, SIDE_NONE},
	{"transport", ROLE_TRANSPORT, SIDE_NONE},
	{"protocol", ROLE_TRANSPORT, SIDE_NONE},
	{"source_host", ROLE_SOURCE_HOST, SIDE_SOURCE},
	{"source_port", ROLE_SOURCE_PORT, SIDE_SOURCE},
	{"destination_host", ROLE_DESTINATION_HOST, SIDE_SOURCE},
	{"destination_port", ROLE_DESTINATION_PORT, SIDE_SOURCE},
	{"local_host", ROLE_SOURCE_HOST, SIDE_LOCAL},
	{"local_port", ROLE_SOURCE_PORT, SIDE_LOCAL},
	{"remote_host", ROLE_DESTINATION_HOST, SIDE_LOCAL},
	{"remote_port", ROLE_DESTINATION_PORT, SIDE_LOCAL},
	{"icmp_type", ROLE_ICMP_TYPE, SIDE_NONE},
	{"icmp_code", ROLE_ICMP_CODE, SIDE_NONE},
	{"ip_protocol", ROLE_PROTOCOL, SIDE_NONE},
	{"source_host6", ROLE_SOURCE_HOST6, SIDE_SOURCE},
	{"destination_host6", ROLE_DESTINATION_HOST6, SIDE_SOURCE},
	{"local_host6", ROLE_SOURCE_HOST6, SIDE_LOCAL},
	{"remote_host6", ROLE_DESTINATION_HOST6, SIDE_LOCAL},
};

static const struct source_key *source_key_find(const char *name)
{
	for (size_t i = 0; i < sizeof(source_keys) / sizeof(*source_keys); i++)
		if (strcmp(source_keys[i].name, name) == 0)
			return &source_keys[i];
	return NULL;
}

/* Whether a [source] has spoken of one pair of words. */
static bool side_is_given(const struct source_section *section)
{
	return section->columns[ROLE_SOURCE_HOST] || section->columns[ROLE_SOURCE_PORT] ||
	       section->columns[ROLE_DESTINATION_HOST] || section->columns[ROLE_DESTINATION_PORT] ||
	       section->columns[ROLE_SOURCE_HOST6] || section->columns[ROLE_DESTINATION_HOST6];
}

/* Then a key of the other is a mistake. */
static bool source_side_fits(const struct source_section *section, const struct source_key *key)
{
	return key->side == SIDE_NONE || !side_is_given(section) ||
	       section->directed == (key->side == SIDE_LOCAL);
}

static bool hosts_set(struct source_section *section, const char *value)
{
	return host_encoding_find(value, &section->reading.hosts);
}

static bool direction_set(struct source_section *section, const char *value)
{
	return direction_encoding_find(value, &section->reading.direction);
}

static bool icmp_set(struct source_section *section, const char *value)
{
	return icmp_encoding_find(value, &section->reading.icmp);
}

static bool names_set(struct source_section *section, const char *value)
{
	section->reading.any_case = strcmp(value, "any") == 0;
	return section->reading.any_case || strcmp(value, "exact") == 0;
}

/* A transport in quotes is that of all rows. */
static bool protocol_set(struct source_section *section, const char *value)
{
	const size_t length = strlen(value);

	return length > 2 && value[length - 1] == '\'' &&
	       protocol_find(value + 1, length - 2, &section->reading.protocol);
}

/* Keys that say how values are read, and not where they are. */
static const struct reading_key {
	const char *name;
	unsigned given;
	bool (*set)(struct source_section *section, const char *value);
	const char *expected;
} reading_keys[] = {
	{"hosts", SOURCE_HOSTS, hosts_set, "text, integer, network or blob"},
	{"direction", SOURCE_DIRECTION, direction_set, "type, word, inbound, outbound or fixed"},
	{"icmp", SOURCE_ICMP, icmp_set, "columns, ports, zeek or netflow"},
	{"names", SOURCE_NAMES, names_set, "any or exact"},
	{"transport", SOURCE_PROTOCOL, protocol_set, "a column, or 'tcp' or the like in quotes"},
	{"protocol", SOURCE_PROTOCOL, protocol_set, "a column, or 'tcp' or the like in quotes"},
};

/* The key if it is one of these: transport and protocol are with a value in quotes. */
static const struct reading_key *reading_key_find(const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(reading_keys) / sizeof(*reading_keys); i++)
		if (strcmp(reading_keys[i].name, name) == 0 &&
		    (reading_keys[i].given != SOURCE_PROTOCOL || *value == '\''))
			return &reading_keys[i];
	return NULL;
}

static void reading_key_set(struct source_section *section, const struct reading_key *key,
			    const char *value, size_t line, struct diagnostics *diagnostics)
{
	if (section->given & key->given)
		diagnostics_add(diagnostics, line, "'%s' is given twice in [source]", key->name);
	else if (!key->set(section, value))
		diagnostics_add(diagnostics, line, "'%s' is '%.100s' in [source]; expected %s",
				key->name, value, key->expected);
	section->given |= key->given;
}

/* Where the value of a key that is a name goes; NULL for a key that there is not. */
static char **place_find(struct source_section *section, const struct source_key *key,
			 const char *name)
{
	if (key)
		return &section->columns[key->role];
	if (strcmp(name, "table") == 0)
		return &section->table;
	if (strcmp(name, "schema") == 0)
		return &section->schema;
	return strcmp(name, "timestamp") == 0 ? &section->timestamp : NULL;
}

/* Whether the value is what it looks like: a name, or an expression where there may be one. */
static bool value_fits(const struct source_section *section, const char *name, char **place,
		       const char *value, size_t line, struct diagnostics *diagnostics)
{
	struct message cause;

	if (place == &section->table || place == &section->schema || !column_expression_is(value) ||
	    column_expression_check(value, &cause) == STATUS_OK)
		return true;
	diagnostics_add(diagnostics, line, "'%s' is not an expression: %.700s", name, cause.text);
	return false;
}

void source_section_set(struct source_section *section, const char *name, char *value, size_t line,
			struct diagnostics *diagnostics)
{
	const struct source_key *key = source_key_find(name);
	const struct reading_key *reading = reading_key_find(name, value);
	char **place = place_find(section, key, name);

	if (*value == '\0' && (place || reading)) {
		diagnostics_add(diagnostics, line, "'%s' is empty in [source]", name);
		goto dropped;
	}
	if (reading) {
		reading_key_set(section, reading, value, line, diagnostics);
		goto dropped;
	}
	if (!place) {
		diagnostics_add(
			diagnostics, line,
			"unknown key '%.100s' in [source]; there are table, schema, transport (or "
			"protocol), ip_protocol, source_host, source_port, destination_host, "
			"destination_port (or, with type: local_host, local_port, remote_host, "
			"remote_port), source_host6 and the like, icmp_type, icmp_code, timestamp, "
			"hosts, direction, icmp, names",
			name);
		goto dropped;
	}
	if (*place) {
		diagnostics_add(diagnostics, line, "'%s' is given twice in [source]", name);
		goto dropped;
	}
	if (key && !source_side_fits(section, key)) {
		diagnostics_add(diagnostics, line,
				"'%s': source/destination and local/remote cannot be mixed", name);
		goto dropped;
	}
	if (!value_fits(section, name, place, value, line, diagnostics))
		goto dropped;
	*place = value;
	if (place == &section->timestamp)
		section->timestamp_line = line;
	if (key) {
		section->column_lines[key->role] = line;
		section->keys[key->role] = key->name;
		if (key->side != SIDE_NONE)
			section->directed = key->side == SIDE_LOCAL;
	}
	return;

dropped:
	free(value);
}

/* Without a schema: every connection has a protocol and comes from somewhere. */
static void required_check(const struct source_section *section, struct diagnostics *diagnostics)
{
	if (!section->columns[ROLE_TRANSPORT] && !section->columns[ROLE_PROTOCOL] &&
	    !(section->given & SOURCE_PROTOCOL))
		diagnostics_add(diagnostics, section->line, "[source] has no 'transport'");
	if (!section->columns[ROLE_SOURCE_HOST])
		diagnostics_add(diagnostics, section->line, "[source] has no '%s'",
				section->directed ? "local_host" : "source_host");
	if (section->directed && !section->columns[ROLE_TYPE] &&
	    !(section->given & SOURCE_DIRECTION && section->reading.direction == DIRECTION_FIXED))
		diagnostics_add(
			diagnostics, section->line,
			"[source] has local and remote, so it needs 'type' (accept, connect, "
			"...)");
}

/* Whether the schema that [source] builds on tells local from remote. */
static bool schema_is_directed(const char *name)
{
	const struct schema *schema = schema_find(name);

	return schema && schema->reading.direction != DIRECTION_FIXED;
}

/* With a schema: what is said has to go with what the schema says. */
static void schema_check(const struct source_section *section, struct diagnostics *diagnostics)
{
	const bool directed = schema_is_directed(section->schema);

	if (!schema_find(section->schema))
		diagnostics_add(diagnostics, section->line,
				"[source] has an unknown schema '%.100s'; connbits-index "
				"--list-schemas shows them",
				section->schema);
	else if (side_is_given(section) && section->directed != directed)
		diagnostics_add(diagnostics, section->line, "[source]: the schema '%.100s' has %s",
				section->schema,
				directed ? "local and remote hosts" : "sources and destinations");
}

void source_section_finish(struct source_section *section, struct diagnostics *diagnostics)
{
	const bool directed =
		section->schema ? schema_is_directed(section->schema) : section->directed;

	if (section->given & SOURCE_PROTOCOL && section->columns[ROLE_TRANSPORT])
		diagnostics_add(diagnostics, section->column_lines[ROLE_TRANSPORT],
				"'transport' is given twice in [source]");
	if (section->schema)
		schema_check(section, diagnostics);
	else
		required_check(section, diagnostics);
	if (!directed && section->given & SOURCE_DIRECTION)
		diagnostics_add(diagnostics, section->line,
				"'direction' goes with local_host and remote_host");
	if (!directed && section->columns[ROLE_TYPE])
		diagnostics_add(diagnostics, section->column_lines[ROLE_TYPE],
				"'type' goes with local_host and remote_host");
	if (!section->columns[ROLE_ICMP_TYPE] != !section->columns[ROLE_ICMP_CODE])
		diagnostics_add(diagnostics, section->line,
				"[source] needs both 'icmp_type' and 'icmp_code', or neither");
}

void source_section_free(struct source_section *section)
{
	free(section->table);
	free(section->schema);
	free(section->timestamp);
	for (size_t i = 0; i < ROLE_COUNT; i++)
		free(section->columns[i]);
	*section = (struct source_section){0};
}
