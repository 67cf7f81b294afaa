/*
 * Conditions in plain notation, for people:
 *   protocol = 6 and (source port = 445 or destination port = 445)
 */
#ifndef CONNBITS_CONDITION_CONDITION_TEXT_H
#define CONNBITS_CONDITION_CONDITION_TEXT_H

#include <stdio.h>

#include "condition.h"
#include "formula.h"

/*
 * Writes what a condition asks of headers of one version, 4 or 6. What is very
 * long ends in "...".
 */
void condition_text_write(FILE *stream, const struct conditions *conditions,
			  const struct formulas *formulas, uint32_t condition, unsigned version);

/*
 * Writes one predicate: a condition of one column whose pieces go on with the
 * two answers. version, 4 or 6, and icmp say of which headers it is asked.
 */
void condition_text_write_set(FILE *stream, const struct conditions *conditions,
			      const struct formulas *formulas, uint32_t condition, unsigned version,
			      bool icmp);

#endif
