#include "formula_text.h"

#include <pcap/pcap.h>

/* Where the operand that ends with step `last` begins. */
static size_t operand_first(const struct formula *formula, size_t last)
{
	size_t wanted = 1;

	for (;; last--) {
		wanted += formula->steps[last].kind == FORMULA_OPERATION ? 1 : (size_t)-1;
		if (wanted == 0 || last == 0)
			return last;
	}
}

static const char *operation_text(uint32_t operation)
{
	switch (operation) {
	case BPF_ADD:
		return "+";
	case BPF_SUB:
		return "-";
	case BPF_MUL:
		return "*";
	case BPF_DIV:
		return "/";
	case BPF_MOD:
		return "%";
	case BPF_AND:
		return "&";
	case BPF_OR:
		return "|";
	case BPF_XOR:
		return "^";
	case BPF_LSH:
		return "<<";
	case BPF_RSH:
		return ">>";
	case BPF_JMP | BPF_JEQ:
		return "=";
	case BPF_JMP | BPF_JGT:
		return ">";
	case BPF_JMP | BPF_JGE:
		return ">=";
	default:
		return "negated with";
	}
}

static void write_column(FILE *stream, uint32_t column)
{
	if (column == COLUMN_SHAPE)
		fputs("protocol", stream);
	else if (column == COLUMN_SOURCE_PORT)
		fputs("source port", stream);
	else if (column == COLUMN_DESTINATION_PORT)
		fputs("destination port", stream);
	else if (column < COLUMN_DESTINATION)
		fprintf(stream, "source[%u:4]", (column - COLUMN_SOURCE) * 4);
	else
		fprintf(stream, "destination[%u:4]", (column - COLUMN_DESTINATION) * 4);
}

/* Recurs no deeper than a formula has steps. */
static void write_operand(FILE *stream, const struct formula *formula, size_t last, bool outermost)
{
	const struct formula_step *step = &formula->steps[last];
	size_t middle;

	if (step->kind == FORMULA_CONSTANT) {
		fprintf(stream, step->value < 256 ? "%u" : "0x%x", step->value);
		return;
	}
	if (step->kind == FORMULA_COLUMN) {
		write_column(stream, step->value);
		return;
	}
	middle = operand_first(formula, last - 1);
	if (!outermost)
		putc('(', stream);
	write_operand(stream, formula, middle - 1, false);
	fprintf(stream, " %s ", operation_text(step->value));
	write_operand(stream, formula, last - 1, false);
	if (!outermost)
		putc(')', stream);
}

void formula_text_write(FILE *stream, const struct formula *formula, bool holds)
{
	const size_t last = formula->count - 1;
	const struct formula_step *step = &formula->steps[last];
	const bool compares = step->kind == FORMULA_OPERATION &&
			      BPF_CLASS(step->value) == BPF_JMP && formula->operation == BPF_JEQ &&
			      formula->constant == 1;

	if (!holds)
		fputs("not (", stream);
	write_operand(stream, formula, last, compares);
	if (!compares)
		fprintf(stream, formula->constant < 65536 ? " %s %u" : " %s 0x%x",
			operation_text(BPF_JMP | (uint32_t)formula->operation), formula->constant);
	if (!holds)
		putc(')', stream);
}
