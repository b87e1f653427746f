/* tests/fuzz/fuzz-answers.c -- a hostile name server: one lookup of both families, whose questions
 * are answered by UDP, and by TCP after a truncated answer, with what the tape says.
 *
 * An answer is either the tape's own bytes behind the right id, or records that the tape describes,
 * whose addresses the query then has to hold: each once, sixteen of a family. */
#include "config.h"

#include "lib/poll/loop.h"
#include "lib/resolve/resolver.h"
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* c-ares asks again by TCP when a datagram is larger than BY_UDP. */
enum { HEADER = 12, LARGEST = 4096, BY_UDP = 512, MOST_OF_A_RECORD = 32, ROUNDS = 12 };

static int udp = -1, tcp = -1;
static struct plx__query wanted; /* the addresses that were answered */
static bool is_plain;            /* every answer so far was made of records */

/* ---- the server ------------------------------------------------------------------------------ */

/* Both sockets have the same port, which the kernel chooses. */
static void open_server(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    char where[64];
    for (int i = 0; i < 100 && tcp < 0; i++) {
        udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        name.sin_port = 0;
        NEED(bind(udp, (struct sockaddr *)&name, size) == 0);
        NEED(getsockname(udp, (struct sockaddr *)&name, &size) == 0);
        if (bind(tcp, (struct sockaddr *)&name, size) < 0 || listen(tcp, 8) < 0) {
            close(udp);
            close(tcp);
            tcp = -1;
        }
    }
    NEED(tcp >= 0);
    snprintf(where, sizeof where, "127.0.0.1:%d", ntohs(name.sin_port));
    NEED(setenv("POLLUX_NAMESERVERS", where, 1) == 0);
}

static void put16(uint8_t *at, size_t number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

/* Writes a record behind `size` bytes; returns the size of all. A record of the question's type
 * with an address of the right length counts. */
static size_t put_record(uint8_t *answer, size_t size, unsigned asked, struct tape *tape)
{
    unsigned sort = tape_byte(tape);
    unsigned type = sort % 8 < 5 ? asked : sort % 8 == 5 ? 5 : tape_byte(tape);
    unsigned class_of = sort & 8 ? tape_byte(tape) : 1;
    size_t right = type == 1 ? 4 : type == 28 ? 16 : tape_byte(tape) % 20;
    size_t length = sort & 16 ? tape_byte(tape) % 20 : right, given;
    put16(answer + size, 0xc00c); /* the name of the question */
    put16(answer + size + 2, type);
    put16(answer + size + 4, class_of);
    memset(answer + size + 6, 0, 4);
    put16(answer + size + 10, length);
    uint8_t *data = answer + size + 12;
    memset(data, 1, length);
    const uint8_t *bytes = tape_bytes(tape, length < 2 ? length : 2, &given);
    memcpy(data, bytes, given);
    if (class_of == 1 && (type == 1 || type == 28) && length == right) {
        plx_address address = {.family = type == 1 ? 4 : 6};
        memcpy(address.bytes, data, length);
        plx__query_add(&wanted, &address);
    }
    return size + 12 + length;
}

/* Makes the answer to a question of `size` bytes in place; returns its size. */
static size_t make_answer(uint8_t *packet, size_t size, bool by_tcp, struct tape *tape)
{
    unsigned sort = tape_byte(tape);
    unsigned asked = (unsigned)packet[size - 4] << 8 | packet[size - 3];
    if (sort % 4 == 3) { /* the tape's own bytes behind the id, perhaps behind the question */
        size_t start = sort & 4 ? 2 : size, count;
        const uint8_t *bytes = tape_bytes(tape, tape_byte(tape), &count);
        is_plain = false;
        put16(packet + 2, 0x8180 | (sort & 8 ? tape_byte(tape) : 0));
        put16(packet + 6, tape_byte(tape));
        memcpy(packet + start, bytes, count);
        return start + count;
    }
    bool cut = sort % 4 == 2 && !by_tcp;
    size_t records = cut ? 0 : tape_byte(tape) % 48;
    put16(packet + 2, cut ? 0x8380 : 0x8180);
    memset(packet + 8, 0, 4);
    size_t count = 0;
    size_t most = by_tcp ? LARGEST : BY_UDP;
    for (; count < records && size + MOST_OF_A_RECORD <= most; count++) {
        size = put_record(packet, size, asked, tape);
    }
    put16(packet + 6, count);
    return size;
}

/* The size of header and question; what follows, such as EDNS, is dropped. 0: no question. */
static size_t cut_question(uint8_t *packet, ptrdiff_t count)
{
    size_t at = HEADER;
    if (count < HEADER) {
        return 0;
    }
    while (at < (size_t)count && packet[at] != 0) {
        at += packet[at] + 1u;
    }
    NEED(at + 5 <= (size_t)count);
    put16(packet + 10, 0);
    return at + 5;
}

static void serve_udp(struct tape *tape)
{
    uint8_t packet[LARGEST];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t count;
    while ((count = recvfrom(udp, packet, 512, 0, (struct sockaddr *)&from, &size)) >= 0) {
        size_t question = cut_question(packet, count);
        if (question > 0 && tape->left > 0) {
            size_t length = make_answer(packet, question, false, tape);
            sendto(udp, packet, length, 0, (struct sockaddr *)&from, size);
        }
    }
}

/* Answers the next question of a connection, once all its bytes are there: c-ares sends its length
 * first. */
static void serve_stream(int stream, struct tape *tape)
{
    uint8_t packet[LARGEST];
    ssize_t count = recv(stream, packet, 512, MSG_DONTWAIT | MSG_PEEK);
    size_t whole = count < 2 ? 0 : 2 + ((size_t)packet[0] << 8 | packet[1]);
    if (whole == 0 || (size_t)count < whole || tape->left == 0) {
        return;
    }
    NEED(recv(stream, packet, whole, MSG_DONTWAIT) == (ssize_t)whole);
    size_t question = cut_question(packet + 2, (ptrdiff_t)whole - 2);
    size_t length = make_answer(packet + 2, question, true, tape);
    unsigned lie = tape_byte(tape);
    put16(packet, lie > 250 ? lie * 256 : length);
    is_plain = is_plain && lie <= 250;
    send(stream, packet, length + 2, MSG_NOSIGNAL);
}

/* A reset, so that no port stays in use. */
static void close_stream(int stream)
{
    struct linger hard = {1, 0};
    if (stream >= 0) {
        setsockopt(stream, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(stream);
    }
}

/* ---- the query ------------------------------------------------------------------------------- */

static void need_sound(const struct plx__query *query)
{
    size_t alike[2] = {0, 0};
    NEED(query->count <= 2 * PLX__FAMILY_ADDRESSES);
    for (size_t i = 0; i < query->count; i++) {
        const plx_address *address = &query->addresses[i];
        NEED((address->family == 4 || address->family == 6) && address->port == 0);
        NEED(++alike[address->family == 6] <= PLX__FAMILY_ADDRESSES);
        for (size_t other = 0; other < i; other++) {
            NEED(!plx_address_equal(address, &query->addresses[other]));
        }
    }
    NEED(!query->done || query->count > 0 || query->failure.code != 0);
}

static bool has(const struct plx__query *query, const plx_address *address)
{
    for (size_t i = 0; i < query->count; i++) {
        if (plx_address_equal(&query->addresses[i], address)) {
            return true;
        }
    }
    return false;
}

/* Every address that the query has was answered; and all that were answered are there once the
 * lookup is done. */
static void need_answered(const struct plx__query *query)
{
    for (size_t i = 0; is_plain && i < query->count; i++) {
        NEED(has(&wanted, &query->addresses[i]));
    }
    NEED(!is_plain || !query->done || query->count == wanted.count);
}

/* Sorting loses and doubles nothing. */
static void need_order(struct plx__query *query, size_t first)
{
    struct plx__query before = *query;
    first = query->count == 0 ? 0 : first % query->count;
    plx__query_order(query, first);
    need_sound(query);
    NEED(query->count == before.count);
    for (size_t i = 0; i < query->count; i++) {
        NEED(has(&before, &query->addresses[i]));
        NEED(i >= first || plx_address_equal(&query->addresses[i], &before.addresses[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    struct plx__task task = {0};
#ifndef HAVE_CARES
    fprintf(stderr, "SKIP: built without c-ares, the one that reads these answers\n");
    exit(77);
#endif
    if (udp < 0) {
        open_server();
    }
    unsigned first = tape_byte(&tape);
    is_plain = true;
    wanted = (struct plx__query){.family = 0};
    struct plx__query *query = plx__query_start(&task, "name.example.", 0);
    NEED(query != NULL && !query->done);
    int stream = -1;
    for (int i = 0; i < ROUNDS && !query->done; i++) {
        serve_udp(&tape);
        int next = accept4(tcp, NULL, NULL, SOCK_CLOEXEC);
        if (next >= 0) { /* c-ares has one connection at a time */
            close_stream(stream);
            stream = next;
        }
        if (stream >= 0) {
            serve_stream(stream, &tape);
        }
        plx__task_sleep(&task, 0);
        plx__query_process(query);
        need_sound(query);
        NEED(query->done || plx__query_next(query) > 0);
    }
    close_stream(stream);
    need_answered(query);
    need_order(query, first);
    NEED(plx__query_free(query) == NULL && task.watches == NULL);
    uint8_t rest[512];
    while (recv(udp, rest, sizeof rest, 0) >= 0) { /* questions that came too late */
    }
    return 0;
}
