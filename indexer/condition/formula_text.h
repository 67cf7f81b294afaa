/* A formula in infix notation: source port = destination port. */
#ifndef CONNBITS_CONDITION_FORMULA_TEXT_H
#define CONNBITS_CONDITION_FORMULA_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "formula.h"

/* Writes where the formula holds, or where it does not. */
void formula_text_write(FILE *stream, const struct formula *formula, bool holds);

#endif
