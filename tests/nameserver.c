/* tests/nameserver.c -- a name server that answers as a test asks. See nameserver.h. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/kernel.h"
#include "tests/nameserver.h"

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, HEADER = 12 };

/* ---- one answer ------------------------------------------------------------------------------ */

struct packet {
    unsigned char bytes[70000];
    size_t size;
};

static void put(struct packet *packet, const void *data, size_t size)
{
    ck_assert_uint_le(packet->size + size, 65535);
    memcpy(packet->bytes + packet->size, data, size);
    packet->size += size;
}

/* A name as labels (RFC 1035 section 3.1). */
static size_t put_name(unsigned char *place, const char *name)
{
    size_t at = 0;

    while (*name != '\0') {
        size_t length = strcspn(name, ".");

        place[at++] = (unsigned char)length;
        memcpy(place + at, name, length);
        at += length;
        name += length + (name[length] == '.');
    }
    place[at++] = 0;
    return at;
}

static void put_record(struct packet *packet, int name_at, int type, const void *data, size_t size)
{
    /* a pointer to the name; class IN; 60 seconds (RFC 1035 section 4.1.3) */
    const unsigned char head[] = {(unsigned char)(0xc0 | name_at >> 8),
                                  (unsigned char)name_at,
                                  0,
                                  (unsigned char)type,
                                  0,
                                  1,
                                  0,
                                  0,
                                  0,
                                  60,
                                  (unsigned char)(size >> 8),
                                  (unsigned char)size};

    put(packet, head, sizeof head);
    put(packet, data, size);
    if (++packet->bytes[7] == 0)
        packet->bytes[6]++;
}

static void put_addresses(struct packet *packet, const struct saying *saying, int type, int name_at)
{
    size_t size = type == TYPE_A ? 4 : 16;
    int family = type == TYPE_A ? AF_INET : AF_INET6;
    unsigned char bytes[16];

    for (int i = 0; i < NAMESERVER_ADDRESSES && saying->addresses[i] != NULL; i++) {
        ck_assert_int_eq(inet_pton(family, saying->addresses[i], bytes), 1);
        put_record(packet, name_at, type, bytes, size);
    }
    for (int i = 0; i < saying->many; i++) {
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, type == TYPE_A ? "\x7f\1" : "\xfd\0", 2);
        bytes[size - 2] = (unsigned char)(i >> 8);
        bytes[size - 1] = (unsigned char)i;
        put_record(packet, name_at, type, bytes, size);
    }
}

/* The question's name as text; returns where its type stands. */
static size_t read_name(const unsigned char *packet, size_t size, char *ret_name)
{
    size_t at = HEADER;

    ret_name[0] = '\0';
    while (at < size && packet[at] != 0) {
        strncat(ret_name, (const char *)packet + at + 1, packet[at]);
        at += packet[at] + 1u;
        if (at < size && packet[at] != 0)
            strcat(ret_name, ".");
    }
    ck_assert_uint_lt(at + 4, size);
    return at + 1;
}

static const struct saying *saying_of(const struct nameserver *server, int type)
{
    return type == TYPE_A ? &server->ipv4 : &server->ipv6;
}

static void note_question(struct nameserver *server, const char *name, int type)
{
    server->asked4 += type == TYPE_A;
    server->asked6 += type == TYPE_AAAA;
    if (strlen(server->names) + strlen(name) + 2 < sizeof server->names) {
        strcat(server->names, name);
        strcat(server->names, " ");
    }
}

static int code_of(enum says says)
{
    switch (says) {
    case SAYS_FAILED: return 2;
    case SAYS_NO_SUCH_NAME: return 3;
    case SAYS_REJECTED: return 4;
    case SAYS_REFUSED: return 5;
    default: return 0;
    }
}

/* Makes the answer to a question; false: there is to be none. */
static bool answer(struct nameserver *server, const unsigned char *question, size_t size,
                   bool by_tcp, struct packet *ret_packet)
{
    char name[300];
    size_t at = read_name(question, size, name);
    int type = question[at + 1];
    const struct saying *saying = saying_of(server, type);
    enum says says = saying->says;
    int name_at = HEADER;

    note_question(server, name, type);
    if (server->unknown != NULL && strcasestr(name, server->unknown) != NULL)
        says = SAYS_NO_SUCH_NAME;
    if (server->ignored != NULL && strcasestr(name, server->ignored) != NULL)
        says = SAYS_NOTHING;
    if (by_tcp && says == SAYS_CUT_OFF)
        says = server->by_tcp == TCP_FAILS ? SAYS_FAILED : SAYS_ADDRESSES;
    if (says == SAYS_NOTHING || says == SAYS_LATER)
        return false;
    ret_packet->size = 0;
    put(ret_packet, question, at + 4);
    ret_packet->bytes[2] = 0x81 | (says == SAYS_CUT_OFF ? 2 : 0);
    ret_packet->bytes[3] = (unsigned char)(0x80 | code_of(says));
    memset(ret_packet->bytes + 6, 0, 6);
    if (says == SAYS_WRONG_ID)
        ret_packet->bytes[0] ^= 0x55;
    if (says == SAYS_GARBAGE)
        memset(ret_packet->bytes + 2, 0xff, at + 2);
    if (says == SAYS_MISSING)
        ret_packet->bytes[7] = 1;
    if (says == SAYS_SHORT) {
        put_record(ret_packet, name_at, type, question, 16);
        ret_packet->size -= 14;
    }
    if (says != SAYS_ADDRESSES && says != SAYS_WRONG_ID)
        return true;
    if (server->alias != NULL) {
        unsigned char labels[300];
        size_t length = put_name(labels, server->alias);

        put_record(ret_packet, name_at, TYPE_CNAME, labels, length);
        name_at = (int)(ret_packet->size - length);
    }
    if (type == TYPE_A || type == TYPE_AAAA)
        put_addresses(ret_packet, saying, type, name_at);
    /* What does not fit into a datagram without extensions is cut (RFC 1035 section 4.2.1). */
    if (!by_tcp && ret_packet->size > 512) {
        ret_packet->bytes[2] |= 2;
        ret_packet->bytes[6] = ret_packet->bytes[7] = 0;
        ret_packet->size = at + 4;
    }
    return true;
}

/* ---- by UDP ---------------------------------------------------------------------------------- */

static void answer_datagram(struct nameserver *server, const struct held *question)
{
    static struct packet packet;

    if (answer(server, question->packet, question->size, false, &packet))
        sendto(server->udp, packet.bytes, packet.size, 0, (const struct sockaddr *)&question->from,
               question->from_size);
}

static bool is_held(const struct nameserver *server, const struct held *question)
{
    char name[300];
    size_t at = read_name(question->packet, question->size, name);

    return server->holds || saying_of(server, question->packet[at + 1])->says == SAYS_LATER;
}

static void serve_datagrams(struct nameserver *server)
{
    struct held question = {.from_size = sizeof question.from};
    ssize_t size;

    while ((size = recvfrom(server->udp, question.packet, sizeof question.packet, MSG_DONTWAIT,
                            (struct sockaddr *)&question.from, &question.from_size)) > 0) {
        question.size = (size_t)size;
        if (!is_held(server, &question)) {
            answer_datagram(server, &question);
        } else if (server->held_count < NAMESERVER_HELD) {
            server->held[server->held_count++] = question;
        }
        question.from_size = sizeof question.from;
    }
}

void nameserver_release(struct nameserver *server)
{
    server->holds = false;
    for (int i = 0; i < server->held_count; i++)
        answer_datagram(server, &server->held[i]);
    server->held_count = 0;
}

/* ---- by TCP ---------------------------------------------------------------------------------- */

static void accept_streams(struct nameserver *server)
{
    for (int i = 0; i < NAMESERVER_STREAMS; i++) {
        if (server->streams[i] < 0)
            server->streams[i] = accept_closing(server->tcp, O_NONBLOCK);
    }
}

static void append_late(struct late *late, const void *data, size_t size)
{
    ck_assert_uint_le(late->size + size, sizeof late->bytes);
    memcpy(late->bytes + late->size, data, size);
    late->size += size;
}

/* Returns false when the stream is to be closed. */
static bool send_late(struct nameserver *server, int index)
{
    struct late *late = &server->late[index];
    size_t sent = late->sent, end = sent < 2 ? sent + 1 : sent == 2 ? 2 + HEADER : late->size;

    if (late->size == 0)
        return true;
    late->sent = end;
    if (send(server->streams[index], late->bytes + sent, end - sent, MSG_NOSIGNAL) < 0)
        return false;
    if (end == late->size)
        late->sent = late->size = 0;
    return true;
}

/* Returns false when the stream is to be closed. */
static bool serve_question(struct nameserver *server, int index, const unsigned char *question,
                           size_t size)
{
    static struct packet packet;
    int stream = server->streams[index];
    unsigned char length[2];

    server->asked_by_tcp++;
    if (server->by_tcp == TCP_IS_SILENT || !answer(server, question, size, true, &packet))
        return true;
    length[0] = (unsigned char)(packet.size >> 8);
    length[1] = (unsigned char)packet.size;
    if (server->splits) {
        append_late(&server->late[index], length, 2);
        append_late(&server->late[index], packet.bytes, packet.size);
        return true;
    }
    if (send(stream, length, 2, MSG_NOSIGNAL) != 2)
        return false;
    for (size_t sent = 0; sent < packet.size;) {
        ssize_t count = send(stream, packet.bytes + sent, packet.size - sent, MSG_NOSIGNAL);

        if (count < 0 && errno != EAGAIN)
            return false;
        sent += count > 0 ? (size_t)count : 0;
        if (server->by_tcp == TCP_ENDS)
            return false;
    }
    return true;
}

/* Several questions may arrive at once, each behind its length. */
static bool serve_stream(struct nameserver *server, int index)
{
    unsigned char bytes[2048];
    ssize_t size = recv(server->streams[index], bytes, sizeof bytes, MSG_DONTWAIT);

    if (size < 0)
        return errno == EAGAIN;
    if (server->by_tcp == TCP_ENDS || size == 0)
        return false;
    for (ssize_t at = 0; at + 2 < size;) {
        size_t length = (size_t)bytes[at] << 8 | bytes[at + 1];

        if (!serve_question(server, index, bytes + at + 2, length))
            return false;
        at += 2 + (ssize_t)length;
    }
    return true;
}

static void serve_streams(struct nameserver *server)
{
    accept_streams(server);
    for (int i = 0; i < NAMESERVER_STREAMS; i++) {
        if (server->streams[i] >= 0 && (!send_late(server, i) || !serve_stream(server, i))) {
            server->late[i].sent = server->late[i].size = 0;
            close(server->streams[i]);
            server->streams[i] = -1;
        }
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

void nameserver_serve(struct nameserver *server)
{
    serve_datagrams(server);
    serve_streams(server);
}

/* Binds both to one port; false: the port that the kernel chose for one is taken for the other. */
static bool bind_both(struct nameserver *server, int port)
{
    struct sockaddr_in self = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof self;
    int one = 1;

    server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(server->tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(server->udp, (struct sockaddr *)&self, size) == 0 &&
        getsockname(server->udp, (struct sockaddr *)&self, &size) == 0 &&
        bind(server->tcp, (struct sockaddr *)&self, size) == 0 && listen(server->tcp, 16) == 0) {
        snprintf(server->where, sizeof server->where, "127.0.0.1:%d", ntohs(self.sin_port));
        return true;
    }
    close(server->udp);
    close(server->tcp);
    return false;
}

void nameserver_is_needed(const char *what)
{
#ifdef HAVE_CARES
    (void)what;
#else
    fprintf(stderr, "SKIP: %s: built without c-ares, which it is about or which it needs\n", what);
    exit(EXIT_SUCCESS);
#endif
}

void nameserver_begin_at(struct nameserver *server, int port)
{
    int tries = 0;

    memset(server, 0, sizeof *server);
    for (int i = 0; i < NAMESERVER_STREAMS; i++)
        server->streams[i] = -1;
    while (!bind_both(server, port))
        ck_assert_int_lt(tries++, 100);
}

void nameserver_begin(struct nameserver *server)
{
    nameserver_is_needed("a name server of the test's own");
    nameserver_begin_at(server, 0);
    setenv("POLLUX_NAMESERVERS", server->where, 1);
    setenv("RES_OPTIONS", "timeout:30", 1);
}

void nameserver_end(struct nameserver *server)
{
    for (int i = 0; i < NAMESERVER_STREAMS; i++) {
        if (server->streams[i] >= 0)
            close(server->streams[i]);
    }
    close(server->udp);
    close(server->tcp);
}

/* Sleeps until something arrives; false when the pipe was closed or the time is over. */
static bool sleep_for_questions(struct nameserver *server, int stop, int milliseconds)
{
    struct pollfd entries[3 + NAMESERVER_STREAMS] = {{.fd = stop, .events = POLLIN},
                                                     {.fd = server->udp, .events = POLLIN},
                                                     {.fd = server->tcp, .events = POLLIN}};

    for (int i = 0; i < NAMESERVER_STREAMS; i++)
        entries[3 + i] = (struct pollfd){.fd = server->streams[i], .events = POLLIN};
    return poll(entries, 3 + NAMESERVER_STREAMS, milliseconds) > 0 && entries[0].revents == 0;
}

void nameserver_alone(struct nameserver *server, int milliseconds)
{
    while (sleep_for_questions(server, -1, milliseconds))
        nameserver_serve(server);
}

static void *serve_in_thread(void *user)
{
    struct nameserver *server = user;

    while (sleep_for_questions(server, server->stop[0], -1))
        nameserver_serve(server);
    return NULL;
}

void nameserver_start(struct nameserver *server)
{
    ck_assert_int_eq(pipe2(server->stop, O_CLOEXEC), 0);
    ck_assert_int_eq(pthread_create(&server->thread, NULL, serve_in_thread, server), 0);
}

void nameserver_stop(struct nameserver *server)
{
    close(server->stop[1]);
    ck_assert_int_eq(pthread_join(server->thread, NULL), 0);
    close(server->stop[0]);
}

void where_by_name(const char *name, const char *where, char *ret_where)
{
    snprintf(ret_where, WHERE_SIZE, "%s%s", name, strrchr(where, ':'));
}

void raw_silent_at(struct world *w, const char *address, const char *where)
{
    int port = atoi(strrchr(where, ':') + 1);
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int listener = world_raw(w, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

    ck_assert_int_eq(inet_pton(AF_INET, address, &there.sin_addr), 1);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&there, sizeof there), 0);
    ck_assert_int_eq(listen(listener, 0), 0);
    for (int i = 0; i < 2; i++) {
        int guest = world_raw(w, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        (void)!connect(guest, (struct sockaddr *)&there, sizeof there);
    }
}
