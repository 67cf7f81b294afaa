/*
 * What the rows before this one had, by which connection_read_next is spared reading the same
 * words and hosts again. A row's answer never depends on it: a key is the whole text.
 */
#ifndef CONNBITS_PACKET_CONNECTION_MEMO_H
#define CONNBITS_PACKET_CONNECTION_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "address.h"
#include "reading.h"
#include "short_text.h"

enum {
	MEMO_WORD_BITS = 3,   /* of the number of words that are kept */
	MEMO_DOTTED_BITS = 4, /* of the number of IPv4 hosts at either end */
	MEMO_HOST_BITS = 8,   /* of the number of hosts */
	MEMO_HOST_TEXT = 40,  /* bytes of the longest one: an IPv6 address is 39 */
};

/* A text of 1 to 8 bytes. */
struct memo_word {
	uint64_t word;
	uint16_t value;
	uint8_t length;
};

struct memo_host {
	uint64_t words[2]; /* the text's first and last bytes, at most eight each */
	size_t length;	   /* 0 for none */
	struct address address;
	char text[MEMO_HOST_TEXT];
};

/* Dotted text of at most 15 bytes. */
struct memo_dotted {
	uint64_t words[2];
	size_t length; /* 0 for none */
	uint8_t bytes[4];
};

/* Which of a row's hosts: often one of them is one of a few, and the other any. */
enum memo_end { MEMO_FIRST, MEMO_SECOND, MEMO_ENDS };

struct memo_end_hosts {
	struct memo_dotted dotted[1 << MEMO_DOTTED_BITS];
	uint32_t missed; /* hosts lately that were not there, less those that were */
	uint32_t passed; /* hosts that were not looked up since */
};

/* Whether a host is worth looking up: not where most were in vain, but now and then. */
static inline bool memo_end_is_useful(struct memo_end_hosts *hosts)
{
	enum { MISSED_MAX = 64, PASSED = 1024 };

	if (hosts->missed < MISSED_MAX)
		return true;
	if (++hosts->passed < PASSED)
		return false;
	hosts->passed = 0;
	hosts->missed = MISSED_MAX / 2;
	return true;
}

static inline void memo_end_hit(struct memo_end_hosts *hosts)
{
	hosts->missed -= hosts->missed > 0;
}

static inline void memo_end_missed(struct memo_end_hosts *hosts)
{
	hosts->missed++;
}

/* All zeros at first. */
struct connection_memo {
	struct memo_end_hosts ends[MEMO_ENDS];
	struct memo_word directions[1 << MEMO_WORD_BITS];
	struct memo_word transports[1 << MEMO_WORD_BITS];
	struct memo_host hosts[1 << MEMO_HOST_BITS];
};

static inline size_t memo_place(uint64_t key, unsigned bits)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - bits));
}

/* Whether a field is what a memo_word may be of. */
static inline bool memo_word_fits(const struct field *field)
{
	return field->kind == FIELD_TEXT && field->length - 1 < 8;
}

/* Where the value of a text that fits is kept, or is to be. *known says which. */
static inline struct memo_word *memo_word_find(struct memo_word *words, const struct field *field,
					       uint64_t key, bool *known)
{
	struct memo_word *word = &words[memo_place(key, MEMO_WORD_BITS)];

	*known = word->word == key && word->length == field->length;
	return word;
}

static inline void memo_word_keep(struct memo_word *word, const struct field *field, uint64_t key,
				  uint16_t value)
{
	word->word = key;
	word->length = (uint8_t)field->length;
	word->value = value;
}

static inline void memo_host_words(const struct field *field, uint64_t words[static 2])
{
	if (field->length <= 16) {
		short_text_words(field->text, field->length, words);
		return;
	}
	words[0] = short_text_word(field->text, 8);
	words[1] = short_text_word(field->text + field->length - 8, 8);
}

/* Where a text's address is kept, or is to be; NULL for what is too long, or empty. */
static inline struct memo_host *memo_host_find(struct connection_memo *memo,
					       const struct field *field)
{
	uint64_t words[2];

	if (field->length == 0 || field->length > MEMO_HOST_TEXT)
		return NULL;
	memo_host_words(field, words);
	return &memo->hosts[memo_place(words[0] ^ words[1] * 31 ^ field->length, MEMO_HOST_BITS)];
}

static inline bool memo_host_is(const struct memo_host *host, const struct field *field)
{
	uint64_t words[2];

	if (host->length != field->length)
		return false;
	memo_host_words(field, words);
	if (host->words[0] != words[0] || host->words[1] != words[1])
		return false;
	return field->length <= 16 || memcmp(host->text, field->text, field->length) == 0;
}

static inline void memo_host_keep(struct memo_host *host, const struct field *field,
				  const struct address *address)
{
	host->length = field->length;
	memo_host_words(field, host->words);
	if (field->length > 16)
		memcpy(host->text, field->text, field->length);
	host->address = *address;
}

#endif
