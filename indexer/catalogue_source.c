#include "catalogue_source.h"

#include <stdlib.h>
#include <string.h>

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
};

static const struct source_key *source_key_find(const char *name)
{
	for (size_t i = 0; i < sizeof(source_keys) / sizeof(*source_keys); i++)
		if (strcmp(source_keys[i].name, name) == 0)
			return &source_keys[i];
	return NULL;
}

/* Once a [source] has spoken of one pair of words, a key of the other is a mistake. */
static bool source_side_fits(const struct catalogue_source *source, const struct source_key *key)
{
	bool any = source->columns[ROLE_SOURCE_HOST] || source->columns[ROLE_SOURCE_PORT] ||
		   source->columns[ROLE_DESTINATION_HOST] || source->columns[ROLE_DESTINATION_PORT];

	return key->side == SIDE_NONE || !any || source->directed == (key->side == SIDE_LOCAL);
}

void catalogue_source_set(struct catalogue_source *source, const char *name, char *value,
			  size_t line, struct diagnostics *diagnostics)
{
	const struct source_key *key = source_key_find(name);
	char **place = key ? &source->columns[key->role] : NULL;

	if (strcmp(name, "table") == 0)
		place = &source->table;
	else if (strcmp(name, "timestamp") == 0)
		place = &source->timestamp;
	if (!place) {
		diagnostics_add(
			diagnostics, line,
			"unknown key '%.100s' in [source]; there are table, transport (or "
			"protocol), source_host, source_port, destination_host, "
			"destination_port (or, with type: local_host, local_port, remote_host, "
			"remote_port), icmp_type, icmp_code, timestamp",
			name);
		goto dropped;
	}
	if (*value == '\0') {
		diagnostics_add(diagnostics, line, "'%s' is empty in [source]", name);
		goto dropped;
	}
	if (*place) {
		diagnostics_add(diagnostics, line, "'%s' is given twice in [source]", name);
		goto dropped;
	}
	if (key && !source_side_fits(source, key)) {
		diagnostics_add(diagnostics, line,
				"'%s': source/destination and local/remote cannot be mixed", name);
		goto dropped;
	}
	*place = value;
	if (key) {
		source->column_lines[key->role] = line;
		if (key->side != SIDE_NONE)
			source->directed = key->side == SIDE_LOCAL;
	}
	return;

dropped:
	free(value);
}

void catalogue_source_finish(struct catalogue_source *source, struct diagnostics *diagnostics)
{
	static const struct {
		enum role role;
		const char *name;
		const char *directed_name;
	} required[] = {
		{ROLE_TRANSPORT, "transport", "transport"},
		{ROLE_SOURCE_HOST, "source_host", "local_host"},
		{ROLE_SOURCE_PORT, "source_port", "local_port"},
		{ROLE_DESTINATION_HOST, "destination_host", "remote_host"},
		{ROLE_DESTINATION_PORT, "destination_port", "remote_port"},
	};

	for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++)
		if (!source->columns[required[i].role])
			diagnostics_add(diagnostics, source->line, "[source] has no '%s'",
					source->directed ? required[i].directed_name
							 : required[i].name);
	if (source->directed && !source->columns[ROLE_TYPE])
		diagnostics_add(
			diagnostics, source->line,
			"[source] has local and remote, so it needs 'type' (accept, connect, "
			"...)");
	if (!source->directed && source->columns[ROLE_TYPE])
		diagnostics_add(diagnostics, source->column_lines[ROLE_TYPE],
				"'type' goes with local_host and remote_host");
	if (!source->columns[ROLE_ICMP_TYPE] != !source->columns[ROLE_ICMP_CODE])
		diagnostics_add(diagnostics, source->line,
				"[source] needs both 'icmp_type' and 'icmp_code', or neither");
}

void catalogue_source_free(struct catalogue_source *source)
{
	free(source->table);
	free(source->timestamp);
	for (size_t i = 0; i < ROLE_COUNT; i++)
		free(source->columns[i]);
	*source = (struct catalogue_source){0};
}
