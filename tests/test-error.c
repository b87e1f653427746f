/* tests/test-error.c -- the table of errnos, for every number, and errors in full. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pollux/memory.h>

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "tests/suite.h"

/* strerrorname_np came with glibc 2.32. */
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 32)
#define SYSTEM_NAMES
#endif
#endif

#define LAST_ERRNO 4095 /* the kernel's MAX_ERRNO (include/linux/err.h) */

/* ---- codes ----------------------------------------------------------------------------------- */

SECTION("codes");

/* The classes and their meaning, as they were promised; everything else is the errno itself. */
static const struct {
    int os_error, code;
} promised[] = {
    {ENETDOWN, PLX_OPEN_DRIVER},
    {EMFILE, PLX_OPEN_DRIVER},
    {ENFILE, PLX_OPEN_DRIVER},
    {EAFNOSUPPORT, PLX_OPEN_DRIVER},
    {EPROTONOSUPPORT, PLX_OPEN_DRIVER},
    {ENETRESET, PLX_LOST_CONNECTION},
    {ECONNABORTED, PLX_LOST_CONNECTION},
    {EPIPE, PLX_LOST_CONNECTION},
    {ECONNRESET, PLX_LOST_CONNECTION},
    {EADDRINUSE, PLX_ADDRESS_IN_USE},
    {EISCONN, PLX_INVALID_STATE},
    {ENOTCONN, PLX_INVALID_STATE},
#ifdef ESHUTDOWN
    {ESHUTDOWN, PLX_INVALID_STATE},
#endif
    {ENOBUFS, PLX_OUT_OF_MEMORY},
    {ENOMEM, PLX_OUT_OF_MEMORY},
};

static int promised_code(int os_error)
{
    for (size_t i = 0; i < PLX__COUNT_OF(promised); i++) {
        if (promised[i].os_error == os_error) {
            return promised[i].code;
        }
    }
    return os_error >= 100 && os_error <= 108 ? PLX_OPEN_DRIVER : os_error;
}

PLAIN_CASE(no_class_code_is_without_its_meaning)
{
    for (int os_error = 0; os_error <= LAST_ERRNO; os_error++) {
        ck_assert_msg(plx__error_code(os_error) == promised_code(os_error), "errno %d gives %d",
                      os_error, plx__error_code(os_error));
    }
}

PLAIN_CASE(a_code_is_never_negative)
{
    ck_assert_int_eq(plx__error_code(-1), PLX_OPEN_DRIVER);
    ck_assert_int_eq(plx__error_code(-ECONNREFUSED), PLX_OPEN_DRIVER);
    ck_assert_int_eq(plx__error_code(-2147483647 - 1), PLX_OPEN_DRIVER);
    ck_assert_int_eq(plx__error_code(0), PLX_OK);
    ck_assert_int_eq(plx__error_code(2147483647), 2147483647);
}

/* What man 2 and man 7 of the calls on sockets, their files and pollers name on every system. */
static const int returned[] = {
    EACCES,   EADDRINUSE,  EADDRNOTAVAIL,   EAFNOSUPPORT, EAGAIN,     EALREADY,     EBADF,
    EBUSY,    ECANCELED,   ECONNABORTED,    ECONNREFUSED, ECONNRESET, EDESTADDRREQ, EEXIST,
    EFAULT,   EFBIG,       EHOSTUNREACH,    EINPROGRESS,  EINTR,      EINVAL,       EIO,
    EISCONN,  EISDIR,      ELOOP,           EMFILE,       EMLINK,     EMSGSIZE,     ENAMETOOLONG,
    ENETDOWN, ENETRESET,   ENETUNREACH,     ENFILE,       ENOBUFS,    ENODEV,       ENOENT,
    ENOLCK,   ENOMEM,      ENOPROTOOPT,     ENOSPC,       ENOSYS,     ENOTCONN,     ENOTDIR,
    ENOTSOCK, ENOTSUP,     ENOTTY,          ENXIO,        EOPNOTSUPP, EOVERFLOW,    EPERM,
    EPIPE,    EPROTO,      EPROTONOSUPPORT, EPROTOTYPE,   ERANGE,     EROFS,        ETIMEDOUT,
    ETXTBSY,  EWOULDBLOCK, EXDEV,
};

PLAIN_CASE(each_errno_that_a_socket_meets_has_a_text)
{
    for (size_t i = 0; i < PLX__COUNT_OF(returned); i++) {
        ck_assert_msg(strcmp(plx__error_os_name(returned[i]), "unknown") != 0, "errno %d",
                      returned[i]);
        ck_assert_str_ne(plx__error_os_text(returned[i]), plx__error_os_text(LAST_ERRNO));
    }
}

PLAIN_CASE(an_errno_has_the_name_the_system_gives_it_or_none)
{
#ifdef SYSTEM_NAMES
    for (int os_error = 1; os_error <= LAST_ERRNO; os_error++) {
        const char *name = plx__error_os_name(os_error);
        bool known = strcmp(name, "unknown") != 0;
        if (known) {
            ck_assert_ptr_nonnull(strerrorname_np(os_error));
            ck_assert_str_eq(name, strerrorname_np(os_error));
        }
        ck_assert_int_eq(known,
                         strcmp(plx__error_os_text(os_error), plx__error_os_text(LAST_ERRNO)) != 0);
        if (os_error < 100 || os_error > 108) {
            ck_assert_str_eq(plx_code_name(os_error), name);
            ck_assert_str_eq(plx_code_text(os_error), plx__error_os_text(os_error));
        }
    }
#endif
}

PLAIN_CASE(classes_have_names_of_their_own)
{
    ck_assert_str_eq(plx_code_name(0), "Ok");
    ck_assert_str_eq(plx_code_name(100), "OpenDriver");
    ck_assert_str_eq(plx_code_name(101), "unknown");
    ck_assert_str_eq(plx_code_name(102), "LostConnection");
    ck_assert_str_eq(plx_code_name(103), "NameResolution");
    ck_assert_str_eq(plx_code_name(104), "unknown");
    ck_assert_str_eq(plx_code_name(105), "AddressInUse");
    ck_assert_str_eq(plx_code_name(106), "InvalidState");
    ck_assert_str_eq(plx_code_name(107), "InvalidPort");
    ck_assert_str_eq(plx_code_name(108), "OutOfMemory");
    ck_assert_str_eq(plx_code_text(101), plx_code_text(-5));
}

PLAIN_CASE(texts_fit_behind_a_colon)
{
    for (int code = -10; code <= LAST_ERRNO; code++) {
        const char *text = plx_code_text(code);
        size_t length = strlen(text);
        ck_assert_uint_gt(length, 3);
        ck_assert_int_ne(text[length - 1], '.');
        ck_assert_ptr_null(strchr(text, '\n'));
        ck_assert_str_ne(plx_code_name(code), "");
        ck_assert_ptr_eq(text, plx_code_text(code));
    }
}

PLAIN_CASE(reasons_say_what_happened)
{
    static const struct {
        int os_error;
        plx_reason reason;
    } expected[] = {
        {0, PLX_REASON_NONE},
        {ETIMEDOUT, PLX_REASON_SOCKET_TIMEOUT},
        {ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED},
        {ENOENT, PLX_REASON_CONNECTION_REFUSED},
        {EPIPE, PLX_REASON_REMOTE_HOST_CLOSED},
        {ECONNRESET, PLX_REASON_REMOTE_HOST_CLOSED},
        {ECONNABORTED, PLX_REASON_REMOTE_HOST_CLOSED},
        {EHOSTUNREACH, PLX_REASON_NETWORK},
        {ENETUNREACH, PLX_REASON_NETWORK},
        {ENETDOWN, PLX_REASON_NETWORK},
        {ENETRESET, PLX_REASON_NETWORK},
        {EACCES, PLX_REASON_SOCKET_ACCESS},
        {EPERM, PLX_REASON_SOCKET_ACCESS},
        {EMFILE, PLX_REASON_SOCKET_RESOURCE},
        {ENFILE, PLX_REASON_SOCKET_RESOURCE},
        {ENOBUFS, PLX_REASON_SOCKET_RESOURCE},
        {ENOMEM, PLX_REASON_SOCKET_RESOURCE},
        {EMSGSIZE, PLX_REASON_DATAGRAM_TOO_LARGE},
        {EADDRINUSE, PLX_REASON_ADDRESS_IN_USE},
        {EADDRNOTAVAIL, PLX_REASON_ADDRESS_NOT_AVAILABLE},
        {EAFNOSUPPORT, PLX_REASON_UNSUPPORTED_OPERATION},
        {EPROTONOSUPPORT, PLX_REASON_UNSUPPORTED_OPERATION},
        {EOPNOTSUPP, PLX_REASON_UNSUPPORTED_OPERATION},
        {ENOTSUP, PLX_REASON_UNSUPPORTED_OPERATION},
        {ENOTSOCK, PLX_REASON_UNSUPPORTED_OPERATION},
        {EINPROGRESS, PLX_REASON_UNFINISHED_OPERATION},
        {EALREADY, PLX_REASON_UNFINISHED_OPERATION},
        {EAGAIN, PLX_REASON_TEMPORARY},
        {EWOULDBLOCK, PLX_REASON_TEMPORARY},
        {EINVAL, PLX_REASON_OPERATION},
        {EBADF, PLX_REASON_OPERATION},
        {LAST_ERRNO, PLX_REASON_OPERATION},
        {-1, PLX_REASON_OPERATION},
    };
    for (size_t i = 0; i < PLX__COUNT_OF(expected); i++) {
        ck_assert_msg(plx__error_reason(expected[i].os_error) == expected[i].reason,
                      "errno %d gives %d", expected[i].os_error,
                      (int)plx__error_reason(expected[i].os_error));
    }
}

PLAIN_CASE(reason_numbers_and_names)
{
    ck_assert_int_eq(PLX_REASON_CONNECTION_REFUSED, 10);
    ck_assert_int_eq(PLX_REASON_ADDRESS_NOT_AVAILABLE, 19);
    ck_assert_int_eq(PLX_REASON_OPERATION, 29);
    ck_assert_int_eq(PLX_REASON_TEMPORARY, 32);
    ck_assert_str_eq(plx_reason_name(PLX_REASON_NONE), "None");
    ck_assert_str_eq(plx_reason_name(PLX_REASON_CONNECTION_REFUSED), "ConnectionRefused");
    ck_assert_str_eq(plx_reason_name(PLX_REASON_TEMPORARY), "Temporary");
    ck_assert_str_eq(plx_reason_name((plx_reason)4), "unknown");
    ck_assert_str_eq(plx_reason_name((plx_reason)9), "unknown");
    ck_assert_str_eq(plx_reason_name((plx_reason)33), "unknown");
    ck_assert_str_eq(plx_reason_name((plx_reason)-1), "unknown");
    for (int i = 10; i <= 32; i++) {
        for (int j = i + 1; j <= 32; j++) {
            ck_assert_str_ne(plx_reason_name((plx_reason)i), plx_reason_name((plx_reason)j));
        }
    }
}

/* ---- errors in full -------------------------------------------------------------------------- */

SECTION("errors");

/* An allocator that counts blocks and can have none left. */
static int blocks;
static bool empty;

static void *resize(void *block, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        blocks--;
        free(block);
        return NULL;
    }
    if (empty) {
        return NULL;
    }
    blocks += block == NULL;
    return realloc(block, size);
}

static plx_error error;

static void setup(void)
{
    blocks = 0;
    empty = false;
    plx_memory_set(resize, NULL);
    error = (plx_error){0};
}

static void teardown(void)
{
    plx__error_clear(&error);
    ck_assert_int_eq(blocks, 0);
    plx_memory_set(NULL, NULL);
}

static void expect(int code, plx_reason reason, int os_error, const char *message)
{
    ck_assert_int_eq(error.code, code);
    ck_assert_int_eq((int)error.reason, (int)reason);
    ck_assert_int_eq(error.os_error, os_error);
    ck_assert_str_eq(error.message, message);
}

PLAIN_CASE(want_of_memory_leaves_a_static_text)
{
    empty = true;
    plx__error_set(&error, 102, PLX_REASON_REMOTE_HOST_CLOSED, ECONNRESET, "read");
    expect(102, PLX_REASON_REMOTE_HOST_CLOSED, ECONNRESET, plx_code_text(102));
    plx__error_set(&error, 106, PLX_REASON_OPERATION, 0, "write");
    expect(106, PLX_REASON_OPERATION, 0, plx_code_text(106));
    empty = false;
    plx__error_set(&error, 106, PLX_REASON_OPERATION, 0, "write");
    empty = true;
    plx_error copy = {0};
    plx__error_copy(&copy, &error);
    ck_assert_str_eq(copy.message, plx_code_text(106));
    plx__error_clear(&copy);
}

PLAIN_CASE(the_sentence_names_the_step)
{
    plx__error_set(&error, ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED, ECONNREFUSED,
                   "connect to %s port %d", "127.0.0.1", 9);
    expect(ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED, ECONNREFUSED,
           "connect to 127.0.0.1 port 9: connection refused (ECONNREFUSED)");
    ck_assert_int_eq(blocks, 1);
    plx__error_set(&error, ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED, ECONNREFUSED, "x");
    ck_assert_str_eq(error.message, "x: connection refused (ECONNREFUSED)");
}

PLAIN_CASE(without_an_errno_it_is_the_class_that_speaks)
{
    plx__error_set(&error, 103, PLX_REASON_HOST_NOT_FOUND, 0, "look up %s", "nowhere.invalid");
    expect(103, PLX_REASON_HOST_NOT_FOUND, 0,
           "look up nowhere.invalid: the host name has no address (NameResolution)");
}

PLAIN_CASE(the_errno_speaks_before_the_class)
{
    plx__error_set(&error, 107, PLX_REASON_SOCKET_ACCESS, EACCES, "bind to port %d", 80);
    expect(107, PLX_REASON_SOCKET_ACCESS, EACCES, "bind to port 80: permission denied (EACCES)");
    plx__error_set(&error, plx__error_code(ENETUNREACH), PLX_REASON_NETWORK, ENETUNREACH, "send");
    ck_assert_str_eq(error.message, "send: network cannot be reached (ENETUNREACH)");
}

PLAIN_CASE(an_unknown_errno_shows_its_number)
{
    plx__error_set(&error, 4000, PLX_REASON_OPERATION, 4000, "read");
    expect(4000, PLX_REASON_OPERATION, 4000,
           "read: an error that this library does not know (error 4000)");
    plx__error_set(&error, 101, PLX_REASON_OPERATION, 0, "read");
    ck_assert_str_eq(error.message, "read: an error that this library does not know (error 101)");
}

PLAIN_CASE(no_step_is_no_colon)
{
    plx__error_set(&error, 108, PLX_REASON_SOCKET_RESOURCE, 0, NULL);
    expect(108, PLX_REASON_SOCKET_RESOURCE, 0, "out of memory (OutOfMemory)");
    plx__error_set(&error, 108, PLX_REASON_SOCKET_RESOURCE, 0, "%s", "");
    ck_assert_str_eq(error.message, "out of memory (OutOfMemory)");
}

PLAIN_CASE(a_whole_sentence_has_nothing_behind_it)
{
    plx__error_set(&error, 102, PLX_REASON_REMOTE_HOST_CLOSED, PLX__SENTENCE, "the peer %s",
                   "closed");
    expect(102, PLX_REASON_REMOTE_HOST_CLOSED, 0, "the peer closed");
    plx__error_set(&error, 106, PLX_REASON_OPERATION, PLX__SENTENCE, "[%s]\n", error.message);
    expect(106, PLX_REASON_OPERATION, 0, "[the peer closed] ");
    plx__error_set(&error, 106, PLX_REASON_OPERATION, PLX__SENTENCE, "%s", "");
    expect(106, PLX_REASON_OPERATION, 0, "");
    plx__error_set(&error, 102, PLX_REASON_NETWORK, PLX__SENTENCE_OF(EPROTO), "a %s", "cut");
    expect(102, PLX_REASON_NETWORK, EPROTO, "a cut");
    ck_assert_int_eq(blocks, 1);
    empty = true;
    plx__error_set(&error, 106, PLX_REASON_OPERATION, PLX__SENTENCE, "write: no data");
    expect(106, PLX_REASON_OPERATION, 0, plx_code_text(106));
}

PLAIN_CASE(numbers_alone_make_an_error)
{
    static const struct {
        int code, os_error;
        plx_reason reason;
        int known;
    } rows[] = {
        {0, 0, PLX_REASON_NONE, 0},
        {100, 0, PLX_REASON_SOCKET_RESOURCE, 0},
        {102, 0, PLX_REASON_REMOTE_HOST_CLOSED, 0},
        {102, ETIMEDOUT, PLX_REASON_SOCKET_TIMEOUT, ETIMEDOUT},
        {103, 0, PLX_REASON_HOST_NOT_FOUND, 0},
        {105, 0, PLX_REASON_ADDRESS_IN_USE, 0},
        {106, 0, PLX_REASON_OPERATION, 0},
        {107, 0, PLX_REASON_PORT_OUT_OF_RANGE, 0},
        {108, 0, PLX_REASON_SOCKET_RESOURCE, 0},
        {ECONNREFUSED, 0, PLX_REASON_CONNECTION_REFUSED, ECONNREFUSED},
        {EMSGSIZE, 0, PLX_REASON_DATAGRAM_TOO_LARGE, EMSGSIZE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        error = plx__error_bare(rows[i].code, rows[i].os_error);
        expect(rows[i].code, rows[i].reason, rows[i].known, plx_code_text(rows[i].code));
        ck_assert_int_eq(blocks, 0);
    }
    /* It owns nothing, and gives way like any other. */
    plx__error_set(&error, 103, PLX_REASON_HOST_NOT_FOUND, 0, "look up %s", error.message);
    ck_assert_int_eq(blocks, 1);
}

PLAIN_CASE(a_message_stays_one_line)
{
    plx__error_set(&error, 103, PLX_REASON_HOST_NOT_FOUND, 0, "look up %s", "a\nb\r\x1b[31m\x7f");
    ck_assert_str_eq(error.message,
                     "look up a b  [31m : the host name has no address (NameResolution)");
    plx__error_set(&error, 103, PLX_REASON_HOST_NOT_FOUND, 0, "look up %s",
                   "b\xc3\xbc"
                   "cher.de");
    ck_assert_str_eq(error.message, "look up b\xc3\xbc"
                                    "cher.de: the host name has no address (NameResolution)");
}

PLAIN_CASE(a_long_step_is_told_whole)
{
    char name[2000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    plx__error_set(&error, 103, PLX_REASON_HOST_NOT_FOUND, 0, "look up %s", name);
    ck_assert_int_eq(strncmp(error.message + strlen("look up "), name, sizeof name - 1), 0);
    ck_assert_ptr_nonnull(strstr(error.message, "x: the host name has no address"));
}

PLAIN_CASE(the_old_message_may_be_an_argument)
{
    plx__error_set(&error, 106, PLX_REASON_OPERATION, 0, "write");
    plx__error_set(&error, 102, PLX_REASON_REMOTE_HOST_CLOSED, 0, "[%s]", error.message);
    ck_assert_ptr_nonnull(strstr(error.message, "[write: "));
    ck_assert_int_eq(blocks, 1);
}

PLAIN_CASE(clear_makes_it_none)
{
    plx__error_clear(&error);
    expect(0, PLX_REASON_NONE, 0, "");
    plx__error_clear(&error);
    plx__error_set(&error, 106, PLX_REASON_OPERATION, 0, "write");
    plx__error_clear(&error);
    expect(0, PLX_REASON_NONE, 0, "");
    ck_assert_int_eq(blocks, 0);
    plx__error_clear(NULL);
    plx__error_set(NULL, 106, PLX_REASON_OPERATION, 0, "write");
    plx__error_copy(NULL, &error);
    plx__error_take(NULL, &error);
}

PLAIN_CASE(a_copy_has_a_message_of_its_own)
{
    plx_error other = {0};
    plx__error_copy(&other, &error);
    ck_assert_str_eq(other.message, "");
    plx__error_set(&error, 106, PLX_REASON_OPERATION, 0, "write");
    plx__error_copy(&other, &error);
    plx__error_copy(&other, &error);
    plx__error_copy(&error, &error);
    ck_assert_int_eq(blocks, 2);
    ck_assert_ptr_ne(other.message, error.message);
    plx__error_clear(&error);
    error = other;
    expect(106, PLX_REASON_OPERATION, 0,
           "write: not possible in this state or for this kind of object (InvalidState)");
    plx__error_copy(&error, NULL);
    expect(0, PLX_REASON_NONE, 0, "");
}

PLAIN_CASE(taking_moves_without_memory)
{
    plx_error other = {0};
    plx__error_set(&other, 106, PLX_REASON_OPERATION, 0, "write");
    plx__error_set(&error, 102, PLX_REASON_REMOTE_HOST_CLOSED, 0, "read");
    const char *message = other.message;
    empty = true;
    plx__error_take(&error, &other);
    ck_assert_ptr_eq(error.message, message);
    ck_assert_int_eq(blocks, 1);
    ck_assert_int_eq(other.code, 0);
    ck_assert_str_eq(other.message, "");
    plx__error_take(&error, &error);
    ck_assert_ptr_eq(error.message, message);
    plx_error zeroed = {0};
    plx__error_take(&error, &zeroed);
    expect(0, PLX_REASON_NONE, 0, "");
}

SUITE_MAIN("error", .setup = setup, .teardown = teardown)
