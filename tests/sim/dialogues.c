/* tests/sim/dialogues.c -- what a kernel answers, asked of the real one and of the simulated one.
 *
 * Each row of tests/sim/rows-*.h is a dialogue: steps of a small language, which this program plays
 * on lib/os/os.h, and prints with their results. It is linked twice, with lib/os and with the
 * simulated kernel, and the two transcripts are equal (tests/test-dialogues.sh).
 *
 * A capital letter is a descriptor. A name is ":A" for the address of A, ":" for port 0 of
 * 127.0.0.1, ":6" for port 0 of ::1, "*" for port 0 of all addresses, ":!" for a port where nobody
 * listens, "/x" for a path and "@x" for an abstract name. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/os/os.h"
#include "tests/sim/extra.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LETTERS = 26, WORDS = 4, LARGEST = 70000 };

static plx__fd letters[LETTERS];
static uint8_t bytes[LARGEST];
static unsigned char sent_next[LETTERS];
static size_t filled;
static int dead_port;

static plx__fd *letter(const char *word)
{
    if (word == NULL || word[0] < 'A' || word[0] > 'Z') {
        fprintf(stderr, "dialogues: \"%s\" is no descriptor\n", word == NULL ? "" : word);
        exit(1);
    }
    return &letters[word[0] - 'A'];
}

/* ---- answers --------------------------------------------------------------------------------- */

static void say_result(ptrdiff_t result)
{
    if (result >= 0) {
        printf(" %ld", (long)result);
    } else {
        printf(" %s", plx__error_os_name((int)-result));
    }
}

static void say_code(ptrdiff_t result)
{
    if (result >= 0) {
        printf(" ok");
    } else {
        say_result(result);
    }
}

static void say_ready(int found)
{
    static const struct {
        int bit;
        const char *name;
    } bits[] = {{1, "IN"}, {4, "OUT"}, {8, "ERR"}, {16, "HUP"}, {32, "NVAL"}, {0x2000, "RDHUP"}};
    for (size_t i = 0; i < PLX__COUNT_OF(bits); i++) {
        printf("%s%s", found & bits[i].bit ? " " : "", found & bits[i].bit ? bits[i].name : "");
    }
    printf("%s", found == 0 ? " none" : "");
}

static void say_name(const struct plx__sockaddr *name)
{
    char path[PLX__OS_SOCKADDR_TEXT_SIZE];
    plx_address address;
    struct plx__sockaddr other;
    if (plx__sockaddr_to_path(name, path, sizeof path)) {
        const char *last = strrchr(path, '/');
        printf(" %s", last == NULL ? "abstract" : last);
        return;
    }
    for (int i = 0; i < LETTERS; i++) {
        plx_address theirs;
        if (letters[i] >= 0 && plx__sockaddr_to_address(name, &address) && address.port != 0 &&
            plx__os_local_sockaddr(letters[i], &other) == 0 &&
            plx__sockaddr_to_address(&other, &theirs) && theirs.port == address.port &&
            theirs.family == address.family) {
            printf(" %c's", 'A' + i);
            return;
        }
    }
    printf(" size %u", name->size);
}

/* ---- names ----------------------------------------------------------------------------------- */

static plx_address loopback(int family)
{
    plx_address address = {.family = (uint16_t)family};
    address.bytes[family == 4 ? 0 : 15] = family == 4 ? 127 : 1;
    address.bytes[3] = family == 4 ? 1 : 0;
    return address;
}

static plx_address group(void)
{
    return (plx_address){.family = 4, .bytes = {239, 255, 77, 77}};
}

static int find_dead_port(void)
{
    plx_address address = loopback(4);
    struct plx__sockaddr name;
    plx__fd descriptor = plx__os_socket(PLX__FAMILY_IPV4, PLX__TYPE_STREAM);
    plx__sockaddr_from_address(&name, &address, PLX__FAMILY_NONE);
    plx__os_bind(descriptor, &name);
    plx__os_local_sockaddr(descriptor, &name);
    plx__sockaddr_to_address(&name, &address);
    plx__os_close(descriptor);
    return address.port;
}

static const char *path_of(const char *word)
{
    static char path[108];
    if (word[0] == '@') {
        snprintf(path, sizeof path, "@pollux-dialogues-%d%s", plx__os_process(), word + 1);
    } else {
        snprintf(path, sizeof path, "%s%s", sim_folder(), word);
    }
    return path;
}

static struct plx__sockaddr name_of(const char *word, plx__fd user)
{
    struct plx__sockaddr name;
    struct plx__os_socket_facts facts = {.family = PLX__FAMILY_NONE};
    plx__os_inspect(user, &facts);
    plx_address bound,
        address = loopback(facts.family == PLX__FAMILY_IPV6 && word[0] != ':' ? 6 : 4);
    if (word[0] == '/' || word[0] == '@') {
        const char *path = path_of(word);
        plx__sockaddr_from_path(&name, path, strlen(path));
        return name;
    }
    if (word[0] == '#') {
        address = group();
        plx__os_local_sockaddr(*letter(word + 1), &name);
        plx__sockaddr_to_address(&name, &bound);
        address.port = bound.port;
    } else if (word[0] == '*') {
        memset(address.bytes, 0, sizeof address.bytes);
    } else if (word[1] == '6') {
        address = loopback(6);
    } else if (word[1] == '!') {
        address.port = (uint16_t)dead_port;
    } else if (word[1] == '?') {
        address.bytes[0] = 192; /* 192.0.0.1 is nobody's */
        address.bytes[3] = 1;
    } else if (word[1] >= 'A' && word[1] <= 'Z') {
        plx__os_local_sockaddr(*letter(word + 1), &name);
        if (!plx__sockaddr_to_address(&name, &address)) {
            return name;
        }
        bool any = address.bytes[0] == 0 && address.bytes[15] == 0;
        uint16_t port = address.port;
        address = any ? loopback(word[2] == '6' ? 6 : 4) : address;
        address.port = port;
    }
    plx__sockaddr_from_address(&name, &address, facts.family);
    return name;
}

/* ---- bytes: each descriptor sends 0, 1, 2 ... ------------------------------------------------ */

static size_t number_of(const char *word)
{
    return (size_t)strtoul(word, NULL, 10);
}

static void prepare(const char *word, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(sent_next[word[0] - 'A'] + i);
    }
}

static void count_sent(const char *word, ptrdiff_t result)
{
    if (result > 0) {
        sent_next[word[0] - 'A'] = (unsigned char)(sent_next[word[0] - 'A'] + result);
    }
    say_result(result);
}

static void say_received(ptrdiff_t result)
{
    say_result(result);
    if (result > 0) {
        bool row = true;
        for (ptrdiff_t i = 1; i < result; i++) {
            row = row && bytes[i] == (uint8_t)(bytes[0] + i);
        }
        printf(" from %d%s", bytes[0], row ? "" : " with gaps");
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void make(enum plx__family family, enum plx__type type, char **word)
{
    *letter(word[1]) = plx__os_socket(family, type);
    say_code(*letter(word[1]));
    sent_next[word[1][0] - 'A'] = 0;
}

static void do_tcp(char **w)
{
    make(PLX__FAMILY_IPV4, PLX__TYPE_STREAM, w);
}
static void do_tcp6(char **w)
{
    make(PLX__FAMILY_IPV6, PLX__TYPE_STREAM, w);
}
static void do_udp(char **w)
{
    make(PLX__FAMILY_IPV4, PLX__TYPE_DATAGRAM, w);
}
static void do_udp6(char **w)
{
    make(PLX__FAMILY_IPV6, PLX__TYPE_DATAGRAM, w);
}
static void do_ipc(char **w)
{
    make(PLX__FAMILY_UNIX, PLX__TYPE_STREAM, w);
}
static void do_packet(char **w)
{
    make(PLX__FAMILY_UNIX, PLX__TYPE_PACKET, w);
}

static void do_bind(char **w)
{
    struct plx__sockaddr name = name_of(w[2], *letter(w[1]));
    say_code(plx__os_bind(*letter(w[1]), &name));
}

static void do_to(char **w)
{
    struct plx__sockaddr name = name_of(w[2], *letter(w[1]));
    say_code(plx__os_connect(*letter(w[1]), &name));
}

static void do_listen(char **w)
{
    say_code(sim_listen(*letter(w[1]), (int)number_of(w[2])));
}

static void do_take(char **w)
{
    struct plx__sockaddr name;
    *letter(w[1]) = plx__os_accept(*letter(w[2]), &name);
    say_code(*letter(w[1]));
    sent_next[w[1][0] - 'A'] = 0;
    if (*letter(w[1]) >= 0) {
        say_name(&name);
    }
}

static void do_close(char **w)
{
    say_code(plx__os_close(*letter(w[1])));
    *letter(w[1]) = PLX__NO_FD;
}

static void do_send(char **w)
{
    prepare(w[1], number_of(w[2]));
    count_sent(w[1], plx__os_send(*letter(w[1]), bytes, number_of(w[2])));
}

static void do_urgent(char **w)
{
    prepare(w[1], number_of(w[2]));
    count_sent(w[1], sim_send_urgent(*letter(w[1]), bytes, number_of(w[2])));
}

static void do_give(char **w)
{
    prepare(w[1], number_of(w[2]));
    count_sent(w[1], plx__os_send_handles(*letter(w[1]), bytes, number_of(w[2]), letter(w[3]), 1));
}

static void do_put(char **w)
{
    struct plx__sockaddr name = name_of(w[3], *letter(w[1]));
    prepare(w[1], number_of(w[2]));
    count_sent(w[1], plx__os_send_to(*letter(w[1]), bytes, number_of(w[2]), &name));
}

static void do_get(char **w)
{
    say_received(plx__os_receive(*letter(w[1]), bytes, number_of(w[2])));
}

static void do_catch(char **w)
{
    struct plx__os_handles handles;
    ptrdiff_t count = plx__os_receive_handles(*letter(w[1]), bytes, number_of(w[2]), &handles);
    say_received(count);
    printf(" and %d%s", (int)handles.count, handles.lost ? ", lost" : "");
    for (size_t i = 0; i < handles.count; i++) {
        if (i == 0 && w[3] != NULL) {
            *letter(w[3]) = handles.list[i];
        } else {
            plx__os_close(handles.list[i]);
        }
    }
}

static void do_from(char **w)
{
    struct plx__sockaddr name;
    bool truncated;
    memset(&name, 0, sizeof name);
    ptrdiff_t count =
        plx__os_receive_from(*letter(w[1]), bytes, number_of(w[2]), &name, &truncated);
    say_received(count);
    if (count >= 0) {
        printf("%s", truncated ? " truncated" : "");
        say_name(&name);
    }
}

static void do_fill(char **w)
{
    ptrdiff_t result;
    size_t size = w[2] == NULL ? 4000 : number_of(w[2]);
    filled = 0;
    do {
        prepare(w[1], size);
        result = plx__os_send(*letter(w[1]), bytes, size);
        if (result > 0) {
            filled += (size_t)result;
        }
    } while (result > 0);
    sent_next[w[1][0] - 'A'] = 0; /* how much fits is each kernel's own affair */
    printf(" %s,", filled > 0 ? "some" : "none");
    say_result(result);
}

static void do_drain(char **w)
{
    ptrdiff_t result;
    size_t got = 0;
    while ((result = plx__os_receive(*letter(w[1]), bytes, LARGEST)) > 0) {
        got += (size_t)result;
        sim_settle();
    }
    printf(" %s,", got == filled ? "all" : got == 0 ? "none" : got < filled ? "a part" : "more");
    say_result(result);
}

static void do_end(char **w)
{
    say_code(plx__os_shutdown_sending(*letter(w[1])));
}
static void do_reset(char **w)
{
    plx__os_set_reset(*letter(w[1]));
}
static void do_error(char **w)
{
    say_result(plx__os_take_error(*letter(w[1])));
}
static void do_size(char **w)
{
    say_result(plx__os_packet_size(*letter(w[1])));
}
static void do_waiting(char **w)
{
    say_result(plx__os_bytes_waiting(*letter(w[1])));
}
static void do_ready(char **w)
{
    say_ready(sim_found(*letter(w[1])));
}
static void do_only6(char **w)
{
    say_code(plx__os_set_only_ipv6(*letter(w[1]), true));
}
static void do_reuse(char **w)
{
    say_code(plx__os_set_reuse(*letter(w[1])));
}
static void do_inline(char **w)
{
    say_code(plx__os_set_urgent_inline(*letter(w[1])));
}
static void do_late(char **w)
{
    say_code(plx__os_set_late_port(*letter(w[1])));
}
static void do_dissolve(char **w)
{
    say_code(plx__os_dissolve(*letter(w[1])));
}
static void do_ended(char **w)
{
    printf(" %s", plx__os_has_ended(*letter(w[1])) ? "yes" : "no");
}
static void do_heed(char **w)
{
    say_code(plx__os_heed_refusals(*letter(w[1]), true));
}

static void do_unheed(char **w)
{
    say_code(plx__os_heed_refusals(*letter(w[1]), false));
}

static void do_settle(char **w)
{
    (void)w;
    sim_settle();
}

static void do_unsent(char **w)
{
    ptrdiff_t count = plx__os_bytes_unacknowledged(*letter(w[1]));
    if (count > 0) {
        printf(" some");
    } else {
        say_result(count);
    }
}

static void do_refusal(char **w)
{
    plx_address to = {0};
    say_result(plx__os_take_refusal(*letter(w[1]), &to));
    printf("%s", to.family != 0 && to.port == dead_port ? " of the dead port" : "");
}

static void do_copy(char **w)
{
    *letter(w[1]) = plx__os_copy(*letter(w[2]));
    say_code(*letter(w[1]));
}

static void do_name(char **w)
{
    struct plx__sockaddr name;
    int result = plx__os_local_sockaddr(*letter(w[1]), &name);
    say_code(result);
    if (result == 0) {
        say_name(&name);
    }
}

static void do_peer(char **w)
{
    struct plx__sockaddr name;
    int result = plx__os_remote_sockaddr(*letter(w[1]), &name);
    say_code(result);
    if (result == 0) {
        say_name(&name);
    }
}

static void do_facts(char **w)
{
    struct plx__os_socket_facts facts;
    int result = plx__os_inspect(*letter(w[1]), &facts);
    say_code(result);
    if (result == 0) {
        printf(" family %d type %d%s%s%s", (int)facts.family, (int)facts.type,
               facts.listening ? " listening" : "", facts.connected ? " connected" : "",
               facts.bound ? " bound" : "");
    }
}

/* The loopback interface, by which groups are joined and datagrams to them leave. */
static unsigned loopback_index(void)
{
    return plx__os_interface_index("lo");
}

static void do_join(char **w)
{
    plx_address address = group();
    say_code(plx__os_membership(*letter(w[1]), &address, loopback_index(), true));
}

static void do_leave(char **w)
{
    plx_address address = group();
    say_code(plx__os_membership(*letter(w[1]), &address, loopback_index(), false));
}

static void do_via(char **w)
{
    plx_address address = loopback(4);
    say_code(plx__os_set_multicast_interface(*letter(w[1]), loopback_index(), &address));
}

static plx_option option_of(const char *word)
{
    static const struct {
        const char *name;
        plx_option option;
    } names[] = {
        {"keep-alive", PLX_OPTION_KEEP_ALIVE},
        {"idle", PLX_OPTION_KEEP_ALIVE_IDLE},
        {"interval", PLX_OPTION_KEEP_ALIVE_INTERVAL},
        {"count", PLX_OPTION_KEEP_ALIVE_COUNT},
        {"low-delay", PLX_OPTION_LOW_DELAY},
        {"service", PLX_OPTION_TYPE_OF_SERVICE},
        {"send-buffer", PLX_OPTION_SEND_BUFFER_SIZE},
        {"receive-buffer", PLX_OPTION_RECEIVE_BUFFER_SIZE},
        {"mtu", PLX_OPTION_PATH_MTU},
        {"hops", PLX_OPTION_ROUTER_HOPS},
        {"multicast-hops", PLX_OPTION_MULTICAST_HOPS},
        {"self", PLX_OPTION_SEND_TO_SELF},
        {"broadcast", PLX_OPTION_BROADCAST},
        {"share", PLX_OPTION_SHARE_ADDRESS},
        {"unacknowledged", PLX_OPTION_UNACKNOWLEDGED_TIMEOUT},
    };
    for (size_t i = 0; i < PLX__COUNT_OF(names); i++) {
        if (strcmp(names[i].name, word) == 0) {
            return names[i].option;
        }
    }
    fprintf(stderr, "dialogues: no option \"%s\"\n", word);
    exit(1);
}

static void do_set(char **w)
{
    say_code(plx__os_set_option(*letter(w[1]), option_of(w[2]), atoi(w[3])));
}

static void do_ask(char **w)
{
    int value = -1;
    int result = plx__os_option(*letter(w[1]), option_of(w[2]), &value);
    say_code(result);
    if (result == 0) {
        printf(" %d", value);
    }
}

static void do_lock(char **w)
{
    *letter(w[1]) = plx__os_lock(path_of(w[2]));
    say_code(*letter(w[1]));
}

static void do_unlock(char **w)
{
    plx__os_unlock(path_of(w[2]), *letter(w[1]));
    *letter(w[1]) = PLX__NO_FD;
}

static void do_remove(char **w)
{
    say_code(plx__os_remove_file(path_of(w[1])));
}

static void do_file(char **w)
{
    struct plx__os_file file;
    int result = plx__os_file(path_of(w[1]), &file);
    say_code(result);
    printf("%s", result == 0 ? file.is_socket ? " socket" : " no socket" : "");
}

static void do_credentials(char **w)
{
    struct plx__os_credentials one;
    int result = plx__os_credentials(*letter(w[1]), &one);
    say_code(result);
    printf("%s",
           result == 0 ? one.process == plx__os_process() ? " of this process" : " of none" : "");
}

static const struct step {
    const char *verb;
    void (*run)(char **words);
} steps[] = {
    {"tcp", do_tcp},           {"tcp6", do_tcp6},     {"udp", do_udp},
    {"udp6", do_udp6},         {"ipc", do_ipc},       {"packet", do_packet},
    {"bind", do_bind},         {"to", do_to},         {"listen", do_listen},
    {"take", do_take},         {"close", do_close},   {"send", do_send},
    {"urgent", do_urgent},     {"give", do_give},     {"put", do_put},
    {"get", do_get},           {"catch", do_catch},   {"from", do_from},
    {"fill", do_fill},         {"drain", do_drain},   {"end", do_end},
    {"reset", do_reset},       {"error", do_error},   {"size", do_size},
    {"waiting", do_waiting},   {"ready", do_ready},   {"only6", do_only6},
    {"reuse", do_reuse},       {"inline", do_inline}, {"late", do_late},
    {"dissolve", do_dissolve}, {"ended", do_ended},   {"heed", do_heed},
    {"unheed", do_unheed},     {"settle", do_settle}, {"unsent", do_unsent},
    {"refusal", do_refusal},   {"copy", do_copy},     {"name", do_name},
    {"peer", do_peer},         {"facts", do_facts},   {"set", do_set},
    {"ask", do_ask},           {"lock", do_lock},     {"unlock", do_unlock},
    {"remove", do_remove},     {"file", do_file},     {"credentials", do_credentials},
    {"join", do_join},         {"leave", do_leave},   {"via", do_via},
};

/* ---- dialogues ------------------------------------------------------------------------------- */

static const struct dialogue {
    const char *name, *steps;
} dialogues[] = {
#include "tests/sim/rows-tcp.h"
#include "tests/sim/rows-udp.h"
#include "tests/sim/rows-unix.h"
};

static void play_step(char *text)
{
    char *words[WORDS] = {0};
    printf("   %s:", text);
    for (size_t i = 0; i < WORDS; i++) {
        words[i] = strtok_r(text, " ", &text);
    }
    for (size_t i = 0; words[0] != NULL && i < PLX__COUNT_OF(steps); i++) {
        if (strcmp(steps[i].verb, words[0]) == 0) {
            steps[i].run(words);
            printf("\n");
            return;
        }
    }
    fprintf(stderr, "dialogues: no step \"%s\"\n", words[0] == NULL ? "" : words[0]);
    exit(1);
}

static void play(const struct dialogue *dialogue)
{
    char text[2000];
    char *rest = text;
    snprintf(text, sizeof text, "%s", dialogue->steps);
    printf("%s\n", dialogue->name);
    for (int i = 0; i < LETTERS; i++) {
        letters[i] = PLX__NO_FD;
    }
    dead_port = find_dead_port();
    for (char *step = strtok_r(text, ";", &rest); step != NULL; step = strtok_r(NULL, ";", &rest)) {
        play_step(step + strspn(step, " "));
    }
    for (int i = 0; i < LETTERS; i++) {
        if (letters[i] >= 0) {
            plx__os_close(letters[i]);
        }
    }
}

int main(void)
{
    for (size_t i = 0; i < PLX__COUNT_OF(dialogues); i++) {
        play(&dialogues[i]);
    }
    printf("%d dialogues\n", (int)PLX__COUNT_OF(dialogues));
    return 0;
}
