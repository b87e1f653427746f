/* tests/filters.h -- the filters of the tests, and how a raw peer speaks them. */
#ifndef POLLUX_TESTS_FILTERS_H
#define POLLUX_TESTS_FILTERS_H

#include <pollux.h>

/* Turns all bits of each byte. */
extern const plx_filter_kind bits_filter;

#endif
