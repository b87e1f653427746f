/* tests/test-handles-between.c -- descriptors from one of ours to another: what they are good for
 * at the other side, many of them, and what they cost. */
#include "config.h"

#include "tests/handles.h"

/* ---- one goes over --------------------------------------------------------------------------- */

MODE_CASE(a_pipe_end_goes_over)
{
    struct record log_from, log_to;
    plx_socket *from = ipc(w, &log_from), *to = receiver(w, &log_to);
    int ends[2], got;
    char text[16] = "";

    world_couple(w, from, to);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(plx_ipc_send_handle(from, ends[1]), 0);
    ck_assert_int_eq(plx_socket_write(from, "x", 1), 1);
    UNTIL(w, plx_socket_bytes_available(to) == 1);
    got = plx_ipc_receive_handle(to);
    ck_assert_int_ge(got, 0);
    ck_assert_int_ne(got, ends[1]);
    ck_assert(is_close_on_exec(got));
    ck_assert_int_eq(plx_ipc_receive_handle(to), -1);
    ck_assert(is_open(ends[1])); /* still ours */
    close(ends[1]);
    ck_assert_int_eq(write(got, "through", 7), 7);
    ck_assert_int_eq(read(ends[0], text, sizeof text), 7);
    ck_assert_str_eq(text, "through");
    close(got);
    ck_assert_int_eq(read(ends[0], text, sizeof text), 0); /* and nobody has kept a copy */
    close(ends[0]);
}

MODE_CASE(a_file_closed_at_once_goes_over)
{
    struct record log_from, log_to;
    plx_socket *from = ipc(w, &log_from), *to = receiver(w, &log_to);
    int file, got;
    char text[16] = "";

    world_couple(w, from, to);
    file = numbered(w, 0);
    ck_assert_int_eq(write(file, "in the file", 11), 11);
    ck_assert_int_eq(plx_ipc_send_handle(from, file), 0);
    close(file);
    ck_assert_int_eq(plx_socket_write(from, "x", 1), 1);
    UNTIL(w, plx_socket_bytes_available(to) == 1);
    got = plx_ipc_receive_handle(to);
    ck_assert_int_eq(lseek(got, 0, SEEK_SET), 0);
    ck_assert_int_eq(read(got, text, sizeof text), 11);
    ck_assert_str_eq(text, "in the file");
    close(got);
}

/* It says something, and is not the handler of `data_available` only: the byte comes with it. */
static void act_expect_seven(struct record *record, plx_socket *socket)
{
    (void)record;
    expect_number(socket, 7);
}

MODE_CASE(both_ways_and_in_the_handler)
{
    struct record log_from, log_to;
    plx_socket *from = receiver(w, &log_from), *to = receiver(w, &log_to);

    world_couple(w, from, to);
    record_on(&log_from, EVENT_DATA_AVAILABLE, act_expect_seven, NULL);
    record_on(&log_to, EVENT_DATA_AVAILABLE, act_expect_seven, NULL);
    send_numbers(w, from, 7, 1);
    send_numbers(w, to, 7, 1);
    ck_assert_int_eq(plx_socket_write(from, "x", 1), 1);
    ck_assert_int_eq(plx_socket_write(to, "x", 1), 1);
    UNTIL(w, log_from.fired && log_to.fired);
}

/* ---- many ------------------------------------------------------------------------------------ */

MODE_CASE(many_between_two_of_ours)
{
    struct record log_from, log_to;
    plx_socket *from = ipc(w, &log_from), *to = receiver(w, &log_to);
    int got, next = 0;

    world_couple(w, from, to);
    send_numbers(w, from, 0, MANY);
    ck_assert_int_eq(plx_socket_write(from, "as many bytes as it takes", 25), 25);
    while (next < MANY) {
        UNTIL(w, (got = plx_ipc_receive_handle(to)) >= 0);
        ck_assert_int_eq(number_of(got), next++);
        close(got);
    }
    ck_assert_int_eq(plx_ipc_receive_handle(to), -1);
    UNTIL(w, plx_socket_bytes_available(to) == 25);
    ck_assert(plx_socket_is_connected(to));
}

static void act_collect(struct record *record, plx_socket *socket)
{
    int *next = record->data;

    for (int got; (got = plx_ipc_receive_handle(socket)) >= 0; close(got))
        ck_assert_int_eq(number_of(got), (*next)++);
}

MODE_CASE(a_thousand_sent_in_one_go)
{
    struct record log_from, log;
    plx_socket *from = ipc(w, &log_from), *to = receiver(w, &log);
    int before, next = 0;
    uint64_t offset = 0;

    /* The reader takes them in its handler, so it loses none, however many the kernel holds. */
    world_couple(w, from, to);
    before = count_descriptors();
    log.mute = ~0u;
    log.always = log.swallow = true;
    record_on(&log, EVENT_DATA_AVAILABLE, act_collect, &next);
    for (int i = 0; i < MANY; i += 100) {
        send_numbers(w, from, i, 100);
        write_pattern_at(from, 50, &offset);
    }
    UNTIL(w, next == MANY && log.swallowed == offset);
    ck_assert_int_eq(count_descriptors(), before);
}

/* ---- a connection goes over a connection ----------------------------------------------------- */

MODE_CASE(a_connected_tcp_socket_is_handed_on)
{
    struct record log_from, log_to, log_tcp;
    plx_socket *from = ipc(w, &log_from), *to = receiver(w, &log_to);
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, &log_tcp);
    char where[WHERE_SIZE];
    int listener, ours, peer, got;

    world_couple(w, from, to);
    w->kind = &kinds[0];
    listener = raw_listen(w, 5, where);
    peer = raw_connect(w, where);
    ours = accept_closing(listener, 0);
    ck_assert_int_ge(ours, 0);
    raw_say(peer, "said before");
    ck_assert_int_eq(plx_ipc_send_handle(from, ours), 0);
    close(ours);
    ck_assert_int_eq(plx_socket_write(from, "x", 1), 1);
    UNTIL(w, (got = plx_ipc_receive_handle(to)) >= 0);
    ck_assert_int_eq(plx_socket_adopt(tcp, got), 0);
    UNTIL(w, plx_socket_bytes_available(tcp) == 11);
    ck_assert_int_eq(plx_socket_write(tcp, "answered", 8), 8);
    raw_expect(w, peer, "answered");
    raw_close(w, peer);
    UNTIL(w, log_tcp.count[EVENT_DISCONNECTED] == 1);
}

MODE_CASE(the_connection_itself_goes_over_itself)
{
    struct record log_from, log_to, log;
    plx_socket *from = ipc(w, &log_from), *to = receiver(w, &log_to), *other = ipc(w, &log);
    int got;

    world_couple(w, from, to);
    ck_assert_int_eq(plx_ipc_send_handle(from, plx_socket_handle(from)), 0);
    ck_assert_int_eq(plx_socket_write(from, "x", 1), 1);
    UNTIL(w, (got = plx_ipc_receive_handle(to)) >= 0);
    ck_assert_int_eq(plx_socket_adopt(other, got), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    plx_socket_close(from); /* its end of the connection lives on in the other */
    ck_assert_uint_eq(plx_socket_skip(to, 1), 1);
    ck_assert_int_eq(plx_socket_write(other, "still here", 10), 10);
    UNTIL(w, plx_socket_bytes_available(to) == 10);
    plx_socket_close(other);
    UNTIL(w, log_to.count[EVENT_DISCONNECTED] == 1);
}

/* ---- quiet memory ---------------------------------------------------------------------------- */

MODE_CASE(steady_frames_allocate_nothing)
{
    struct record log_from, log_to;
    plx_socket *from = receiver(w, &log_from), *to = receiver(w, &log_to);
    char text[700];
    size_t before = 0;

    world_couple(w, from, to);
    log_from.mute = log_to.mute = ~0u;
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 300; i++) {
        if (i == 100)
            before = count_allocations();
        ck_assert_int_eq(plx_socket_write(from, text, sizeof text), sizeof text);
        UNTIL(w, plx_socket_bytes_available(to) == sizeof text);
        ck_assert_int_eq(plx_socket_read(to, text, sizeof text), sizeof text);
        ck_assert_int_eq(plx_ipc_receive_handle(to), -1);
    }
    ck_assert_msg(count_allocations() == before, "%s: %zu allocations in 200 steady frames",
                  world_name(w), count_allocations() - before);
}

MODE_CASE(want_of_memory_loses_no_descriptor)
{
    int number = 1;
    bool failed = true;

    /* Whichever allocation fails: the call fails, or the connection ends; never does a descriptor
     * stay behind, which world_end and the counts below would see. */
    for (; failed; number++) {
        struct record log_from, log_to;
        plx_socket *from = ipc(w, &log_from), *to = receiver(w, &log_to);
        int before, file, result, got;

        world_couple(w, from, to);
        before = count_descriptors();
        file = numbered(w, 3);
        fail_allocation(number);
        result = plx_ipc_send_handle(from, file);
        close(file);
        if (result == 0)
            plx_socket_write(from, "x", 1);
        else
            ck_assert_int_eq(result, PLX_OUT_OF_MEMORY);
        world_settle(w);
        failed = allocation_failed();
        fail_allocation(0);
        got = plx_ipc_receive_handle(to);
        if (got >= 0)
            ck_assert_int_eq(number_of(got), 3);
        ck_assert(got >= 0 || failed);
        close(got);
        plx_socket_abort(from);
        plx_socket_abort(to);
        ck_assert_int_eq(count_descriptors(), before - 2);
        world_free(w, from);
        world_free(w, to);
        ck_assert_int_lt(number, 20);
    }
    ck_assert_int_gt(number, 1);
}

WORLD_MAIN("handles between", .setup = raise_limit)
