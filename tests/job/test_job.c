/*
 * The differential test: random tables with every odd case of the semantics,
 * random filters, and for each of them every row id held against bpf_filter
 * on a header that this file builds in its own way.
 */
#include "unit.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask/answer.h"
#include "database/database_open.h"
#include "expected_row.h"
#include "filter/soundness.h"
#include "job/job.h"
#include "job/verify.h"
#include "paths.h"
#include "pcap_grammar.h"
#include "random.h"

enum { FILTERS = 24, ROWS_MAX = 700 };

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
				    "99999999999999999999",
				    "445.0",
				    "53.",
				    "445.5",
				    "",
				    " 445"};

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
		sqlite3_bind_double(statement, column, random_below(seed, 2) ? 445.5 : 445.0);
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

/* True for what the rows of the layout can answer. */
static bool is_answerable(const char *expression, const struct layout_case *layout)
{
	const struct header_gaps gaps = {
		.icmp = !strstr(layout->source, "icmp_type"), .table = "", .schema = ""};
	struct program program;
	struct message message;
	const bool answerable = program_compile(expression, &program, &message) == STATUS_OK &&
				soundness_check(&program, &gaps, &message) == STATUS_OK;

	program_free(&program);
	return answerable;
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
		while (!is_answerable(filters[i].expression, layout));
		assert_int_equal(pcap_compile(pcap, &filters[i].code, filters[i].expression, 0, 0),
				 0);
		fprintf(file, "[filter f%zu]\nexpression = %s\n", i, filters[i].expression);
	}
	fclose(file);
	pcap_close(pcap);
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

		expected_row_make(row, layout->directed, layout->source[0], &expected);
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
	if (answer_index_find(database, NULL, NULL, NULL, &index, &message) != STATUS_OK)
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
	size_t rounds = random_rounds(30);
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
			       LOG_READ_BEST, &verified, &message) != STATUS_OK)
			fail_msg("round %zu: %s", round, message.text);
		for (size_t i = 0; i < FILTERS; i++)
			pcap_freecode(&filters[i].code);
		diagnostics_free(&diagnostics);
	}
	paths_remove(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_id_is_as_bpf_filter_says),
	};

	return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
