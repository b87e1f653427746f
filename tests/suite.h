/* tests/suite.h -- the cases of a program: each one registers itself, and SUITE_MAIN runs them all.
 *
 * One macro defines and registers a case: PLAIN_CASE and LOOP_CASE here, CASE, MODE_CASE and the
 * others in tests/world.h. There is no list of cases, so none can be forgotten. Cases run in the
 * order of their lines; in a program of several files, file by file. SECTION begins a section: the
 * cases below it have the section's name in Check's report, can be chosen by that name
 * (CK_RUN_CASE), and have the section's time limit. Cases above the first section belong to one
 * with the name of the program.
 *
 * A case of which something cannot run here writes one line "SKIP: why" to stderr, by which
 * tests/count.sh counts it as skipped. */
#ifndef POLLUX_TESTS_SUITE_H
#define POLLUX_TESTS_SUITE_H

#include <check.h>
#include <stdbool.h>

/* What a program declares: its name, and each member that differs from the default. */
struct suite_program {
    const char *name;
    const char *kind;       /* of its MODE_CASEs, in tests/kinds.h; NULL: the first row's */
    bool packets;           /* its CASEs also run for the kinds that keep boundaries */
    bool filtered;          /* its CASEs also run for the kinds that are filtered */
    double timeout;         /* seconds that a case may take; 0: a minute */
    void (*setup)(void);    /* before each case; NULL: nothing */
    void (*teardown)(void); /* after each case; NULL: nothing */
};

/* SUITE_MAIN("address") is the main function of a program whose cases need no world;
 * SUITE_MAIN("idle", .timeout = 90) sets other members too. See also WORLD_MAIN. */
#define SUITE_MAIN(...)                                                                            \
    int main(void)                                                                                 \
    {                                                                                              \
        return suite_main(&(struct suite_program){.name = __VA_ARGS__});                           \
    }
int suite_main(const struct suite_program *program);

/* PLAIN_CASE(name) { ... } is a case that runs once. */
#define PLAIN_CASE(name) LOOP_CASE(name, 0, 1)

/* LOOP_CASE(name, first, end) { ... } runs once for each number `_i` from `first` to `end` - 1.
 * `end` is computed when the program starts; if it is not above `first`, the case does not run. */
#define LOOP_CASE(name, first, end)                                                                \
    static void name##_numbered(int _i);                                                           \
    START_TEST(name)                                                                               \
    {                                                                                              \
        name##_numbered(_i);                                                                       \
    }                                                                                              \
    END_TEST                                                                                       \
    SUITE_REGISTER(name, first, end, NULL)                                                         \
    static void name##_numbered(int _i CK_ATTRIBUTE_UNUSED)

/* SECTION("lost"); or SECTION("lost", .timeout = 90): a name, and the seconds that a case may take
 * if that is not the program's limit. */
#define SECTION(...)                                                                               \
    __attribute__((constructor)) static void SUITE_AT_LINE(section_begins_, __LINE__)(void)        \
    {                                                                                              \
        static struct suite_item item = {                                                          \
            .file = __FILE__, .line = __LINE__, .section = {.name = __VA_ARGS__}};                 \
                                                                                                   \
        suite_add(&item);                                                                          \
    }                                                                                              \
    struct suite_item

/* ---- what the macros use --------------------------------------------------------------------- */

/* A case, or if `section` has a name, the beginning of a section. */
struct suite_item {
    const char *file;
    int line;
    struct {
        const char *name;
        double timeout;
    } section;
    const TTest *test;
    int first;
    int (*end)(void);
    bool (*wanted)(int number); /* NULL: every number */
    struct suite_item *next;
};

/* suite_add inserts an item in the order of the lines of its file. */
void suite_add(struct suite_item *item);

/* suite_first returns the first of all items, for code that reports on cases. */
const struct suite_item *suite_first(void);

/* Registers a test of Check; stands between the test and the body that follows. */
#define SUITE_REGISTER(name, first_number, end_number, wanted_numbers)                             \
    static int name##_end_(void)                                                                   \
    {                                                                                              \
        return (int)(end_number);                                                                  \
    }                                                                                              \
    __attribute__((constructor)) static void name##_registers_(void)                               \
    {                                                                                              \
        static struct suite_item item = {.file = __FILE__,                                         \
                                         .line = __LINE__,                                         \
                                         .first = (first_number),                                  \
                                         .end = name##_end_,                                       \
                                         .wanted = (wanted_numbers)};                              \
                                                                                                   \
        item.test = name;                                                                          \
        suite_add(&item);                                                                          \
    }
#define SUITE_AT_LINE(name, line) SUITE_JOIN(name, line)
#define SUITE_JOIN(a, b) a##b

#endif
