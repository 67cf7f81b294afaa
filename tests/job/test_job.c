/*
 * The differential test: random tables with every odd case of the semantics,
 * random filters, and for each of them every row id held against bpf_filter
 * on a header that this file builds in its own way.
 */
#include "database/database_open.h"
#include "unit.h"

#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask/answer.h"
#include "filter/soundness.h"
#include "job/job.h"
#include "job/verify.h"
#include "pcap_grammar.h"
#include "random.h"

enum { FILTERS = 24, ROWS_MAX = 700, PACKET_MAX = 64 };

struct paths {
	char folder[64];
	char log[96];
	char index[96];
	char catalogue[96];
};

static void paths_make(struct paths *paths)
{
	const char *parent = getenv("TMPDIR");

	snprintf(paths->folder, sizeof(paths->folder), "%s/connbits-test-XXXXXX",
		 parent ? parent : "/tmp");
	assert_non_null(mkdtemp(paths->folder));
	snprintf(paths->log, sizeof(paths->log), "%s/log.sqlite", paths->folder);
	snprintf(paths->index, sizeof(paths->index), "%s/index.sqlite", paths->folder);
	snprintf(paths->catalogue, sizeof(paths->catalogue), "%s/filters.conf", paths->folder);
}

static void paths_remove(const struct paths *paths)
{
	unlink(paths->log);
	unlink(paths->index);
	unlink(paths->catalogue);
	rmdir(paths->folder);
}

static void must(sqlite3 *database, int code)
{
	if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
		fail_msg("%s", sqlite3_errmsg(database));
}

static const char *pick(uint64_t *seed, const char *const *words, size_t count)
{
	return words[random_below(seed, (unsigned)count)];
}

#define PICK(seed, words) pick(seed, words, sizeof(words) / sizeof(*(words)))

static const char *const types[] = {"accept", "accept", "connect", "reject", "pending",
				    "listen", "",	"ACCEPT",  "closed"};
static const char *const transports[] = {
	"tcp", "tcp", "udp", "tls", "dtls", "sctp", "icmp", "icmp6", "ipv6-icmp", "6",	"17",
	"0",   "44",  "51",  "255", "256",  "-1",   "unix", "",	     "TCP",	  "006"};
static const char *const hosts[] = {"10.0.0.1",
				    "10.0.1.2",
				    "10.0.0.3",
				    "20.1.2.3",
				    "30.0.0.0",
				    "192.168.1.1",
				    "0.0.0.0",
				    "255.255.255.255",
				    "::ffff:10.0.0.1",
				    "::ffff:0a00:0102",
				    "2001:db8::1",
				    "2001:db8::2",
				    "2001:DB8:0:0::3",
				    "fe80::1%eth0",
				    "::",
				    "::1",
				    "::10.0.0.1",
				    "",
				    "localhost",
				    "256.1.1.1",
				    "1.2.3",
				    "010.0.0.1",
				    "10.0.0.1 ",
				    "fe80::1%",
				    "10.0.0.1%eth0",
				    "::ffff:1.2.3.4%x"};
static const char *const ports[] = {"0",
				    "22",
				    "53",
				    "445",
				    "0445",
				    "65535",
				    "65536",
				    "-1",
				    "",
				    " 80",
				    "80 ",
				    "8o",
				    "99999999999999999999"};

static void bind_host(sqlite3_stmt *statement, int column, uint64_t *seed)
{
	char text[32];

	switch (random_below(seed, 20)) {
	case 0:
		sqlite3_bind_null(statement, column);
		break;
	case 1:
		sqlite3_bind_int(statement, column, 167772161);
		break;
	case 2:
		sqlite3_bind_blob(statement, column, "10.0.0.1", 8, SQLITE_STATIC);
		break;
	case 3:
		sqlite3_bind_text(statement, column, "10.0.0.1\0x", 10, SQLITE_STATIC);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
		snprintf(text, sizeof(text), "10.%u.%u.%u", random_below(seed, 2),
			 random_below(seed, 2), random_below(seed, 5));
		sqlite3_bind_text(statement, column, text, -1, SQLITE_TRANSIENT);
		break;
	default:
		sqlite3_bind_text(statement, column, PICK(seed, hosts), -1, SQLITE_STATIC);
	}
}

static void bind_port(sqlite3_stmt *statement, int column, uint64_t *seed)
{
	switch (random_below(seed, 12)) {
	case 0:
		sqlite3_bind_null(statement, column);
		break;
	case 1:
		sqlite3_bind_text(statement, column, PICK(seed, ports), -1, SQLITE_STATIC);
		break;
	case 2:
		sqlite3_bind_double(statement, column, 445.5);
		break;
	case 3:
		sqlite3_bind_int(statement, column, 65536);
		break;
	case 4:
	case 5:
	case 6:
		sqlite3_bind_int(statement, column, random_below(seed, 2) ? 445 : 53);
		break;
	default:
		sqlite3_bind_int(statement, column, (int)random_below(seed, 65536));
	}
}

static int64_t random_rowid(uint64_t *seed, unsigned shape, int64_t *last)
{
	switch (shape) {
	case 0: /* dense */
		return ++*last;
	case 1: /* sparse, across segments and chunks */
		*last += 1 + random_below(seed, 40000);
		return *last;
	case 2: /* around 2^32 and below 0 */
		*last += 1 + random_below(seed, 300);
		return *last - 50000 + (random_below(seed, 2) ? INT64_C(1) << 32 : 0);
	default:
		return (int64_t)random_next(seed) >> random_below(seed, 40);
	}
}

struct layout_case {
	const char *create;
	const char *source; /* the catalogue's section, or "" */
	bool directed;
};

static const struct layout_case layouts[] = {
	{"CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, "
	 "connection_transport, local_host, remote_host, local_port, remote_port, icmp_type, "
	 "icmp_code)",
	 "", true},
	{"CREATE TABLE \"my \"\"table\" (rowid TEXT DEFAULT 'taken', oid, connection_type, "
	 "connection_transport, local_host, remote_host, local_port, remote_port, icmp_type, "
	 "icmp_code)",
	 "[source]\ntable = my \"table\ntype = connection_type\ntransport = "
	 "connection_transport\nlocal_host = local_host\nremote_host = remote_host\nlocal_port = "
	 "local_port\nremote_port = remote_port\nicmp_type = icmp_type\nicmp_code = icmp_code\n",
	 true},
	{"CREATE TABLE conn (connection_type, connection_transport, local_host, remote_host, "
	 "local_port, remote_port, icmp_type, icmp_code)",
	 "[source]\ntable = conn\nprotocol = connection_transport\nsource_host = "
	 "local_host\ndestination_host = remote_host\nsource_port = local_port\ndestination_port = "
	 "remote_port\nicmp_type = icmp_type\nicmp_code = icmp_code\n",
	 false},
};

static const char *layout_table(const struct layout_case *layout)
{
	return strstr(layout->create, "my ")	  ? "my \"\"table"
	       : strstr(layout->create, "conn (") ? "conn"
						  : "connections";
}

static void log_make(const struct paths *paths, const struct layout_case *layout, uint64_t *seed)
{
	unsigned shape = random_below(seed, 4);
	unsigned rows = random_below(seed, ROWS_MAX);
	int64_t last = 0;
	char sql[512];
	sqlite3 *log;
	sqlite3_stmt *insert;

	unlink(paths->log);
	unlink(paths->index);
	must(NULL, sqlite3_open(paths->log, &log));
	if (random_below(seed, 4) == 0)
		must(log, sqlite3_exec(log, "PRAGMA encoding = 'UTF-16'", NULL, NULL, NULL));
	must(log, sqlite3_exec(log, layout->create, NULL, NULL, NULL));
	snprintf(sql, sizeof(sql),
		 "INSERT OR IGNORE INTO \"%s\" (_rowid_, connection_type, connection_transport, "
		 "local_host, remote_host, local_port, remote_port, icmp_type, icmp_code) VALUES "
		 "(?,?,?,?,?,?,?,?,?)",
		 layout_table(layout));
	must(log, sqlite3_prepare_v2(log, sql, -1, &insert, NULL));
	must(log, sqlite3_exec(log, "BEGIN", NULL, NULL, NULL));
	for (unsigned i = 0; i < rows; i++) {
		sqlite3_bind_int64(insert, 1, random_rowid(seed, shape, &last));
		sqlite3_bind_text(insert, 2, PICK(seed, types), -1, SQLITE_STATIC);
		if (random_below(seed, 8) == 0)
			sqlite3_bind_int(insert, 3, (int)random_below(seed, 300) - 10);
		else
			sqlite3_bind_text(insert, 3, PICK(seed, transports), -1, SQLITE_STATIC);
		bind_host(insert, 4, seed);
		bind_host(insert, 5, seed);
		bind_port(insert, 6, seed);
		bind_port(insert, 7, seed);
		if (layout->source[0] && random_below(seed, 2)) {
			sqlite3_bind_int(insert, 8, (int)random_below(seed, 20));
			sqlite3_bind_int(insert, 9, (int)random_below(seed, 300));
		} else {
			sqlite3_bind_null(insert, 8);
			sqlite3_bind_null(insert, 9);
		}
		sqlite3_step(insert);
		sqlite3_reset(insert);
	}
	must(log, sqlite3_exec(log, "COMMIT", NULL, NULL, NULL));
	sqlite3_finalize(insert);
	sqlite3_close(log);
}

struct expected_filter {
	char expression[512];
	struct bpf_program code;
};

/* Not one that the optimiser spoils: the index has the answers of the plain program then. */
static bool compiles_soundly(const char *expression)
{
	struct program program;
	struct message message;
	const bool sound =
		program_compile_directly(expression, true, &program, &message) == STATUS_OK &&
		soundness_check(&program, &message) == STATUS_OK;

	program_free(&program);
	return sound;
}

/* Filters that libpcap compiles, and the catalogue of them. */
static void filters_make(const struct paths *paths, const struct layout_case *layout,
			 uint64_t *seed, struct expected_filter *filters)
{
	pcap_t *pcap = pcap_open_dead(DLT_RAW, 65535);
	FILE *file = fopen(paths->catalogue, "w");

	assert_non_null(file);
	fputs(layout->source, file);
	for (size_t i = 0; i < FILTERS; i++) {
		do
			pcap_grammar_expression(seed, filters[i].expression,
						sizeof(filters[i].expression));
		while (!compiles_soundly(filters[i].expression) ||
		       pcap_compile(pcap, &filters[i].code, filters[i].expression, 1,
				    PCAP_NETMASK_UNKNOWN) != 0);
		fprintf(file, "[filter f%zu]\nexpression = %s\n", i, filters[i].expression);
	}
	fclose(file);
	pcap_close(pcap);
}

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

static int expected_number(sqlite3_stmt *row, int column, long limit)
{
	size_t length;
	const char *text = value_text(row, column, true, &length);
	double value;

	if (!text || length == 0 || strspn(text, "0123456789") != length)
		return -1;
	value = strtod(text, NULL);
	return value > (double)limit ? -1 : (int)value;
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

struct expected_row {
	enum { ROW_HEADER, ROW_LISTEN, ROW_SKIPPED } kind;
	uint8_t packet[PACKET_MAX];
	unsigned wire;
	unsigned captured;
};

static int expected_port(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL
		       ? 0
		       : expected_number(row, column, 65535);
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

/* Columns: rowid, type, transport, local host, remote host, local port, remote port, type, code. */
static void row_expect(sqlite3_stmt *row, const struct layout_case *layout,
		       struct expected_row *expected)
{
	const char *type = (const char *)sqlite3_column_text(row, 1);
	bool backward = layout->directed && strcmp(type, "connect") != 0;
	int protocol = expected_protocol(row, 2);
	uint8_t local[16];
	uint8_t remote[16];
	int local_family = expected_host(row, 3, local);
	int remote_family = expected_host(row, 4, remote);
	int port[2] = {expected_port(row, backward ? 6 : 5), expected_port(row, backward ? 5 : 6)};
	int icmp[2] = {-1, -1};
	int version = local_family ? local_family : remote_family;

	expected->kind = ROW_SKIPPED;
	if (layout->directed && strcmp(type, "listen") == 0)
		expected->kind = ROW_LISTEN;
	else if (layout->directed && strcmp(type, "connect") != 0 && strcmp(type, "accept") != 0 &&
		 strcmp(type, "reject") != 0 && strcmp(type, "pending") != 0)
		return;
	if (expected->kind == ROW_LISTEN || protocol < 0 || local_family < 0 || remote_family < 0 ||
	    (local_family && remote_family && local_family != remote_family) || port[0] < 0 ||
	    port[1] < 0)
		return;
	if (layout->source[0] && (protocol == 1 || protocol == 58) &&
	    sqlite3_column_type(row, 7) != SQLITE_NULL) {
		icmp[0] = expected_number(row, 7, 255);
		icmp[1] = expected_number(row, 8, 255);
		if (icmp[0] < 0 || icmp[1] < 0)
			return;
	}
	expected->kind = ROW_HEADER;
	packet_make(expected, version ? version : 4, protocol, backward ? remote : local,
		    backward ? local : remote, port, icmp);
}

static void compare_rows(sqlite3 *database, const struct layout_case *layout,
			 const struct row_set *sets, const struct row_set *all,
			 const struct row_set *skipped, const struct expected_filter *filters,
			 const struct job_summary *summary)
{
	char sql[256];
	sqlite3_stmt *row;
	uint64_t counts[FILTERS] = {0};
	uint64_t kinds[3] = {0};
	uint64_t rows = 0;

	snprintf(sql, sizeof(sql),
		 "SELECT _rowid_, connection_type, connection_transport, local_host, remote_host, "
		 "local_port, remote_port, icmp_type, icmp_code FROM main.\"%s\"",
		 layout_table(layout));
	must(database, sqlite3_prepare_v2(database, sql, -1, &row, NULL));
	while (sqlite3_step(row) == SQLITE_ROW) {
		int64_t rowid = sqlite3_column_int64(row, 0);
		struct expected_row expected;

		row_expect(row, layout, &expected);
		kinds[expected.kind]++;
		rows++;
		assert_int_equal(row_set_contains(all, rowid), expected.kind == ROW_HEADER);
		assert_int_equal(row_set_contains(skipped, rowid), expected.kind == ROW_SKIPPED);
		for (size_t i = 0; i < FILTERS; i++) {
			bool wanted = expected.kind == ROW_HEADER &&
				      bpf_filter(filters[i].code.bf_insns, expected.packet,
						 expected.wire, expected.captured) != 0;

			counts[i] += wanted;
			if (row_set_contains(&sets[i], rowid) != wanted)
				fail_msg("row %lld, '%s': expected %d", (long long)rowid,
					 filters[i].expression, wanted);
		}
	}
	sqlite3_finalize(row);
	for (size_t i = 0; i < FILTERS; i++)
		assert_int_equal(sets[i].rows, counts[i]);
	assert_int_equal(all->rows, kinds[ROW_HEADER]);
	assert_int_equal(skipped->rows, kinds[ROW_SKIPPED]);
	assert_int_equal(summary->outcomes[OUTCOME_HEADER], kinds[ROW_HEADER]);
	assert_int_equal(summary->outcomes[OUTCOME_LISTEN], kinds[ROW_LISTEN]);
	for (int outcome = OUTCOME_TYPE; outcome < OUTCOME_COUNT; outcome++)
		rows -= summary->outcomes[outcome];
	assert_int_equal(rows, kinds[ROW_HEADER] + kinds[ROW_LISTEN]);
}

static void ask(sqlite3 *database, const struct answer_index *index, const char *expression,
		struct row_set *rows)
{
	struct message message;

	const struct answer_question question = {
		.database = database, .index = index, .expression = expression};
	uint64_t count = 0;

	if (answer_run(&question, rows, &message) != STATUS_OK ||
	    answer_count(&question, &count, &message) != STATUS_OK)
		fail_msg("%s: %s", expression, message.text);
	assert_int_equal(count, rows->rows);
}

/* `not x` is @all without x, and a combination is that of its parts. */
static void compare_combinations(sqlite3 *database, const struct answer_index *index,
				 const struct row_set *all, const struct row_set *sets)
{
	struct row_set without;
	struct row_set both;
	struct row_set either;

	ask(database, index, "not f0", &without);
	ask(database, index, "f0 and f1", &both);
	ask(database, index, "f0 or f1", &either);
	assert_int_equal(without.rows, all->rows - sets[0].rows);
	assert_int_equal(both.rows + either.rows, sets[0].rows + sets[1].rows);
	row_set_free(&without);
	ask(database, index, "@skipped and not f0", &without);
	assert_int_equal(without.rows, 0);
	row_set_free(&without);
	row_set_free(&both);
	row_set_free(&either);
}

static void compare(const struct paths *paths, const struct layout_case *layout,
		    const struct expected_filter *filters, const struct job_summary *summary,
		    bool into)
{
	struct row_set sets[FILTERS];
	struct row_set all;
	struct row_set skipped;
	struct answer_index index;
	struct message message;
	sqlite3 *database;

	assert_int_equal(database_open(paths->log, DATABASE_READ, &database, &message), STATUS_OK);
	if (into) {
		char *attach = sqlite3_mprintf("ATTACH %Q AS idx", paths->index);

		must(database, sqlite3_exec(database, attach, NULL, NULL, NULL));
		sqlite3_free(attach);
	}
	if (answer_index_find(database, NULL, NULL, &index, &message) != STATUS_OK)
		fail_msg("%s", message.text);
	for (size_t i = 0; i < FILTERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%zu", i);
		ask(database, &index, name, &sets[i]);
	}
	ask(database, &index, "@all", &all);
	ask(database, &index, "@skipped", &skipped);
	compare_rows(database, layout, sets, &all, &skipped, filters, summary);
	compare_combinations(database, &index, &all, sets);
	for (size_t i = 0; i < FILTERS; i++)
		row_set_free(&sets[i]);
	row_set_free(&all);
	row_set_free(&skipped);
	answer_index_free(&index);
	sqlite3_close(database);
}

static void every_row_id_is_as_bpf_filter_says(void **state)
{
	uint64_t seed = 10;
	size_t rounds = random_rounds(60);
	struct paths paths;

	(void)state;
	paths_make(&paths);
	for (size_t round = 0; round < rounds; round++) {
		const struct layout_case *layout = &layouts[random_below(&seed, 3)];
		bool into = random_below(&seed, 2);
		struct expected_filter filters[FILTERS];
		struct job_options options = {
			.log_path = paths.log,
			.index_path = into ? paths.index : NULL,
			.catalogue_path = paths.catalogue,
			.engine = ENGINE_VECTOR,
			.threads = 1 + (int)random_below(&seed, 3),
		};
		struct job_summary summary;
		struct verify_summary verified;
		struct diagnostics diagnostics = {0};
		struct message message;

		log_make(&paths, layout, &seed);
		filters_make(&paths, layout, &seed, filters);
		for (unsigned run = random_below(&seed, 2); run < 2; run++) {
			if (job_run(&options, &summary, &diagnostics, &message) != STATUS_OK)
				fail_msg("round %zu: %s: %s", round, message.text,
					 diagnostics.count ? diagnostics.items[0].message.text
							   : "");
			diagnostics_free(&summary.warnings);
		}
		compare(&paths, layout, filters, &summary, into);
		if (verify_run(paths.log, options.index_path, summary.table, VERIFY_ALL_ROWS,
			       &verified, &message) != STATUS_OK)
			fail_msg("round %zu: %s", round, message.text);
		for (size_t i = 0; i < FILTERS; i++)
			pcap_freecode(&filters[i].code);
		diagnostics_free(&diagnostics);
	}
	paths_remove(&paths);
}

static void verification_finds_one_wrong_bit(void **state)
{
	struct paths paths;
	struct job_options options;
	struct job_summary summary;
	struct verify_summary verified;
	struct diagnostics diagnostics = {0};
	struct message message;
	sqlite3 *database;
	FILE *file;

	(void)state;
	paths_make(&paths);
	must(NULL, sqlite3_open(paths.log, &database));
	must(database, sqlite3_exec(database, layouts[0].create, NULL, NULL, NULL));
	must(database,
	     sqlite3_exec(database,
			  "INSERT INTO connections VALUES (1, 'accept', 'tcp', '10.0.0.1', "
			  "'10.0.0.2', 445, 9, NULL, NULL), (5, 'accept', 'tcp', '10.0.0.1', "
			  "'10.0.0.2', 445, 9, NULL, NULL)",
			  NULL, NULL, NULL));
	file = fopen(paths.catalogue, "w");
	fputs("[filter smb]\nexpression = tcp dst port 445\n", file);
	fclose(file);
	options = (struct job_options){
		.log_path = paths.log, .catalogue_path = paths.catalogue, .threads = 1};
	assert_int_equal(job_run(&options, &summary, &diagnostics, &message), STATUS_OK);
	diagnostics_free(&summary.warnings);
	assert_int_equal(verify_run(paths.log, NULL, NULL, VERIFY_ALL_ROWS, &verified, &message),
			 STATUS_OK);
	assert_int_equal(verified.rows, 2);
	/* Row 5 becomes row 4 in the array container of smb, which is still well formed. */
	must(database,
	     sqlite3_exec(database,
			  "UPDATE connbits_bitmap SET bitmap = "
			  "x'3a30000001000000000001001000000001000400' "
			  "WHERE filter = (SELECT id FROM connbits_filter WHERE name = 'smb')",
			  NULL, NULL, NULL));
	assert_int_equal(verify_run(paths.log, NULL, NULL, VERIFY_ALL_ROWS, &verified, &message),
			 STATUS_FAILED);
	assert_non_null(strstr(message.text, "'smb', row id 5"));
	sqlite3_close(database);
	diagnostics_free(&diagnostics);
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_id_is_as_bpf_filter_says),
		cmocka_unit_test(verification_finds_one_wrong_bit),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
