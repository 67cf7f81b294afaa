#include "evaluate.h"

#include <string.h>

#include "header.h"

static const char *const engine_names[] = {[ENGINE_BPF] = "bpf"};

bool engine_find(const char *name, enum engine *engine)
{
	for (size_t i = 0; i < sizeof(engine_names) / sizeof(*engine_names); i++) {
		if (strcmp(engine_names[i], name) == 0) {
			*engine = (enum engine)i;
			return true;
		}
	}
	return false;
}

const char *engine_name(enum engine engine)
{
	return engine_names[engine];
}

static size_t evaluate_bpf(const struct program *program, const struct packed_headers *headers,
			   uint64_t words[static SEGMENT_WORDS])
{
	size_t count = 0;

	for (size_t row = 0; row < headers->rows; row++) {
		const uint8_t *header = headers->bytes + row * headers->stride;
		uint64_t matches = program_matches(program, header, header_wire_length(header),
						   headers->captured[row]);

		words[headers->low[row] / 64] |= matches << (headers->low[row] % 64);
		count += matches;
	}
	return count;
}

size_t evaluate(enum engine engine, const struct program *program, const struct segment *segment,
		uint64_t words[static SEGMENT_WORDS])
{
	size_t count = 0;

	for (size_t i = 0; i < SEGMENT_VERSIONS; i++) {
		switch (engine) {
		case ENGINE_BPF:
			count += evaluate_bpf(program, &segment->headers[i], words);
			break;
		}
	}
	return count;
}
