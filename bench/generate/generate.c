#include "generate.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database/database.h"
#include "database/database_open.h"

enum {
	REMOTE_HOSTS = 50000,
	HOST_TEXT = 32,
	START_TIME = 1750000000, /* seconds since 1970 */
	PERMILLE = 1000,
};

struct generator {
	uint64_t state;		  /* of the random numbers */
	char (*hosts)[HOST_TEXT]; /* remote hosts by rank */
	uint8_t *host_lengths;
	double time;
	unsigned service_weights; /* their sum */
	/* The scan that is going on: one remote host, many local hosts or ports. */
	unsigned scan_left;
	size_t scan_host;
	unsigned scan_port;
	bool scan_ports;
};

/* One generated connection. */
struct row {
	const char *type;
	const char *transport;
	const char *protocol;
	const char *local_host;
	const char *remote_host;
	size_t remote_length;
	unsigned local_port;
	unsigned remote_port;
};

static const struct service {
	unsigned weight;
	unsigned port;
	const char *transport;
	const char *protocol;
} services[] = {
	{300, 445, "tcp", "smbd"},	 {130, 23, "tcp", "telnetd"},
	{40, 2323, "tcp", "telnetd"},	 {90, 1433, "tcp", "mssqld"},
	{60, 3306, "tcp", "mysqld"},	 {70, 22, "tcp", "sshd"},
	{50, 3389, "tcp", "rdpd"},	 {60, 80, "tcp", "httpd"},
	{30, 443, "tls", "httpd"},	 {10, 8080, "tcp", "httpd"},
	{25, 5060, "udp", "SipSession"}, {5, 5060, "tcp", "SipSession"},
	{8, 21, "tcp", "ftpd"},		 {10, 135, "tcp", "epmapper"},
	{12, 5555, "tcp", "adbd"},	 {10, 6379, "tcp", "redisd"},
	{6, 27017, "tcp", "mongod"},	 {8, 53, "udp", "dnsd"},
	{8, 123, "udp", "ntpd"},	 {8, 1900, "udp", "upnpd"},
	{5, 11211, "udp", "memcached"},	 {4, 389, "udp", "cldapd"},
	{3, 5683, "udp", "coapd"},	 {3, 19, "udp", "chargend"},
	{2, 502, "tcp", "modbusd"},	 {1, 102, "tcp", "s7d"},
	{1, 47808, "udp", "bacnetd"},	 {1, 20000, "tcp", "dnp3d"},
	{2, 1883, "tcp", "mqttd"},	 {3, 69, "udp", "TftpServer"},
	{1, 5684, "dtls", "coapd"},	 {34, 0, "tcp", "pcap"},
};

static const char *const local_hosts_ipv4[] = {"192.0.2.10", "192.0.2.11", "192.0.2.12",
					       "198.51.100.7"};
static const char *const local_hosts_ipv6[] = {"2001:db8::10", "2001:db8::11"};

/* splitmix64, by Sebastiano Vigna (public domain): one addition and a mix a number. */
static uint64_t random_next(struct generator *generator)
{
	uint64_t mixed = generator->state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

static unsigned random_below(struct generator *generator, unsigned limit)
{
	return (unsigned)((random_next(generator) >> 32) * limit >> 32);
}

/* A rank whose frequency falls as 1 / (rank + 1), which is Zipf's law. */
static size_t random_rank(struct generator *generator)
{
	double uniform = (double)(random_next(generator) >> 11) * 0x1p-53;

	return (size_t)exp(uniform * log(REMOTE_HOSTS)) % REMOTE_HOSTS;
}

static void host_write(struct generator *generator, size_t rank)
{
	uint64_t bits = random_next(generator);
	unsigned kind = random_below(generator, PERMILLE);
	char *out = generator->hosts[rank];
	const unsigned a = 1 + (unsigned)(bits & 0xff) % 223;
	const unsigned b = bits >> 8 & 0xff;
	const unsigned c = bits >> 16 & 0xff;
	const unsigned d = bits >> 24 & 0xff;
	int length;

	if (kind < 80)
		length = snprintf(out, HOST_TEXT, "2a0%u:%x:%x::%x", a % 10, (b << 8 | c) | 1,
				  (c << 8 | d) | 1, (d << 8 | a) | 1);
	else if (kind < 120)
		length = snprintf(out, HOST_TEXT, "::ffff:%u.%u.%u.%u", a, b, c, d);
	else if (kind < 150)
		length = snprintf(out, HOST_TEXT, "10.%u.%u.%u", b, c, d);
	else
		length = snprintf(out, HOST_TEXT, "%u.%u.%u.%u", a, b, c, d);
	generator->host_lengths[rank] = (uint8_t)length;
}

static enum status generator_init(struct generator *generator, uint64_t seed,
				  struct message *message)
{
	*generator = (struct generator){.state = seed, .time = START_TIME};
	generator->hosts = malloc(REMOTE_HOSTS * sizeof(*generator->hosts));
	generator->host_lengths = malloc(REMOTE_HOSTS);
	if (!generator->hosts || !generator->host_lengths)
		return message_out_of_memory(message);
	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
		generator->service_weights += services[i].weight;
	for (size_t rank = 0; rank < REMOTE_HOSTS; rank++)
		host_write(generator, rank);
	return STATUS_OK;
}

static void generator_free(struct generator *generator)
{
	free(generator->hosts);
	free(generator->host_lengths);
}

static const struct service *random_service(struct generator *generator)
{
	unsigned drawn;
	size_t i = 0;

	drawn = random_below(generator, generator->service_weights);
	while (drawn >= services[i].weight)
		drawn -= services[i++].weight;
	return &services[i];
}

static bool host_is_ipv6(const char *host)
{
	return host[0] == '2' && host[1] == 'a';
}

static void row_set_hosts(struct generator *generator, struct row *row, size_t rank)
{
	row->remote_host = generator->hosts[rank];
	row->remote_length = generator->host_lengths[rank];
	row->local_host = host_is_ipv6(row->remote_host)
				  ? local_hosts_ipv6[random_below(generator, 2)]
				  : local_hosts_ipv4[random_below(generator, 4)];
}

static void row_scan(struct generator *generator, struct row *row)
{
	generator->scan_left--;
	row_set_hosts(generator, row, generator->scan_host);
	row->transport = "tcp";
	row->protocol = "pcap";
	row->type = "reject";
	row->local_port = generator->scan_port;
	row->remote_port = 32768 + random_below(generator, 28232);
	if (generator->scan_ports)
		generator->scan_port = generator->scan_port % 65535 + 1;
}

static void scan_begin(struct generator *generator)
{
	generator->scan_left = 10 + random_below(generator, 90);
	generator->scan_host = random_rank(generator);
	generator->scan_ports = random_below(generator, 2);
	generator->scan_port = 1 + random_below(generator, 65535);
}

static void row_listen(struct generator *generator, struct row *row)
{
	row->type = "listen";
	row->local_host = local_hosts_ipv4[random_below(generator, 4)];
	row->remote_host = "";
	row->remote_length = 0;
	row->remote_port = 0;
}

/* What loggers also write: other transports, host names, two families. */
static void row_odd(struct generator *generator, struct row *row)
{
	switch (random_below(generator, 4)) {
	case 0:
		row->transport = "unix";
		break;
	case 1:
		row->remote_host = "scanner.example";
		row->remote_length = strlen(row->remote_host);
		break;
	case 2:
		row->local_host = host_is_ipv6(row->remote_host) ? "192.0.2.10" : "2001:db8::10";
		break;
	default:
		row->remote_port = 65536 + random_below(generator, 1000);
		break;
	}
}

static void row_make(struct generator *generator, struct row *row)
{
	unsigned drawn = random_below(generator, PERMILLE);
	const struct service *service;

	if (generator->scan_left > 0) {
		row_scan(generator, row);
		return;
	}
	service = random_service(generator);
	row_set_hosts(generator, row, random_rank(generator));
	row->type = "accept";
	row->transport = service->transport;
	row->protocol = service->protocol;
	row->local_port = service->port ? service->port : 1 + random_below(generator, 65535);
	row->remote_port = 1024 + random_below(generator, 64512);
	if (drawn < 4)
		scan_begin(generator);
	else if (drawn < 14)
		row_listen(generator, row);
	else if (drawn < 17)
		row_odd(generator, row);
	else if (drawn < 22)
		row->type = "pending";
	else if (drawn < 60)
		row->type = "reject";
	else if (drawn < 100) {
		unsigned port = row->local_port;

		row->type = "connect";
		row->local_port = row->remote_port;
		row->remote_port = port;
	}
}

/*
 * The rows as a virtual table, so that one INSERT ... SELECT takes all of them:
 * that is twice as fast as a statement a row.
 */
struct row_table {
	sqlite3_vtab base;
	struct generator *generator;
};

struct row_cursor {
	sqlite3_vtab_cursor base;
	struct generator *generator;
	struct row row;
	uint64_t left; /* rows, the current one among them */
};

static int rows_connect(sqlite3 *database, void *context, int argument_count,
			const char *const *arguments, sqlite3_vtab **out, char **error)
{
	struct row_table *table = sqlite3_malloc64(sizeof(*table));

	(void)argument_count;
	(void)arguments;
	(void)error;
	if (!table)
		return SQLITE_NOMEM;
	*table = (struct row_table){.generator = context};
	*out = &table->base;
	return sqlite3_declare_vtab(database, "CREATE TABLE generated (type, transport, protocol, "
					      "time, local_host, local_port, remote_host, "
					      "remote_port, wanted HIDDEN)");
}

static int rows_disconnect(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

static int rows_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	for (int i = 0; i < info->nConstraint; i++) {
		info->aConstraintUsage[i].argvIndex = i + 1;
		info->aConstraintUsage[i].omit = 1;
	}
	return SQLITE_OK;
}

static int rows_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	struct row_cursor *cursor = sqlite3_malloc64(sizeof(*cursor));

	if (!cursor)
		return SQLITE_NOMEM;
	*cursor = (struct row_cursor){.generator = ((struct row_table *)table)->generator};
	*out = &cursor->base;
	return SQLITE_OK;
}

static int rows_close(sqlite3_vtab_cursor *cursor)
{
	sqlite3_free(cursor);
	return SQLITE_OK;
}

static void rows_advance(struct row_cursor *cursor)
{
	if (cursor->left == 0)
		return;
	row_make(cursor->generator, &cursor->row);
	cursor->generator->time += (double)random_below(cursor->generator, 2000) * 1e-3;
}

static int rows_next(sqlite3_vtab_cursor *base)
{
	struct row_cursor *cursor = (struct row_cursor *)base;

	cursor->left--;
	rows_advance(cursor);
	return SQLITE_OK;
}

static int rows_filter(sqlite3_vtab_cursor *base, int plan, const char *name, int count,
		       sqlite3_value **arguments)
{
	struct row_cursor *cursor = (struct row_cursor *)base;

	(void)plan;
	(void)name;
	cursor->left = count > 0 ? (uint64_t)sqlite3_value_int64(arguments[0]) : 0;
	rows_advance(cursor);
	return SQLITE_OK;
}

static int rows_eof(sqlite3_vtab_cursor *base)
{
	return ((struct row_cursor *)base)->left == 0;
}

static int rows_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	const struct row_cursor *cursor = (struct row_cursor *)base;
	const struct row *row = &cursor->row;

	switch (column) {
	case 0:
		sqlite3_result_text(context, row->type, -1, SQLITE_STATIC);
		break;
	case 1:
		sqlite3_result_text(context, row->transport, -1, SQLITE_STATIC);
		break;
	case 2:
		sqlite3_result_text(context, row->protocol, -1, SQLITE_STATIC);
		break;
	case 3:
		sqlite3_result_double(context, cursor->generator->time);
		break;
	case 4:
		sqlite3_result_text(context, row->local_host, -1, SQLITE_STATIC);
		break;
	case 5:
		sqlite3_result_int(context, (int)row->local_port);
		break;
	case 6:
		sqlite3_result_text(context, row->remote_host, (int)row->remote_length,
				    SQLITE_STATIC);
		break;
	default:
		sqlite3_result_int(context, (int)row->remote_port);
	}
	return SQLITE_OK;
}

static int rows_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = (sqlite3_int64)((struct row_cursor *)base)->left;
	return SQLITE_OK;
}

static const sqlite3_module rows_module = {
	.xConnect = rows_connect,
	.xBestIndex = rows_best_index,
	.xDisconnect = rows_disconnect,
	.xOpen = rows_open,
	.xClose = rows_close,
	.xFilter = rows_filter,
	.xNext = rows_next,
	.xEof = rows_eof,
	.xColumn = rows_column,
	.xRowid = rows_rowid,
};

static enum status rows_insert(sqlite3 *database, struct generator *generator, uint64_t rows,
			       struct message *message)
{
	sqlite3_stmt *statement;
	enum status status;

	if (sqlite3_create_module(database, "generated", &rows_module, generator) != SQLITE_OK)
		return database_failed(database, message);
	status = database_prepare(
		database, &statement, message,
		"INSERT INTO connections SELECT NULL, type, transport, protocol, time, NULL, NULL, "
		"local_host, local_port, remote_host, '', remote_port FROM generated(%llu)",
		(unsigned long long)rows);
	if (status == STATUS_OK)
		status = database_run(statement, message);
	sqlite3_finalize(statement);
	return status;
}

static const char schema_sql[] = "PRAGMA journal_mode = OFF;"
				 "PRAGMA synchronous = OFF;"
				 "PRAGMA locking_mode = EXCLUSIVE;"
				 "PRAGMA cache_size = -4000;"
				 "CREATE TABLE connections ("
				 " connection INTEGER PRIMARY KEY,"
				 " connection_type TEXT,"
				 " connection_transport TEXT,"
				 " connection_protocol TEXT,"
				 " connection_timestamp INTEGER,"
				 " connection_root INTEGER,"
				 " connection_parent INTEGER,"
				 " local_host TEXT,"
				 " local_port INTEGER,"
				 " remote_host TEXT,"
				 " remote_hostname TEXT,"
				 " remote_port INTEGER);"
				 "BEGIN";

enum status generate_log(const char *path, uint64_t rows, uint64_t seed, struct message *message)
{
	struct generator generator = {0};
	sqlite3 *database = NULL;
	int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	enum status status;

	if (descriptor < 0)
		return message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	close(descriptor);
	status = generator_init(&generator, seed, message);
	if (status == STATUS_OK)
		status = database_open(path, DATABASE_WRITE, &database, message);
	/* Without a journal a failure leaves a damaged file, which is removed below. */
	if (status == STATUS_OK)
		sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	if (status == STATUS_OK)
		status = database_execute(database, schema_sql, message);
	if (status == STATUS_OK)
		status = rows_insert(database, &generator, rows, message);
	if (status == STATUS_OK)
		status = database_execute(database, "COMMIT", message);
	if (sqlite3_close(database) != SQLITE_OK && status == STATUS_OK)
		status = message_set(message, STATUS_FAILED, "%s: cannot be closed", path);
	generator_free(&generator);
	if (status != STATUS_OK)
		unlink(path);
	return status;
}
