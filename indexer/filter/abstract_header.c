#include "abstract_header.h"

#include "packet/connection.h"
#include "packet/header.h"
#include "packet/header_column.h"
#include "packet/protocol.h"

static const struct abstract_byte byte_held = {0};
static const struct abstract_byte byte_unheld = {.unheld = 0xff};

static struct abstract_byte byte_known(uint8_t value)
{
	return (struct abstract_byte){.known = 0xff, .value = value};
}

static struct abstract_byte protocol_byte(const struct abstract_class *class)
{
	return class->other ? byte_held : byte_known(class->protocol);
}

/* Behind the IP header: ports, type and code, or nothing, so that a load rejects. */
static struct abstract_byte transport_byte(const struct abstract_class *class, uint32_t offset)
{
	static const struct header_gaps none = {0};
	const struct header_gaps *gaps = class->gaps ? class->gaps : &none;

	if (class->other)
		return byte_held;
	if (protocol_is_icmp(class->protocol))
		return offset < 2 && !gaps->icmp ? byte_held : byte_unheld;
	if (offset < 2)
		return gaps->source_port ? byte_unheld : byte_held;
	return offset < 4 && !gaps->destination_port ? byte_held : byte_unheld;
}

static struct abstract_byte ipv4_byte(const struct abstract_class *class, uint32_t offset)
{
	switch (offset) {
	case 0:
		return byte_known(0x45);
	case 6: /* reserved bit and "don't fragment"; then no more fragments, at offset 0 */
		return (struct abstract_byte){.known = 0x3f, .unheld = 0xc0};
	case 7:
		return byte_known(0);
	case 9:
		return protocol_byte(class);
	default:
		if (offset >= 20)
			return transport_byte(class, offset - 20);
		return offset >= 12 ? byte_held : byte_unheld;
	}
}

static struct abstract_byte ipv6_byte(const struct abstract_class *class, uint32_t offset)
{
	switch (offset) {
	case 0:
		return (struct abstract_byte){.known = 0xf0, .value = 0x60, .unheld = 0x0f};
	case 6:
		return protocol_byte(class);
	default:
		if (offset >= 40)
			return transport_byte(class, offset - 40);
		return offset >= 8 ? byte_held : byte_unheld;
	}
}

/* As header_build fills it in; the checksum is a function of several columns. */
static struct abstract_byte exact_byte(const struct abstract_class *class, uint32_t offset)
{
	unsigned shift;
	const enum column column = column_at(class->version, offset, &shift);

	if (class->version == 4 && (offset == 10 || offset == 11))
		return byte_unheld;
	if (column == COLUMN_COUNT || (column == COLUMN_SHAPE && !class->other))
		return byte_known(class->header[offset]);
	return byte_held;
}

struct abstract_byte abstract_header_byte(const struct abstract_class *class, uint32_t offset)
{
	if (class->exact)
		return exact_byte(class, offset);
	return class->version == 4 ? ipv4_byte(class, offset) : ipv6_byte(class, offset);
}

static struct abstract_class class_of(const struct connection *connection)
{
	struct abstract_class class = {
		.version = connection->version, .protocol = connection->protocol, .exact = true};

	class.captured = (uint32_t)header_build(connection, class.header);
	class.wire = header_wire_length(class.header);
	return class;
}

struct abstract_class abstract_class_exact(uint8_t version, uint8_t protocol, bool has_icmp)
{
	const struct connection connection = {
		.version = version, .protocol = protocol, .has_icmp = has_icmp};

	return class_of(&connection);
}

struct abstract_class abstract_class_exact_other(uint8_t version)
{
	const struct connection connection = {.version = version, .protocol = UINT8_MAX};
	struct abstract_class class = class_of(&connection);

	class.other = true;
	return class;
}
