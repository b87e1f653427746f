/* lib/resolve/hosts.c -- the hosts file (hosts(5)): addresses, each with its names.
 *
 * The file is searched in blocks and not kept in memory, so that a short file costs a few
 * microseconds, with nothing to lock, to limit or to become stale. The file may also be the list of
 * an advertisement blocker, 170 000 lines long, which takes 2 ms. Of a long file this code keeps a
 * filter that reports whether a name may be in the file at all, because most names are not.
 *
 *      name --> filter of the file as it is now? --no: made while searching, 7 ms once----+
 *                 |yes                                                                    v
 *                 +-- the name is not in it: over --- it may be ------------------------> search
 *
 * The filter (Bloom, 1970) is the only data that all threads share. A thread that finds the filter
 * in use searches without it: no thread waits, and a child that was forked meanwhile does not hang.
 */
#include "config.h"

#include "lib/base/base.h"
#include "lib/os/address.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/resolve/resolver.h"

#include <stdatomic.h>
#include <string.h>

#define HOSTS_FILE "/etc/hosts"

/* A block is folded in pieces of a constant size, which compilers turn into vector instructions. */
#define BLOCK ((size_t)32 * 1024)
#define PIECE ((size_t)1024)

/* A file shorter than this is searched faster than a filter is worth. */
#define LONG_FILE ((uint64_t)256 * 1024)

/* The number of bits of the filter: with 170 000 names, one in twelve of the other names is
 * searched for in vain. */
#define FILTER_BITS ((uint32_t)1 << 20)

/* ---- the filter ------------------------------------------------------------------------------ */

struct filter {
    atomic_flag busy;
    bool valid;
    struct plx__os_version file; /* as it was when the filter was made */
    uint64_t bits[FILTER_BITS / 64];
};

static struct filter shared = {.busy = ATOMIC_FLAG_INIT};

/* Mixes in eight bytes at a time by a multiplication with the golden ratio (Knuth, 6.4); the two
 * halves of the result are two hashes. */
static uint64_t hash_of(const char *name, size_t length)
{
    uint64_t hash = length;
    uint64_t word;
    for (; length > 0; length -= length < 8 ? length : 8, name += 8) {
        word = 0;
        if (length >= 8) {
            memcpy(&word, name, 8);
        } else {
            memcpy(&word, name, length);
        }
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash;
}

static void filter_add(struct filter *filter, uint64_t hash)
{
    uint32_t first = (uint32_t)hash % FILTER_BITS;
    uint32_t second = (uint32_t)(hash >> 32) % FILTER_BITS;
    filter->bits[first / 64] |= (uint64_t)1 << first % 64;
    filter->bits[second / 64] |= (uint64_t)1 << second % 64;
}

static bool filter_has(const struct filter *filter, uint64_t hash)
{
    uint32_t first = (uint32_t)hash % FILTER_BITS;
    uint32_t second = (uint32_t)(hash >> 32) % FILTER_BITS;
    return (filter->bits[first / 64] >> first % 64 & filter->bits[second / 64] >> second % 64 &
            1) != 0;
}

/* ---- a search -------------------------------------------------------------------------------- */

struct search {
    struct plx__query *query;
    char name[PLX__HOST_SIZE]; /* folded */
    size_t length;
    struct filter *filter; /* the filter to fill; NULL: none */
    size_t size;           /* bytes of the block */
    char raw[BLOCK];       /* as they are in the file */
    char folded[BLOCK];    /* the same bytes in lower case */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool ends_word(char c)
{
    return is_blank(c) || c == '\n' || c == '#';
}

/* A search for "#" would find the sign of a comment, and one for "a#b" the name "a" with a comment
 * behind it. */
static bool may_be_word(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (ends_word(name[i])) {
            return false;
        }
    }
    return length > 0;
}

/* Converts the bytes from `start` on to lower case, and a few bytes beyond, which are never read.
 */
static void fold(struct search *search, size_t start)
{
    size_t end = (search->size + PIECE - 1) / PIECE * PIECE;
    memset(search->raw + search->size, '\n', end - search->size);
    for (size_t at = start / PIECE * PIECE; at < end; at += PIECE) {
        const char *from = search->raw + at;
        char *to = search->folded + at;
        for (size_t i = 0; i < PIECE; i++) {
            uint8_t c = (uint8_t)from[i];
            to[i] = (char)(c + ((uint8_t)(c - 'A') < 26 ? 'a' - 'A' : 0));
        }
    }
}

static size_t skip_blanks(const char *text, size_t at, size_t end)
{
    while (at < end && is_blank(text[at])) {
        at++;
    }
    return at;
}

static size_t skip_word(const char *text, size_t at, size_t end)
{
    while (at < end && !ends_word(text[at])) {
        at++;
    }
    return at;
}

/* The word at `at` is the name: adds the address of the word's line, unless the word is in a
 * comment or is itself the address. */
static void take_line(struct search *search, size_t at)
{
    const char *text = search->raw;
    plx_address address;
    size_t start = at;
    while (start > 0 && text[start - 1] != '\n') {
        start--;
        if (text[start] == '#') {
            return;
        }
    }
    start = skip_blanks(text, start, at);
    size_t end = skip_word(text, start, at);
    if (end < at && plx__address_parse_host(text + start, end - start, &address)) {
        plx__query_add(search->query, &address);
    }
}

static void search_lines(struct search *search, size_t size)
{
    const char *text = search->folded;
    const char *found = text;
    while ((found = memmem(found, size - (size_t)(found - text), search->name, search->length)) !=
           NULL) {
        size_t at = (size_t)(found - text);
        size_t end = at + search->length;
        if (at > 0 && is_blank(text[at - 1]) && (end == size || ends_word(text[end]))) {
            take_line(search, at);
        }
        found += search->length;
    }
}

/* Adds every word except the first one of a line and those behind a '#'. A control character ends a
 * word here: no host name has one. */
static void add_to_filter(struct search *search, size_t size)
{
    const char *text = search->folded;
    bool is_name = false; /* the line's address is behind us */
    size_t at = 0;
    while (at < size) {
        size_t start = at;
        while (at < size && (uint8_t)text[at] > ' ' && text[at] != '#') {
            at++;
        }
        if (at > start && is_name) {
            filter_add(search->filter, hash_of(text + start, at - start));
        }
        is_name = is_name || at > start;
        if (at < size && text[at] == '#') {
            const char *newline = memchr(text + at, '\n', size - at);
            at = newline == NULL ? size : (size_t)(newline - text);
        }
        is_name = is_name && at < size && text[at] != '\n';
        at++;
    }
}

/* Returns how many bytes of the block can be searched now: whole lines; of a line that is longer
 * than a block the whole words; and at the end of the file everything. */
static size_t ready_size(const struct search *search, bool last)
{
    size_t size = search->size;
    while (!last && size > 0 && search->raw[size - 1] != '\n') {
        size--;
    }
    if (!last && size == 0 && search->size == BLOCK) {
        for (size = BLOCK; size > BLOCK / 2 && !is_blank(search->raw[size - 1]);) {
            size--;
        }
    }
    return size;
}

/* Removes `size` bytes from the front of the block. When a line is longer than a block, the line's
 * address is put before the rest of the line, or a '#' if the rest is a comment. */
static void drop_front(struct search *search, size_t size)
{
    char head[PLX__ADDRESS_TEXT_SIZE + 2] = "";
    size_t length = 0;
    if (size > 0 && search->raw[size - 1] != '\n') {
        size_t start = skip_blanks(search->raw, 0, size);
        size_t end = skip_word(search->raw, start, size);
        length = end - start;
        if (length > PLX__ADDRESS_TEXT_SIZE || memchr(search->raw, '#', size) != NULL) {
            head[0] = '#';
            length = 1;
        } else {
            memcpy(head, search->raw + start, length);
            head[length++] = ' ';
        }
    }
    memmove(search->raw + length, search->raw + size, search->size - size);
    memcpy(search->raw, head, length);
    search->size += length - size;
}

/* Returns 0 at the end of the file, a negative errno, or a positive number. */
static ptrdiff_t read_block(struct search *search, plx__fd file)
{
    size_t before = search->size;
    ptrdiff_t count = plx__os_read_file(file, search->raw + before, BLOCK - before);
    search->size += count > 0 ? (size_t)count : 0;
    fold(search, before);
    return count;
}

/* Returns whether the file was read to its end. */
static bool search_file(struct search *search, plx__fd file)
{
    ptrdiff_t count;
    do {
        count = read_block(search, file);
        if (count == -PLX__EINTR) {
            continue;
        }
        size_t size = ready_size(search, count <= 0);
        search_lines(search, size);
        if (search->filter != NULL) {
            add_to_filter(search, size);
        }
        drop_front(search, size);
        fold(search, 0);
    } while (count > 0 || count == -PLX__EINTR);
    return count == 0;
}

/* ---- with the filter ------------------------------------------------------------------------- */

/* The caller has the filter for itself. */
static void search_filtered(struct search *search, plx__fd file,
                            const struct plx__os_version *before)
{
    struct plx__os_version after;
    if (shared.valid && plx__os_is_same_version(&shared.file, before)) {
        if (filter_has(&shared, hash_of(search->name, search->length))) {
            search_file(search, file);
        }
        return;
    }
    shared.valid = false;
    if (before->settled) {
        memset(shared.bits, 0, sizeof shared.bits);
        search->filter = &shared;
    }
    bool whole = search_file(search, file);
    shared.file = *before;
    shared.valid = whole && search->filter != NULL && plx__os_version(file, &after) == 0 &&
                   plx__os_is_same_version(&after, before);
}

static void search_open_file(struct search *search, plx__fd file)
{
    struct plx__os_version version;
    if (plx__os_version(file, &version) != 0) {
        return;
    }
    if (version.size < LONG_FILE || atomic_flag_test_and_set(&shared.busy)) {
        search_file(search, file);
        return;
    }
    search_filtered(search, file, &version);
    atomic_flag_clear(&shared.busy);
}

void plx__hosts_find(struct plx__query *query, const char *host)
{
    struct search search;
    search.query = query;
    search.length = strlen(host);
    search.filter = NULL;
    search.size = 0;
    if (search.length >= sizeof search.name || !may_be_word(host, search.length)) {
        return;
    }
    for (size_t i = 0; i <= search.length; i++) {
        bool large = host[i] >= 'A' && host[i] <= 'Z';
        search.name[i] = (char)(host[i] + (large ? 'a' - 'A' : 0));
    }
    plx__fd file = plx__os_open_file(HOSTS_FILE);
    if (file >= 0) {
        search_open_file(&search, file);
        plx__os_close(file);
        query->is_listed = query->count > 0;
    }
}
