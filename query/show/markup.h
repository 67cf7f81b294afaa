/* Text of any kind within HTML: what a log or an index holds never becomes markup. */
#ifndef CONNBITS_SHOW_MARKUP_H
#define CONNBITS_SHOW_MARKUP_H

#include <stdint.h>
#include <stdio.h>

/*
 * Writes text for an element or a quoted attribute. Control characters, what is no UTF-8, and what
 * turns the direction of writing (Unicode's bidirectional controls) come out as U+FFFD.
 */
void markup_text(FILE *stream, const char *text);

/* Writes a number with a comma ahead of each three digits. */
void markup_number(FILE *stream, uint64_t number);

#endif
