/* tests/suite.c -- the cases of a program, in order. See suite.h. */
#include "config.h"

#include "tests/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct suite_item *items;

/* A case may take a minute, which none does: a machine that is busy with other things is no fault
 * of the case's. Check's own limit of 4 seconds is for those who wait for a result. What the
 * environment says holds all the same, and CK_TIMEOUT_MULTIPLIER stretches this limit and those
 * that a program or a section sets. Check reads it when a TCase is made, hence before main. */
__attribute__((constructor)) static void give_cases_a_minute(void)
{
    setenv("CK_DEFAULT_TIMEOUT", "60", 0);
}

void suite_add(struct suite_item *item)
{
    struct suite_item **place = &items;

    while (*place != NULL &&
           (strcmp((*place)->file, item->file) != 0 || (*place)->line < item->line))
        place = &(*place)->next;
    item->next = *place;
    *place = item;
}

const struct suite_item *suite_first(void)
{
    return items;
}

static TCase *open_section(Suite *suite, const struct suite_program *program, const char *name,
                           double timeout)
{
    TCase *section = tcase_create(name);

    if (timeout <= 0)
        timeout = program->timeout;
    if (timeout > 0)
        tcase_set_timeout(section, timeout);
    tcase_add_checked_fixture(section, program->setup, program->teardown);
    suite_add_tcase(suite, section);
    return section;
}

/* One test for each number, so that it is reported by its number whichever are left out. */
static void add_case(TCase *section, const struct suite_item *item)
{
    int end = item->end();

    for (int number = item->first; number < end; number++)
        if (item->wanted == NULL || item->wanted(number))
            tcase_add_loop_test(section, item->test, number, number + 1);
}

static int run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int suite_main(const struct suite_program *program)
{
    Suite *suite = suite_create(program->name);
    TCase *section = NULL;

    for (const struct suite_item *item = items; item != NULL; item = item->next) {
        if (item->section.name != NULL) {
            section = open_section(suite, program, item->section.name, item->section.timeout);
            continue;
        }
        if (section == NULL)
            section = open_section(suite, program, program->name, 0);
        add_case(section, item);
    }
    if (section == NULL) {
        fprintf(stderr, "%s: no case\n", program->name);
        return EXIT_FAILURE;
    }
    return run(suite);
}
