/*
 * Triggers in the log that note which rows are deleted, updated or inserted
 * behind the last indexed one, so that a job reads these again and no others.
 * They are the only thing that connbits ever writes to a log beside the index
 * tables, and only where the user asked for it.
 *
 * They do not see: VACUUM of a table without INTEGER PRIMARY KEY, a dropped
 * and remade table, a writer that turns triggers off, and rows that REPLACE
 * removes for another unique column while recursive_triggers is off.
 */
#ifndef CONNBITS_TRACK_H
#define CONNBITS_TRACK_H

#include <stdint.h>

#include "layout.h"
#include "message.h"
#include "tracked.h"

/* Adds the triggers and the tables they need to the log at path; every note is forgotten. */
enum status track_install(const char *path, const struct layout *layout, struct message *message);

/* Removes the triggers and what they noted. */
enum status track_remove(const char *path, const struct layout *layout, struct message *message);

/*
 * Begins a job, before it looks at the log: notes of rounds before *round are
 * its own, whatever is noted from now on is for the next one. Writes nothing
 * where nothing was noted.
 */
enum status track_begin(const char *path, const struct layout *layout, int64_t *round,
			struct message *message);

/* From now on rows that are inserted up to row id `last` are noted. Writes only what is new. */
enum status track_advance(const char *path, const struct layout *layout, int64_t last,
			  struct message *message);

/* Has the log say that it fits the index which bears the same mark. */
enum status track_mark(const char *path, const struct layout *layout, const char *mark,
		       struct message *message);

/*
 * Ends a job that has dealt with every note of rounds before `round`: removes
 * them in short transactions. Writes nothing where there is none.
 */
enum status track_release(const char *path, const struct layout *layout, int64_t round,
			  struct message *message);

#endif
