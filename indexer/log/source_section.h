/*
 * The keys of a catalogue's [source] section: which one means which column.
 */
#ifndef CONNBITS_LOG_SOURCE_SECTION_H
#define CONNBITS_LOG_SOURCE_SECTION_H

#include "catalogue/catalogue.h"

/*
 * Takes the value of one key, which it then owns. An unknown key, a second
 * value for a column and an empty value go to diagnostics.
 */
void catalogue_source_set(struct catalogue_source *source, const char *key, char *value,
			  size_t line, struct diagnostics *diagnostics);

/* Holds the finished section against its rules; what is wrong goes to diagnostics. */
void catalogue_source_finish(struct catalogue_source *source, struct diagnostics *diagnostics);

void catalogue_source_free(struct catalogue_source *source);

#endif
