/* tests/model/trace.c -- the last calls and events, and the first fault. */
#include "config.h"

#include "tests/model/trace.h"

#include <stdarg.h>
#include <stdio.h>

static struct page own, *page = &own;
static int depth;

void trace_begin(struct page *where, uint64_t seed)
{
    if (where != NULL)
        page = where;
    page->seed = seed;
    page->next = 0;
    page->fault[0] = '\0';
    page->digest = UINT64_C(0xcbf29ce484222325);
    depth = 0;
}

struct page *trace_page(void)
{
    return page;
}

static void write_line(const char *format, va_list arguments)
{
    char *line = page->lines[page->next++ % TRACE_LINES];
    int indent = snprintf(line, TRACE_LINE, "%*s", 2 * depth, "");

    if (indent < TRACE_LINE)
        vsnprintf(line + indent, (size_t)(TRACE_LINE - indent), format, arguments);
    page->beat++;
    for (; *line != '\0'; line++) /* FNV-1a */
        page->digest = (page->digest ^ (uint8_t)*line) * UINT64_C(0x100000001b3);
}

void trace(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

void trace_in(void)
{
    depth++;
}

void trace_out(void)
{
    depth--;
}

int trace_depth(void)
{
    return depth;
}

void fault(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (page->fault[0] == '\0') {
        vsnprintf(page->fault, sizeof page->fault, format, arguments);
        page->faults++;
        trace("FAULT: %s", page->fault);
    }
    va_end(arguments);
}

bool fault_found(void)
{
    return page->fault[0] != '\0';
}

void trace_print(const struct page *from)
{
    unsigned first = from->next > TRACE_LINES ? from->next - TRACE_LINES : 0;

    for (unsigned i = first; i < from->next; i++)
        printf("    %s\n", from->lines[i % TRACE_LINES]);
}
