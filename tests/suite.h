/* tests/suite.h -- running a suite of tests, the same in each program. */
#ifndef POLLUX_TESTS_SUITE_H
#define POLLUX_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

/* A case may take a minute, which none does: a machine that is busy with other things is no fault of
 * the case's. Check's own limit of 4 seconds is for those who wait for a result. What the environment
 * says holds all the same, and CK_TIMEOUT_MULTIPLIER stretches this limit and those that a program
 * sets by tcase_set_timeout. Check reads it when a TCase is made, hence before main. */
__attribute__((constructor)) static void give_cases_a_minute(void)
{
    setenv("CK_DEFAULT_TIMEOUT", "60", 0);
}

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
