/* tests/world.c -- what a test runs in. See world.h. */
#include "config.h"

#include "tests/sockets.h"
#include "tests/world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* ---- folders --------------------------------------------------------------------------------- */

/* Of this program; every test has one of its own in it. */
static char root[32];

static void remove_folder(const char *name)
{
    DIR *folder = opendir(name);
    struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        closedir(folder);
    rmdir(name);
}

/* Also what tests that failed have left. */
static void remove_root(void)
{
    DIR *folder = opendir(root);
    struct dirent *entry;
    char name[sizeof root + sizeof entry->d_name];

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        snprintf(name, sizeof name, "%s/%s", root, entry->d_name);
        if (entry->d_name[0] != '.')
            remove_folder(name);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(root);
}

/* ---- the program ----------------------------------------------------------------------------- */

bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

static bool begin_program(void)
{
    snprintf(root, sizeof root, "/tmp/pollux-test-XXXXXX");
    if (mkdtemp(root) == NULL || chmod(root, 0711) != 0)
        return false;
    count_memory();
    return true;
}

/* Of the MODE_CASEs. */
static const struct kind *program_kind = &kinds[0];

static bool choose_kind(const char *name)
{
    for (int i = 0; i < kind_count; i++)
        if (name == NULL || strcmp(kinds[i].name, name) == 0) {
            program_kind = &kinds[i];
            return true;
        }
    fprintf(stderr, "%s: not a row of kinds.h\n", name);
    return false;
}

/* For which rows there are CASEs. */
static bool with_packets, with_filtered;

static bool has_cases(const struct kind *kind)
{
    return (with_packets || !kind->keeps_boundaries) && (with_filtered || !kind->filtered);
}

int world_kinds(void)
{
    int count = 0;

    for (int i = 0; i < kind_count; i++)
        count += has_cases(&kinds[i]);
    return count;
}

/* The kind of the world with that number. */
static const struct kind *kind_of(int index)
{
    const struct kind *kind = kinds;

    for (int left = index % world_kinds(); left > 0 || !has_cases(kind); kind++)
        left -= has_cases(kind);
    return kind;
}

static bool is_filtered_stream(const struct kind *kind)
{
    return kind->filtered && !kind->keeps_boundaries;
}

static bool is_of_packets(const struct kind *kind)
{
    return kind->keeps_boundaries;
}

static bool establishes(const struct kind *kind)
{
    return kind->establishes;
}

static bool ends_both(const struct kind *kind)
{
    return kind->ends_both;
}

static bool is_left_out(const struct suite_item *item, bool (*is_meant)(const struct kind *))
{
    for (int i = 0; item->wanted != NULL && i < world_count(); i++)
        if (is_meant(kind_of(i)) && world_is_chosen(i) && !item->wanted(i))
            return true;
    return false;
}

/* Why a case may be left out, beside what keeps it to streams or to kinds without filters. */
static bool has_own_reason(const struct suite_item *item)
{
    return item->wanted == world_is_prompt || item->wanted == world_is_half_open;
}

/* Names the cases that are left out for some kinds; those with that `reason`, or NULL: those that
 * have none of their own. */
static void name_what_is_left_out(const char *why, bool (*is_meant)(const struct kind *),
                                  bool (*reason)(int index))
{
    const char *before = "LEFT OUT: ";

    for (const struct suite_item *item = suite_first(); item != NULL; item = item->next)
        if (item->test != NULL &&
            (reason == NULL ? !has_own_reason(item) : item->wanted == reason) &&
            is_left_out(item, is_meant)) {
            fprintf(stderr, "%s%s%s", before, before[0] == ',' ? "" : why, item->test->name);
            before = ", ";
        }
    if (before[0] == ',')
        fputc('\n', stderr);
}

int world_main(const struct suite_program *program)
{
    int status;

    with_packets = program->packets;
    with_filtered = program->filtered;
    name_what_is_left_out("for streams only, not for packets: ", is_of_packets, NULL);
    name_what_is_left_out("for kinds without filters only: ", is_filtered_stream, NULL);
    name_what_is_left_out("for kinds that need no answer to connect: ", establishes,
                          world_is_prompt);
    name_what_is_left_out("for kinds with half-open connections: ", ends_both, world_is_half_open);
    if (!choose_kind(program->kind) || !begin_program())
        return EXIT_FAILURE;
    status = suite_main(program);
    remove_root();
    return status;
}

/* ---- ways of polling ------------------------------------------------------------------------- */

static const struct {
    const char *choice, *mechanism;
} modes[] = {{"lone", ""}, {"poll", "poll"}, {"epoll", "epoll"}, {"uring", "io_uring"}};

static bool has(enum mode mode)
{
    plx_group *group;
    bool there;

    setenv("POLLUX_POLLER", modes[mode].choice, 1);
    group = plx_group_new();
    there = strcmp(plx_group_mechanism(group), modes[mode].mechanism) == 0;
    plx_group_free(group);
    /* Servers that are polled alone make groups of their own, which choose the mechanism. */
    unsetenv("POLLUX_POLLER");
    if (!there)
        fprintf(stderr, "LEFT OUT: %s is not built in or refused here: no test in that mode\n",
                modes[mode].mechanism);
    return there;
}

static void name_world(char *ret_name, size_t size, const struct kind *kind, enum mode mode)
{
    snprintf(ret_name, size, "%s/%s", kind->name, modes[mode].choice);
}

int world_modes(void)
{
    static int count;

    if (count == 0) {
        bool epoll = has(MODE_EPOLL), uring = has(MODE_URING);

        /* No build has io_uring and not epoll. */
        count = !epoll ? MODE_EPOLL : !uring ? MODE_URING : MODES;
    }
    return count;
}

int world_count(void)
{
    return world_modes() * world_kinds();
}

/* The last way of polling here that is no io_uring. */
static bool is_usual_mode(enum mode mode)
{
    int most = world_modes() <= MODE_EPOLL ? world_modes() - 1 : MODE_EPOLL;

    return (int)mode == most;
}

/* Filtered kinds run in one way of polling unless the environment wants all: they are many, and a
 * filter is the same in each. */
static bool is_usual(const struct kind *kind, enum mode mode)
{
    return !kind->filtered || is_usual_mode(mode);
}

static bool is_way(const char *choice, const char *way)
{
    const char *slash = strrchr(choice, '/');

    return strcmp(slash == NULL ? choice : slash + 1, way) == 0;
}

int world_chosen_modes(enum mode ret_modes[MODES])
{
    const char *choice = getenv("POLLUX_TEST_WORLDS");
    int count = 0;

    for (int i = 0; i < world_modes(); i++)
        if (choice == NULL || choice[0] == '\0'
                ? is_usual_mode((enum mode)i)
                : strcmp(choice, "all") == 0 || is_way(choice, modes[i].choice))
            ret_modes[count++] = (enum mode)i;
    return count;
}

bool world_is_chosen(int index)
{
    const char *choice = getenv("POLLUX_TEST_WORLDS");
    const struct kind *kind = kind_of(index);
    enum mode mode = (enum mode)(index / world_kinds());
    char name[sizeof((struct world *)0)->name];

    if (choice == NULL || choice[0] == '\0')
        return is_usual(kind, mode);
    name_world(name, sizeof name, kind, mode);
    return strcmp(choice, "all") == 0 || strstr(name, choice) != NULL;
}

bool world_is_of_streams(int index)
{
    return world_is_chosen(index) && !kind_of(index)->keeps_boundaries;
}

bool world_is_unfiltered(int index)
{
    return world_is_chosen(index) && !kind_of(index)->filtered;
}

bool world_is_of_unfiltered_streams(int index)
{
    return world_is_of_streams(index) && world_is_unfiltered(index);
}

bool world_is_prompt(int index)
{
    return world_is_chosen(index) && !kind_of(index)->establishes;
}

bool world_is_half_open(int index)
{
    return world_is_chosen(index) && !kind_of(index)->ends_both;
}

/* ---- begin and end --------------------------------------------------------------------------- */

/* A word is left out with the space that follows it. */
static void without_progress(const char *text, char *ret_text, size_t size)
{
    static const char progress[] = "send_progress(";
    size_t used = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");

        length += text[length] == ' ';
        if (strncmp(text, progress, sizeof progress - 1) != 0 && used + length < size) {
            memcpy(ret_text + used, text, length);
            used += length;
        }
        text += length;
    }
    while (used > 0 && ret_text[used - 1] == ' ')
        used--;
    ret_text[used] = '\0';
}

/* Whether the text of a record is `wanted`, but for the state in which a listener that becomes a
 * connection establishes its filters. */
static bool equals_with_filters(const char *text, const char *wanted)
{
    static const char listening[] = "state:LISTENING", connecting[] = " state:CONNECTING";
    const char *place = strstr(text, listening);
    size_t before = place == NULL ? 0 : (size_t)(place - text) + sizeof listening - 1;

    if (place == NULL || strncmp(text + before, connecting, sizeof connecting - 1) != 0)
        return strcmp(text, wanted) == 0;
    return strncmp(text, wanted, before) == 0 &&
           strcmp(text + before + sizeof connecting - 1, wanted + before) == 0;
}

/* `encrypted` follows `connected` at once for the kinds that encrypt. */
static void without_encrypted(const char *text, char *ret_text, size_t size)
{
    static const char both[] = " connected[CONNECTED] encrypted[CONNECTED]";
    static const size_t kept = sizeof " connected[CONNECTED]" - 1;
    const char *place;
    size_t used = 0;

    ck_assert_uint_lt(strlen(text), size);
    while ((place = strstr(text, both)) != NULL) {
        size_t length = (size_t)(place - text) + kept;

        memcpy(ret_text + used, text, length);
        used += length;
        text = place + sizeof both - 1;
    }
    memcpy(ret_text + used, text, strlen(text) + 1);
}

bool world_logged(const struct world *world, const struct record *record, const char *wanted)
{
    char shorter[sizeof record->text];

    if (world->kind->filtered) {
        without_encrypted(record->text, shorter, sizeof shorter);
        return equals_with_filters(shorter, wanted);
    }
    if (!world->kind->keeps_boundaries)
        return strcmp(record->text, wanted) == 0;
    without_progress(wanted, shorter, sizeof shorter);
    return strcmp(record->text, shorter) == 0;
}

static void begin(struct world *world, const struct kind *kind, enum mode mode)
{
    memset(world, 0, sizeof *world);
    world->kind = kind;
    raw_speak(world);
    world->mode = mode;
    name_world(world->name, sizeof world->name, kind, mode);
    snprintf(world->folder, sizeof world->folder, "%s/XXXXXX", root);
    ck_assert_ptr_nonnull(mkdtemp(world->folder));
    world->descriptors_before = count_descriptors();
    world->blocks_before = count_blocks();
    if (mode == MODE_LONE)
        return;
    setenv("POLLUX_POLLER", modes[mode].choice, 1);
    world->group = plx_group_new();
    ck_assert_ptr_nonnull(world->group);
    ck_assert_str_eq(plx_group_mechanism(world->group), modes[mode].mechanism);
}

void world_begin(struct world *world, int index)
{
    begin(world, kind_of(index), (enum mode)(index / world_kinds()));
}

void world_begin_plain(struct world *world, enum mode mode)
{
    begin(world, program_kind, mode);
}

void world_begin_of(struct world *world, const char *name, enum mode mode)
{
    begin(world, kind_of_name(name), mode);
}

const char *world_name(const struct world *world)
{
    return world->name;
}

/* Without c-ares a thread gives the descriptor of a lookup back, some moments after the answer. */
static int count_descriptors_left(const struct world *world)
{
    int count = count_descriptors();

    for (int round = 0; count != world->descriptors_before && round < 100; round++) {
        usleep(1000);
        count = count_descriptors();
    }
    return count;
}

void world_end(struct world *world)
{
    int descriptors;

    for (int i = 0; i < world->servers_used; i++)
        plx_server_free(world->servers[i]);
    for (int i = 0; i < world->sockets_used; i++)
        plx_socket_free(world->sockets[i]);
    plx_group_free(world->group);
    raw_close_all(world);
    raw_speak(NULL);
    remove_folder(world->folder);
    descriptors = count_descriptors_left(world);
    ck_assert_msg(descriptors == world->descriptors_before,
                  "%s: %d descriptors before the test, %d after it", world->name,
                  world->descriptors_before, descriptors);
    ck_assert_msg(count_blocks() == world->blocks_before,
                  "%s: %zu blocks before the test, %zu after it", world->name, world->blocks_before,
                  count_blocks());
}

/* ---- what is in it --------------------------------------------------------------------------- */

void world_keep(struct world *world, plx_socket *socket)
{
    ck_assert_int_lt(world->sockets_used, WORLD_SOCKETS);
    world->sockets[world->sockets_used++] = socket;
}

void world_forget(struct world *world, const plx_socket *socket)
{
    for (int i = 0; i < world->sockets_used; i++)
        if (world->sockets[i] == socket)
            world->sockets[i] = NULL;
}

void world_free(struct world *world, plx_socket *socket)
{
    world_forget(world, socket);
    ck_assert_ptr_null(plx_socket_free(socket));
}

plx_socket *world_socket_of(struct world *world, plx_constructor *create, struct record *record)
{
    plx_socket *socket = create();

    ck_assert_ptr_nonnull(socket);
    if (record != NULL)
        record_begin(record, socket);
    if (world->group != NULL)
        ck_assert_int_eq(plx_group_add(world->group, socket), 0);
    world_keep(world, socket);
    return socket;
}

plx_socket *world_socket(struct world *world, struct record *record)
{
    return world_socket_of(world, world->kind->create, record);
}

plx_socket *world_socket_with(struct world *world, struct record *record, plx_option option,
                              int value)
{
    plx_socket *socket = world_socket(world, record);

    ck_assert_int_eq(plx_socket_set_option(socket, option, value), 0);
    return socket;
}

plx_server *world_server(struct world *world)
{
    plx_server *server = plx_server_new(world->kind->create);

    ck_assert_ptr_nonnull(server);
    ck_assert_int_lt(world->servers_used, WORLD_SERVERS);
    world->servers[world->servers_used++] = server;
    if (world->group != NULL)
        ck_assert_int_eq(plx_group_add_server(world->group, server), 0);
    return server;
}

void world_free_server(struct world *world, plx_server *server)
{
    for (int i = 0; i < world->servers_used; i++)
        if (world->servers[i] == server)
            world->servers[i] = NULL;
    ck_assert_ptr_null(plx_server_free(server));
}

void world_free_group(struct world *world)
{
    plx_group *group = world->group;

    world->group = NULL;
    ck_assert_ptr_null(plx_group_free(group));
}

void world_place(struct world *world, char *ret_where)
{
    world->kind->place(world->folder, world->places++, ret_where);
}

void world_listen(struct world *world, plx_socket *socket, char *ret_where)
{
    char place[WHERE_SIZE];

    world_place(world, place);
    ck_assert_int_eq(plx_socket_listen_on(socket, place), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_LISTENING);
    world->kind->reach(place, plx_socket_port(socket), ret_where);
}

void world_serve(struct world *world, plx_server *server, char *ret_where)
{
    char place[WHERE_SIZE];

    world_place(world, place);
    ck_assert_int_eq(plx_server_listen_on(server, place), 0);
    world->kind->reach(place, plx_server_port(server), ret_where);
}

/* ---- polling --------------------------------------------------------------------------------- */

static bool poll_each(struct world *world)
{
    bool left = false;

    for (int i = 0; i < world->servers_used; i++)
        if (world->servers[i] != NULL)
            left |= plx_server_poll(world->servers[i]);
    for (int i = 0; i < world->sockets_used; i++)
        if (world->sockets[i] != NULL)
            left |= plx_socket_poll(world->sockets[i]);
    return left;
}

bool world_poll(struct world *world)
{
    raw_turn_all(world);
    return world->group != NULL ? plx_group_poll(world->group, 0) : poll_each(world);
}

void world_turn(struct world *world, int round)
{
    world_poll(world);
    if (round >= 20)
        world_pause(1);
}

void world_settle(struct world *world)
{
    for (int i = 0; i < 6; i++) {
        world_poll(world);
        if (i % 3 == 1)
            world_pause(1);
    }
}

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t moment;

static uint64_t standing_clock(void *user)
{
    (void)user;
    return moment;
}

void time_stop(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    moment = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    plx_clock_set(standing_clock, NULL);
}

void time_pass(int milliseconds)
{
    moment += (uint64_t)milliseconds * 1000000u;
}

void time_run(void)
{
    plx_clock_set(NULL, NULL);
}

/* The frames divide a quarter of the usual limits, so that these are over in the frame of their
 * end. */
void world_run(struct world *world, int milliseconds)
{
    int frame = milliseconds < 1000 ? 5 : 25;

    for (int passed = 0; passed < milliseconds; passed += frame) {
        time_pass(milliseconds - passed < frame ? milliseconds - passed : frame);
        world_poll(world);
    }
}

/* The letter that proc(5) gives as the state of a process; 0: it has gone. */
static char state_of(pid_t process)
{
    char path[40], text[200] = "", *end;
    int file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    if (read(file, text, sizeof text - 1) < 0)
        text[0] = '\0';
    close(file);
    end = strrchr(text, ')');
    return end == NULL || end[1] == '\0' ? '\0' : end[2];
}

pid_t alarm_once_asleep(void)
{
    pid_t parent = getpid(), child = fork();
    char state;

    ck_assert_int_ge(child, 0);
    if (child != 0)
        return child;
    while ((state = state_of(parent)) != 'S' && state != 0)
        poll(NULL, 0, 1);
    _exit(state == 0 || kill(parent, SIGALRM) != 0);
}

/* ---- connections ----------------------------------------------------------------------------- */

int world_pair(struct world *world, plx_socket *socket, struct record *record)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(world, 5, where);
    int peer;

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    peer = raw_accept(world, listener);
    UNTIL(world, plx_socket_is_connected(socket));
    raw_close(world, listener);
    if (record == NULL)
        return peer;
    UNTIL(world, record->count[EVENT_CONNECTED] == 1);
    world_settle(world);
    record_clear(record);
    return peer;
}

void world_couple(struct world *world, plx_socket *a, plx_socket *b)
{
    char where[WHERE_SIZE];

    world_listen(world, b, where);
    ck_assert_int_eq(plx_socket_connect_to(a, where), 0);
    UNTIL(world, plx_socket_is_connected(a) && plx_socket_is_connected(b));
    world_settle(world);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

unsigned char *pattern(size_t size)
{
    unsigned char *bytes = malloc(size);

    ck_assert_ptr_nonnull(bytes);
    pattern_fill(bytes, size, 0);
    return bytes;
}

void write_pattern(struct world *w, plx_socket *socket, size_t size)
{
    size_t most = w->kind->keeps_boundaries ? PACKET : size;
    unsigned char *bytes = pattern(size);

    for (size_t done = 0; done < size; done += most) {
        most = most < size - done ? most : size - done;
        ck_assert_int_eq(plx_socket_write(socket, bytes + done, most), (ptrdiff_t)most);
    }
    free(bytes);
}
