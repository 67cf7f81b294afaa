/* What somebody may have meant who misspelt the name of a filter. */
#ifndef CONNBITS_ASK_SUGGESTION_H
#define CONNBITS_ASK_SUGGESTION_H

#include "answer_index.h"
#include "database/sqlite.h"

/* The name of the filter nearest to `name`, which the caller frees; NULL where none is near. */
char *suggestion_find(sqlite3 *database, const struct answer_index *index, const char *name);

#endif
