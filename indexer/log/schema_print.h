/* The known schemas as a text for the terminal. */
#ifndef CONNBITS_LOG_SCHEMA_PRINT_H
#define CONNBITS_LOG_SCHEMA_PRINT_H

#include <stdio.h>

/* Writes each with its columns, how their values are read, and what is not certain. */
void schema_print(FILE *stream);

#endif
