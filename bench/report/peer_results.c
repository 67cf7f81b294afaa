#include "peer_results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database/database.h"

enum { FILE_BYTES_MAX = 1 << 20, PEERS_MAX = 100 };

static enum status file_read(const char *path, char **text, size_t *length, struct message *message)
{
	FILE *file = fopen(path, "re");
	enum status status = STATUS_OK;

	*text = malloc(FILE_BYTES_MAX + 1);
	*length = 0;
	if (!file)
		return message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	if (!*text)
		status = message_out_of_memory(message);
	else
		*length = fread(*text, 1, FILE_BYTES_MAX + 1, file);
	if (status == STATUS_OK && ferror(file))
		status = message_set(message, STATUS_FAILED, "%s: %s", path, strerror(errno));
	else if (status == STATUS_OK && *length > FILE_BYTES_MAX)
		status = message_set(message, STATUS_FAILED, "%s: longer than %d bytes", path,
				     FILE_BYTES_MAX);
	fclose(file);
	return status;
}

static enum status column_copy(sqlite3_stmt *statement, int column, char **copy,
			       struct message *message)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	if (!text && sqlite3_column_type(statement, column) == SQLITE_NULL)
		return STATUS_OK;
	*copy = text ? strdup(text) : NULL;
	return *copy ? STATUS_OK : message_out_of_memory(message);
}

/* A time has to be more than nothing and less than a year. */
static bool time_valid(double seconds)
{
	return seconds > 0 && seconds < 3.2e7;
}

static enum status peer_take(sqlite3_stmt *statement, struct peer_result *peer,
			     struct message *message)
{
	enum status status = column_copy(statement, 0, &peer->name, message);

	if (status == STATUS_OK)
		status = column_copy(statement, 1, &peer->absent, message);
	if (status != STATUS_OK || (peer->name && peer->absent))
		return status;
	peer->median = sqlite3_column_double(statement, 2);
	peer->least = sqlite3_column_double(statement, 3);
	peer->most = sqlite3_column_double(statement, 4);
	peer->together = sqlite3_column_double(statement, 5);
	peer->prepare = sqlite3_column_double(statement, 6);
	peer->bytes = sqlite3_column_double(statement, 7);
	peer->ratio = sqlite3_column_double(statement, 8);
	if (peer->name && time_valid(peer->least) && time_valid(peer->most) &&
	    time_valid(peer->median) && peer->least <= peer->median && peer->median <= peer->most &&
	    (peer->together == 0 || time_valid(peer->together)) &&
	    (peer->prepare == 0 || time_valid(peer->prepare)) && peer->bytes >= 0 &&
	    peer->bytes < 1e18 && peer->ratio > 0 && peer->ratio < 1e15)
		return STATUS_OK;
	return message_set(message, STATUS_FAILED, "the times of '%.100s' are none",
			   peer->name ? peer->name : "a peer without a name");
}

static enum status peers_take(sqlite3 *database, const char *text, size_t length,
			      struct peer_results *results, struct message *message)
{
	sqlite3_stmt *statement = NULL;
	int row = 1;
	enum status status = database_prepare(
		database, &statement, message,
		"SELECT value->>'name', value->>'absent', value->>'median', value->>'least', "
		"value->>'most', value->>'together', value->>'prepare', value->>'bytes', "
		"value->>'ratio' "
		"FROM json_each(?1, '$.peers')");

	results->items = calloc(PEERS_MAX, sizeof(*results->items));
	if (status == STATUS_OK && !results->items)
		status = message_out_of_memory(message);
	if (status == STATUS_OK)
		sqlite3_bind_text(statement, 1, text, (int)length, SQLITE_STATIC);
	while (status == STATUS_OK && results->count < PEERS_MAX) {
		status = database_step(statement, &row, message);
		if (status != STATUS_OK || !row)
			break;
		status = peer_take(statement, &results->items[results->count++], message);
	}
	sqlite3_finalize(statement);
	return status;
}

static enum status head_take(sqlite3 *database, const char *text, size_t length,
			     struct peer_results *results, struct message *message)
{
	sqlite3_stmt *statement = NULL;
	int row = 0;
	enum status status = database_prepare(
		database, &statement, message,
		"SELECT ?1->>'machine', ?1->>'rows', ?1->>'questions', ?1->>'repeats'");

	if (status == STATUS_OK) {
		sqlite3_bind_text(statement, 1, text, (int)length, SQLITE_STATIC);
		status = database_step(statement, &row, message);
	}
	if (status == STATUS_OK && row) {
		status = column_copy(statement, 0, &results->machine, message);
		for (int i = 1; status == STATUS_OK && i <= 3; i++)
			if (sqlite3_column_int64(statement, i) < 1)
				status = message_set(message, STATUS_FAILED,
						     "no rows, questions or repeats in it");
		results->rows = (uint64_t)sqlite3_column_int64(statement, 1);
		results->questions = (uint64_t)sqlite3_column_int64(statement, 2);
		results->repeats = (uint64_t)sqlite3_column_int64(statement, 3);
	}
	sqlite3_finalize(statement);
	return status;
}

enum status peer_results_read(const char *path, struct peer_results *results,
			      struct message *message)
{
	char *text = NULL;
	size_t length;
	sqlite3 *database = NULL;
	struct message reason;
	enum status status;

	*results = (struct peer_results){0};
	status = file_read(path, &text, &length, message);
	if (status == STATUS_OK && sqlite3_open(":memory:", &database) != SQLITE_OK)
		status = message_out_of_memory(message);
	if (status == STATUS_OK) {
		status = head_take(database, text, length, results, &reason);
		if (status == STATUS_OK)
			status = peers_take(database, text, length, results, &reason);
		if (status == STATUS_OK && results->count == 0)
			status = message_set(&reason, STATUS_FAILED, "no peers in it");
		if (status != STATUS_OK)
			message_set(message, status,
				    "%s: %.500s; expected what peers.py --json "
				    "writes",
				    path, reason.text);
	}
	sqlite3_close(database);
	free(text);
	return status;
}

void peer_results_free(struct peer_results *results)
{
	for (size_t i = 0; i < results->count; i++) {
		free(results->items[i].name);
		free(results->items[i].absent);
	}
	free(results->items);
	free(results->machine);
	*results = (struct peer_results){0};
}
