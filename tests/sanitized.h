/* tests/sanitized.h -- whether the program is built with AddressSanitizer. */
#ifndef POLLUX_TESTS_SANITIZED_H
#define POLLUX_TESTS_SANITIZED_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

#endif
