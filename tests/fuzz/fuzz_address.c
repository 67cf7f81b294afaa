/* Any text as an address: ours and inet_pton agree on whether and which. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "packet/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t ours[16];
	uint8_t theirs[16];
	struct address address;
	char *text = malloc(size + 1);
	bool parsed;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	address_parse(text, size, &address);
	if (strlen(text) == size) {
		parsed = address_parse_ipv4(text, size, ours);
		if (parsed != (inet_pton(AF_INET, text, theirs) == 1) ||
		    (parsed && memcmp(ours, theirs, 4) != 0))
			abort();
		parsed = address_parse_ipv6(text, size, ours);
		if (parsed != (inet_pton(AF_INET6, text, theirs) == 1) ||
		    (parsed && memcmp(ours, theirs, 16) != 0))
			abort();
	}
	free(text);
	return 0;
}
