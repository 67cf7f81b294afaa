/* Any bytes as a catalogue: the parser ends, and every filter it gives has a text. Or as another
 * file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/catalogue.h"
#include "database/file_kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalogue catalogue;
	struct diagnostics diagnostics = {0};
	struct message message;

	file_kind_find((const char *)data, size);
	if (catalogue_parse(NULL, (const char *)data, size, &catalogue, &diagnostics, &message) ==
	    STATUS_OK) {
		for (size_t i = 0; i < catalogue.count; i++)
			if (strlen(catalogue.filters[i].expression) > CATALOGUE_VALUE_MAX ||
			    !catalogue.filters[i].description)
				abort();
		diagnostics_sort(&diagnostics);
	}
	catalogue_free(&catalogue);
	diagnostics_free(&diagnostics);
	return 0;
}
