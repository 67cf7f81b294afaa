#include "generate_catalogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILTER_BYTES_MAX = 256 };

/* Parts of filters, different for different numbers as long as their range lasts. */
struct parts {
	unsigned port;
	unsigned host[4];
	unsigned prefix;
};

static struct parts parts_of(uint64_t number)
{
	const uint64_t mixed = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return (struct parts){
		.port = (unsigned)(mixed >> 48),
		.host = {1 + (unsigned)(mixed >> 40) % 223, (unsigned)(mixed >> 32) & 255,
			 (unsigned)(mixed >> 24) & 255, (unsigned)(mixed >> 16) & 255},
		.prefix = 8 * (1 + (unsigned)(mixed >> 8) % 3),
	};
}

static int network_print(const struct parts *parts, char *out, size_t size)
{
	return snprintf(out, size, "net %u.%u.%u.0/%u", parts->host[0],
			parts->prefix > 8 ? parts->host[1] : 0,
			parts->prefix > 16 ? parts->host[2] : 0, parts->prefix);
}

static int expression_print(uint64_t number, char *out, size_t size)
{
	const struct parts parts = parts_of(number);
	char network[64];

	network_print(&parts, network, sizeof(network));
	switch (number % 8) {
	case 0:
		return snprintf(out, size, "tcp dst port %u", parts.port);
	case 1:
		return snprintf(out, size, "host %u.%u.%u.%u", parts.host[0], parts.host[1],
				parts.host[2], parts.host[3]);
	case 2:
		return snprintf(out, size, "src %s", network);
	case 3:
		return snprintf(out, size, "udp port %u", parts.port);
	case 4:
		return snprintf(out, size, "dst %s and tcp dst portrange %u-%u", network,
				parts.port / 2, parts.port / 2 + parts.host[1]);
	case 5:
		return snprintf(out, size, "src net 2001:db8:%x::/48", parts.port);
	case 6:
		return snprintf(out, size, "tcp dst port %u and not src %s", parts.port, network);
	default:
		return snprintf(out, size, "%s and (tcp port %u or udp port %u)", network,
				parts.port, parts.host[0]);
	}
}

enum status generate_catalogue(uint64_t filters, struct catalogue *catalogue,
			       struct message *message)
{
	char *text = malloc((size_t)filters * FILTER_BYTES_MAX + 1);
	struct diagnostics diagnostics = {0};
	size_t length = 0;
	enum status status;

	*catalogue = (struct catalogue){0};
	if (!text)
		return message_out_of_memory(message);
	for (uint64_t i = 0; i < filters; i++) {
		char expression[FILTER_BYTES_MAX / 2];

		expression_print(i, expression, sizeof(expression));
		length +=
			(size_t)snprintf(text + length, FILTER_BYTES_MAX,
					 "[filter f%" PRIu64 "]\nexpression = %s\n", i, expression);
	}
	status = catalogue_parse(NULL, text, length, catalogue, &diagnostics, message);
	diagnostics_free(&diagnostics);
	free(text);
	return status;
}
