#include "segment_packing.h"

#include <stdlib.h>
#include <string.h>

#include "base/byte_reader.h"
#include "base/little_endian.h"
#include "base/rowid.h"
#include "bitmap/roaring_format.h"
#include "bitmap/segment_bits.h"
#include "header.h"
#include "protocol.h"

enum {
	COUNT_SIZE = 4,
	CONTAINER_HEAD_SIZE = 3, /* is it runs, and its size */
	PROTOCOLS = 256,
};

/* How the headers of each version are taken apart. */
static const struct shape {
	unsigned version;
	size_t fixed; /* bytes of the IP header */
	size_t body;
	size_t body_size;
	size_t protocol;
} shapes[SEGMENT_VERSIONS] = {
	[SEGMENT_IPV4] = {4, 20, HEADER_IPV4_BODY, HEADER_IPV4_BODY_SIZE, 9},
	[SEGMENT_IPV6] = {6, 40, HEADER_IPV6_BODY, HEADER_IPV6_BODY_SIZE, 6},
};

static size_t packed_size_max(const struct segment *segment)
{
	size_t size = 0;

	for (size_t i = 0; i < SEGMENT_VERSIONS; i++)
		size += COUNT_SIZE + CONTAINER_HEAD_SIZE + CONTAINER_BYTES_MAX +
			segment->headers[i].rows * (1 + shapes[i].body_size);
	return size;
}

static uint8_t *row_ids_encode(const struct packed_headers *headers, const struct kernels *kernels,
			       struct segment_bits *bits, uint8_t *out)
{
	struct container container;

	segment_bits_clear(bits);
	for (size_t row = 0; row < headers->rows; row++)
		segment_bits_add(bits, headers->low[row]);
	container_encode(0, bits, kernels, out + CONTAINER_HEAD_SIZE, &container);
	out[0] = container.is_run;
	write_little_endian_16(out + 1, container.size);
	return out + CONTAINER_HEAD_SIZE + container.size;
}

static uint8_t *headers_encode(const struct packed_headers *headers, const struct shape *shape,
			       uint8_t *out)
{
	for (size_t row = 0; row < headers->rows; row++)
		*out++ = headers->bytes[row * headers->stride + shape->protocol];
	for (size_t row = 0; row < headers->rows; row++) {
		memcpy(out, headers->bytes + row * headers->stride + shape->body, shape->body_size);
		if (headers->captured[row] == shape->fixed + 2)
			out[shape->body_size - 2] = 1;
		out += shape->body_size;
	}
	return out;
}

enum status segment_packing_encode(const struct segment *segment, const struct kernels *kernels,
				   uint8_t **bytes, size_t *size, struct message *message)
{
	struct segment_bits *bits = malloc(sizeof(*bits));
	uint8_t *packed = malloc(packed_size_max(segment));
	uint8_t *next = packed;

	*bytes = NULL;
	if (!bits || !packed) {
		free(bits);
		free(packed);
		return message_out_of_memory(message);
	}
	for (size_t i = 0; i < SEGMENT_VERSIONS; i++) {
		const struct packed_headers *headers = &segment->headers[i];

		write_little_endian_32(next, (uint32_t)headers->rows);
		next += COUNT_SIZE;
		if (headers->rows == 0)
			continue;
		next = row_ids_encode(headers, kernels, bits, next);
		next = headers_encode(headers, &shapes[i], next);
	}
	free(bits);
	*size = (size_t)(next - packed);
	/* What was taken for the largest container is given back. */
	*bytes = realloc(packed, *size);
	if (!*bytes)
		*bytes = packed;
	return STATUS_OK;
}

static enum status truncated(struct message *message)
{
	return message_set(message, STATUS_FAILED, "damaged headers: they end too early");
}

static enum status row_ids_decode(struct byte_reader *input, struct packed_headers *headers,
				  struct message *message)
{
	const uint8_t *head = byte_reader_take(input, CONTAINER_HEAD_SIZE);
	struct container container = {.cardinality = (uint32_t)headers->rows};

	if (!head)
		return truncated(message);
	container.is_run = head[0] & 1;
	container.size = read_little_endian_16(head + 1);
	container.bytes = byte_reader_take(input, container.size);
	if (!container.bytes)
		return truncated(message);
	return container_decode(&container, headers->low, message);
}

/* The templates of the protocols met so far: nearly all headers are of two or three. */
struct templates {
	bool made[PROTOCOLS];
	bool is_icmp[PROTOCOLS];
	struct header_template templates[PROTOCOLS];
};

static const struct header_template *template_of(struct templates *templates, unsigned version,
						 uint8_t protocol)
{
	struct header_template *header = &templates->templates[protocol];

	if (!templates->made[protocol]) {
		header_template_make(version, protocol, false, header);
		templates->is_icmp[protocol] = protocol_is_icmp(protocol);
		templates->made[protocol] = true;
	}
	return header;
}

static void headers_decode(const uint8_t *protocols, const uint8_t *bodies,
			   const struct shape *shape, struct packed_headers *headers)
{
	const size_t ports = shape->body_size - 4;
	struct templates templates = {0};

	for (size_t row = 0; row < headers->rows; row++) {
		const uint8_t *body = bodies + row * shape->body_size;
		const struct header_template *header =
			template_of(&templates, shape->version, protocols[row]);
		uint8_t *out = headers->bytes + row * headers->stride;

		if (shape->version == 4)
			header_fill_ipv4(header, body, out);
		else
			header_fill_ipv6(header, body, out);
		headers->captured[row] = (uint8_t)(shape->fixed + header->behind);
		if (templates.is_icmp[protocols[row]] && body[ports + 2]) {
			memcpy(out + shape->fixed, body + ports, 2);
			headers->captured[row] = (uint8_t)(shape->fixed + 2);
		}
	}
}

static enum status version_decode(struct byte_reader *input, const struct shape *shape,
				  struct packed_headers *headers, struct message *message)
{
	const uint8_t *count = byte_reader_take(input, COUNT_SIZE);
	const uint8_t *protocols;
	const uint8_t *bodies;
	enum status status;

	headers->rows = 0;
	if (!count)
		return truncated(message);
	if (read_little_endian_32(count) > SEGMENT_ROWS)
		return message_set(message, STATUS_FAILED,
				   "damaged headers: %u of them, where 65536 are the most",
				   read_little_endian_32(count));
	headers->rows = read_little_endian_32(count);
	if (headers->rows == 0)
		return STATUS_OK;
	status = row_ids_decode(input, headers, message);
	if (status != STATUS_OK)
		return status;
	protocols = byte_reader_take(input, headers->rows);
	bodies = byte_reader_take(input, headers->rows * shape->body_size);
	if (!protocols || !bodies)
		return truncated(message);
	headers_decode(protocols, bodies, shape, headers);
	return STATUS_OK;
}

/* A row has one header: no row id may stand in both versions. */
static bool row_ids_differ(const struct packed_headers *a, const struct packed_headers *b)
{
	const struct packed_headers *fewer = a->rows < b->rows ? a : b;
	const struct packed_headers *more = fewer == a ? b : a;
	uint64_t words[SEGMENT_WORDS] = {0};
	uint64_t both = 0;

	if (fewer->rows == 0)
		return true;
	for (size_t i = 0; i < fewer->rows; i++)
		words[fewer->low[i] / 64] |= UINT64_C(1) << (fewer->low[i] % 64);
	/* Nothing to be predicted: rows of both versions alternate as they like. */
	for (size_t i = 0; i < more->rows; i++)
		both |= words[more->low[i] / 64] >> (more->low[i] % 64);
	return !(both & 1);
}

enum status segment_packing_decode(const uint8_t *bytes, size_t size, int64_t number,
				   struct segment *segment, struct message *message)
{
	struct byte_reader input = byte_reader_of(bytes, size);
	enum status status = STATUS_OK;

	segment_reset(segment, number);
	for (size_t i = 0; status == STATUS_OK && i < SEGMENT_VERSIONS; i++) {
		status = version_decode(&input, &shapes[i], &segment->headers[i], message);
		segment->outcomes[OUTCOME_HEADER] += segment->headers[i].rows;
	}
	if (status == STATUS_OK && input.left)
		return message_set(message, STATUS_FAILED,
				   "damaged headers: %zu bytes behind their end", input.left);
	if (status == STATUS_OK &&
	    !row_ids_differ(&segment->headers[SEGMENT_IPV4], &segment->headers[SEGMENT_IPV6]))
		return message_set(message, STATUS_FAILED, "damaged headers: one row id has two");
	return status;
}
