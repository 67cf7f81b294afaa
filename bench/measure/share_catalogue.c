#include "share_catalogue.h"

#include <stdio.h>
#include <string.h>

#include "subject.h"

enum { FILTER_BYTES_MAX = 96 };

/* Where a header of this version has its protocol and its ports, and which protocols have any. */
static void segment_count(const struct packed_headers *headers, size_t protocol_at, size_t ports_at,
			  struct port_counts *counts)
{
	for (size_t row = 0; row < headers->rows; row++) {
		const uint8_t *header = headers->bytes + row * headers->stride;
		const uint8_t protocol = header[protocol_at];

		if (headers->captured[row] < ports_at + 4 ||
		    (protocol != 6 && protocol != 17 && protocol != 132))
			continue;
		counts->rows[header[ports_at] << 8 | header[ports_at + 1]]++;
		counts->total++;
	}
}

enum status port_counts_read(const char *log_path, struct port_counts *counts,
			     struct message *message)
{
	struct catalogue catalogue;
	struct subject subject = {0};
	enum status status = subject_catalogue(NULL, 1, &catalogue, message);

	*counts = (struct port_counts){0};
	if (status == STATUS_OK)
		status = subject_open(log_path, &catalogue, "a filter", ENGINE_BPF, &subject,
				      message);
	for (size_t i = 0; status == STATUS_OK && i < subject.stages.segment_count; i++) {
		const struct segment *segment = subject.stages.segments[i];

		segment_count(&segment->headers[SEGMENT_IPV4], 9, 20, counts);
		segment_count(&segment->headers[SEGMENT_IPV6], 6, 40, counts);
	}
	subject_free(&subject);
	catalogue_free(&catalogue);
	return status;
}

/* The first port up to which there are at least so many rows. */
static unsigned port_at(const struct port_counts *counts, double rows)
{
	uint64_t sum = 0;

	for (unsigned port = 0; port < PORTS; port++) {
		sum += counts->rows[port];
		if ((double)sum > rows)
			return port;
	}
	return PORTS - 1;
}

enum status share_catalogue(const struct port_counts *counts, double share,
			    struct catalogue *catalogue, struct message *message)
{
	const double total = (double)counts->total;
	char text[SHARE_FILTERS * FILTER_BYTES_MAX];
	struct diagnostics diagnostics = {0};
	size_t length = 0;
	enum status status;

	for (int i = 0; i < SHARE_FILTERS; i++) {
		const double begin = total * (1 - share) * i / SHARE_FILTERS;

		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "[filter share-%d]\nexpression = src portrange %u-%u\n",
					   i, port_at(counts, begin),
					   port_at(counts, begin + total * share));
	}
	status = catalogue_parse(NULL, text, length, catalogue, &diagnostics, message);
	diagnostics_free(&diagnostics);
	return status;
}
