/* tests/suite.h -- the cases of a program: each one registers itself, and SUITE_MAIN runs them all.
 *
 * A case is defined and registered by one macro: PLAIN_CASE and LOOP_CASE here, CASE, MODE_CASE and
 * their kin in tests/world.h. There is no list to add its name to, so that none can be forgotten.
 * Cases run in the order of their lines; those of a program of several files, file by file.
 * SECTION opens a section: the cases below it have its name in Check's report, can be chosen by it
 * (CK_RUN_CASE), and have its limit of time. Cases above the first one belong to a section with the
 * name of the program. */
#ifndef POLLUX_TESTS_SUITE_H
#define POLLUX_TESTS_SUITE_H

#include <check.h>
#include <stdbool.h>

/* What a program says of itself: its name, and by name whatever is not as usual. */
struct suite_program {
    const char *name;
    const char *kind;       /* of its MODE_CASEs, in tests/kinds.h; NULL: the first row's */
    bool packets;           /* its CASEs run for the kinds that keep boundaries, too */
    double timeout;         /* seconds that a case may take; 0: a minute */
    void (*setup)(void);    /* before each case; NULL: nothing */
    void (*teardown)(void); /* after each case; NULL: nothing */
};

/* SUITE_MAIN("address") is the main function of a program whose cases need no world, and
 * SUITE_MAIN("idle", .timeout = 90) of one that says more of itself. See also WORLD_MAIN. */
#define SUITE_MAIN(...)                                                                            \
    int main(void)                                                                                 \
    {                                                                                              \
        return suite_main(&(struct suite_program){.name = __VA_ARGS__});                           \
    }
int suite_main(const struct suite_program *program);

/* PLAIN_CASE(name) { ... } is a case that runs once. */
#define PLAIN_CASE(name) LOOP_CASE(name, 0, 1)

/* LOOP_CASE(name, first, end) { ... } runs once for each number `_i` from `first` to `end` - 1; `end`
 * is computed when the program starts, and may be no more than `first` where there is nothing to
 * try. */
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

/* ---- what the macros are made of --------------------------------------------------------------- */

/* A case, or with a name in `section` the beginning of one. */
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

/* suite_add puts an item behind those of its file that stand above it. */
void suite_add(struct suite_item *item);

/* suite_first is the first item of all, for those who report on cases. */
const struct suite_item *suite_first(void);

/* Stands between a test of Check and the body that follows it. */
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
