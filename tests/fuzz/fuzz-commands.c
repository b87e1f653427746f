/* tests/fuzz/fuzz-commands.c -- commands in random pieces: command_received, read_command and
 * wait_for_command, held against a list of what the peer has sent. */
#include "tests/fuzz/fuzz.h"

#include "lib/wire/command.h"

#include <errno.h>
#include <pollux.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAXIMUM = 600, MOST = 2000 };

/* What the peer has sent, as a list: made by a parser of its own. */
static struct bytes sent;
static size_t parsed; /* this many of the bytes are in the list */
static struct entry {
    int32_t number;
    size_t at, size; /* its data in `sent` */
    bool taken;
} entries[MOST];
static size_t count;
static int broken; /* why the connection ends behind the last entry; 0: it does not */

static plx_socket *socket_;
static int peer;
static bool deaf;                          /* there was no handler then */
static bool data_only, has_handler, whole; /* whole: what was sent was received if there is room */
static size_t limit;
static struct tape *script; /* of what handlers do */
static int calls;           /* of command_received in this poll */
static int depth, waiting;
static int ended; /* the code of `error` */

static size_t number_at(size_t at)
{
    const uint8_t *b = sent.data + at;
    return (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
}

static void parse(void)
{
    while (broken == 0 && count < MOST && sent.size - parsed >= 4) {
        size_t size = number_at(parsed) + (data_only ? 4 : 0);
        broken = size > MAXIMUM ? EMSGSIZE : size < 4 ? EPROTO : 0;
        if (broken == 0 && sent.size - parsed >= 8) {
            broken = number_at(parsed + 4) > INT32_MAX ? EPROTO : 0;
        }
        if (broken != 0 || sent.size - parsed - 4 < size) {
            return;
        }
        NEED(plx__command_form(sent.data + parsed + 4, size, size) == PLX__COMMAND_GOOD);
        entries[count++] =
            (struct entry){(int32_t)number_at(parsed + 4), parsed + 8, size - 4, false};
        parsed += 4 + size;
    }
}

/* The first that was not taken, of that number or of any (-1); NULL: none. */
static struct entry *first_of(int32_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (!entries[i].taken && (number < 0 || entries[i].number == number)) {
            return &entries[i];
        }
    }
    return NULL;
}

static void take(struct entry *entry, int32_t number, const void *data, size_t size)
{
    NEED(entry != NULL && entry->number == number && entry->size == size);
    NEED(memcmp(sent.data + entry->at, data, size) == 0);
    entry->taken = true;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void read_one(void)
{
    int32_t number = -7;
    size_t size = 77;
    struct entry *entry = first_of(-1);
    const void *data = plx_socket_read_command(socket_, &number, &size);
    if (data != NULL) {
        take(entry, number, data, size);
    } else {
        NEED(size == 0 && number == -7);
        NEED(entry == NULL || !whole || limit > 0);
    }
}

static void wait_for(int32_t number)
{
    size_t size = 77;
    bool live = plx_socket_state(socket_) == PLX_CONNECTED;
    waiting += depth == 0;
    const void *data = plx_socket_wait_for_command(socket_, number, 0, &size);
    waiting -= depth == 0;
    struct entry *entry = first_of(number);
    if (data != NULL) {
        take(entry, number, data, size);
    } else {
        NEED(size == 0);
        NEED(entry == NULL || limit > 0 || !live || depth > 0);
    }
}

static void received(plx_socket *socket, int32_t number, const void *data, size_t size, void *user)
{
    (void)user;
    NEED(socket == socket_ && waiting == 0 && depth == 0 && ended == 0);
    NEED(++calls <= 64);
    struct entry *entry = first_of(-1);
    take(entry, number, data, size);
    depth++;
    switch (tape_byte(script) % 8) {
    case 0: read_one(); break;
    case 1: wait_for((int32_t)(tape_byte(script) % 4)); break;
    case 2: NEED(plx_socket_set_commands(socket, data_only) == 0); break;
    default: break;
    }
    depth--;
    NEED(memcmp(sent.data + entry->at, data, size) == 0);
}

static void failed(plx_socket *socket, const plx_error *error, void *user)
{
    (void)socket, (void)user;
    ended = error->code;
    deaf = !has_handler;
}

static const plx_events silent = {.error = failed};
static const plx_events heard = {.error = failed, .command_received = received};

static void poll_once(void)
{
    calls = 0;
    plx_socket_poll(socket_);
    whole = true;
}

static void send_bytes(const void *data, size_t size)
{
    if (peer < 0 || !bytes_fit(&sent, size) || size == 0 || count >= MOST - 100) {
        return;
    }
    ssize_t done = send(peer, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    bytes_append(&sent, data, done < 0 ? 0 : (size_t)done);
    whole = false;
    parse();
}

static void send_command(struct tape *tape, size_t size, size_t piece)
{
    uint8_t bytes[MAXIMUM + 8];
    size_t length = size + (data_only ? 0 : 4);
    memset(bytes, (int)(sent.size % 251), sizeof bytes);
    plx__command_write(bytes, (int32_t)length);
    plx__command_write(bytes + 4, (int32_t)(tape_byte(tape) % 4));
    piece = piece < size + 8 ? piece : size + 8;
    send_bytes(bytes, piece);
    poll_once();
    send_bytes(bytes + piece, size + 8 - piece);
}

static void hang_up(void)
{
    if (peer >= 0) {
        close(peer);
        peer = -1;
    }
}

static void step(struct tape *tape)
{
    size_t size;
    const uint8_t *bytes;
    switch (tape_byte(tape) % 12) {
    case 0:
        bytes = tape_bytes(tape, tape_byte(tape) % 32, &size);
        send_bytes(bytes, size);
        break;
    case 1:
    case 2: send_command(tape, tape_byte(tape) % 50, SIZE_MAX); break;
    case 3: send_command(tape, tape_byte(tape) * 2, tape_byte(tape)); break;
    case 4:
        for (unsigned i = tape_byte(tape); i > 0; i--) {
            send_command(tape, i % 3, SIZE_MAX);
        }
        break;
    case 5: poll_once(); break;
    case 6: read_one(); break;
    case 7:
    case 8: wait_for((int32_t)(tape_byte(tape) % 5)); break;
    case 9:
        has_handler = !has_handler;
        plx_socket_set_events(socket_, has_handler ? &heard : &silent, NULL);
        break;
    case 10: NEED(plx_socket_set_commands(socket_, data_only) == 0); break;
    default: tape_byte(tape) % 8 == 0 ? hang_up() : (void)0; break;
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void begin(unsigned settings)
{
    static const plx_frame frame = {.length_size = 4, .maximum = MAXIMUM};
    int ends[2];
    sent.size = parsed = count = 0;
    broken = ended = depth = waiting = 0;
    data_only = (settings & 1) != 0;
    has_handler = (settings & 2) != 0;
    limit = (settings & 4) != 0 ? 50 + (settings & 0xf0) : 0;
    whole = true;
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    socket_ = plx_ipc_new();
    peer = ends[1];
    plx_socket_set_events(socket_, has_handler ? &heard : &silent, NULL);
    NEED(plx_socket_set_option(socket_, PLX_OPTION_READ_LIMIT, (int)limit) == 0);
    NEED(plx_socket_set_frame(socket_, &frame) == 0);
    NEED(plx_socket_set_commands(socket_, data_only) == 0);
    NEED(plx_socket_adopt(socket_, ends[0]) == 0);
    poll_once();
    NEED(plx_socket_state(socket_) == PLX_CONNECTED);
}

/* Everything that was sent comes, in its order, and then the end for its reason. Unread commands
 * before a bad one hide it from the end. */
static void drain(void)
{
    hang_up();
    for (size_t left = 2 * count + sent.size / 16 + 100; left > 0 && ended == 0; left--) {
        poll_once();
        if (!has_handler) {
            read_one();
        }
    }
    while (first_of(-1) != NULL) {
        struct entry *entry = first_of(-1);
        read_one();
        NEED(entry->taken);
    }
    NEED(plx_socket_state(socket_) == PLX_UNCONNECTED);
    NEED(ended == (broken != 0 ? broken : PLX_LOST_CONNECTION) ||
         (ended == PLX_LOST_CONNECTION && deaf));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    script = &tape;
    begin(tape_byte(&tape));
    while (tape.left > 0) {
        step(&tape);
    }
    drain();
    plx_socket_free(socket_);
    return 0;
}
