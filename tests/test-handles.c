/* tests/test-handles.c -- descriptors that are sent over a Unix socket: which goes with which byte,
 * and what becomes of those that do not go. */
#include "config.h"

#include <sys/wait.h>

#include "tests/clocks.h"
#include "tests/handles.h"

/* ---- the byte it rides on -------------------------------------------------------------------- */

MODE_PAIR_CASE(it_rides_on_the_next_byte)
{
    struct caught caught = {0};
    uint64_t offset = 0;

    write_pattern_at(socket, 5, &offset);
    send_numbers(w, socket, 0, 1);
    write_pattern_at(socket, 3, &offset);
    write_pattern_at(socket, 1, &offset);
    send_numbers(w, socket, 1, 2);
    write_pattern_at(socket, 6, &offset);
    send_numbers(w, socket, 3, 1);
    write_pattern_at(socket, 1, &offset);
    catch_all(w, raw, 1, offset, &caught);
    ck_assert_int_eq(caught.count, 4);
    ck_assert_uint_eq(caught.at[0], 5);
    ck_assert_uint_eq(caught.at[1], 9);
    ck_assert_uint_eq(caught.at[2], 9);
    ck_assert_uint_eq(caught.at[3], 15);
    for (int i = 0; i < caught.count; i++)
        ck_assert_int_eq(caught.number[i], i);
}

MODE_PAIR_CASE(one_after_an_empty_queue_waits_for_its_byte)
{
    struct caught caught = {0};
    uint64_t offset = 0;

    for (int i = 0; i < 5; i++) {
        send_numbers(w, socket, i, 1);
        ck_assert_int_eq(plx_socket_flush(socket), 0);
        world_settle(w);
        ck_assert_int_eq(raw_catch(raw, 1, &caught), -1);
        write_pattern_at(socket, 2, &offset);
        catch_all(w, raw, 1, offset, &caught);
        ck_assert_int_eq(caught.count, i + 1);
        ck_assert_uint_eq(caught.at[i], (uint64_t)i * 2);
    }
}

static int greeted;

/* Says two bytes of the pattern before those of the program. */
static int greet(plx_filter *filter)
{
    char bytes[2];

    pattern_fill((unsigned char *)bytes, sizeof bytes, 0);
    while (greeted < 2) {
        ptrdiff_t count = plx_filter_lower_send(filter, bytes + greeted, (size_t)(2 - greeted));

        if (count < 0)
            return (int)-count;
        greeted += (int)count;
    }
    return 0;
}

static ptrdiff_t pass_on(plx_filter *filter, const void *data, size_t size)
{
    return plx_filter_lower_send(filter, data, size);
}

/* A filter's greeting takes no descriptor of the program with it, whether the filter changes the
 * later bytes or hands them through. */
static void ride_behind_a_greeting(struct world *w, plx_socket *socket, int raw, bool sends)
{
    static const plx_filter_kind kinds_of[] = {
        {.size = sizeof(plx_filter_kind), .name = "greets", .establish = greet},
        {.size = sizeof(plx_filter_kind), .name = "greets", .establish = greet, .send = pass_on}};
    struct caught caught = {0};
    uint64_t offset = 2;

    greeted = 0;
    send_numbers(w, socket, 0, 1);
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &kinds_of[sends]));
    ck_assert_int_eq(plx_ipc_send_handle(socket, 0), sends ? PLX_INVALID_STATE : 0);
    write_pattern_at(socket, 3, &offset);
    catch_all(w, raw, 1, offset, &caught);
    ck_assert_int_eq(caught.count, sends ? 1 : 2);
    ck_assert_uint_eq(caught.at[0], 2);
    ck_assert_int_eq(caught.number[0], 0);
}

MODE_CASE(none_rides_on_a_greeting)
{
    for (int sends = 0; sends < 2; sends++) {
        struct record log;
        plx_socket *socket = ipc(w, &log);
        int raw = world_pair(w, socket, &log);

        ride_behind_a_greeting(w, socket, raw, sends);
    }
}

/* Where descriptors ride in the long queue below; 16 KiB is what a write may send at once. */
static const uint64_t places[] = {0, 1, 2, 100, 4095, 4096, 16383, 16384, 40000, 69998, 69999};

enum { PLACES = sizeof places / sizeof places[0], LONG_QUEUE = 70000 };

/* Queues 70 000 bytes with a descriptor at each place, in pieces of up to `piece` bytes. */
static void queue_places(struct world *w, plx_socket *socket, size_t piece, uint64_t *offset)
{
    int next = 0;

    while (*offset < LONG_QUEUE) {
        uint64_t until = next < PLACES ? places[next] : LONG_QUEUE;

        if (*offset == until) {
            send_numbers(w, socket, next++, 1);
            continue;
        }
        write_pattern_at(socket, until - *offset < piece ? (size_t)(until - *offset) : piece,
                         offset);
    }
}

MODE_CASE(each_at_its_byte_however_the_queue_is_split)
{
    static const size_t reads[] = {1, 7, 1000, 64 * 1024};
    static const size_t pieces[] = {LONG_QUEUE, 900};

    for (size_t i = 0; i < 4 * 2; i++) {
        struct record log;
        plx_socket *socket = ipc(w, &log);
        struct caught caught = {0};
        uint64_t offset = 0;
        size_t size = reads[i % 4];
        int raw;

        if (is_slow() && size < 1000)
            continue;
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 4096), 0);
        raw = world_pair(w, socket, &log);
        queue_places(w, socket, pieces[i / 4], &offset);
        world_poll(w);
        ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 0); /* the kernel took a part */
        catch_all(w, raw, size, LONG_QUEUE, &caught);
        ck_assert_int_eq(caught.count, PLACES);
        for (int k = 0; k < PLACES; k++) {
            ck_assert_int_eq(caught.number[k], k);
            ck_assert_uint_le(caught.at[k], places[k]);
            ck_assert_uint_gt(caught.at[k] + size, places[k]);
        }
        world_free(w, socket);
        raw_close(w, raw);
    }
}

MODE_PAIR_CASE(a_large_write_takes_it_along)
{
    struct caught caught = {0};
    uint64_t offset = 0;
    size_t size = is_slow() ? KIB : 1; /* no piece lies across one of the places */

    send_numbers(w, socket, 0, 1);
    write_pattern_at(socket, 20 * KIB, &offset);
    send_numbers(w, socket, 1, 1);
    write_pattern_at(socket, 16 * KIB, &offset);
    catch_all(w, raw, size, offset, &caught);
    write_pattern_at(socket, 30 * KIB, &offset);
    send_numbers(w, socket, 2, 1);
    write_pattern_at(socket, 1, &offset);
    catch_all(w, raw, size, offset, &caught);
    ck_assert_int_eq(caught.count, 3);
    ck_assert_uint_eq(caught.at[0], 0);
    ck_assert_uint_eq(caught.at[1], 20 * KIB);
    ck_assert_uint_eq(caught.at[2], 66 * KIB);
}

IPC_SOCKET_CASE(a_large_write_into_a_full_system)
{
    struct caught caught = {0};
    uint64_t offset = 0;
    int raw;

    /* The first large write goes at once and only in part; the second finds no room at all. */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 4096), 0);
    raw = world_pair(w, socket, log);
    send_numbers(w, socket, 0, 2);
    write_pattern_at(socket, 100 * KIB, &offset);
    send_numbers(w, socket, 2, 1);
    write_pattern_at(socket, 50 * KIB, &offset);
    catch_all(w, raw, 1000, offset, &caught);
    ck_assert_int_eq(caught.count, 3);
    ck_assert_uint_eq(caught.at[1], 0);
    ck_assert_uint_le(caught.at[2], 100 * KIB);
    ck_assert_uint_gt(caught.at[2] + 1000, 100 * KIB);
}

IPC_SOCKET_CASE(a_full_system_keeps_it_for_its_byte)
{
    struct caught caught = {0};
    uint64_t offset = 0;
    int raw;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 4096), 0);
    raw = world_pair(w, socket, log);
    do {
        write_pattern_at(socket, 1000, &offset);
        ck_assert_int_eq(plx_socket_flush(socket), 0);
    } while (plx_socket_bytes_left_to_send(socket) == 0);
    send_numbers(w, socket, 0, 3);
    write_pattern_at(socket, 10, &offset);
    world_settle(w); /* in vain */
    catch_all(w, raw, 1, offset, &caught);
    ck_assert_int_eq(caught.count, 3);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(caught.at[i], offset - 10);
}

/* ---- many ------------------------------------------------------------------------------------ */

MODE_CASE(many_on_one_byte)
{
    static const int counts[] = {10, MOST_SENT, MOST_SENT + 1, 300, MANY};

    for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
        struct record log;
        plx_socket *socket = ipc(w, &log);
        int raw = world_pair(w, socket, &log), before = count_descriptors();
        struct caught caught = {0};
        uint64_t offset = 0;

        write_pattern_at(socket, 2, &offset);
        send_numbers(w, socket, 0, counts[k]);
        write_pattern_at(socket, 100, &offset);
        catch_all(w, raw, 1, offset, &caught);
        ck_assert_int_eq(caught.count, counts[k]);
        for (int i = 0; i < caught.count; i++) {
            ck_assert_int_eq(caught.number[i], i);
            ck_assert_uint_eq(caught.at[i], 2 + (uint64_t)i / MOST_SENT);
        }
        ck_assert_int_eq(count_descriptors(), before);
        world_free(w, socket);
    }
}

MODE_PAIR_CASE(what_has_no_room_on_a_byte_waits_for_the_next)
{
    struct caught caught = {0};
    uint64_t offset = 0;

    send_numbers(w, socket, 0, 300);
    write_pattern_at(socket, 1, &offset);
    catch_all(w, raw, 1, offset, &caught);
    ck_assert_int_eq(caught.count, MOST_SENT);
    send_numbers(w, socket, 300, 10);
    write_pattern_at(socket, 1, &offset);
    catch_all(w, raw, 1, offset, &caught);
    ck_assert_int_eq(caught.count, 310);
    for (int i = 0; i < caught.count; i++) {
        ck_assert_int_eq(caught.number[i], i);
        ck_assert_uint_eq(caught.at[i], i >= MOST_SENT);
    }
}

MODE_PAIR_CASE(many_that_spill_onto_bytes_with_their_own)
{
    struct caught caught = {0};
    uint64_t offset = 0;

    /* 253 on the first byte; 47 and 206 of the next 253 on the second; 47 and 1 on the third. */
    send_numbers(w, socket, 0, 300);
    write_pattern_at(socket, 1, &offset);
    send_numbers(w, socket, 300, 253);
    write_pattern_at(socket, 1, &offset);
    send_numbers(w, socket, 553, 1);
    write_pattern_at(socket, 20, &offset);
    catch_all(w, raw, 1, offset, &caught);
    ck_assert_int_eq(caught.count, 554);
    for (int i = 0; i < caught.count; i++) {
        ck_assert_int_eq(caught.number[i], i);
        ck_assert_uint_eq(caught.at[i], (uint64_t)i / MOST_SENT);
    }
}

/* ---- those that do not go -------------------------------------------------------------------- */

enum ending { END_CLOSE, END_ABORT, END_FREE, END_DISCONNECT, END_PEER, ENDINGS };

static void end_by(struct world *w, plx_socket *socket, int raw, enum ending how)
{
    switch (how) {
    case END_CLOSE: plx_socket_close(socket); break;
    case END_ABORT: plx_socket_abort(socket); break;
    case END_FREE: world_free(w, socket); return;
    case END_DISCONNECT: ck_assert_int_eq(plx_socket_disconnect(socket), 0); break;
    default: raw_close(w, raw); break;
    }
    UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
}

MODE_CASE(with_no_byte_after_it_is_never_sent)
{
    for (int how = 0; how < ENDINGS; how++) {
        struct record log;
        plx_socket *socket = ipc(w, &log);
        int raw = world_pair(w, socket, &log), before = count_descriptors();
        struct caught caught = {0};
        uint64_t offset = 0;
        ptrdiff_t got = -1;

        write_pattern_at(socket, 3, &offset);
        send_numbers(w, socket, 0, 20);
        ck_assert_int_eq(count_descriptors(), before + 20); /* the copies */
        world_settle(w);
        end_by(w, socket, raw, (enum ending)how);
        world_settle(w);
        /* One of the two descriptors of the connection is gone as well, or both. */
        ck_assert_int_eq(count_descriptors(), before - (how == END_PEER ? 2 : 1));
        if (how == END_PEER)
            continue;
        UNTIL(w, (got = raw_catch(raw, 100, &caught)) == 0);
        ck_assert_uint_eq(caught.bytes, 3);
        ck_assert_int_eq(caught.count, 0);
        raw_close(w, raw);
    }
}

MODE_CASE(closed_with_the_bytes_that_did_not_go)
{
    for (int how = 0; how < ENDINGS; how++) {
        struct record log;
        plx_socket *socket = ipc(w, &log);
        uint64_t offset = 0;
        int raw, before;

        if (how == END_DISCONNECT)
            continue; /* which sends them: below */
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 4096), 0);
        raw = world_pair(w, socket, &log);
        before = count_descriptors();
        write_pattern_at(socket, 100 * KIB, &offset);
        for (int i = 0; i < 20; i++) {
            send_numbers(w, socket, i, 2);
            write_pattern_at(socket, 100, &offset);
        }
        world_settle(w);
        ck_assert_int_eq(count_descriptors(), before + 40);
        end_by(w, socket, raw, (enum ending)how);
        ck_assert_int_eq(count_descriptors(), before - (how == END_PEER ? 2 : 1));
    }
}

MODE_CASE(disconnect_sends_those_with_bytes)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
    int before = count_descriptors(), raw;
    struct caught caught = {0};
    uint64_t offset = 0;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 4096), 0);
    raw = world_pair(w, socket, &log);
    write_pattern_at(socket, 60 * KIB, &offset);
    send_numbers(w, socket, 0, 300);
    write_pattern_at(socket, 60 * KIB, &offset);
    send_numbers(w, socket, 300, 1);
    write_pattern_at(socket, 1, &offset);
    send_numbers(w, socket, 301, 5); /* no byte comes after these */
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_ipc_send_handle(socket, 0), PLX_INVALID_STATE);
    while (caught.bytes < offset)
        UNTIL(w, raw_catch(raw, 5000, &caught) > 0);
    UNTIL(w, raw_catch(raw, 1, &caught) == 0);
    ck_assert_uint_eq(caught.bytes, offset);
    ck_assert_int_eq(caught.count, 301);
    for (int i = 0; i < caught.count; i++)
        ck_assert_int_eq(caught.number[i], i);
    raw_close(w, raw);
    UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(count_descriptors(), before);
}

IPC_SOCKET_CASE(dropped_with_the_bytes_that_send_progress_drops)
{
    struct caught caught = {0};
    uint64_t offset = 0;
    int raw, before;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 4096), 0);
    raw = world_pair(w, socket, log);
    before = count_descriptors();
    log->cancel = true;
    write_pattern_at(socket, 200 * KIB, &offset);
    send_numbers(w, socket, 0, 5);
    write_pattern_at(socket, 10, &offset);
    UNTIL(w, log->count[EVENT_SEND_COMPLETE] == 1);
    ck_assert_ptr_nonnull(strstr(log->text, "send_complete(true)"));
    log->cancel = false;
    ck_assert_int_eq(count_descriptors(), before);
    UNTIL(w, raw_catch(raw, 5000, &caught) == -1 && plx_socket_bytes_left_to_send(socket) == 0);
    /* What is written now goes on where the stream was cut, and nothing rides on it. */
    offset = caught.bytes;
    write_pattern_at(socket, 10, &offset);
    catch_all(w, raw, 1, offset, &caught);
    ck_assert_int_eq(caught.count, 0);
}

/* ---- while there is no connection yet -------------------------------------------------------- */

IPC_SOCKET_CASE(queued_while_connecting)
{
    struct caught caught = {0};
    uint64_t offset = 0;
    int raw, listener = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    send_numbers(w, socket, 0, 1);
    write_pattern_at(socket, 4, &offset);
    send_numbers(w, socket, 1, 1);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    raw = raw_accept(w, listener);
    catch_all(w, raw, 1, offset, &caught);
    ck_assert_int_eq(caught.count, 1);
    write_pattern_at(socket, 2, &offset);
    catch_all(w, raw, 1, offset, &caught);
    ck_assert_int_eq(caught.count, 2);
    ck_assert_uint_eq(caught.at[0], 0);
    ck_assert_uint_eq(caught.at[1], 4);
}

MODE_CASE(closed_when_connecting_fails)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
    int raw, before = count_descriptors();
    struct caught caught = {0};
    uint64_t offset = 0;
    char where[WHERE_SIZE];

    world_place(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    send_numbers(w, socket, 0, 3);
    write_pattern_at(socket, 4, &offset);
    send_numbers(w, socket, 3, 3);
    UNTIL(w, log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(count_descriptors(), before);
    raw = world_pair(w, socket, NULL); /* and nothing of it is left to the next connection */
    offset = 0;
    write_pattern_at(socket, 4, &offset);
    catch_all(w, raw, 1, offset, &caught);
    ck_assert_int_eq(caught.count, 0);
}

/* ---- errors of sending ----------------------------------------------------------------------- */

MODE_CASE(errors_of_sending)
{
    struct record log, log_tcp;
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, &log_tcp), *socket = ipc(w, &log);
    char where[WHERE_SIZE];
    int raw, file = world_raw(w, numbered(w, 0)), closed = dup(file);

    close(closed);
    w->kind = &kinds[0];
    world_pair(w, tcp, &log_tcp);
    w->kind = &kinds[1];
    ck_assert_int_eq(plx_ipc_send_handle(NULL, file), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_ipc_send_handle(tcp, file), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_ipc_send_handle(socket, file), PLX_INVALID_STATE);
    world_listen(w, socket, where);
    ck_assert_int_eq(plx_ipc_send_handle(socket, file), PLX_INVALID_STATE);
    plx_socket_close(socket);
    raw = world_pair(w, socket, NULL);
    world_settle(w);
    record_clear(&log);
    ck_assert_int_eq(plx_ipc_send_handle(socket, closed), EBADF);
    ck_assert_int_eq(plx_socket_last_error(socket), EBADF);
    ck_assert_int_eq(plx_ipc_send_handle(socket, -1), EBADF);
    ck_assert(is_open(file));
    ck_assert(plx_socket_is_connected(socket));
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1); /* of the first call since the last poll */
    ck_assert_int_eq(log.code, EBADF);
    raw_say(raw, "lives");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
}

IPC_SOCKET_CASE(the_copy_is_close_on_exec)
{
    int file = world_raw(w, numbered(w, 0)), next;

    world_pair(w, socket, log);
    next = dup(file); /* the lowest that is free, which the copy gets */
    close(next);
    ck_assert_int_eq(plx_ipc_send_handle(socket, file), 0);
    ck_assert(is_open(next));
    ck_assert(is_close_on_exec(next));
}

MODE_PAIR_CASE(no_descriptor_left_for_the_copy)
{
    int file = world_raw(w, numbered(w, 4)), result, next;
    rlim_t before = limit_of_descriptors();
    struct caught caught = {0};
    uint64_t offset = 0;

    if (under_valgrind()) {
        fprintf(stderr, "SKIP: under valgrind: no_descriptor_left_for_the_copy\n");
        return;
    }
    next = dup(file);
    close(next);
    limit_descriptors((rlim_t)next);
    result = plx_ipc_send_handle(socket, file);
    limit_descriptors(before);
    /* Reported plainly, or as the class code that stands for it (pollux/error.h). */
    ck_assert(result == EMFILE || result == PLX_OPEN_DRIVER);
    ck_assert_int_eq(plx_socket_error(socket)->os_error, EMFILE);
    ck_assert(plx_socket_is_connected(socket));
    ck_assert_int_eq(plx_ipc_send_handle(socket, file), 0);
    write_pattern_at(socket, 1, &offset);
    catch_all(w, raw, 1, offset, &caught);
    ck_assert_int_eq(caught.count, 1);
    ck_assert_int_eq(caught.number[0], 4);
}

/* Sends as a user without privileges, who may have only as many under way as he may have open
 * (unix(7), ETOOMANYREFS), to a reader who does not read. Exits 0 at that errno. */
static void send_too_many(int descriptor)
{
    plx_socket *socket = plx_ipc_new();
    int result = 0;

    limit_descriptors(64);
    if (setgid(65534) != 0 || setuid(65534) != 0 || plx_socket_adopt(socket, descriptor) != 0)
        _exit(2);
    for (int i = 0; i < 1000 && plx_socket_state(socket) != PLX_UNCONNECTED; i++) {
        result = plx_ipc_send_handle(socket, descriptor);
        plx_socket_write(socket, "x", 1);
        plx_socket_poll(socket);
    }
    if (plx_socket_state(socket) != PLX_UNCONNECTED)
        _exit(3);
    if (plx_socket_error(socket)->os_error != ETOOMANYREFS)
        _exit(4);
    plx_socket_free(socket);
    (void)result;
    _exit(0);
}

MODE_CASE(too_many_under_way)
{
    int ends[2], status = 0;
    pid_t child;

    (void)w;
    if (getuid() != 0 || under_valgrind()) {
        fprintf(stderr, "SKIP: not root, or under valgrind: too_many_under_way\n");
        return;
    }
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        send_too_many(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    close(ends[0]);
    close(ends[1]);
}

WORLD_MAIN("handles", .kind = "ipc", .setup = raise_limit)
