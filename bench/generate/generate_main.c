/* connbits-generate: options and messages; the work is generate_log's. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/command.h"
#include "database/database_open.h"
#include "generate.h"

static const char help_text[] =
	"Usage: connbits-generate --rows N [--seed S] FILE.sqlite\n"
	"Writes a synthetic dionaea log of N connections: the same bytes for the same N\n"
	"and S (default 1). FILE.sqlite must not exist.\n"
	"\n"
	"  --rows N   how many rows\n"
	"  --seed S   where the random numbers begin\n"
	"  -h, --help  -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage.\n"
	"Example: connbits-generate --rows 1000000 log.sqlite\n";

static int usage(const char *format, const char *what)
{
	command_usage("connbits-generate", format, what);
	return STATUS_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"rows", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	uint64_t rows = 0;
	uint64_t seed = GENERATE_DEFAULT_SEED;
	bool rows_given = false;
	struct message message;
	enum status status;
	int option;

	while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			rows_given = true;
			if (!command_number(optarg, 0, INT64_MAX, &rows))
				return usage("--rows %s: expected a number", optarg);
			break;
		case 's':
			if (!command_number(optarg, 0, UINT64_MAX, &seed))
				return usage("--seed %s: expected a number", optarg);
			break;
		case 'h':
			return (int)command_print(help_text);
		case 'V':
			return (int)command_print("connbits-generate " CONNBITS_VERSION "\n");
		default:
			return (int)command_usage_hint("connbits-generate");
		}
	}
	if (!rows_given)
		return usage("%s is missing", "--rows");
	if (argc - optind != 1)
		return usage("expected one %s", "FILE.sqlite");
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	status = generate_log(argv[optind], rows, seed, &message);
	if (status != STATUS_OK)
		fprintf(stderr, "connbits-generate: %s\n", message.text);
	return (int)status;
}
