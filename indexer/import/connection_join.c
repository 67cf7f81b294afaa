#include "connection_join.h"

#include <stdlib.h>
#include <string.h>

#include "packet/protocol.h"

enum {
	BUCKETS = JOIN_CONNECTIONS * 2,
	GROWN_FIRST = 1024,
	NO_PLACE = -1,
	ENDED_A_PACKET = 4,
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_ACK = 16,
};

/* What packets of one connection have in common: the lower end first, whoever sent. */
struct join_key {
	uint8_t ends[2][18]; /* address and port */
	uint8_t protocol;
	uint8_t is_ipv6;
};

struct join_entry {
	struct join_key key;
	struct joined_connection connection;
	int32_t next;  /* of its bucket, or the next free one */
	int32_t newer; /* by the last packet */
	int32_t older;
};

struct connection_join {
	int64_t idle;
	joined_taker take;
	void *context;
	int32_t *buckets;
	struct join_entry *entries;
	int32_t capacity;
	int32_t unused; /* the first free entry, linked by next */
	int32_t newest;
	int32_t oldest;
	uint64_t seed;
};

static void end_write(uint8_t end[18], const uint8_t address[16], uint16_t port)
{
	memcpy(end, address, 16);
	end[16] = (uint8_t)(port >> 8);
	end[17] = (uint8_t)port;
}

static struct join_key key_of(const struct dissected_packet *packet)
{
	struct join_key key = {.protocol = packet->protocol, .is_ipv6 = packet->is_ipv6};
	uint8_t source[18];
	uint8_t destination[18];
	bool turned;

	end_write(source, packet->source,
		  packet->is_icmp ? (uint16_t)(packet->icmp_type << 8 | packet->icmp_code)
				  : packet->source_port);
	end_write(destination, packet->destination, packet->destination_port);
	turned = !packet->is_icmp && memcmp(source, destination, sizeof(source)) > 0;
	memcpy(key.ends[turned], source, sizeof(source));
	memcpy(key.ends[!turned], destination, sizeof(destination));
	return key;
}

/* A capture's author cannot know the seed, and so not choose what shares a bucket. */
static uint32_t bucket_of(const struct connection_join *join, const struct join_key *key)
{
	const uint8_t *bytes = (const uint8_t *)key;
	uint64_t hash = join->seed;

	for (size_t i = 0; i < sizeof(*key); i++) {
		hash = (hash ^ bytes[i]) * 0x9e3779b97f4a7c15U;
		hash ^= hash >> 29;
	}
	return (uint32_t)(hash >> 32) % BUCKETS;
}

static void list_remove(struct connection_join *join, int32_t place)
{
	const struct join_entry *entry = &join->entries[place];

	if (entry->newer == NO_PLACE)
		join->newest = entry->older;
	else
		join->entries[entry->newer].older = entry->older;
	if (entry->older == NO_PLACE)
		join->oldest = entry->newer;
	else
		join->entries[entry->older].newer = entry->newer;
}

static void list_add(struct connection_join *join, int32_t place)
{
	struct join_entry *entry = &join->entries[place];

	entry->newer = NO_PLACE;
	entry->older = join->newest;
	if (join->newest == NO_PLACE)
		join->oldest = place;
	else
		join->entries[join->newest].newer = place;
	join->newest = place;
}

/* Ends a connection, and gives its entry back. */
static enum status entry_end(struct connection_join *join, int32_t place, struct message *message)
{
	struct join_entry *entry = &join->entries[place];
	int32_t *link = &join->buckets[bucket_of(join, &entry->key)];

	while (*link != place)
		link = &join->entries[*link].next;
	*link = entry->next;
	list_remove(join, place);
	entry->next = join->unused;
	join->unused = place;
	return join->take(join->context, &entry->connection, message);
}

static enum status entries_grow(struct connection_join *join, struct message *message)
{
	const int32_t capacity = join->capacity ? join->capacity * 2 : GROWN_FIRST;
	struct join_entry *larger =
		realloc(join->entries, (size_t)capacity * sizeof(*join->entries));

	if (!larger)
		return message_out_of_memory(message);
	join->entries = larger;
	for (int32_t place = capacity - 1; place >= join->capacity; place--) {
		larger[place].next = join->unused;
		join->unused = place;
	}
	join->capacity = capacity;
	return STATUS_OK;
}

static int32_t entry_find(const struct connection_join *join, const struct join_key *key)
{
	int32_t place = join->buckets[bucket_of(join, key)];

	while (place != NO_PLACE && memcmp(&join->entries[place].key, key, sizeof(*key)) != 0)
		place = join->entries[place].next;
	return place;
}

/* The one whom a SYN-ACK answers has begun. */
static void packet_turn(struct dissected_packet *packet)
{
	struct dissected_packet turned = *packet;

	memcpy(turned.source, packet->destination, sizeof(turned.source));
	memcpy(turned.destination, packet->source, sizeof(turned.destination));
	turned.source_port = packet->destination_port;
	turned.destination_port = packet->source_port;
	*packet = turned;
}

static enum status entry_begin(struct connection_join *join, const struct join_key *key,
			       const struct dissected_packet *packet, int64_t time, int32_t *place,
			       struct message *message)
{
	struct join_entry *entry;
	int32_t *bucket;
	enum status status = STATUS_OK;

	if (join->unused == NO_PLACE)
		status = join->capacity < JOIN_CONNECTIONS ? entries_grow(join, message)
							   : entry_end(join, join->oldest, message);
	if (status != STATUS_OK)
		return status;
	*place = join->unused;
	entry = &join->entries[*place];
	join->unused = entry->next;
	bucket = &join->buckets[bucket_of(join, key)];
	*entry = (struct join_entry){
		.key = *key,
		.connection = {.first = *packet, .first_time = time, .last_time = time},
		.next = *bucket};
	*bucket = *place;
	if (packet->has_flags && (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
		packet_turn(&entry->connection.first);
	list_add(join, *place);
	return STATUS_OK;
}

/* Whether a packet begins a connection where one of the same ends was closed. */
static bool begins_anew(const struct joined_connection *connection,
			const struct dissected_packet *packet)
{
	return packet->has_flags && (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	       (connection->tcp_flags & (TCP_FIN | TCP_RST)) != 0;
}

static bool has_ended(const struct connection_join *join, int32_t place, int64_t time)
{
	return time - join->entries[place].connection.last_time > join->idle;
}

static void packet_count(struct joined_connection *connection,
			 const struct dissected_packet *packet, int64_t time)
{
	const bool forth = memcmp(packet->source, connection->first.source, 16) == 0 &&
			   packet->source_port == connection->first.source_port;

	if (forth) {
		connection->packets++;
		connection->bytes += packet->length;
	} else {
		connection->answer_packets++;
		connection->answer_bytes += packet->length;
	}
	if (packet->has_flags) {
		connection->tcp_flags |= packet->tcp_flags;
		connection->first.has_flags = true;
	}
	if (time > connection->last_time)
		connection->last_time = time;
}

enum status connection_join_packet(struct connection_join *join,
				   const struct dissected_packet *packet, int64_t time,
				   struct message *message)
{
	const struct join_key key = key_of(packet);
	enum status status = STATUS_OK;
	int32_t place;

	/* A few for each packet: all at once could be more than a batch should hold. */
	for (int i = 0; status == STATUS_OK && i < ENDED_A_PACKET && join->oldest != NO_PLACE &&
			has_ended(join, join->oldest, time);
	     i++)
		status = entry_end(join, join->oldest, message);
	place = entry_find(join, &key);
	if (status == STATUS_OK && place != NO_PLACE &&
	    (has_ended(join, place, time) ||
	     begins_anew(&join->entries[place].connection, packet))) {
		status = entry_end(join, place, message);
		place = NO_PLACE;
	}
	if (status == STATUS_OK && place == NO_PLACE) {
		status = entry_begin(join, &key, packet, time, &place, message);
	} else if (status == STATUS_OK) {
		list_remove(join, place);
		list_add(join, place);
	}
	if (status == STATUS_OK)
		packet_count(&join->entries[place].connection, packet, time);
	return status;
}

enum status connection_join_end(struct connection_join *join, size_t most, bool *more,
				struct message *message)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < most && join->oldest != NO_PLACE; i++)
		status = entry_end(join, join->oldest, message);
	*more = join->oldest != NO_PLACE;
	return status;
}

enum status connection_join_new(int64_t idle, joined_taker take, void *context,
				struct connection_join **join, struct message *message)
{
	struct connection_join *made = calloc(1, sizeof(*made));

	*join = NULL;
	if (!made)
		return message_out_of_memory(message);
	made->buckets = malloc(BUCKETS * sizeof(*made->buckets));
	if (!made->buckets) {
		free(made);
		return message_out_of_memory(message);
	}
	memset(made->buckets, 0xff, BUCKETS * sizeof(*made->buckets));
	made->idle = idle;
	made->take = take;
	made->context = context;
	made->unused = NO_PLACE;
	made->newest = NO_PLACE;
	made->oldest = NO_PLACE;
	made->seed = (uint64_t)(uintptr_t)made ^
		     (uint64_t)(uintptr_t)made->buckets * 0x9e3779b97f4a7c15U;
	*join = made;
	return STATUS_OK;
}

void connection_join_free(struct connection_join *join)
{
	if (!join)
		return;
	free(join->buckets);
	free(join->entries);
	free(join);
}
