/* tests/suite.h -- running a suite of tests, the same in each program. */
#ifndef POLLUX_TESTS_SUITE_H
#define POLLUX_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

/* suite_run runs the suite and returns the exit status of the program. */
static inline int suite_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
