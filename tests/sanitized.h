/* tests/sanitized.h -- whether the program is built with AddressSanitizer, and what then
 * costs too much. */
#ifndef POLLUX_TESTS_SANITIZED_H
#define POLLUX_TESTS_SANITIZED_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* LEAKS_ARE_COUNTED, once in a program, spares the search of LeakSanitizer at the end of each case's
 * process, which takes as long as the case. For programs all of whose cases run in a world, whose end
 * counts the blocks of the library's memory, or call only lib/wire, which has no memory of its
 * own. */
#if SANITIZED
#define LEAKS_ARE_COUNTED                                                                          \
    __attribute__((visibility("default"))) const char *__asan_default_options(void);               \
    const char *__asan_default_options(void)                                                       \
    {                                                                                              \
        return "detect_leaks=0";                                                                   \
    }
#else
#define LEAKS_ARE_COUNTED
#endif

#endif
