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
#ifndef CONNBITS_LOG_NOTES_WRITER_H
#define CONNBITS_LOG_NOTES_WRITER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/message.h"
#include "layout.h"
#include "notes_reader.h"

/*
 * All of them keep their transactions short, whatever the number of notes, and
 * where stop is given end with STATUS_FAILED between two of them once it is not 0.
 */

/* Adds the triggers and the tables they need to the log at path; every note is forgotten. */
enum status notes_install(const char *path, const struct layout *layout,
			  const volatile sig_atomic_t *stop, struct message *message);

/* Removes the triggers and what they noted. */
enum status notes_remove(const char *path, const struct layout *layout,
			 const volatile sig_atomic_t *stop, struct message *message);

/*
 * Begins a job, before it looks at the log: notes of rounds before *round are
 * its own, whatever is noted from now on is for the next one. Writes nothing
 * where nothing was noted.
 */
enum status notes_begin(const char *path, const struct layout *layout, int64_t *round,
			struct message *message);

/*
 * From now on rows that are inserted up to row id `last` are noted. Where more
 * are noted already it stays so, unless `lower` says that no index goes beyond
 * last any more, or the log has no mark yet. Writes only what is new.
 */
enum status notes_advance(const char *path, const struct layout *layout, int64_t last, bool lower,
			  struct message *message);

/*
 * Has a log that bears the mark `old` say that it fits the index which bears
 * the mark `mark`. *marked is false, and nothing has changed, where it bears
 * another one: the notes have gone to somebody else.
 */
enum status notes_mark(const char *path, const struct layout *layout, const char *old,
		       const char *mark, bool *marked, struct message *message);

/*
 * Ends a job that has dealt with every note of rounds before `round`: removes
 * them. Writes nothing where there is none.
 */
enum status notes_release(const char *path, const struct layout *layout, int64_t round,
			  const volatile sig_atomic_t *stop, struct message *message);

#endif
