/* tests/filters/through.c -- a filter that hands everything through. */
#include "config.h"

#include "tests/filters.h"

const plx_filter_kind through_filter = {.size = sizeof(plx_filter_kind), .name = "through"};
