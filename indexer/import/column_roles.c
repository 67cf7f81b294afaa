#include "column_roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log/import_mapping.h"

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
				 "localip",
				 "ipv6src"}},
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
				      "remoteip",
				      "ipv6dst"}},
	[COLUMN_DESTINATION_PORT] = {"destination_port",
				     {"dp", "dport", "dstport", "destinationport", "destport",
				      "dstprt", "portdst", "destinationtransportport", "l4dstport",
				      "idrespp", "respp", "serverport", "srvport", "dstpt",
				      "remoteport", "dsport"}},
	[COLUMN_TRANSPORT] = {"transport",
			      {"pr", "proto", "protocol", "transport", "ipproto", "ipprotocol",
			       "protocolidentifier", "networktransport", "networkiananumber",
			       "l4proto", "prot", "protocolname", "protocolnumber", "protonum",
			       "pro"}},
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
	[COLUMN_PROTOCOL] = {"ip_protocol", {"ipv6nxt"}},
	[COLUMN_SOURCE_HOST6] = {"source_host6",
				 {"ipv6src", "ipv6srcaddr", "sourceipv6address", "srcipv6"}},
	[COLUMN_DESTINATION_HOST6] = {"destination_host6",
				      {"ipv6dst", "ipv6dstaddr", "destinationipv6address",
				       "dstipv6"}},
};

enum { ALTERNATIVES = 4 };

/* Columns of which a row has one, by its protocol, as tshark has them. */
static const char *const alternatives[COLUMN_ROLES][ALTERNATIVES] = {
	[COLUMN_SOURCE_PORT] = {"tcpsrcport", "udpsrcport", "sctpsrcport"},
	[COLUMN_DESTINATION_PORT] = {"tcpdstport", "udpdstport", "sctpdstport"},
	[COLUMN_ICMP_TYPE] = {"icmptype", "icmpv6type"},
	[COLUMN_ICMP_CODE] = {"icmpcode", "icmpv6code"},
};

/* Keys of [source] that --map may give besides. */
static const char *const more_keys[] = {"hosts",      "icmp",	     "names",
					"type",	      "direction",   "local_host",
					"local_port", "remote_host", "remote_port"};

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

static int role_of_key(const char *key, size_t size)
{
	for (int role = 0; role < COLUMN_ROLES; role++)
		if (strlen(roles_known[role].key) == size &&
		    memcmp(roles_known[role].key, key, size) == 0)
			return role;
	return COLUMN_NONE;
}

/* One --map: its key, and the column that its value names; constants and expressions name none. */
static enum status map_take(const char *map, const struct column_name *names, size_t count,
			    struct column_roles *roles, unsigned *given, struct message *message)
{
	const char *value = strchr(map, '=');
	const size_t size = value ? (size_t)(value - map) : 0;
	char list[LIST_MAX];
	char spelled[SPELLING_MAX];
	int role;
	int column;

	if (!value || !value[1] || strchr(value, '\n') || !key_is_known(map, size))
		return message_set(message, STATUS_USAGE,
				   "--map %.100s: expected KEY=COLUMN, where KEY is source_host, "
				   "source_port, destination_host, destination_port, transport, "
				   "icmp_type, icmp_code, timestamp or another one of [source]",
				   map);
	role = role_of_key(map, size);
	if (role == COLUMN_NONE)
		return STATUS_OK;
	column = name_find(names, count, value + 1);
	*given |= 1U << role;
	roles->columns[role] = column;
	if ((column != COLUMN_NONE && spelling(&names[column], spelled)) || value[1] == '(' ||
	    (role == COLUMN_TRANSPORT && value[1] == '\''))
		return STATUS_OK;
	names_list(names, count, list);
	return message_set(message, STATUS_USAGE,
			   "--map %.100s: there is no such column; there are: %.400s", map, list);
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

/* The columns among which a row has one; returns how many there are. */
static size_t alternatives_find(int role, const struct column_name *names, size_t count,
				int columns[static ALTERNATIVES])
{
	size_t found = 0;

	for (size_t known = 0; known < ALTERNATIVES && alternatives[role][known]; known++) {
		const struct role_names alone = {.names = {alternatives[role][known]}};
		const int column = role_find(&alone, names, count);

		if (column != COLUMN_NONE)
			columns[found++] = column;
	}
	return found;
}

static void name_write(FILE *stream, const struct column_name *name)
{
	fprintf(stream, "%.*s", (int)name->size, name->text);
}

/* ICMP's type says nothing without its code, and the other way round. */
static bool is_half_of_icmp(int role, const struct column_roles *roles,
			    const struct column_name *names, size_t count)
{
	int columns[ALTERNATIVES];
	const int other = role == COLUMN_ICMP_TYPE   ? COLUMN_ICMP_CODE
			  : role == COLUMN_ICMP_CODE ? COLUMN_ICMP_TYPE
						     : role;

	return other != role && roles->columns[other] == COLUMN_NONE &&
	       alternatives_find(other, names, count, columns) == 0;
}

/* The line of a role that the user says nothing of. */
static void role_write(FILE *stream, int role, const struct column_roles *roles,
		       const struct column_name *names, size_t count)
{
	int columns[ALTERNATIVES];
	const size_t found = alternatives_find(role, names, count, columns);

	if ((roles->columns[role] == COLUMN_NONE && found == 0) ||
	    is_half_of_icmp(role, roles, names, count))
		return;
	fprintf(stream, "%s = ", roles_known[role].key);
	if (found < 2) {
		name_write(stream, &names[found ? columns[0] : roles->columns[role]]);
	} else {
		/* Such names have no quotes in them. */
		for (size_t i = 0; i < found; i++) {
			fputs(i ? ", nullif(\"" : "(coalesce(nullif(\"", stream);
			name_write(stream, &names[columns[i]]);
			fputs("\", '')", stream);
		}
		fputs("))", stream);
	}
	fputs("\n", stream);
}

static bool has_key(const struct column_hints *hints, const char *key)
{
	for (size_t i = 0; i < hints->map_count; i++)
		if (strncmp(hints->map[i], key, strlen(key)) == 0 &&
		    hints->map[i][strlen(key)] == '=')
			return true;
	return false;
}

/* Writes the lines of [source]. */
static void source_write(FILE *stream, const struct column_roles *roles,
			 const struct column_name *names, size_t count,
			 const struct column_hints *hints, unsigned given)
{
	for (int role = 0; role < COLUMN_ROLES; role++)
		if (!(given >> role & 1))
			role_write(stream, role, roles, names, count);
	for (size_t i = 0; i < hints->map_count; i++) {
		const char *value = strchr(hints->map[i], '=');

		fprintf(stream, "%.*s = %s\n", (int)(value - hints->map[i]), hints->map[i],
			value + 1);
	}
	if (!has_key(hints, "names"))
		fputs("names = any\n", stream);
	if (hints->icmp && !has_key(hints, "icmp"))
		fputs(hints->icmp, stream);
}

/* Columns of Zeek's are of its ICMP too; a column cannot be two of a role. */
static const char *roles_settle(struct column_roles *roles, const struct column_name *names,
				const char *icmp)
{
	static const enum column_role pairs[][2] = {
		{COLUMN_SOURCE_HOST, COLUMN_SOURCE_HOST6},
		{COLUMN_DESTINATION_HOST, COLUMN_DESTINATION_HOST6},
		{COLUMN_TRANSPORT, COLUMN_PROTOCOL}};
	const int source = roles->columns[COLUMN_SOURCE_HOST];
	char spelled[SPELLING_MAX];

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		int *first = &roles->columns[pairs[i][0]];
		int *second = &roles->columns[pairs[i][1]];

		if (*first == COLUMN_NONE)
			*first = *second;
		if (*first == *second)
			*second = COLUMN_NONE;
	}
	if (!icmp && source != COLUMN_NONE && spelling(&names[source], spelled) &&
	    strcmp(spelled, "idorigh") == 0)
		return "icmp = zeek\n";
	return icmp;
}

/* Whether a value of a line of [source] can be of a table with these columns. */
static bool value_fits(const char *value, size_t size, const struct column_name *names,
		       size_t count)
{
	char name[SPELLING_MAX * 2];

	if (size == 0 || size >= sizeof(name))
		return size > 0 && *value == '(';
	memcpy(name, value, size);
	name[size] = '\0';
	return *name == '(' || *name == '\'' || name_find(names, count, name) != COLUMN_NONE;
}

/* Takes the lines by which the table is read already; false where columns of theirs are missing. */
static bool roles_recall(const char *source, const struct column_name *names, size_t count,
			 struct column_roles *roles)
{
	static const char between[] = " = ";

	for (int role = 0; role < COLUMN_ROLES; role++)
		roles->columns[role] = COLUMN_NONE;
	for (const char *line = source; *line;) {
		const size_t size = strcspn(line, "\n");
		const char *equals = strstr(line, between);
		const char *value = equals ? equals + strlen(between) : NULL;
		int role;

		if (!equals || equals > line + size)
			return false;
		role = role_of_key(line, (size_t)(equals - line));
		if (role != COLUMN_NONE) {
			const size_t length = (size_t)(line + size - value);
			char name[SPELLING_MAX * 2] = "";

			if (!value_fits(value, length, names, count))
				return false;
			if (length < sizeof(name))
				memcpy(name, value, length);
			roles->columns[role] = name_find(names, count, name);
		}
		line += size + (line[size] == '\n');
	}
	return true;
}

static enum status time_keep(struct column_roles *roles, const struct column_name *names,
			     struct message *message)
{
	const int column = roles->columns[COLUMN_TIME];

	if (column == COLUMN_NONE)
		return STATUS_OK;
	roles->time = strndup(names[column].text, names[column].size);
	return roles->time ? STATUS_OK : message_out_of_memory(message);
}

/* Finds the roles by the names, and by what the user says. */
static enum status roles_find(const struct column_name *names, size_t count,
			      const struct column_hints *hints, struct column_roles *roles,
			      struct message *message)
{
	struct column_hints settled = *hints;
	unsigned given = 0;
	size_t size;
	FILE *stream;
	enum status status = STATUS_OK;

	for (int role = 0; role < COLUMN_ROLES; role++)
		roles->columns[role] = role_find(&roles_known[role], names, count);
	settled.icmp = roles_settle(roles, names, hints->icmp);
	for (size_t i = 0; status == STATUS_OK && i < hints->map_count; i++)
		status = map_take(hints->map[i], names, count, roles, &given, message);
	if (status == STATUS_OK)
		status = roles_complete(roles, names, count, given, message);
	if (status != STATUS_OK)
		return status;
	stream = open_memstream(&roles->source, &size);
	if (!stream)
		return message_out_of_memory(message);
	source_write(stream, roles, names, count, &settled, given);
	if (fclose(stream) != 0)
		return message_out_of_memory(message);
	return import_mapping_check(roles->source, message);
}

enum status column_roles_find(const struct column_name *names, size_t count,
			      const struct column_hints *hints, struct column_roles *roles,
			      struct message *message)
{
	enum status status;

	*roles = (struct column_roles){.given = hints->map_count > 0};
	if (!roles->given && hints->source && roles_recall(hints->source, names, count, roles)) {
		roles->source = strdup(hints->source);
		status = roles->source ? STATUS_OK : message_out_of_memory(message);
	} else {
		status = roles_find(names, count, hints, roles, message);
	}
	return status == STATUS_OK ? time_keep(roles, names, message) : status;
}

void column_roles_free(struct column_roles *roles)
{
	free(roles->source);
	free(roles->time);
	*roles = (struct column_roles){0};
}
