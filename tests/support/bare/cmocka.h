/* As much of cmocka as the kernels' test needs, for machines that the library is not built for. */
#ifndef CONNBITS_TESTS_BARE_CMOCKA_H
#define CONNBITS_TESTS_BARE_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>

struct CMUnitTest {
	const char *name;
	void (*function)(void **state);
};

#define cmocka_unit_test(function)                                                                 \
	{                                                                                          \
#function, function                                                                \
	}
#define fail_msg(...) (printf("FAILED: " __VA_ARGS__), putchar('\n'), exit(1))
#define assert_true(holds)                                                                         \
	do {                                                                                       \
		if (!(holds))                                                                      \
			fail_msg("%s", #holds);                                                    \
	} while (0)
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                  \
	bare_run(name, tests, sizeof(tests) / sizeof(*(tests)))

static inline int bare_run(const char *name, const struct CMUnitTest *tests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *state = NULL;

		tests[i].function(&state);
		printf("%s: %s\n", name, tests[i].name);
	}
	return 0;
}

#endif
