#include "column_roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAMES_MAX = 32, SPELLING_MAX = 64, LIST_MAX = 400 };

struct role_names {
	const char *key; /* of a [source] section */
	const char
		*names[NAMES_MAX]; /* letters and digits alone, best first; NULL behind the last */
};

static const struct role_names roles_known[COLUMN_ROLES] = {
	[COLUMN_SOURCE_HOST] = {"source_host",
				{"sa",
				 "src",
				 "srcip",
				 "sourceip",
				 "source",
				 "saddr",
				 "srcaddr",
				 "sourceaddress",
				 "sourceaddr",
				 "srcaddress",
				 "srchost",
				 "sourcehost",
				 "sip",
				 "ipsrc",
				 "srcipaddr",
				 "srcipaddress",
				 "sourceipaddress",
				 "sourceipv4address",
				 "ipv4srcaddr",
				 "idorigh",
				 "origh",
				 "clientip",
				 "cliip",
				 "client",
				 "origip",
				 "localhost",
				 "localip"}},
	[COLUMN_SOURCE_PORT] = {"source_port",
				{"sp", "sport", "srcport", "sourceport", "srcprt", "portsrc",
				 "sourcetransportport", "l4srcport", "idorigp", "origp",
				 "clientport", "cliport", "srcpt", "localport"}},
	[COLUMN_DESTINATION_HOST] = {"destination_host",
				     {"da",
				      "dst",
				      "dstip",
				      "destinationip",
				      "destip",
				      "destination",
				      "dest",
				      "daddr",
				      "dstaddr",
				      "destinationaddress",
				      "destaddr",
				      "dstaddress",
				      "destaddress",
				      "dsthost",
				      "desthost",
				      "destinationhost",
				      "dip",
				      "ipdst",
				      "dstipaddr",
				      "destinationipaddress",
				      "destinationipv4address",
				      "ipv4dstaddr",
				      "idresph",
				      "resph",
				      "serverip",
				      "srvip",
				      "server",
				      "respip",
				      "remotehost",
				      "remoteip"}},
	[COLUMN_DESTINATION_PORT] = {"destination_port",
				     {"dp", "dport", "dstport", "destinationport", "destport",
				      "dstprt", "portdst", "destinationtransportport", "l4dstport",
				      "idrespp", "respp", "serverport", "srvport", "dstpt",
				      "remoteport"}},
	[COLUMN_TRANSPORT] = {"transport",
			      {"pr", "proto", "protocol", "transport", "ipproto", "ipprotocol",
			       "protocolidentifier", "networktransport", "networkiananumber",
			       "l4proto", "prot", "protocolname", "protocolnumber", "protonum"}},
	[COLUMN_ICMP_TYPE] = {"icmp_type", {"icmptype"}},
	[COLUMN_ICMP_CODE] = {"icmp_code", {"icmpcode"}},
	[COLUMN_TIME] = {"timestamp",
			 {"ts",
			  "timestamp",
			  "time",
			  "starttime",
			  "firstseen",
			  "first",
			  "start",
			  "stime",
			  "flowstart",
			  "flowstartmilliseconds",
			  "flowstartseconds",
			  "eventstart",
			  "datetime",
			  "date",
			  "eventtime",
			  "frametimeepoch",
			  "tstart",
			  "firstswitched",
			  "unixtime",
			  "epoch"}},
};

/* Keys of [source] that --map may give besides. */
static const char *const more_keys[] = {
	"ip_protocol", "hosts",	     "source_host6", "destination_host6",
	"icmp",	       "names",	     "type",	     "direction",
	"local_host",  "local_port", "remote_host",  "remote_port"};

static char lower(char character)
{
	if (character >= 'A' && character <= 'Z')
		character = (char)(character - 'A' + 'a');
	return character;
}

static bool is_plain(char character)
{
	return (lower(character) >= 'a' && lower(character) <= 'z') ||
	       (character >= '0' && character <= '9');
}

/* Letters and digits of a name, in lower case; false for one that cannot stand in [source]. */
static bool spelling(const struct column_name *name, char out[static SPELLING_MAX])
{
	size_t size = 0;

	for (size_t i = 0; i < name->size; i++) {
		if (is_plain(name->text[i])) {
			if (size + 1 == SPELLING_MAX)
				return false;
			out[size++] = lower(name->text[i]);
		} else if (!strchr("_.-@: ", name->text[i])) {
			return false;
		}
	}
	out[size] = '\0';
	return size > 0 && (is_plain(name->text[0]) || strchr("_@", name->text[0])) &&
	       name->text[name->size - 1] != ' ';
}

static int role_find(const struct role_names *role, const struct column_name *names, size_t count)
{
	char spelled[SPELLING_MAX];

	for (size_t known = 0; known < NAMES_MAX && role->names[known]; known++)
		for (size_t i = 0; i < count; i++)
			if (spelling(&names[i], spelled) &&
			    strcmp(spelled, role->names[known]) == 0)
				return (int)i;
	return COLUMN_NONE;
}

bool column_roles_guess(const struct column_name *names, size_t count)
{
	return role_find(&roles_known[COLUMN_SOURCE_HOST], names, count) != COLUMN_NONE &&
	       role_find(&roles_known[COLUMN_DESTINATION_HOST], names, count) != COLUMN_NONE;
}

static bool key_is_known(const char *key, size_t size)
{
	for (int role = 0; role < COLUMN_ROLES; role++)
		if (strlen(roles_known[role].key) == size &&
		    memcmp(roles_known[role].key, key, size) == 0)
			return true;
	for (size_t i = 0; i < sizeof(more_keys) / sizeof(*more_keys); i++)
		if (strlen(more_keys[i]) == size && memcmp(more_keys[i], key, size) == 0)
			return true;
	return false;
}

/* The columns, for a message. */
static void names_list(const struct column_name *names, size_t count, char list[static LIST_MAX])
{
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; i < count && used + 2 < LIST_MAX; i++) {
		const int written =
			snprintf(list + used, LIST_MAX - used, "%s%.*s", i ? ", " : "",
				 names[i].size < 60 ? (int)names[i].size : 60, names[i].text);

		if (written < 0 || (size_t)written >= LIST_MAX - used) {
			memcpy(list + LIST_MAX - 4, "...", 4);
			return;
		}
		used += (size_t)written;
	}
}

static int name_find(const struct column_name *names, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(text) == names[i].size &&
		    strncasecmp(names[i].text, text, names[i].size) == 0)
			return (int)i;
	return COLUMN_NONE;
}

/* One --map: its key, and the column that its value names; constants and words name none. */
static enum status map_take(const char *map, const struct column_name *names, size_t count,
			    struct column_roles *roles, unsigned *given, struct message *message)
{
	const char *value = strchr(map, '=');
	const size_t size = value ? (size_t)(value - map) : 0;
	char list[LIST_MAX];
	char spelled[SPELLING_MAX];
	int column;

	if (!value || !value[1] || !key_is_known(map, size))
		return message_set(message, STATUS_USAGE,
				   "--map %.100s: expected KEY=COLUMN, where KEY is source_host, "
				   "source_port, destination_host, destination_port, transport, "
				   "icmp_type, icmp_code, timestamp or another one of [source]",
				   map);
	column = name_find(names, count, value + 1);
	for (int role = 0; role < COLUMN_ROLES; role++) {
		if (strlen(roles_known[role].key) != size ||
		    memcmp(roles_known[role].key, map, size) != 0)
			continue;
		*given |= 1U << role;
		roles->columns[role] = column;
		if (column != COLUMN_NONE && spelling(&names[column], spelled))
			return STATUS_OK;
		if (role == COLUMN_TRANSPORT && value[1] == '\'' && !strchr(value, '\n'))
			return STATUS_OK;
		names_list(names, count, list);
		return message_set(message, STATUS_USAGE,
				   "--map %.100s: there is no such column; there are: %.400s", map,
				   list);
	}
	return strpbrk(value, "\n(")
		       ? message_set(message, STATUS_USAGE, "--map %.100s: not an expression", map)
		       : STATUS_OK;
}

static enum status roles_complete(const struct column_roles *roles, const struct column_name *names,
				  size_t count, unsigned given, struct message *message)
{
	static const enum column_role needed[] = {COLUMN_SOURCE_HOST, COLUMN_TRANSPORT};
	char list[LIST_MAX];

	names_list(names, count, list);
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (roles->columns[needed[i]] == COLUMN_NONE && !(given >> needed[i] & 1))
			return message_set(
				message, STATUS_USAGE,
				"which column is the %s? Say --map %s=COLUMN%s; there are: "
				"%.400s",
				roles_known[needed[i]].key, roles_known[needed[i]].key,
				needed[i] == COLUMN_TRANSPORT
					? ", or of all rows, --map \"transport='tcp'\""
					: "",
				list);
	return STATUS_OK;
}

/* Writes the lines of [source]. */
static void source_write(FILE *stream, const struct column_roles *roles,
			 const struct column_name *names, const char *const *map, size_t map_count,
			 unsigned given, const char *icmp)
{
	for (int role = 0; role < COLUMN_ROLES; role++) {
		const int column = roles->columns[role];

		if (column != COLUMN_NONE && !(given >> role & 1))
			fprintf(stream, "%s = %.*s\n", roles_known[role].key,
				(int)names[column].size, names[column].text);
	}
	for (size_t i = 0; i < map_count; i++) {
		const char *value = strchr(map[i], '=');

		fprintf(stream, "%.*s = %s\n", (int)(value - map[i]), map[i], value + 1);
	}
	fprintf(stream, "names = any\n%s", icmp ? icmp : "");
}

enum status column_roles_find(const struct column_name *names, size_t count, const char *const *map,
			      size_t map_count, const char *icmp, struct column_roles *roles,
			      struct message *message)
{
	unsigned given = 0;
	size_t size;
	FILE *stream;
	enum status status = STATUS_OK;

	*roles = (struct column_roles){0};
	for (int role = 0; role < COLUMN_ROLES; role++)
		roles->columns[role] = role_find(&roles_known[role], names, count);
	for (size_t i = 0; status == STATUS_OK && i < map_count; i++)
		status = map_take(map[i], names, count, roles, &given, message);
	if (status == STATUS_OK)
		status = roles_complete(roles, names, count, given, message);
	if (status != STATUS_OK)
		return status;
	stream = open_memstream(&roles->source, &size);
	if (!stream)
		return message_out_of_memory(message);
	source_write(stream, roles, names, map, map_count, given, icmp);
	if (fclose(stream) != 0)
		return message_out_of_memory(message);
	if (roles->columns[COLUMN_TIME] == COLUMN_NONE)
		return STATUS_OK;
	roles->time = strndup(names[roles->columns[COLUMN_TIME]].text,
			      names[roles->columns[COLUMN_TIME]].size);
	return roles->time ? STATUS_OK : message_out_of_memory(message);
}

void column_roles_free(struct column_roles *roles)
{
	free(roles->source);
	free(roles->time);
	*roles = (struct column_roles){0};
}
