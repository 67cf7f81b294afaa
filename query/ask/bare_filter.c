#include "bare_filter.h"

#include <string.h>

#include "filter/host_name_guard.h"
#include "filter/program.h"

/* What people type; longer texts take longer to compile than advice is worth. */
enum { BARE_FILTER_MAX = 512 };

bool bare_filter_tell(const char *text, struct message *message)
{
	struct message ignored;
	struct program program;
	const size_t length = strlen(text);
	bool compiles;

	/* Libpcap takes an empty filter, and one of blanks, for every packet. */
	if (length > BARE_FILTER_MAX || strspn(text, " \t\r\n") == length ||
	    host_name_guard_check(text, &ignored) != STATUS_OK)
		return false;
	compiles = program_compile(text, &program, &ignored) == STATUS_OK;
	program_free(&program);
	if (compiles)
		message_set(message, STATUS_USAGE, "this reads as a pcap filter: write '{%s}'",
			    text);
	return compiles;
}
