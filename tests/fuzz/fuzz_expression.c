/*
 * Any text as an expression, with the table before it: what parses runs on a stack of the depth it
 * declares.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "expression/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct expression *expression)
{
	size_t height = 0;

	for (size_t i = 0; i < expression->step_count; i++) {
		switch (expression->steps[i].kind) {
		case EXPRESSION_NAME:
			if (expression->steps[i].name >= expression->name_count ||
			    ++height > expression->depth)
				abort();
			break;
		case EXPRESSION_NOT:
			if (height < 1)
				abort();
			break;
		default:
			if (height-- < 2)
				abort();
		}
	}
	if (height != 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct expression expression;
	struct message message;
	const char *rest;
	char *table;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (expression_table(text, &table, &rest, &message) != STATUS_OK) {
		if (table || !strchr(text, '"'))
			abort();
		free(text);
		return 0;
	}
	if (rest < text || rest > text + strlen(text) || (rest == text) != !table)
		abort();
	free(table);
	if (expression_parse(rest, &expression, &message) == STATUS_OK) {
		check(&expression);
		expression_free(&expression);
	}
	free(text);
	return 0;
}
