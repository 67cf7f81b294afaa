/* What every cmocka test includes, in the order that cmocka asks for. */
#ifndef CONNBITS_TESTS_UNIT_H
#define CONNBITS_TESTS_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
