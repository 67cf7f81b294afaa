/*
 * The index that questions are asked to: found among the databases of a
 * connection, held against its log, and read as of one commit.
 */
#ifndef CONNBITS_ASK_ANSWER_INDEX_H
#define CONNBITS_ASK_ANSWER_INDEX_H

#include <stdbool.h>

#include "base/message.h"
#include "database/sqlite.h"
#include "index/index_reader.h"

/*
 * An index, found among the databases of a connection. As long as it is held,
 * everything read from it is of one commit.
 */
struct answer_index {
	char *database_name; /* "main" or the name it is attached under */
	struct index_source source;
	bool several;		/* it has more tables than this one */
	sqlite3_stmt *snapshot; /* a read that stays open; NULL after answer_index_rest */
};

/*
 * Finds and holds the index in the attached database `wanted`, or where that is NULL in
 * the first one that has an index; of the table, or where that is NULL of the one it has. Where the
 * log's table can be seen too, in the same file or in main, an index that no longer fits it is
 * refused. On success the caller frees with answer_index_free.
 */
enum status answer_index_find(sqlite3 *database, const char *wanted, const char *table,
			      struct answer_index *index, struct message *message);

/* Lets go of the commit that is held; what was found stays. */
void answer_index_rest(struct answer_index *index);

/*
 * Holds an index again that was found before. *same is false, and nothing is
 * held, where another one has taken its place.
 */
enum status answer_index_resume(sqlite3 *database, struct answer_index *index, bool *same,
				struct message *message);

void answer_index_free(struct answer_index *index);

#endif
