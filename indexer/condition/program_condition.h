/*
 * A program to the one condition that gives bpf_filter's answer for every
 * header that header_build makes: an exact abstract run for each shape of
 * header, its tests turned into conditions, and all shapes joined.
 */
#ifndef CONNBITS_CONDITION_PROGRAM_CONDITION_H
#define CONNBITS_CONDITION_PROGRAM_CONDITION_H

#include <stdint.h>

#include "base/message.h"
#include "condition.h"
#include "filter/abstract_run.h"
#include "filter/program.h"
#include "formula.h"

/* Formulas that a condition may ask, at most. */
enum { PROGRAM_CONDITION_FORMULAS_MAX = 24 };

/* Why a program has no condition and is left to bpf_filter. */
enum program_condition_limit {
	PROGRAM_CONDITION_DONE,
	PROGRAM_CONDITION_TOO_LONG,  /* a loop that depends on the header, or too many states */
	PROGRAM_CONDITION_INDIRECT,  /* a load whose offset depends on the header */
	PROGRAM_CONDITION_UNDEFINED, /* it asks for what bpf_filter leaves to the machine */
	PROGRAM_CONDITION_CHECKSUM,  /* it asks for the IPv4 checksum */
	PROGRAM_CONDITION_FORMULA,   /* a comparison of too many steps, or too many comparisons */
	PROGRAM_CONDITION_LARGE,     /* a condition of too many pieces */
};

/* The limit in words that end a sentence: "it asks for the header checksum". */
const char *program_condition_limit_text(enum program_condition_limit limit);

/*
 * Adds the condition of program to conditions, whose work_limit bounds it, and
 * what it needs to formulas. *condition is it where *limit is PROGRAM_CONDITION_DONE.
 * STATUS_FAILED only without memory.
 */
enum status program_condition_run(const struct program *program, struct conditions *conditions,
				  struct formulas *formulas, uint32_t *condition,
				  enum program_condition_limit *limit, struct message *message);

/*
 * Adds the condition of program on the headers of one class. What it says of
 * others means nothing. *condition is it where *limit is PROGRAM_CONDITION_DONE.
 */
enum status program_condition_of_class(const struct program *program,
				       const struct abstract_class *class,
				       struct conditions *conditions, struct formulas *formulas,
				       uint32_t *condition, enum program_condition_limit *limit,
				       struct message *message);

#endif
